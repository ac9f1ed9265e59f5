"""Moving a memory to another model: filled, switched, the former one dropped; stopped or changed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from palimpsest.core.embedding import Embedding
from palimpsest.core.errors import EmbedderError
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import NO_TERMS, BareChunk, Coverage, Filters, MadeVector, Space, SpaceState
from palimpsest.core.reembedding import BATCH, BATCHES_A_TURN, KEEP_SECONDS, Reembedder, Reembedding
from palimpsest.core.runner import MAX_ATTEMPTS, Runner
from palimpsest.core.spaces import Spaces
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import BUDGETS, HandClock, HashEmbedder, draft, vector
from .parts import ME
from .test_spaces import server

NS = ME.namespace
OLD, NEW, THIRD = Space("old/1", 64), Space("new/1", 8), Space("third/1", 16)


class Slow(HashEmbedder):
    """An embedder whose every call waits, when it is told to, until it is let on."""

    def __init__(self, model_id: str, dimensions: int) -> None:
        super().__init__(model_id, dimensions)
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.set()
        await self.gate.wait()
        return await super().embed(texts)


class World:
    """A memory under the old model, and servers that come with other ones."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.store = InMemoryStore(self.clock)
        self.old, self.new = HashEmbedder("old/1", 64), Slow("new/1", 8)

    def reembedder(self, embedder: HashEmbedder, *able: HashEmbedder, owner: str = "w") -> Reembedder:
        spaces, _ = server(self.store, embedder, *able)
        return Reembedder(store=self.store, spaces=spaces, owner=owner, clock=self.clock)

    async def fill(self, count: int) -> None:
        spaces, memory = server(self.store, self.old)
        await spaces.announce(NS)
        for number in range(count):
            await memory.add(ME, NewMemory(f"item number {number}"))

    async def reach(self, model_id: str = "new/1") -> tuple[int, int]:
        reach = await self.store.coverage(NS, model_id)
        return reach.vectors, reach.chunks

    async def found(self, query: str, wanted: Space) -> set[str]:
        found = await self.store.candidates(
            NS,
            vector=vector(query, wanted.dimensions),
            model_id=wanted.model_id,
            terms=NO_TERMS,
            filters=Filters(),
            limit=1000,
        )
        return {one.item_id for one in found.candidates}


@pytest.fixture
def world() -> World:
    return World()


async def test_a_move_fills_switches_and_drops(world: World) -> None:
    await world.fill(BATCH + 5)
    runner = world.reembedder(world.new, world.old)
    assert await runner.drain(NS) == 1
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert await world.reach() == (BATCH + 5, BATCH + 5)
    assert await world.reach("old/1") == (BATCH + 5, BATCH + 5)
    world.clock.advance(KEEP_SECONDS + 1)
    await runner.drain(NS)
    assert await world.reach("old/1") == (0, BATCH + 5)
    assert not [one for one in await world.store.job_counts(NS) if one.kind == "reembed"]
    assert len(world.new.embedded) == BATCH + 5


async def test_searches_are_answered_in_the_old_space_and_the_move_goes_on_in_turns(world: World) -> None:
    total = BATCH * BATCHES_A_TURN + 3
    await world.fill(total)
    runner = world.reembedder(world.new, world.old)
    worked = await runner.run_one(NS)
    assert worked is not None
    assert worked.outcome == "part"
    assert await world.reach() == (total - 3, total)
    assert await world.store.spaces(NS) == SpaceState(OLD, NEW)
    await runner.drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert len(world.new.embedded) == total


async def test_a_move_that_was_stopped_goes_on_where_it_was(world: World) -> None:
    await world.fill(3 * BATCH)
    runner = world.reembedder(world.new, world.old, owner="killed")
    real, puts = world.store.put_made, 0

    async def put_made(namespace: str, model_id: str, made: Sequence[MadeVector]) -> int:
        nonlocal puts
        puts += 1
        if puts == 2:
            world.new.gate.clear()
        return await real(namespace, model_id, made)

    world.store.put_made = put_made  # type: ignore[method-assign]
    work = asyncio.create_task(runner.run_one(NS))
    async with asyncio.timeout(5):
        while puts < 2:
            await asyncio.sleep(0.01)
    job = await world.store.claim_job(NS, owner="too early", lease_seconds=1, kinds=["reembed"])
    assert job is None
    # As a killed process leaves it: its lease runs out.
    world.clock.advance(60)
    other = world.reembedder(HashEmbedder("new/1", 8), world.old, owner="next")
    await other.drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    embedded = len(world.new.embedded)
    assert embedded == 2 * BATCH
    world.new.gate.set()
    worked = await work
    assert worked is not None
    assert worked.outcome == "lost"
    assert await world.reach() == (3 * BATCH, 3 * BATCH)


