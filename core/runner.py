"""Working jobs under leases: renewed while the work lasts, tried again after a failure, dead after too many."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .clock import SystemClock
from .errors import ItemNotFoundError, PalimpsestError, SpendingLimitError, StoreError, TextModelUnavailableError
from .models import Job, JobKind
from .ports import Clock, Store

LEASE_SECONDS = 30.0
"""How long the job of a killed process waits for another one."""
MAX_ATTEMPTS = 8
"""Failures after which a job is dead; the waits between them add up to two hours and a half."""
LONGEST_WAIT_SECONDS = 3600.0
_LONGEST_ASKED_SECONDS = 86_400.0
_RELEASE_SECONDS = 2.0
_ABANDONED = "The processes that worked it ended before it was done, or lost the database, {} times in a row."


class LeaseLostError(PalimpsestError):
    """Another runner may hold the job by now; nothing more may be written for it."""


@dataclass(frozen=True, slots=True)
class Done:
    """A work's success; with ``again_seconds`` the job stays and is due again then (0: its next part, at once).

    ``fallback`` says why what stood before stays, where the work ended without doing better.
    """

    again_seconds: float | None = None
    fallback: str | None = None


class Lease:
    """A runner's hold on a job, which ends when another one takes the job or new content makes its work moot."""

    def __init__(self, store: Store, namespace: str, job: Job, *, owner: str, seconds: float) -> None:
        """Take what was claimed just now."""
        self._store = store
        self._namespace = namespace
        self._job = job
        self._owner = owner
        self._seconds = seconds
        self._until = asyncio.get_running_loop().time() + seconds

    @property
    def lapsed(self) -> bool:
        """Whether it was not confirmed for as long as it lasts."""
        return asyncio.get_running_loop().time() > self._until

    async def confirm(self, *, advanced: bool = False) -> None:
        """Renew the lease: a work does so before each write. ``advanced`` says that part of it is committed.

        Raises:
            LeaseLostError: it is another's; the work must stop.
        """
        asked = asyncio.get_running_loop().time()
        if not await self._store.renew_job(
            self._namespace, self._job.job_id, owner=self._owner, lease_seconds=self._seconds, advanced=advanced
        ):
            raise LeaseLostError
        self._until = asked + self._seconds


Work = Callable[[str, Job, Lease], Awaitable[Done]]
"""Does a namespace's job, and may be begun anew at any point of it: what is written twice must be written alike."""

Outcome = Literal["done", "fallback", "part", "failed", "dead", "postponed", "lost"]


@dataclass(frozen=True, slots=True)
class Worked:
    """How an attempt ended: ``fallback`` when what stood before stays, ``part`` when the job goes on at once, ``lost``
    when its lease was, ``postponed`` when it failed uncounted. ``unforeseen`` is the failure when it is none that the
    core knows."""

    job: Job
    outcome: Outcome
    error: str | None = None
    unforeseen: BaseException | None = None


