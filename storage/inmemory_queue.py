"""A namespace's jobs without a database: leased, given back, run later, and dead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core.ids import new_number
from ..core.models import JOB_KINDS, DeadJob, Job, JobCount, JobKind

_LONGEST_ERROR = 500


@dataclass(slots=True)
class _Entry:
    """A job and who works on it."""

    job_id: int
    kind: JobKind
    item_id: str | None
    due_at: datetime
    attempts: int = 0
    owner: str | None = None
    leased_until: datetime | None = None
    last_error: str | None = None
    failed_at: datetime | None = None

    def held(self, now: datetime) -> bool:
        """Whether somebody's lease still lasts."""
        return self.leased_until is not None and self.leased_until > now

    def let_go(self) -> None:
        """End its lease."""
        self.owner = self.leased_until = None


class Queue:
    """Jobs, at most one of a kind for an item."""

    def __init__(self) -> None:
        """Start without jobs."""
        self._jobs: dict[int, _Entry] = {}

    def put(self, kind: JobKind, item_id: str | None, due_at: datetime) -> None:
        """Add a job, or take the one that is there from its worker, whose work may have missed what is new."""
        if not self.enqueue(kind, item_id, due_at):
            job = self._find(kind, item_id)
            assert job is not None
            job.let_go()
            job.due_at = min(job.due_at, due_at)
            job.attempts, job.failed_at = 0, None

    def enqueue(self, kind: JobKind, item_id: str | None, due_at: datetime) -> bool:
        """Add a job unless there is one."""
        if self._find(kind, item_id) is not None:
            return False
        number = new_number()
        self._jobs[number] = _Entry(number, kind, item_id, due_at)
        return True

    def claim(
        self, now: datetime, owner: str, lease: timedelta, kinds: Collection[JobKind] | None = None
    ) -> Job | None:
        """Lease the oldest job that is due, free and of these kinds."""
        free = [
            job
            for job in self._jobs.values()
            if job.due_at <= now
            and job.failed_at is None
            and not job.held(now)
            and (kinds is None or job.kind in kinds)
        ]
        if not free:
            return None
        job = min(free, key=lambda job: (job.due_at, job.job_id))
        job.owner, job.leased_until = owner, now + lease
        job.attempts += 1
        return Job(job.job_id, job.kind, job.item_id, job.attempts)

    def renew(self, job_id: int, owner: str, until: datetime, *, advanced: bool) -> bool:
        """Prolong the lease of a job that ``owner`` holds."""
        job = self._owned(job_id, owner)
        if job is None:
            return False
        job.leased_until = until
        job.attempts = 1 if advanced else job.attempts
        return True

    def finish(self, job_id: int, owner: str, again_at: datetime | None = None) -> bool:
        """Delete a job that ``owner`` holds, or let it be due again as if it were new."""
        job = self._owned(job_id, owner)
        if job is None:
            return False
        if again_at is None:
            del self._jobs[job_id]
        else:
            job.let_go()
            job.due_at, job.attempts, job.last_error = again_at, 0, None
        return True

    def fail(
        self, job_id: int, owner: str, now: datetime, error: str, again_at: datetime | None, *, counted: bool
    ) -> bool:
        """Let a job that ``owner`` holds be due again, or be dead."""
        job = self._owned(job_id, owner)
        if job is None:
            return False
        job.let_go()
        job.last_error = error[:_LONGEST_ERROR]
        job.attempts = job.attempts if counted else max(0, job.attempts - 1)
        if again_at is None:
            job.failed_at = now
        else:
            job.due_at = again_at
        return True

    def release(self, owner: str) -> int:
        """Give back what ``owner`` holds, and return how many jobs that were."""
        held = [job for job in self._jobs.values() if job.owner == owner]
        for job in held:
            job.let_go()
            job.attempts = max(0, job.attempts - 1)
        return len(held)

    def counts(self, now: datetime) -> Sequence[JobCount]:
        """Count the jobs of each kind."""
        found: list[JobCount] = []
        for kind in sorted(JOB_KINDS):
            jobs = [job for job in self._jobs.values() if job.kind == kind]
            alive = [job for job in jobs if job.failed_at is None]
            waiting = [job.due_at for job in alive if not job.held(now)]
            if jobs:
                leased, dead = len(alive) - len(waiting), len(jobs) - len(alive)
                found.append(JobCount(kind, len(waiting), leased, dead, min(waiting, default=None)))
        return found

    def dead(self, limit: int) -> Sequence[DeadJob]:
        """Return the dead jobs, the newest first."""
        found = [
            DeadJob(job.job_id, job.kind, job.item_id, job.attempts, job.last_error or "", job.failed_at)
            for job in self._jobs.values()
            if job.failed_at is not None
        ]
        return sorted(found, key=lambda job: (job.failed_at, job.job_id), reverse=True)[:limit]

    def retry_dead(self, now: datetime) -> int:
        """Let dead jobs be due as if they were new, and return how many those were."""
        dead = [job for job in self._jobs.values() if job.failed_at is not None]
        for job in dead:
            job.failed_at, job.attempts, job.due_at = None, 0, now
        return len(dead)

    def drop(self, item_id: str) -> None:
        """Delete an item's jobs."""
        self._jobs = {number: job for number, job in self._jobs.items() if job.item_id != item_id}

    def _find(self, kind: JobKind, item_id: str | None) -> _Entry | None:
        return next((job for job in self._jobs.values() if (job.kind, job.item_id) == (kind, item_id)), None)

    def _owned(self, job_id: int, owner: str) -> _Entry | None:
        job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None