async def test_what_is_added_changed_forgotten_and_purged_meanwhile_is_taken_as_it_is(world: World) -> None:
    await world.fill(BATCH + 2)
    _, memory = server(world.store, world.new, world.old)
    page = (await memory.list_items(ME, limit=100)).items
    world.new.gate.clear()
    work = asyncio.create_task(world.reembedder(world.new, world.old).drain(NS))
    await asyncio.wait_for(world.new.asked.wait(), 5)
    changed, forgotten, purged = page[-1], page[-2], page[-3]
    added = await memory.add(ME, NewMemory("came while it moved"))
    await memory.update(ME, changed.item_id, Change(content="anew", expected_sha256=changed.sha256))
    await memory.forget(ME, forgotten.item_id)
    await memory.forget(ME, purged.item_id, "purge")
    world.new.gate.set()
    await work
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert await world.reach() == (BATCH + 2, BATCH + 2)
    found = await world.found("anew came while it moved", NEW)
    assert {added.item.item_id, changed.item_id} <= found
    assert not {forgotten.item_id, purged.item_id} & found
    await memory.forget(ME, forgotten.item_id, "restore")
    assert forgotten.item_id in await world.found("item", NEW)
    assert "anew" in world.new.embedded


async def test_an_item_purged_between_a_look_and_the_reading_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fill(3)
    _, memory = server(world.store, world.new, world.old)
    real = world.store.bare_chunks

    async def bare_chunks(namespace: str, model_id: str, *, after: BareChunk | None, limit: int) -> Sequence[BareChunk]:
        found = await real(namespace, model_id, after=after, limit=limit)
        for chunk in found:
            monkeypatch.setattr(world.store, "bare_chunks", real)
            await memory.forget(ME, chunk.item_id, "purge")
        return found

    monkeypatch.setattr(world.store, "bare_chunks", bare_chunks)
    await world.reembedder(world.new, world.old).drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert world.new.embedded == []


async def test_an_item_that_is_held_is_left_for_the_next_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.fill(3)
    runner = world.reembedder(world.new, world.old)

    async def none(namespace: str, model_id: str, made: Sequence[MadeVector]) -> int:
        return 0

    with monkeypatch.context() as held:
        held.setattr(world.store, "put_made", none)
        assert await runner.drain(NS) == 1
    assert await runner.drain(NS) == 0
    world.clock.advance(2)
    await runner.drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)


async def test_what_comes_between_the_last_look_and_the_switch_is_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fill(3)
    real = world.store.serve_wanted
    late = draft(NS, "came last", model="old/1", dimensions=64)

    async def serve_wanted(namespace: str, model_id: str) -> bool:
        monkeypatch.setattr(world.store, "serve_wanted", real)
        await world.store.add(NS, late, budgets=BUDGETS)
        return await real(namespace, model_id)

    monkeypatch.setattr(world.store, "serve_wanted", serve_wanted)
    await world.reembedder(world.new, world.old).drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert late.item_id in await world.found("came last", NEW)


@pytest.mark.parametrize("midway", [0, BATCH])
async def test_a_third_model_midway_leaves_the_second_behind(world: World, midway: int) -> None:
    await world.fill(2 * BATCH)
    if midway:
        await world.store.announce_model(NS, NEW, takeover_seconds=0)
        chunks = await world.store.bare_chunks(NS, "new/1", after=None, limit=midway)
        await world.store.put_made(NS, "new/1", [MadeVector(chunk, vector("x", 8)) for chunk in chunks])
    third = HashEmbedder("third/1", 16)
    await world.reembedder(third, world.old, world.new).drain(NS)
    assert await world.store.spaces(NS) == SpaceState(THIRD, THIRD)
    world.clock.advance(KEEP_SECONDS + 1)
    await world.reembedder(third, world.old).drain(NS)
    for model in ("old/1", "new/1"):
        assert await world.reach(model) == (0, 2 * BATCH)
    assert await world.reach("third/1") == (2 * BATCH, 2 * BATCH)


async def test_who_works_for_a_model_that_is_no_longer_wanted_writes_nothing_more(world: World) -> None:
    await world.fill(3)
    world.new.gate.clear()
    work = asyncio.create_task(world.reembedder(world.new, world.old).run_one(NS))
    await asyncio.wait_for(world.new.asked.wait(), 5)
    await world.store.announce_model(NS, THIRD, takeover_seconds=0)
    world.new.gate.set()
    worked = await work
    assert worked is not None
    assert worked.outcome == "lost"
    assert await world.reach() == (0, 3)


async def test_going_back_midway_keeps_the_old_space_complete(world: World) -> None:
    await world.fill(3)
    # The new server cannot run the old model: what is added meanwhile is in the new space only.
    spaces, memory = server(world.store, world.new)
    await spaces.announce(NS)
    added = await memory.add(ME, NewMemory("came while it moved"))
    back = world.reembedder(world.old)
    assert await back.drain(NS) == 0
    assert await world.store.spaces(NS) == SpaceState(OLD, NEW)
    world.clock.advance(101)
    await back.drain(NS)
    assert await world.store.spaces(NS) == SpaceState(OLD, OLD)
    assert added.item.item_id in await world.found("came while it moved", OLD)
    assert await world.reach("old/1") == (4, 4)


