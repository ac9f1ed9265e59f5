"""The queue of what adds leave pending."""

from datetime import timedelta

from ..core.ids import format_item_id
from ..core.models import Job
from .tables import Tables


class JobTables(Tables):
    """Claims with leases; a job is worked by one worker at a time."""

    async def claim_job(self, namespace: str, *, owner: str, lease_seconds: float) -> Job | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["claim"], namespace, owner, timedelta(seconds=lease_seconds))
        if row is None:
            return None
        item_id = None if row["item_id"] is None else format_item_id(row["item_id"])
        return Job(row["job_id"], row["kind"], item_id, row["attempts"])

    async def finish_job(self, namespace: str, job_id: int, *, owner: str, error: str | None = None) -> None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            if error is None:
                await connection.execute(self._queries["finish"], namespace, job_id, owner)
            else:
                await connection.execute(self._queries["retry"], namespace, job_id, owner, error)
