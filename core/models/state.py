"""What a namespace holds, and its history."""

from dataclasses import dataclass
from datetime import datetime

from ..ids import Subject
from .ledger import ThreadState


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much a namespace holds; sizes in bytes, ``database_bytes`` is the whole database on disk."""

    items: int
    forgotten: int
    chunks: int
    chunks_pending: int
    content_bytes: int
    database_bytes: int
    threads: tuple[ThreadState, ...]


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What `memory_state` shows."""

    namespace: str
    counts: StoreCounts
    store: str
    embedding_model: str
    token_counter: str
    compressor: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history: who did what to which id; never any text."""

    event_id: int
    at: datetime
    actor: str
    action: str
    subject: Subject
    subject_id: str
    version: int
    undoable: bool
