"""Work that is left for later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .drafts import Span

JobKind = Literal["embed", "reweigh", "summarize", "hygiene", "reembed", "facts", "consolidate"]


JOB_KINDS: tuple[JobKind, ...] = ("embed", "reweigh", "summarize", "hygiene", "reembed", "facts", "consolidate")


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work left for later, leased to one runner at a time; ``attempts`` counts this one."""

    job_id: int
    kind: JobKind
    item_id: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class JobCount:
    """The jobs of one kind: ``waiting`` for their time or a runner, ``leased`` to one, ``dead`` after many failures.

    ``oldest_due`` is when the first of those that wait was or will be due, None when none waits.
    """

    kind: JobKind
    waiting: int
    leased: int
    dead: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that failed too often and is tried no more, with the last failure in one sentence."""

    job_id: int
    kind: JobKind
    item_id: str | None
    attempts: int
    last_error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that has no vector yet: its place in the item and the span to embed."""

    ordinal: int
    span: Span
