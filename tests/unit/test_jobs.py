"""The runner of what adds leave pending."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from palimpsest.core.jobs import BATCH
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import PendingChunk
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock
from .parts import ME, build_parts

MANY = "\n\n".join(f"paragraph {place}" for place in range(2 * BATCH + 5))


async def test_large_items_are_embedded_in_batches() -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory(MANY))
    assert await parts.runner.run_one("mine")
    assert parts.embedder.embedded == MANY.split("\n\n")
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0
    assert not await parts.runner.run_one("mine")


async def test_chunks_are_embedded_with_their_context() -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory("# Heading\n\n" + MANY))
    await parts.runner.drain("mine")
    assert parts.embedder.embedded[:2] == ["# Heading", "Heading\nparagraph 0"]


async def test_words_are_counted_once_adds_have_settled() -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory("one text"))
    assert await parts.runner.drain("mine") == 0
    parts.clock.advance(10)
    assert await parts.runner.drain("mine") == 1


async def test_a_model_that_fails_is_tried_again_later() -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory(MANY))
    parts.embedder.failure = "overloaded"
    assert await parts.runner.run_one("mine")
    assert not await parts.runner.run_one("mine")
    parts.embedder.failure = None
    parts.clock.advance(5)
    await parts.runner.drain("mine")
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0


class Meddled(InMemoryStore):
    """A store in which something happens once, between a look at the pending chunks and what follows it."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.meddle: Callable[[], Awaitable[object]] | None = None

    async def pending_chunks(
        self, namespace: str, item_id: str, model_id: str, limit: int
    ) -> tuple[int, Sequence[PendingChunk]]:
        found = await super().pending_chunks(namespace, item_id, model_id, limit)
        if self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            await meddle()
        return found


async def test_an_item_that_is_purged_meanwhile_ends_its_job() -> None:
    clock = HandClock()
    store = Meddled(clock)
    parts = build_parts(store=store, clock=clock)
    item = (await parts.memory.add(ME, NewMemory(MANY))).item
    store.meddle = lambda: parts.memory.forget(ME, item.item_id, "purge")
    assert await parts.runner.run_one("mine")
    assert parts.embedder.embedded == []
    assert not await parts.runner.run_one("mine")


@pytest.mark.parametrize("text", ["all new", MANY.upper()])
async def test_an_item_that_is_edited_meanwhile_gets_the_vectors_of_its_new_text(text: str) -> None:
    clock = HandClock()
    store = Meddled(clock)
    parts = build_parts(store=store, clock=clock)
    item = (await parts.memory.add(ME, NewMemory(MANY))).item
    store.meddle = lambda: parts.memory.update(ME, item.item_id, Change(content=text, expected_sha256=item.sha256))
    await parts.runner.drain("mine")
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0
    last = text.split("\n\n")[-1]
    answer = await parts.memory.search(ME, last)
    assert answer.hits[0].passage == last
    assert answer.hits[0].parts["dense"] > 0


async def test_an_edit_after_the_last_look_is_worked_by_the_next_run() -> None:
    clock = HandClock()
    store = Meddled(clock)
    parts = build_parts(store=store, clock=clock)
    item = (await parts.memory.add(ME, NewMemory(MANY))).item
    _, pending = await store.pending_chunks("mine", item.item_id, parts.embedder.model_id, 1000)
    vectors = await parts.embedder.embed(["x"] * len(pending))
    await store.put_vectors("mine", item.item_id, 1, parts.embedder.model_id, dict(enumerate(vectors)))
    # The worker finds nothing to do, and before it says so, there is something again.
    store.meddle = lambda: parts.memory.update(
        ME, item.item_id, Change(content=MANY.upper(), expected_sha256=item.sha256)
    )
    assert await parts.runner.run_one("mine")
    assert (await parts.memory.state(ME)).counts.chunks_pending > 0
    assert await parts.runner.run_one("mine")
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0
