"""Three hundred crashes, each at another step of a compression or of what leads to it."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller, Change, NewMemory
from palimpsest.core.errors import PalimpsestError
from palimpsest.core.ids import format_item_id
from palimpsest.core.models import Kind, Rendition
from palimpsest.core.summaries import Summaries
from palimpsest.storage.postgres import PostgresStore, open_store

from ..fakes import DIMENSIONS, MODEL, ParagraphChunker
from ..ladder_operations import check_ledger
from ..unit.parts import Parts, build_parts
from .cutting import Cutter, cutting

RUNS = 300
BUDGETS = fixed_budget(2000)
ME = Caller("mine", "me")


class WrittenByModel:
    """A Summarizer whose summaries name the text that they are of."""

    name = "model-1"

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return (Rendition("summary", f"model summary of {digest}", 4, self.name),)

    async def aclose(self) -> None:
        return None


@dataclass(slots=True)
class Scene:
    """A memory whose connection can be cut, a safe one beside it, and what was acknowledged."""

    parts: Parts
    safe: PostgresStore
    cutter: Cutter
    source: random.Random
    texts: dict[str, str] = field(default_factory=dict[str, str])
    maybe: list[str] = field(default_factory=list[str])
    crashed: int = 0

    def any_item(self) -> str:
        return self.source.choice(list(self.texts))


async def _add(scene: Scene) -> None:
    text = f"text {scene.source.random()} " + " ".join(f"w{scene.source.randrange(999)}" for _ in range(250))
    scene.maybe.append(text)
    receipt = await scene.parts.memory.add(ME, NewMemory(text))
    scene.texts[receipt.item.item_id] = text
    scene.maybe.remove(text)


async def _compress(scene: Scene) -> None:
    await scene.parts.compression.compress(ME, "main", share=scene.source.choice([0.5, 0.3, 0.1]))


async def _restore(scene: Scene) -> None:
    await scene.parts.memory.update(ME, scene.any_item(), Change(detail="full"))


async def _submit(scene: Scene) -> None:
    item_id = scene.any_item()
    item = await scene.parts.memory.get(ME, item_id)
    await scene.parts.compression.submit(ME, item_id, item.sha256, f"client summary of {item.sha256[:8]}")


async def _summarize(scene: Scene) -> None:
    summaries = Summaries(
        store=scene.parts.store, summarizer=WrittenByModel(), chunker=ParagraphChunker(), budgets=BUDGETS
    )
    await summaries.make("mine", scene.any_item())


async def _embed(scene: Scene) -> None:
    await scene.parts.runner.drain("mine")


STEPS: tuple[Callable[[Scene], Awaitable[None]], ...] = (_add, _add, _compress, _restore, _submit, _summarize, _embed)


async def test_after_300_crashes_no_content_is_lost_and_no_account_is_wrong(database: Mapping[str, Any]) -> None:
    safe = await open_store(database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    # The path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="cut-") as folder:
        async with cutting(database, Path(folder)) as (cutter, through):
            store = await open_store(through, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
            scene = Scene(build_parts(store=store, budgets=BUDGETS), safe, cutter, random.Random(5))
            try:
                for _ in range(6):
                    await _add(scene)
                for run in range(RUNS):
                    cutter.arm(1 + run % 12, delivers=bool(run % 2))
                    try:
                        await scene.source.choice(STEPS)(scene)
                    except PalimpsestError:
                        scene.crashed += 1
                    cutter.disarm()
                    if run % 10 == 9:
                        await check(scene, database)
                await check(scene, database)
                assert cutter.cuts > RUNS / 3, "too few crashes for this to prove anything"
                assert scene.crashed > RUNS / 4
            finally:
                await store.aclose()
                await safe.aclose()


async def check(scene: Scene, database: Mapping[str, Any]) -> None:
    """Compare everything with what was acknowledged, over a connection that nobody cuts."""
    ledger, rungs = await scene.safe.rungs("mine", "main", budgets=BUDGETS)
    check_ledger(ledger, rungs)
    # A write whose answer was lost may have happened: all of it or nothing.
    unacknowledged = {hashlib.sha256(text.encode()).hexdigest(): text for text in scene.maybe}
    for rung in rungs:
        item, content, sha256 = await scene.safe.read("mine", rung.item_id)
        text = scene.texts.get(rung.item_id) or unacknowledged[item.sha256]
        assert content.decode() == text
        assert sha256 == hashlib.sha256(text.encode()).hexdigest()
        _, summary = await scene.safe.rendition("mine", rung.item_id, "summary")
        assert summary is not None
        if summary.text.startswith(("model summary of", "client summary of")):
            assert summary.text.endswith(sha256[:8])
    assert set(scene.texts) <= {rung.item_id for rung in rungs}
    await check_jobs(database)
    block = await scene.safe.block("mine", "main", budgets=BUDGETS)
    assert {entry.item_id for entry in block.entries} == {rung.item_id for rung in rungs if rung.detail != "archived"}


async def check_jobs(database: Mapping[str, Any]) -> None:
    """No job is gone whose work is not done: every chunk has a vector, or a job that will make it."""
    connection = await asyncpg.connect(**database)
    try:
        orphans = await connection.fetch(
            "SELECT c.item_id FROM palimpsest.chunks c"
            " LEFT JOIN palimpsest.chunk_vectors v USING (namespace_id, item_id, ordinal)"
            " LEFT JOIN palimpsest.jobs j ON j.namespace_id = c.namespace_id AND j.item_id = c.item_id"
            " AND j.kind = 'embed' WHERE v.item_id IS NULL AND j.job_id IS NULL"
        )
        assert [format_item_id(row["item_id"]) for row in orphans] == []
    finally:
        await connection.close()
