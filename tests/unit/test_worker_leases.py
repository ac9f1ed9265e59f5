"""A runner's hold on its job: renewed while the work lasts, lost to others, given back when it is stopped."""

from __future__ import annotations

import asyncio

import pytest

from palimpsest.core.errors import PalimpsestError, StoreUnavailableError
from palimpsest.core.models import Job
from palimpsest.core.runner import Done, Lease, Runner
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock


class Renewals(InMemoryStore):
    """A store that counts renewals, and answers the first ``odd`` of them as told: with False, or with a failure."""

    def __init__(self, answer: bool | PalimpsestError = True, odd: int = 1000) -> None:
        super().__init__(HandClock())
        self.answer = answer
        self.odd = odd
        self.renewals = 0
        self.thrice = asyncio.Event()

    async def renew_job(
        self, namespace: str, job_id: int, *, owner: str, lease_seconds: float, advanced: bool = False
    ) -> bool:
        self.renewals += 1
        if self.renewals == 3:
            self.thrice.set()
        if isinstance(self.answer, PalimpsestError) and self.renewals <= self.odd:
            raise self.answer
        kept = await super().renew_job(namespace, job_id, owner=owner, lease_seconds=lease_seconds, advanced=advanced)
        return kept and self.answer is not False


async def run_until(store: Renewals, until: asyncio.Event, *, lease_seconds: float) -> tuple[str, bool]:
    """Work one job that waits for ``until``; return its outcome and whether its work was cancelled."""
    cancelled = False

    async def work(namespace: str, job: Job, lease: Lease) -> Done:
        nonlocal cancelled
        try:
            await until.wait()
        except asyncio.CancelledError:
            cancelled = True
            raise
        return Done()

    await store.enqueue("n", "summarize")
    runner = Runner(store=store, works={"summarize": work}, owner="a", lease_seconds=lease_seconds)
    async with asyncio.timeout(20):
        worked = await runner.run_one("n")
    assert worked is not None
    return worked.outcome, cancelled


async def test_a_lease_is_renewed_as_long_as_the_work_lasts() -> None:
    store = Renewals()
    assert await run_until(store, store.thrice, lease_seconds=0.15) == ("done", False)
    assert await store.job_counts("n") == []


async def test_work_is_stopped_when_its_lease_is_lost() -> None:
    store = Renewals(False)
    assert await run_until(store, asyncio.Event(), lease_seconds=0.15) == ("lost", True)
    assert store.renewals == 1


async def test_a_short_outage_of_the_store_interrupts_no_work() -> None:
    store = Renewals(StoreUnavailableError(), odd=1)
    assert await run_until(store, store.thrice, lease_seconds=1.5) == ("done", False)


async def test_work_is_stopped_when_the_store_is_out_of_reach_for_longer_than_the_lease() -> None:
    store = Renewals(StoreUnavailableError())
    outcome = await run_until(store, asyncio.Event(), lease_seconds=0.15)
    assert outcome == ("lost", True)
    assert 2 <= store.renewals <= 4


async def test_a_runner_that_is_stopped_gives_its_job_back_even_if_the_store_is_slow_or_gone() -> None:
    class Gone(InMemoryStore):
        async def release_jobs(self, namespace: str, *, owner: str) -> int:
            raise StoreUnavailableError

    begun = asyncio.Event()

    async def work(namespace: str, job: Job, lease: Lease) -> Done:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    for store, left in ((InMemoryStore(HandClock()), 1), (Gone(HandClock()), 0)):
        begun.clear()
        await store.enqueue("n", "summarize")
        running = asyncio.create_task(Runner(store=store, works={"summarize": work}, owner="a").run_one("n"))
        async with asyncio.timeout(10):
            await begun.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert [count.waiting for count in await store.job_counts("n")] == [left]
