"""The background worker: whose turn it is, when it rests, what it tells, and how it stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

import pytest

from palimpsest.core.clock import SystemClock
from palimpsest.core.errors import StoreUnavailableError, TextModelError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import Job, JobKind
from palimpsest.core.runner import Done, Lease, Runner, Work
from palimpsest.core.usage import UsageLog
from palimpsest.server.workers import Worker
from palimpsest.storage.inmemory import InMemoryStore

PATIENCE_SECONDS = 20.0
NEVER = 3600.0


class Works:
    """Notes what is worked, and does with a job what was said for its kind: nothing, raise, or wait for ever."""

    def __init__(self, answers: dict[JobKind, BaseException | asyncio.Event | None] | None = None) -> None:
        self.answers = answers or {"summarize": None}
        self.worked: list[tuple[str, str]] = []
        self.begun = asyncio.Event()

    def of(self, *kinds: JobKind) -> dict[JobKind, Work]:
        return dict.fromkeys(kinds or tuple(self.answers), self._work)

    async def _work(self, namespace: str, job: Job, lease: Lease) -> Done:
        self.worked.append((namespace, job.kind))
        self.begun.set()
        answer = self.answers.get(job.kind)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        elif answer is not None:
            raise answer
        return Done()


def make_worker(
    store: InMemoryStore,
    works: Works,
    *,
    namespaces: Sequence[str] = ("n",),
    beside: Sequence[Runner] = (),
    drain_seconds: float = 0.0,
    every_seconds: float = NEVER,
    kinds: Sequence[JobKind] = (),
) -> Worker:
    return Worker(
        runner=Runner(store=store, works=works.of(*kinds), owner="first"),
        store=store,
        usage=UsageLog(),
        namespaces=namespaces,
        drain_seconds=drain_seconds,
        every_seconds=every_seconds,
        beside=beside,
    )


async def fill(store: InMemoryStore, namespace: str, count: int, kind: JobKind = "summarize") -> None:
    for _ in range(count):
        await store.enqueue(namespace, kind, new_item_id())


async def test_namespaces_take_turns_whatever_each_has_to_do() -> None:
    store, works = InMemoryStore(), Works()
    await fill(store, "busy", 20)
    await fill(store, "calm", 2)
    worker = make_worker(store, works, namespaces=["busy", "idle", "calm"])
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
    await worker.aclose()
    order = [namespace for namespace, _ in works.worked]
    assert order == ["busy", "calm", "busy", "calm"] + ["busy"] * 18
    assert worker.tally == {("summarize", "done"): 22}


async def test_slow_work_in_a_lane_of_its_own_holds_up_no_other_kind() -> None:
    store, never = InMemoryStore(), asyncio.Event()
    works = Works({"summarize": never, "hygiene": None})
    slow = Runner(store=store, works=works.of("summarize"), owner="slow")
    await fill(store, "n", 3)
    worker = make_worker(store, works, beside=[slow], kinds=["hygiene"])
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await works.begun.wait()
        await fill(store, "n", 5, "hygiene")
        worker.wake()
        while worker.tally.get(("hygiene", "done")) != 5:
            await asyncio.sleep(0.01)
        assert works.worked.count(("n", "summarize")) == 1
        never.set()
        await worker.idle()
    assert worker.tally == {("summarize", "done"): 3, ("hygiene", "done"): 5}
    await worker.aclose()


async def test_what_is_due_at_the_start_is_worked_without_being_asked() -> None:
    store, works = InMemoryStore(), Works()
    await fill(store, "n", 1)
    worker = make_worker(store, works)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await works.begun.wait()
        await worker.idle()
    assert await store.job_counts("n") == []
    await worker.aclose()


async def test_what_another_process_leaves_behind_is_found_without_being_woken() -> None:
    store, works = InMemoryStore(), Works()
    worker = make_worker(store, works, every_seconds=0.01)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
        await fill(store, "n", 1)
        await works.begun.wait()
    await worker.aclose()
    assert works.worked == [("n", "summarize")]


async def test_idle_waits_for_what_was_left_just_before() -> None:
    store, works = InMemoryStore(), Works()
    worker = make_worker(store, works)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for turn in range(1, 6):
            await fill(store, "n", 1)
            await worker.idle()
            assert len(works.worked) == turn
    await worker.aclose()


async def test_whoever_waits_for_it_to_be_idle_is_let_go_when_it_closes() -> None:
    store, works = InMemoryStore(), Works({"summarize": asyncio.Event()})
    await fill(store, "n", 1)
    worker = make_worker(store, works)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await works.begun.wait()
        waiting = asyncio.create_task(worker.idle())
        await asyncio.sleep(0)
        await worker.aclose()
        await waiting


async def test_a_closing_worker_gives_back_what_it_cannot_finish() -> None:
    store, works = InMemoryStore(), Works({"summarize": asyncio.Event(), "hygiene": asyncio.Event()})
    slow = Runner(store=store, works=works.of("summarize"), owner="slow")
    await fill(store, "n", 2)
    await fill(store, "n", 1, "hygiene")
    worker = make_worker(store, works, beside=[slow], kinds=["hygiene"])
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(works.worked) < 2:
            await asyncio.sleep(0.01)
        assert [count.leased for count in await store.job_counts("n")] == [1, 1]
        await worker.aclose()
    assert [(count.waiting, count.leased) for count in await store.job_counts("n")] == [(1, 0), (2, 0)]
    job = await store.claim_job("n", owner="next", lease_seconds=60)
    assert job is not None
    assert job.attempts == 1
    assert worker.tally == {}


async def test_a_resting_worker_without_time_to_drain_closes_without_a_further_job() -> None:
    store, works = InMemoryStore(), Works({"summarize": asyncio.Event()})
    worker = make_worker(store, works, drain_seconds=0)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
        await fill(store, "n", 1)
        await worker.aclose()
    assert [(count.waiting, count.leased) for count in await store.job_counts("n")] == [(1, 0)]


async def test_a_closing_worker_goes_on_for_as_long_as_it_may() -> None:
    store, works = InMemoryStore(), Works()
    worker = make_worker(store, works, drain_seconds=PATIENCE_SECONDS)
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
        await fill(store, "n", 100)
        await worker.aclose()
    assert len(works.worked) == 100


async def test_failures_are_tallied_and_the_other_jobs_go_on(caplog: pytest.LogCaptureFixture) -> None:
    store = InMemoryStore()
    works = Works({"summarize": TextModelError("The model mumbles."), "hygiene": ValueError("a secret"), "embed": None})
    for kind in works.answers:
        await fill(store, "n", 2, kind)
    worker = make_worker(store, works)
    with caplog.at_level(logging.INFO):
        worker.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await worker.idle()
        await worker.aclose()
    assert worker.tally == {("summarize", "failed"): 2, ("hygiene", "failed"): 2, ("embed", "done"): 2}
    assert worker.failing == []
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name.endswith("workers")]
    assert sum(level == "INFO" and "tried again later: The model mumbles." in text for level, text in told) == 2
    assert sum(level == "ERROR" and text.startswith("hygiene job") for level, text in told) == 2


async def test_a_job_that_is_given_up_is_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    store, works = InMemoryStore(), Works({"summarize": TextModelError("The model mumbles.")})
    await fill(store, "n", 1)
    runner = Runner(store=store, works=works.of(), owner="once", max_attempts=1)
    worker = make_worker(store, works, beside=[runner], kinds=["embed"])
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
    await worker.aclose()
    (told,) = [record.getMessage() for record in caplog.records if record.name.endswith("workers")]
    assert told.endswith("of n is given up: The model mumbles.")


class Gone(InMemoryStore):
    """A store that cannot be reached at times, or only by some namespaces."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = {"n"}

    async def claim_job(
        self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
    ) -> Job | None:
        if namespace in self.gone:
            raise StoreUnavailableError
        return await super().claim_job(namespace, owner=owner, lease_seconds=lease_seconds, kinds=kinds)


