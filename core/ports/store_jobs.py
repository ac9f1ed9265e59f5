"""Work that is left for later, as a store keeps it."""

from collections.abc import Sequence
from typing import Protocol

from ..models import DeadJob, Job, JobCount, JobKind


class JobStore(Protocol):
    """Work that is left for later, as a store keeps it."""

    async def enqueue(
        self, namespace: str, kind: JobKind, item_id: str | None = None, delay_seconds: float = 0
    ) -> bool:
        """Leave a job, due in ``delay_seconds``; False when there is one of this kind for this item (or for none).

        A job that is there stays as it is, also a dead one: ``retry_dead`` brings those back.
        """
        ...

    async def claim_job(
        self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
    ) -> Job | None:
        """Lease the job that has been due longest, of ``kinds`` (None for any), held by nobody or with a lapsed lease.

        Dead ones are left alone. ``owner`` is one runner, which holds one job of a namespace at a time.
        """
        ...

    async def renew_job(
        self, namespace: str, job_id: int, *, owner: str, lease_seconds: float, advanced: bool = False
    ) -> bool:
        """Let a lease last ``lease_seconds`` from now; False when ``owner`` has lost it.

        ``advanced`` says that part of the work is committed: the attempts before this one no longer count.
        """
        ...

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
        """End an attempt; False, and without effect, when ``owner`` has lost the lease.

        A job that succeeded (``error`` None) is deleted, or due again in ``again_seconds`` as if it were new. One that
        failed is due again in ``again_seconds``, or dead without them; an attempt that is not ``counted`` is as if
        it had not been. ``error`` is kept, cut at 500 characters: a sentence without content or secrets.
        """
        ...

    async def release_jobs(self, namespace: str, *, owner: str) -> int:
        """Give back at once, uncounted, what ``owner`` holds, and return how many jobs that were."""
        ...

    async def job_counts(self, namespace: str) -> Sequence[JobCount]:
        """Count the jobs of each kind that has any, by kind."""
        ...

    async def dead_jobs(self, namespace: str, limit: int) -> Sequence[DeadJob]:
        """Return the dead jobs, the newest first."""
        ...

    async def retry_dead(self, namespace: str) -> int:
        """Let dead jobs be due now as if they were new, and return how many those were."""
        ...
