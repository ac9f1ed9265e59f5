"""Runners: what they work, what they do about failures, and what becomes of their leases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from palimpsest.core.embedding import BATCH, BATCHES_A_TURN
from palimpsest.core.errors import (
    EmbedderError,
    ItemNotFoundError,
    SpendingLimitError,
    StoreUnavailableError,
    TextModelError,
    TextModelUnavailableError,
)
from palimpsest.core.ids import new_item_id
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import Job, JobKind, PendingChunk
from palimpsest.core.runner import MAX_ATTEMPTS, Done, Lease, Runner, Work, backoff_seconds, until_tomorrow
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import START, HandClock, HashEmbedder, WordLexicon
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
    assert answer.hits[0].parts["meaning"] > 0


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


def works(what: Callable[[Job], Done | BaseException]) -> dict[JobKind, Work]:
    """A work for every job of kind ``summarize``: what ``what`` says, returned or raised."""

    async def work(namespace: str, job: Job, lease: Lease) -> Done:
        answer = what(job)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return {"summarize": work}


def failing(store: InMemoryStore, clock: HandClock, failure: BaseException) -> Runner:
    return Runner(store=store, works=works(lambda _: failure), owner="failing", clock=clock)


async def wait_of(store: InMemoryStore) -> timedelta:
    """How long the one job that waits still has to wait."""
    (count,) = await store.job_counts("n")
    assert count.oldest_due is not None
    return count.oldest_due - START


def test_waits_grow_fourfold_up_to_an_hour() -> None:
    assert [backoff_seconds(n) for n in range(1, MAX_ATTEMPTS)] == [4, 16, 64, 256, 1024, 3600, 3600]
    assert backoff_seconds(10_000) == 3600
    # An outage of two hours kills no job.
    assert sum(backoff_seconds(n) for n in range(1, MAX_ATTEMPTS)) > 2 * 3600


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 3, 1, tzinfo=UTC), 86_400),
        (datetime(2026, 12, 31, 12, 0, 0, 500_000, tzinfo=UTC), 43_199.5),
        (datetime(2026, 3, 1, 23, tzinfo=timezone(timedelta(hours=2))), 3600),
    ],
)
def test_tomorrow_begins_at_midnight(now: datetime, seconds: float) -> None:
    assert until_tomorrow(now) == seconds


async def test_a_job_that_fails_too_often_is_dead_and_keeps_its_last_failure() -> None:
    store = InMemoryStore(clock := HandClock())
    item_id = new_item_id()
    await store.enqueue("n", "summarize", item_id)
    failures = iter(range(100))
    runner = Runner(
        store=store, works=works(lambda _: TextModelError(f"no. {next(failures)}")), owner="failing", clock=clock
    )
    outcomes: list[str] = []
    for _ in range(MAX_ATTEMPTS):
        worked = await runner.run_one("n")
        assert worked is not None
        outcomes.append(worked.outcome)
        clock.advance(3600)
    assert outcomes == ["failed"] * (MAX_ATTEMPTS - 1) + ["dead"]
    assert await runner.run_one("n") is None
    (dead,) = await store.dead_jobs("n", 10)
    assert (dead.item_id, dead.attempts, dead.last_error) == (item_id, MAX_ATTEMPTS, f"no. {MAX_ATTEMPTS - 1}")
    await store.retry_dead("n")
    worked = await runner.run_one("n")
    assert worked is not None
    assert (worked.outcome, worked.job.attempts) == ("failed", 1)


async def test_how_often_a_job_is_tried_can_be_chosen() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    runner = Runner(store=store, works=works(lambda _: TextModelError()), owner="a", clock=clock, max_attempts=1)
    worked = await runner.run_one("n")
    assert worked is not None
    assert worked.outcome == "dead"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(None, 4), (1.0, 4), (90.0, 90), (1_000_000.0, 86_400)],
    ids=["nothing", "less", "more", "ages"],
)
async def test_a_busy_model_is_asked_again_when_it_says_but_not_before_the_usual_wait(
    asked: float | None, waits: float
) -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    failure = TextModelUnavailableError(retry_after_seconds=asked)
    worked = await failing(store, clock, failure).run_one("n")
    assert worked is not None
    assert (worked.outcome, worked.error) == ("failed", str(failure))
    assert await wait_of(store) == timedelta(seconds=waits)


async def test_a_spent_budget_postpones_to_tomorrow_and_counts_as_no_attempt() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    clock.advance(6 * 3600)
    runner = failing(store, clock, SpendingLimitError())
    for day in range(1, MAX_ATTEMPTS + 3):
        worked = await runner.run_one("n")
        assert worked is not None
        assert (worked.outcome, worked.job.attempts) == ("postponed", 1)
        assert await wait_of(store) == timedelta(days=day)
        assert await runner.run_one("n") is None
        clock.advance(86_400)
    assert await store.dead_jobs("n", 1) == []


async def test_a_failure_that_nobody_foresaw_is_told_by_its_type_alone() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    failure = ValueError("the secret content of an item")
    runner = Runner(store=store, works=works(lambda _: failure), owner="a", clock=clock, max_attempts=1)
    worked = await runner.run_one("n")
    assert worked is not None
    assert worked.unforeseen is failure
    (dead,) = await store.dead_jobs("n", 1)
    assert "ValueError" in dead.last_error
    assert "secret" not in dead.last_error


async def test_a_job_whose_processes_die_each_time_is_given_up_without_another_try() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    for number in range(MAX_ATTEMPTS):
        assert await store.claim_job("n", owner=f"killed {number}", lease_seconds=10)
        clock.advance(11)
    tried: list[Job] = []

    def note(job: Job) -> Done:
        tried.append(job)
        return Done()

    worked = await Runner(store=store, works=works(note), owner="heir", clock=clock).run_one("n")
    assert worked is not None
    assert (worked.outcome, tried) == ("dead", [])
    (dead,) = await store.dead_jobs("n", 1)
    assert f"{MAX_ATTEMPTS} times" in dead.last_error


async def test_work_for_an_item_that_is_gone_is_done() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize", item_id := new_item_id())
    worked = await failing(store, clock, ItemNotFoundError(item_id)).run_one("n")
    assert worked is not None
    assert worked.outcome == "done"
    assert await store.job_counts("n") == []


async def test_work_that_recurs_keeps_its_job() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    runner = Runner(store=store, works=works(lambda _: Done(again_seconds=3600)), owner="a", clock=clock)
    assert await runner.drain("n") == 1
    assert await wait_of(store) == timedelta(hours=1)
    clock.advance(3600)
    worked = await runner.run_one("n")
    assert worked is not None
    assert (worked.outcome, worked.job.attempts) == ("done", 1)


async def test_kinds_without_a_work_here_are_left_to_others() -> None:
    store = InMemoryStore(clock := HandClock())
    await store.enqueue("n", "summarize")
    await store.enqueue("n", "hygiene")
    plain = JobRunner(store=store, embedder=HashEmbedder(), lexicon=WordLexicon(), owner="plain", clock=clock)
    assert plain.kinds == ("embed", "reweigh")
    assert await plain.drain("n") == 0
    able = JobRunner(
        store=store, embedder=HashEmbedder(), lexicon=WordLexicon(), owner="able", works=works(lambda _: Done())
    )
    assert await able.drain("n") == 1
    assert [count.kind for count in await store.job_counts("n")] == ["hygiene"]


async def test_a_large_item_lets_others_go_first_between_its_turns() -> None:
    parts = build_parts()
    chunks = BATCH * BATCHES_A_TURN + 5
    large = "\n\n".join(f"paragraph {place}" for place in range(chunks))
    await parts.memory.add(ME, NewMemory(large))
    await parts.memory.add(ME, NewMemory(MANY))
    parts.clock.advance(1)
    order: list[tuple[str, int]] = []
    while (worked := await parts.runner.run_one("mine")) is not None:
        order.append((worked.outcome, len(parts.embedder.embedded)))
    assert order == [
        ("part", chunks - 5),
        ("done", chunks - 5 + 2 * BATCH + 5),
        ("done", chunks + 2 * BATCH + 5),
    ]


async def test_a_large_item_that_advances_is_never_given_up_for_the_processes_that_died_over_it() -> None:
    parts = build_parts()
    item = (await parts.memory.add(ME, NewMemory(MANY))).item
    for number in range(MAX_ATTEMPTS - 1):
        await parts.store.claim_job("mine", owner=f"killed {number}", lease_seconds=1)
        parts.clock.advance(2)

    class Slow(HashEmbedder):
        """Ends with its process after two batches."""

        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            if len(self.embedded) >= 2 * BATCH:
                raise asyncio.CancelledError
            return await super().embed(texts)

    dying = JobRunner(store=parts.store, embedder=Slow(), lexicon=WordLexicon(), owner="dying")
    worked = await dying.run_one("mine")
    assert worked is not None
    assert (worked.outcome, worked.job.attempts) == ("lost", MAX_ATTEMPTS)
    parts.clock.advance(31)
    job = await parts.store.claim_job("mine", owner="heir", lease_seconds=1, kinds=["embed"])
    assert job is not None
    assert (job.item_id, job.attempts) == (item.item_id, 2)


async def test_a_store_that_is_gone_at_the_end_leaves_the_job_to_its_lease() -> None:
    class Gone(InMemoryStore):
        async def finish_job(
            self,
            namespace: str,
            job_id: int,
            *,
            owner: str,
            error: str | None = None,
            again_seconds: float | None = None,
            counted: bool = True,
        ) -> bool:
            raise StoreUnavailableError

    store = Gone(clock := HandClock())
    await store.enqueue("n", "summarize")
    with pytest.raises(StoreUnavailableError):
        await failing(store, clock, EmbedderError()).run_one("n")
    assert [count.leased for count in await store.job_counts("n")] == [1]