async def test_a_namespace_that_fails_does_not_take_the_others_turns() -> None:
    store, works = Gone(), Works()
    for namespace in ("n", "m"):
        await fill(store, namespace, 3)
    worker = make_worker(store, works, namespaces=["n", "m"])
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.idle()
        assert works.worked == [("m", "summarize")] * 3
        assert worker.failing == [str(StoreUnavailableError())]
        assert worker.out_of_reach
        store.gone.clear()
        await worker.idle()
    assert len(works.worked) == 6
    assert worker.failing == []
    assert not worker.out_of_reach
    await worker.aclose()


async def test_what_was_read_is_written_down_beside_slow_work() -> None:
    touched = asyncio.Event()

    class Touched(InMemoryStore):
        async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
            touched.set()

    store, works, usage = Touched(), Works({"summarize": asyncio.Event()}), UsageLog()
    await fill(store, "n", 1)
    worker = Worker(
        runner=Runner(store=store, works=works.of(), owner="a"),
        store=store,
        usage=usage,
        namespaces=["n"],
        drain_seconds=0,
        every_seconds=NEVER,
    )
    worker.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await works.begun.wait()
        usage.note("n", new_item_id(), SystemClock().now())
        worker.wake()
        await touched.wait()
    await worker.aclose()


async def test_deadlines_are_settled_for_each_namespace_and_a_failure_is_outlived() -> None:
    settled: list[str] = []

    async def settle(namespace: str) -> int:
        settled.append(namespace)
        if namespace == "first":
            raise StoreUnavailableError
        return 1

    store = InMemoryStore()
    worker = Worker(
        runner=Runner(store=store, works=Works().of(), owner="me"),
        store=store,
        usage=UsageLog(),
        namespaces=["first", "second"],
        drain_seconds=0,
        settle=settle,
    )
    worker.start()
    try:
        async with asyncio.timeout(10):
            await worker.idle()
        assert settled[:2] == ["first", "second"]
        assert worker.out_of_reach
    finally:
        await worker.aclose()