class Runner:
    """Works jobs of some kinds, one at a time; any number of runners, in any processes, share a queue."""

    def __init__(
        self,
        *,
        store: Store,
        works: Mapping[JobKind, Work],
        owner: str,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        """Jobs of a kind without a work are left to others; ``owner`` must be this runner's own among all processes."""
        self._store = store
        self._works = dict(works)
        self._owner = owner
        self._clock = clock or SystemClock()
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts

    @property
    def kinds(self) -> tuple[JobKind, ...]:
        """Return what it can work."""
        return tuple(self._works)

    async def run_one(self, namespace: str) -> Worked | None:
        """Work one due job; None when none is due. Cancelled, it gives the job back at once.

        Raises:
            StoreError: the store cannot be asked; the job's lease runs out and another runner takes it.
        """
        try:
            job = await self._store.claim_job(
                namespace, owner=self._owner, lease_seconds=self._lease_seconds, kinds=self.kinds
            )
            return None if job is None else await self._run(namespace, job)
        except asyncio.CancelledError:
            # A lease that cannot be given back runs out.
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._store.release_jobs(namespace, owner=self._owner)
            raise

    async def drain(self, namespace: str) -> int:
        """Work jobs until none is due, and return how many attempts that took."""
        attempts = 0
        while await self.run_one(namespace) is not None:
            attempts += 1
        return attempts

    async def _run(self, namespace: str, job: Job) -> Worked:
        if job.attempts > self._max_attempts:
            # Whatever kills its process would go on doing so.
            return await self._end(namespace, job, error=_ABANDONED.format(job.attempts - 1))
        lease = Lease(self._store, namespace, job, owner=self._owner, seconds=self._lease_seconds)
        work = asyncio.ensure_future(self._works[job.kind](namespace, job, lease))
        try:
            await self._hold(lease, work)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if work.cancelled():
            return Worked(job, "lost")
        failure = work.exception()
        if failure is None:
            return await self._succeed(namespace, job, work.result())
        return await self._fail(namespace, job, failure)

    async def _hold(self, lease: Lease, work: "asyncio.Future[Done]") -> None:
        """Renew the lease until the work has ended or the lease is lost."""
        while not (await asyncio.wait([work], timeout=self._lease_seconds / 3))[0]:
            try:
                await lease.confirm()
            except LeaseLostError:
                return
            except StoreError:
                # It may be back before the lease has run out.
                if lease.lapsed:
                    return

    async def _succeed(self, namespace: str, job: Job, done: Done) -> Worked:
        again = done.again_seconds
        if not await self._store.finish_job(namespace, job.job_id, owner=self._owner, again_seconds=again):
            return Worked(job, "lost")
        if done.fallback is not None:
            return Worked(job, "fallback", done.fallback)
        return Worked(job, "part" if again == 0 else "done")

    async def _fail(self, namespace: str, job: Job, failure: BaseException) -> Worked:
        if isinstance(failure, LeaseLostError):
            return Worked(job, "lost")
        if isinstance(failure, ItemNotFoundError):
            # Purged meanwhile: nothing is left to do.
            return await self._succeed(namespace, job, Done())
        if not isinstance(failure, PalimpsestError):
            error = f"Not foreseen: {type(failure).__name__}; the log of the process that worked it says more."
            return await self._end(namespace, job, error=error, unforeseen=failure)
        if isinstance(failure, SpendingLimitError):
            wait = until_tomorrow(self._clock.now())
            kept = await self._store.finish_job(
                namespace, job.job_id, owner=self._owner, error=str(failure), again_seconds=wait, counted=False
            )
            return Worked(job, "postponed" if kept else "lost", str(failure))
        asked = failure.retry_after_seconds if isinstance(failure, TextModelUnavailableError) else None
        return await self._end(namespace, job, error=str(failure), asked_seconds=asked or 0.0)

    async def _end(
        self,
        namespace: str,
        job: Job,
        *,
        error: str,
        asked_seconds: float = 0.0,
        unforeseen: BaseException | None = None,
    ) -> Worked:
        """End a failed attempt: the job waits, or is dead."""
        dead = job.attempts >= self._max_attempts
        wait = max(backoff_seconds(job.attempts), min(asked_seconds, _LONGEST_ASKED_SECONDS))
        kept = await self._store.finish_job(
            namespace, job.job_id, owner=self._owner, error=error, again_seconds=None if dead else wait
        )
        return Worked(job, ("dead" if dead else "failed") if kept else "lost", error, unforeseen)


def backoff_seconds(attempts: int) -> float:
    """Return how long a job waits after so many failures: 4 seconds, four times as long each time, an hour at most."""
    return min(LONGEST_WAIT_SECONDS, 4.0 ** min(attempts, 10))


def until_tomorrow(now: datetime) -> float:
    """Return the seconds until the next midnight of ``now``'s time zone, which is UTC's for a Clock."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()
