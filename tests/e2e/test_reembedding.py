"""A memory moves from an endpoint's model to the bundled one beside live searches, and its worker is killed."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from palimpsest.core.memory import Memory, NewMemory
from palimpsest.core.models import SearchAnswer
from palimpsest.server.app import Application
from palimpsest.server.settings import Settings
from palimpsest.slm.embeddings.minilm import MODEL_ID
from palimpsest.tools.access import Session

from ..contract.embedding_server import DIMENSIONS, Script, serve
from .conftest import environment
from .test_jobs import PATIENCE_SECONDS, Database, database

ITEMS = 160
_HELD = "SELECT owner IS NOT NULL AND attempts > 0 FROM palimpsest.jobs WHERE namespace_id = $1 AND kind = 'reembed'"
_LAPSE = "UPDATE palimpsest.jobs SET leased_until = now() WHERE namespace_id = $1 AND leased_until IS NOT NULL"
_MADE = "SELECT count(*) FROM palimpsest.chunk_vectors WHERE namespace_id = $1 AND model_id = $2"
_SERVING = "SELECT serving FROM palimpsest.embedding_spaces WHERE namespace_id = $1"


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace, and the endpoint whose model it began with."""

    folder: Path
    namespace: str
    endpoint: str
    script: Script

    def settings(self, embedder: str) -> Settings:
        """Settings that name an embedder; those of the endpoint are still there when it is the bundled one."""
        return Settings.model_validate(
            {
                "data_dir": self.folder,
                "idle_seconds": 0,
                "namespace": self.namespace,
                "embedder": embedder,
                "embedding_model": "loop",
                "embedding_dimensions": DIMENSIONS,
                "embedding_base_url": self.endpoint,
                "drain_seconds": 0,
            }
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process, with the bundled embedder."""
        return environment(
            self.folder,
            PALIMPSEST_NAMESPACE=self.namespace,
            PALIMPSEST_EMBEDDING_MODEL="loop",
            PALIMPSEST_EMBEDDING_DIMENSIONS=str(DIMENSIONS),
            PALIMPSEST_EMBEDDING_BASE_URL=self.endpoint,
        )


@pytest.fixture
def place(memory_dir: Path) -> Generator[Place, None, None]:
    script = Script()
    with serve(script) as endpoint:
        yield Place(memory_dir, f"move-{secrets.token_hex(6)}", endpoint, script)


async def fill(place: Place) -> None:
    async with Application(place.settings("openai")) as memory:
        session = await memory.session("test")
        for number in range(ITEMS):
            await session.memory.add(session.caller, NewMemory(f"Note {number}: pump {number} ran dry at noon."))


async def until_some_are_made(watched: Database, place: Place) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            made = await watched.fetchval(_MADE, place.namespace, MODEL_ID)
            if made:
                assert await watched.fetchval(_HELD, place.namespace), "the worker was too fast for this test"
                return int(made)
            await asyncio.sleep(0.01)


async def search(session: Session) -> SearchAnswer:
    memory: Memory = session.memory
    return await memory.search(session.caller, "which pump ran dry", limit=5)


async def test_a_move_beside_searches_survives_the_death_of_its_worker(place: Place) -> None:
    await fill(place)
    async with database(place.folder) as watched:
        worker = subprocess.Popen(
            [sys.executable, "-m", "palimpsest", "worker"], env=place.environment, stderr=subprocess.DEVNULL
        )
        try:
            await until_some_are_made(watched, place)
        finally:
            worker.kill()
            await asyncio.to_thread(worker.wait)
        doctor = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "palimpsest", "doctor"), env=place.environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(doctor.communicate(), PATIENCE_SECONDS)
        assert f"Re-embedding for the model {MODEL_ID}: " in out.decode()
        assert "searches use openai/loop/16 until it is done" in out.decode()
        assert await watched.fetchval(_SERVING, place.namespace) == f"openai/loop/{DIMENSIONS}"
        kept = await watched.fetchval(_MADE, place.namespace, MODEL_ID)
        async with Application(place.settings("bundled")) as memory:
            session = await memory.session("test")
            before = await session.memory.add(session.caller, NewMemory("The valve came while the memory moved."))
            assert before.chunks_pending == 0
            for _ in range(3):
                answer = await search(session)
                assert (len(answer.hits), answer.notes) == (5, ())
            assert await watched.fetchval(_MADE, place.namespace, MODEL_ID) in (kept, kept + 1)
            await watched.execute(_LAPSE, place.namespace)
            searches = 0
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await watched.fetchval(_SERVING, place.namespace) != MODEL_ID:
                    answer = await search(session)
                    searches += 1
                    assert (len(answer.hits), answer.notes) == (5, ())
                    (await memory.parts()).worker.wake()
                    await asyncio.sleep(0.05)
            assert searches
            asked = len(place.script.requests)
            await asyncio.sleep(0.2)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len((await session.memory.state(session.caller)).notes):
                    await asyncio.sleep(0.1)
            answer = await session.memory.search(session.caller, "valve", limit=1)
            assert answer.hits[0].item.item_id == before.item.item_id
            assert answer.notes == ()
        assert await watched.fetchval(_MADE, place.namespace, MODEL_ID) == ITEMS + 1
        assert len(place.script.requests) <= asked + 1
