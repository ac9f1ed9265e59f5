"""Jobs across real processes: workers that are killed or stopped, short-lived servers, and what operators see."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from palimpsest.core.memory import NewMemory
from palimpsest.server.app import Application, choose_embedder, open_store
from palimpsest.server.settings import Settings
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer

from ..applications import call, until_embedded
from .conftest import environment, small_model_is_missing, stdio_parameters

PATIENCE_SECONDS = 90.0
LONG = "\n\n".join(f"Paragraph {place}. " + f"Pump {place} ran dry at noon. " * 40 for place in range(200))

_VECTORS = "SELECT count(*) FROM palimpsest.chunk_vectors WHERE namespace_id = $1"
_CHUNKS = "SELECT count(*) FROM palimpsest.chunks WHERE namespace_id = $1"
_JOB = """
    SELECT owner, attempts, extract(epoch FROM leased_until - now())::float AS left FROM palimpsest.jobs
    WHERE namespace_id = $1 AND kind = 'embed'
"""
_LAPSE = "UPDATE palimpsest.jobs SET leased_until = now() WHERE namespace_id = $1 AND leased_until IS NOT NULL"

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def database(folder: Path) -> AsyncGenerator[Database, None]:
    """Look at the suite's database from outside."""
    async with EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0)) as endpoint:
        connection = await asyncpg.connect(**asdict(endpoint))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
def namespace() -> str:
    """A namespace of the test's own."""
    return f"jobs-{secrets.token_hex(6)}"


