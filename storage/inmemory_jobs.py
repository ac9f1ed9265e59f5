"""The in-memory store's jobs: a queue for each namespace, under the store's clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..core.models import DeadJob, Job, JobCount, JobKind
from .inmemory_restore import Restores


class Jobs(Restores):
    """What is left for later."""

    async def enqueue(
        self, namespace: str, kind: JobKind, item_id: str | None = None, delay_seconds: float = 0
    ) -> bool:
        """See Store."""
        return self._shelves[namespace].queue.enqueue(kind, item_id, self._in(delay_seconds))

    async def claim_job(
        self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
    ) -> Job | None:
        """See Store."""
        queue = self._shelves[namespace].queue
        return queue.claim(self._clock.now(), owner, timedelta(seconds=lease_seconds), kinds)

    async def renew_job(
        self, namespace: str, job_id: int, *, owner: str, lease_seconds: float, advanced: bool = False
    ) -> bool:
        """See Store."""
        return self._shelves[namespace].queue.renew(job_id, owner, self._in(lease_seconds), advanced=advanced)

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
        """See Store."""
        queue = self._shelves[namespace].queue
        again_at = None if again_seconds is None else self._in(again_seconds)
        if error is None:
            return queue.finish(job_id, owner, again_at)
        return queue.fail(job_id, owner, self._clock.now(), error, again_at, counted=counted)

    async def release_jobs(self, namespace: str, *, owner: str) -> int:
        """See Store."""
        return self._shelves[namespace].queue.release(owner)

    async def job_counts(self, namespace: str) -> Sequence[JobCount]:
        """See Store."""
        return self._shelves[namespace].queue.counts(self._clock.now())

    async def dead_jobs(self, namespace: str, limit: int) -> Sequence[DeadJob]:
        """See Store."""
        return self._shelves[namespace].queue.dead(limit)

    async def retry_dead(self, namespace: str) -> int:
        """See Store."""
        return self._shelves[namespace].queue.retry_dead(self._clock.now())

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)
