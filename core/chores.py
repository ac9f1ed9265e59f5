"""What background jobs do besides making vectors: summaries by a language model, and hygiene."""

from .hygiene import Hygiene
from .models import Job
from .runner import Done, Lease, Work
from .summaries import Summaries


def summarize_work(summaries: Summaries) -> Work:
    """Return the work of a summarize job."""

    async def summarize(namespace: str, job: Job, lease: Lease) -> Done:
        if job.item_id is not None:
            await summaries.make(namespace, job.item_id, before_writing=lease.confirm)
        return Done()

    return summarize


def hygiene_work(hygiene: Hygiene, every_seconds: float) -> Work:
    """Return the work of the hygiene job, which comes back every so many seconds."""

    async def clean(namespace: str, job: Job, lease: Lease) -> Done:
        await lease.confirm()
        await hygiene.run(namespace)
        return Done(again_seconds=every_seconds)

    return clean