def start_worker(folder: Path, namespace: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start a worker as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "palimpsest", "worker", *arguments],
        env=environment(folder, PALIMPSEST_NAMESPACE=namespace, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def run(folder: Path, namespace: str, command: str, *arguments: str) -> tuple[int, str]:
    """Run a command to its end and return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palimpsest", command, *arguments),
        env=environment(folder, PALIMPSEST_NAMESPACE=namespace),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    return process.returncode or 0, out.decode()


async def add_and_leave(folder: Path, namespace: str) -> str:
    """Add a long text in a process that has no time to embed it, and return the item's id."""
    async with Application(Settings(data_dir=folder, idle_seconds=0, namespace=namespace, drain_seconds=0)) as memory:
        session = await memory.session("test")
        receipt = await session.memory.add(session.caller, NewMemory(LONG))
        assert receipt.chunks_pending > 100
        return receipt.item.item_id


async def until_some_are_embedded(watched: Database, namespace: str, before: int) -> None:
    """Wait until a worker holds the job and has committed a batch of its own."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            job = await watched.fetchrow(_JOB, namespace)
            assert job is not None, "the worker was too fast for this test"
            if job["owner"] is not None and await watched.fetchval(_VECTORS, namespace) > before:
                return
            await asyncio.sleep(0.01)


async def test_the_job_of_a_killed_worker_is_taken_over_when_its_lease_has_run_out(
    memory_dir: Path, namespace: str
) -> None:
    async with database(memory_dir) as watched:
        await add_and_leave(memory_dir, namespace)
        worker = start_worker(memory_dir, namespace)
        await until_some_are_embedded(watched, namespace, await watched.fetchval(_VECTORS, namespace))
        worker.kill()
        await asyncio.to_thread(worker.communicate)
        kept = await watched.fetchval(_VECTORS, namespace)
        chunks = await watched.fetchval(_CHUNKS, namespace)
        assert 0 < kept < chunks
        job = await watched.fetchrow(_JOB, namespace)
        assert job is not None
        assert job["owner"] is not None
        assert 0 < job["left"] <= 30
        # Until then it is the dead one's.
        _, out = await run(memory_dir, namespace, "worker", "--once")
        assert "embed" not in out
        assert await watched.fetchval(_VECTORS, namespace) == kept
        await watched.execute(_LAPSE, namespace)
        code, out = await run(memory_dir, namespace, "worker", "--once")
        assert (code, "embed: 1 done\n" in out) == (0, True)
        assert await watched.fetchval(_VECTORS, namespace) == chunks
        assert await watched.fetchrow(_JOB, namespace) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_that_is_told_to_stop_gives_its_job_back(
    memory_dir: Path, namespace: str, number: signal.Signals
) -> None:
    async with database(memory_dir) as watched:
        await add_and_leave(memory_dir, namespace)
        worker = start_worker(memory_dir, namespace, PALIMPSEST_DRAIN_SECONDS="0.1")
        await until_some_are_embedded(watched, namespace, await watched.fetchval(_VECTORS, namespace))
        worker.send_signal(number)
        _, error = await asyncio.wait_for(asyncio.to_thread(worker.communicate), PATIENCE_SECONDS)
        assert worker.returncode == 0, error
        assert error == f"Working the jobs of {namespace}; a signal stops it.\n"
        job = await watched.fetchrow(_JOB, namespace)
        assert job is not None
        assert (job["owner"], job["left"], job["attempts"]) == (None, None, 0)


async def test_a_worker_serves_others_adds(memory_dir: Path, namespace: str) -> None:
    worker = start_worker(memory_dir, namespace)
    try:
        async with database(memory_dir) as watched:
            await add_and_leave(memory_dir, namespace)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await watched.fetchrow(_JOB, namespace) is not None:
                    await asyncio.sleep(0.05)
            assert await watched.fetchval(_VECTORS, namespace) == await watched.fetchval(_CHUNKS, namespace)
    finally:
        worker.terminate()
        _, error = await asyncio.to_thread(worker.communicate)
    assert worker.returncode == 0, error


async def test_two_workers_at_once_do_everything_once(memory_dir: Path, namespace: str) -> None:
    settings = Settings(data_dir=memory_dir, idle_seconds=0, namespace=namespace, drain_seconds=0)
    async with database(memory_dir) as watched:
        async with Application(settings) as memory:
            session = await memory.session("test")
            for place in range(12):
                text = "\n\n".join(f"{place} {part} " + "lorem ipsum " * 60 for part in range(12))
                await session.memory.add(session.caller, NewMemory(text))
        left = await watched.fetchval("SELECT count(*) FROM palimpsest.jobs WHERE namespace_id = $1", namespace)
        outcomes = await asyncio.gather(*(run(memory_dir, namespace, "worker", "--once") for _ in range(2)))
        assert [code for code, _ in outcomes] == [0, 0]
        done = [int(line.split()[1]) for _, out in outcomes for line in out.splitlines() if line.startswith("embed:")]
        assert 0 < sum(done) <= left
        assert await watched.fetchrow(_JOB, namespace) is None
        assert await watched.fetchval(_VECTORS, namespace) == await watched.fetchval(_CHUNKS, namespace)


async def test_what_a_killed_server_left_undone_is_finished_by_the_next_short_lived_one(
    memory_dir: Path, namespace: str
) -> None:
    async def connect_and_be_killed(watched: Database) -> None:
        parameters = stdio_parameters(memory_dir, PALIMPSEST_NAMESPACE=namespace)
        async with Client(stdio_client(parameters)) as client:
            assert (await call(client, "memory_add", content=LONG))["chunks_pending"] > 100
            await until_some_are_embedded(watched, namespace, 0)
            job = await watched.fetchrow(_JOB, namespace)
            assert job is not None
            os.kill(int(job["owner"].split("-")[0]), signal.SIGKILL)

    async with database(memory_dir) as watched:
        # The client notices that its server is gone, in whichever way.
        with suppress(Exception):
            await asyncio.wait_for(connect_and_be_killed(watched), PATIENCE_SECONDS)
        assert await watched.fetchval(_VECTORS, namespace) < await watched.fetchval(_CHUNKS, namespace)
        await watched.execute(_LAPSE, namespace)
        async with Client(stdio_client(stdio_parameters(memory_dir, PALIMPSEST_NAMESPACE=namespace))) as client:
            state: Any = await until_embedded(client)
            assert state["chunks_pending"] == 0
        assert await watched.fetchval(_VECTORS, namespace) == await watched.fetchval(_CHUNKS, namespace)


async def test_the_doctor_tells_what_is_dead_until_it_is_retried(memory_dir: Path, namespace: str) -> None:
    item_id = await add_and_leave(memory_dir, namespace)
    settings = Settings(data_dir=memory_dir, idle_seconds=0, namespace=namespace)
    async with open_store(settings, choose_embedder(settings)) as store:
        job = await store.claim_job(namespace, owner="dying", lease_seconds=60, kinds=["embed"])
        assert job is not None
        await store.finish_job(namespace, job.job_id, owner="dying", error="The embedding model failed on a text.")
    code, out = await run(memory_dir, namespace, "doctor")
    assert code == 1, out
    assert "FAIL jobs" in out
    assert "embed: 0 waiting, 0 in work, 1 dead" in out
    assert f"embed {item_id}, 1 attempts, given up 20" in out
    assert ": The embedding model failed on a text.\n" in out
    assert "`palimpsest worker --retry-dead`" in out
    code, out = await run(memory_dir, namespace, "worker", "--once")
    assert (code, "embed" in out) == (0, False)
    code, out = await run(memory_dir, namespace, "worker", "--once", "--retry-dead")
    assert code == 0
    assert "Dead jobs that are tried again: 1.\nembed: 1 done\n" in out
    code, out = await run(memory_dir, namespace, "doctor")
    assert code == small_model_is_missing(), out
    assert "ok   jobs" in out
