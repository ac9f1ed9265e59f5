"""The queue of what is left for later."""

from collections.abc import Sequence
from datetime import timedelta

from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import DeadJob, Job, JobCount, JobKind
from .tables import Tables


class JobTables(Tables):
    """Claims with leases; a job is worked by one runner at a time."""

    async def enqueue(
        self, namespace: str, kind: JobKind, item_id: str | None = None, delay_seconds: float = 0
    ) -> bool:
        """See Store."""
        number = None if item_id is None else parse_item_id(item_id)
        delay = timedelta(seconds=delay_seconds)
        async with self._pool.transaction(namespace) as connection:
            made = await connection.fetchval(self._queries["enqueue"], namespace, new_number(), kind, number, delay)
        return made is not None

    async def claim_job(
        self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
    ) -> Job | None:
        """See Store."""
        lease, wanted = timedelta(seconds=lease_seconds), None if kinds is None else list(kinds)
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["claim"], namespace, owner, lease, wanted)
        return None if row is None else Job(row["job_id"], row["kind"], _item_id(row["item_id"]), row["attempts"])

    async def renew_job(
        self, namespace: str, job_id: int, *, owner: str, lease_seconds: float, advanced: bool = False
    ) -> bool:
        """See Store."""
        lease = timedelta(seconds=lease_seconds)
        return await self._own("renew", namespace, job_id, owner, lease, advanced)

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
        again = None if again_seconds is None else timedelta(seconds=again_seconds)
        if error is not None:
            return await self._own("fail", namespace, job_id, owner, error, again, counted)
        if again is not None:
            return await self._own("repeat", namespace, job_id, owner, again)
        return await self._own("finish", namespace, job_id, owner)

    async def release_jobs(self, namespace: str, *, owner: str) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return len(await connection.fetch(self._queries["release"], namespace, owner))

    async def job_counts(self, namespace: str) -> Sequence[JobCount]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            rows = await connection.fetch(self._queries["job_counts"], namespace)
        return [JobCount(**dict(row)) for row in rows]

    async def dead_jobs(self, namespace: str, limit: int) -> Sequence[DeadJob]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            rows = await connection.fetch(self._queries["dead_jobs"], namespace, limit)
        return [
            DeadJob(
                row["job_id"],
                row["kind"],
                _item_id(row["item_id"]),
                row["attempts"],
                row["last_error"] or "",
                row["failed_at"],
            )
            for row in rows
        ]

    async def retry_dead(self, namespace: str) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return len(await connection.fetch(self._queries["retry_dead"], namespace))

    async def _own(self, query: str, namespace: str, job_id: int, owner: str, *more: object) -> bool:
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchval(self._queries[query], namespace, job_id, owner, *more)
        return row is not None


def _item_id(number: int | None) -> str | None:
    return None if number is None else format_item_id(number)
