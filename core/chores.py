"""What background jobs do besides making vectors: summaries by a language model, facts, hygiene and consolidation."""

from .calls import Caller
from .consolidation import Consolidation
from .errors import UnusableAnswerError
from .facts import ACTOR, Facts
from .hygiene import Hygiene
from .models import Job
from .runner import Done, Lease, Work
from .summaries import Summaries


def summarize_work(summaries: Summaries) -> Work:
    """Return the work of a summarize job."""

    async def summarize(namespace: str, job: Job, lease: Lease) -> Done:
        if job.item_id is not None:
            try:
                await summaries.make(namespace, job.item_id, before_writing=lease.confirm)
            except UnusableAnswerError as unusable:
                # Asked again it would answer alike, and cost again.
                return Done(fallback=str(unusable))
        return Done()

    return summarize


def hygiene_work(hygiene: Hygiene, every_seconds: float) -> Work:
    """Return the work of the hygiene job, which comes back every so many seconds."""

    async def clean(namespace: str, job: Job, lease: Lease) -> Done:
        await lease.confirm()
        await hygiene.run(namespace)
        return Done(again_seconds=every_seconds)

    return clean


def consolidate_work(consolidation: Consolidation, every_seconds: float) -> Work:
    """Return the work of the consolidate job, which comes back every so many seconds."""

    async def consolidate(namespace: str, job: Job, lease: Lease) -> Done:
        async def before_writing() -> None:
            await lease.confirm(advanced=True)

        await consolidation.run(namespace, before_writing=before_writing)
        return Done(again_seconds=every_seconds)

    return consolidate


def facts_work(facts: Facts) -> Work:
    """Return the work of a facts job."""

    async def read(namespace: str, job: Job, lease: Lease) -> Done:
        if job.item_id is not None:
            await facts.read(Caller(namespace, ACTOR), job.item_id, before_writing=lease.confirm)
        return Done()

    return read