async def test_two_servers_with_different_settings_do_not_take_the_memory_from_each_other(world: World) -> None:
    await world.fill(3)
    one, other = world.reembedder(world.new, world.old, owner="1"), world.reembedder(world.old, world.new, owner="2")
    for _ in range(10):
        await one.drain(NS)
        await other.drain(NS)
        world.clock.advance(50)
        await world.store.announce_model(NS, NEW, takeover_seconds=100)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert len(world.new.embedded) == 3
    assert len(world.old.embedded) == 3


async def test_a_server_that_cannot_run_the_wanted_model_leaves_the_job_to_one_that_can(world: World) -> None:
    await world.fill(3)
    await world.store.announce_model(NS, NEW, takeover_seconds=0)
    unable = world.reembedder(world.old)
    assert await unable.drain(NS) == 0
    assert await world.reembedder(world.new).drain(NS) > 0
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)


async def test_a_runner_that_is_not_told_so_gives_the_job_back(world: World) -> None:
    await world.fill(3)
    await world.store.announce_model(NS, NEW, takeover_seconds=0)
    spaces = Spaces(store=world.store, embedder=world.old)
    runner = world.reembedder(world.new)
    plain = Runner(
        store=world.store,
        works={"reembed": Reembedding(world.store, spaces)},
        owner="plain",
        clock=world.clock,
    )
    assert await plain.drain(NS) == 1
    assert await runner.drain(NS) == 0
    world.clock.advance(31)
    assert await runner.drain(NS) == 1


@pytest.mark.parametrize("failure", ["The endpoint is gone.", "garbled"])
async def test_a_model_that_fails_midway_leaves_a_dead_job_and_searches_as_they_were(
    world: World, failure: str
) -> None:
    await world.fill(3)
    spaces, memory = server(world.store, world.new, world.old)
    world.new.failure = failure
    runner = Reembedder(store=world.store, spaces=spaces, owner="w", clock=world.clock)
    for _ in range(MAX_ATTEMPTS):
        assert await runner.run_one(NS) is not None
        assert (await memory.search(ME, "item")).notes == ()
        world.clock.advance(4000)
    assert await runner.run_one(NS) is None
    (dead,) = await world.store.dead_jobs(NS, 5)
    assert (dead.kind, dead.last_error) == ("reembed", failure)
    assert (await memory.state(ME)).notes[0].startswith("Re-embedding for the model new/1: 0 of 3 passages")
    world.new.failure = None
    await world.store.retry_dead(NS)
    await runner.drain(NS)
    assert await world.store.spaces(NS) == SpaceState(NEW, NEW)
    assert (await memory.state(ME)).notes == ()


async def test_a_job_of_a_memory_without_spaces_is_done(world: World) -> None:
    runner = world.reembedder(world.new)
    await world.store.enqueue("other", "reembed")

    async def nothing(namespace: str) -> None:
        return None

    world.store.spaces = nothing  # type: ignore[method-assign]
    assert await runner.drain("other") == 1


async def test_an_embed_job_makes_the_vectors_of_both_spaces_whatever_becomes_of_one(world: World) -> None:
    await world.fill(1)
    spaces, memory = server(world.store, world.new, world.old)
    await spaces.announce(NS)
    await memory.add(ME, NewMemory("\n\n".join(f"paragraph {place}" for place in range(20))))
    runner = Runner(store=world.store, works={"embed": Embedding(world.store, spaces)}, owner="e", clock=world.clock)
    world.old.failure = "The old endpoint is gone."
    worked = await runner.run_one(NS)
    assert worked is not None
    assert worked.error == "The old endpoint is gone."
    assert await world.reach() == (20, 21)
    assert await world.reach("old/1") == (1, 21)
    world.old.failure = None
    world.clock.advance(10)
    await runner.drain(NS)
    assert await world.reach("old/1") == (21, 21)


async def test_an_embed_job_of_a_memory_whose_models_cannot_be_run_here_is_left_to_others(world: World) -> None:
    await world.fill(1)
    stranger = HashEmbedder("stranger/1", 4)
    spaces = Spaces(store=world.store, embedder=stranger)
    item = draft(NS, "no vectors", embedded=False, model="old/1")
    await world.store.add(NS, item, budgets=BUDGETS)
    runner = Runner(store=world.store, works={"embed": Embedding(world.store, spaces)}, owner="e", clock=world.clock)
    assert await runner.drain(NS) == 1
    world.clock.advance(31)
    able = Runner(
        store=world.store,
        works={"embed": Embedding(world.store, Spaces(store=world.store, embedder=world.old))},
        owner="able",
        clock=world.clock,
    )
    await able.drain(NS)
    assert await world.store.coverage(NS, "old/1") == Coverage(2, 2)
    with pytest.raises(EmbedderError, match="cannot run with its settings"):
        await spaces.embed_new(NS, ["x"])
