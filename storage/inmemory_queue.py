"""A namespace's jobs without a database: leased, given back, and run later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..core.ids import new_number
from ..core.models import Job

_LONGEST_WAIT = timedelta(hours=1)


@dataclass(slots=True)
class _Waiting:
    """A job and who works on it."""

    job_id: int
    kind: Literal["embed", "reweigh"]
    item_id: str | None
    due_at: datetime
    attempts: int = 0
    owner: str | None = None
    leased_until: datetime | None = None


class Queue:
    """Jobs, at most one of a kind for an item."""

    def __init__(self) -> None:
        """Start without jobs."""
        self._jobs: dict[int, _Waiting] = {}

    def put(self, kind: Literal["embed", "reweigh"], item_id: str | None, due_at: datetime) -> None:
        """Add a job, or take the one that already waits from its worker, whose work may have missed what is new."""
        for job in self._jobs.values():
            if (job.kind, job.item_id) == (kind, item_id):
                job.owner = job.leased_until = None
                job.due_at = min(job.due_at, due_at)
                return
        number = new_number()
        self._jobs[number] = _Waiting(number, kind, item_id, due_at)

    def claim(self, now: datetime, owner: str, lease: timedelta) -> Job | None:
        """Lease the oldest job that is due and free."""
        free = [
            job
            for job in self._jobs.values()
            if job.due_at <= now and (job.leased_until is None or job.leased_until <= now)
        ]
        if not free:
            return None
        job = min(free, key=lambda job: (job.due_at, job.job_id))
        job.owner, job.leased_until = owner, now + lease
        job.attempts += 1
        return Job(job.job_id, job.kind, job.item_id, job.attempts)

    def finish(self, job_id: int, owner: str) -> None:
        """Delete a job that ``owner`` holds."""
        if self._held(job_id, owner) is not None:
            del self._jobs[job_id]

    def give_back(self, job_id: int, owner: str, now: datetime) -> None:
        """Let a job that ``owner`` holds run later: twice as late each time, an hour at most."""
        job = self._held(job_id, owner)
        if job is not None:
            job.owner = job.leased_until = None
            job.due_at = now + min(_LONGEST_WAIT, timedelta(seconds=2 ** min(job.attempts, 12)))

    def drop(self, item_id: str) -> None:
        """Delete an item's jobs."""
        self._jobs = {number: job for number, job in self._jobs.items() if job.item_id != item_id}

    def _held(self, job_id: int, owner: str) -> _Waiting | None:
        job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None
