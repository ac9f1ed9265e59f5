"""Runners over every store: each job is worked once, and whatever happens to a runner, the next one finishes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from palimpsest.core.ids import new_item_id
from palimpsest.core.jobs import BATCH, JobRunner
from palimpsest.core.models import Coverage, Job, Space, SpaceState
from palimpsest.core.ports import Store
from palimpsest.core.reembedding import Reembedder
from palimpsest.core.runner import Done, Lease, Runner, Work
from palimpsest.core.spaces import Spaces

from ..fakes import BUDGETS, MODEL, HashEmbedder, WordLexicon, draft
from .conftest import Backend

LONG = "\n\n".join(f"paragraph {place}" for place in range(2 * BATCH + 3))
PATIENCE_SECONDS = 30.0


def embedding_runner(store: Store, owner: str, embedder: HashEmbedder | None = None) -> JobRunner:
    return JobRunner(store=store, embedder=embedder or HashEmbedder(), lexicon=WordLexicon(), owner=owner)


def moving_runner(store: Store, owner: str, embedder: HashEmbedder) -> Reembedder:
    spaces = Spaces(store=store, embedder=embedder)
    return Reembedder(store=store, spaces=spaces, owner=owner, keep_seconds=0)


def runner_of(store: Store, work: Work, owner: str, *, lease_seconds: float = 30) -> Runner:
    return Runner(store=store, works={"summarize": work}, owner=owner, lease_seconds=lease_seconds)


class Killed(BaseException):
    """What a process that is killed does not survive."""


class Mortal:
    """A store that is reached by a process which is killed at its n-th call, before the call or just after it."""

    def __init__(self, store: Store, calls: int, *, after: bool) -> None:
        self._store = store
        self._left = calls
        self._after = after
        self.killed = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            if self.killed:
                raise Killed
            self._left -= 1
            self.killed = self._left == 0
            if self.killed and not self._after:
                raise Killed
            answer = await getattr(self._store, name)(*arguments, **named)
            if self.killed:
                raise Killed
            return answer

        return call


async def test_two_runners_work_two_hundred_jobs_once_each(store: Store, mine: str) -> None:
    items = [new_item_id() for _ in range(200)]
    for item_id in items:
        await store.enqueue(mine, "summarize", item_id)
    worked: list[tuple[str, str | None]] = []

    def work_of(owner: str) -> Work:
        async def work(namespace: str, job: Job, lease: Lease) -> Done:
            worked.append((owner, job.item_id))
            # Somebody else's turn: the two run as they would in processes of their own.
            await lease.confirm()
            return Done()

        return work

    first, second = (runner_of(store, work_of(owner), owner) for owner in ("first", "second"))
    async with asyncio.timeout(120):
        done = await asyncio.gather(first.drain(mine), second.drain(mine))
    assert sorted(item_id or "" for _, item_id in worked) == sorted(items)
    assert sum(done) == 200
    assert {owner for owner, _ in worked} == {"first", "second"}
    assert await store.job_counts(mine) == []


@pytest.mark.parametrize("after", [False, True])
async def test_a_runner_killed_between_any_two_statements_leaves_work_that_the_next_one_finishes(
    backend: Backend, mine: str, after: bool
) -> None:
    store = backend.store
    calls, survived = 0, False
    while not survived:
        calls += 1
        namespace = f"{mine}-{calls}"
        made = draft(namespace, LONG, embedded=False)
        await store.add(namespace, made, budgets=BUDGETS)
        mortal = Mortal(store, calls, after=after)
        with suppress(Killed):
            await embedding_runner(cast("Store", mortal), "mortal").run_one(namespace)
        survived = not mortal.killed
        await backend.pass_time(namespace, 31)
        heir = HashEmbedder()
        await embedding_runner(store, "heir", heir).drain(namespace)
        assert await store.pending_chunks(namespace, made.item_id, MODEL, 1) == (1, [])
        assert await store.job_counts(namespace) == []
        # What was committed is not made again.
        assert len(heir.embedded) % BATCH in (0, len(made.chunks) % BATCH)
    # Claim, spaces, look, read, three batches of renewal, vectors and a look, and the end.
    assert calls == 14 + 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_move_killed_between_any_two_statements_is_finished_by_the_next_runner(
    backend: Backend, mine: str, after: bool
) -> None:
    store = backend.store
    old, new = HashEmbedder("old/1", 16), HashEmbedder("new/1", 8)
    calls, survived = 0, False
    while not survived:
        calls += 1
        namespace = f"{mine}-{calls}"
        made = draft(namespace, LONG, model=old.model_id, dimensions=old.dimensions)
        await store.announce_model(namespace, Space(old.model_id, old.dimensions), takeover_seconds=0)
        await store.add(namespace, made, budgets=BUDGETS)
        mortal = Mortal(store, calls, after=after)
        with suppress(Killed):
            await moving_runner(cast("Store", mortal), "mortal", new).drain(namespace)
        survived = not mortal.killed
        await backend.pass_time(namespace, 31)
        heir = HashEmbedder(new.model_id, new.dimensions)
        await moving_runner(store, "heir", heir).drain(namespace)
        wanted = Space(new.model_id, new.dimensions)
        assert await store.spaces(namespace) == SpaceState(wanted, wanted)
        assert await store.coverage(namespace, new.model_id) == Coverage(len(made.chunks), len(made.chunks))
        assert await store.coverage(namespace, old.model_id) == Coverage(len(made.chunks), 0)
        assert [one.kind for one in await store.job_counts(namespace)] == ["reweigh"]
        # What was committed is not made again.
        assert len(heir.embedded) % BATCH in (0, len(made.chunks) % BATCH)
    assert calls > 20


async def test_a_killed_processes_job_is_anothers_once_its_lease_has_run_out(backend: Backend, mine: str) -> None:
    if not backend.durable:
        pytest.skip("the in-memory store has no time but the test's")
    store = backend.store
    await store.enqueue(mine, "summarize", new_item_id())
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await store.claim_job(mine, owner="killed", lease_seconds=0.5)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (job := await store.claim_job(mine, owner="heir", lease_seconds=60)) is None:
            await asyncio.sleep(0.01)
    assert loop.time() - start > 0.45
    assert job.attempts == 2


async def test_work_that_outlasts_its_lease_stays_its_runners(backend: Backend, mine: str) -> None:
    if not backend.durable:
        pytest.skip("the in-memory store has no time but the test's")
    store, lease_seconds = backend.store, 0.6
    await store.enqueue(mine, "summarize", new_item_id())
    begun, outlasted = asyncio.Event(), asyncio.Event()

    async def slow(namespace: str, job: Job, lease: Lease) -> Done:
        begun.set()
        await outlasted.wait()
        return Done()

    running = asyncio.create_task(runner_of(store, slow, "slow", lease_seconds=lease_seconds).run_one(mine))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        loop = asyncio.get_running_loop()
        end = loop.time() + 4 * lease_seconds
        while loop.time() < end:
            assert await store.claim_job(mine, owner="eager", lease_seconds=60) is None
            await asyncio.sleep(0.02)
        outlasted.set()
        worked = await running
    assert worked is not None
    assert (worked.outcome, worked.job.attempts) == ("done", 1)
    assert await store.job_counts(mine) == []


async def test_a_runner_whose_lease_was_taken_writes_nothing_more(backend: Backend, mine: str) -> None:
    store = backend.store
    made = draft(mine, LONG, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)

    class Robbed(HashEmbedder):
        """Loses the lease while it embeds its second batch."""

        async def embed(self, texts: Any) -> list[list[float]]:
            if self.embedded:
                await backend.pass_time(mine, 31)
                assert await store.claim_job(mine, owner="thief", lease_seconds=1000, kinds=["embed"])
            return await super().embed(texts)

    slow = Robbed()
    worked = await embedding_runner(store, "slow", slow).run_one(mine)
    assert worked is not None
    assert worked.outcome == "lost"
    assert len(slow.embedded) == 2 * BATCH
    _, pending = await store.pending_chunks(mine, made.item_id, MODEL, 1000)
    assert len(pending) == len(made.chunks) - BATCH
    assert [(one.kind, one.leased) for one in await store.job_counts(mine) if one.leased] == [("embed", 1)]


async def test_a_cancelled_runner_gives_its_job_back_at_once(store: Store, mine: str) -> None:
    await store.enqueue(mine, "summarize", new_item_id())
    begun = asyncio.Event()

    async def endless(namespace: str, job: Job, lease: Lease) -> Done:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    running = asyncio.create_task(runner_of(store, endless, secrets.token_hex(4)).run_one(mine))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        assert await store.claim_job(mine, owner="other", lease_seconds=60) is None
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    job = await store.claim_job(mine, owner="other", lease_seconds=60)
    assert job is not None
    assert job.attempts == 1
