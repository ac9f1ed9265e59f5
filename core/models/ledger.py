"""Threads' accounts, where items stand on the ladder, and receipts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .items import Detail, Item, Standing, Trust

Pressure = Literal["low", "near", "over", "unsafe"]


Outcome = Literal[
    "added",
    "duplicate",
    "retyped",
    "replayed",
    "updated",
    "unchanged",
    "forgotten",
    "restored",
    "purged",
    "asked",
    "refused",
]


NEAR = 0.05
"""A thread within this share of its trigger is near it."""


@dataclass(frozen=True, slots=True)
class Rung:
    """An item on the ladder: where it stands, what it costs there and at each detail that it has (headers included).

    ``used_at`` is when it was last read or, before that, added; ``position`` is its place in the block;
    ``summarized_by`` is the compressor that made its summary, None where it has none.
    """

    item_id: str
    detail: Standing
    cost: int
    costs: Mapping[Detail, int]
    priority: int
    pinned: bool
    used_at: datetime
    position: int
    title: str | None = None
    summarized_by: str | None = None
    header_tokens: int = 0
    trust: Trust = "normal"


@dataclass(frozen=True, slots=True)
class Step:
    """An item's way to another rung, where it costs ``cost`` tokens, which frees ``freed``."""

    item_id: str
    before: Standing
    detail: Standing
    cost: int
    freed: int


@dataclass(frozen=True, slots=True)
class Stale:
    """When hygiene acts: items unused since ``compress_before`` step down to a summary, since ``archive_before`` they
    leave the context; those of ``spared_priority`` and above, and pinned ones, never do."""

    compress_before: datetime
    archive_before: datetime
    spared_priority: int = 10


@dataclass(frozen=True, slots=True)
class StaleItem:
    """An item that hygiene acts on, and what it does: ``expired`` ones are forgotten, the others step to ``to``."""

    item_id: str
    thread: str
    priority: int
    last_used: datetime
    detail: Standing
    to: Literal["summary", "archived", "forgotten"]


@dataclass(frozen=True, slots=True)
class ThreadState:
    """A thread's account.

    ``tokens`` are those of its active items at full detail, headers left out; ``used`` are those of its block, headers
    included; ``saved`` are those that compression keeps out of it. ``trigger`` and ``safe`` are shares of ``window``.
    ``over`` says why the block is over its trigger, None when it is not. Money is in millionths of a US dollar:
    ``spent_micros`` on language models for this thread, ``saved_micros`` for each prompt that carries the block
    instead of the originals, None where the model's price is unknown.
    """

    thread: str
    items: int
    tokens: int
    window: int
    used: int = 0
    saved: int = 0
    trigger: float = 0.75
    safe: float = 0.85
    model: str | None = None
    compressions: int = 0
    over: str | None = None
    note: str | None = None
    spent_micros: int = 0
    saved_micros: int | None = None

    @property
    def utilization(self) -> float:
        """Return the block's share of the window."""
        return self.used / self.window

    @property
    def pressure(self) -> Pressure:
        """Return how near the block is to its trigger; ``unsafe`` leaves too little room for an answer."""
        if self.used > self.window * self.safe:
            return "unsafe"
        if self.used >= self.window * self.trigger:
            return "over"
        return "near" if self.utilization >= self.trigger - NEAR else "low"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is true about an item once its write has been committed.

    ``outcome`` of an add: ``added``, ``duplicate`` (the thread already holds exactly this content: nothing was added,
    ``item`` is the one that holds it), ``retyped`` (nothing was added: ``item`` has this content but for its typing)
    or ``replayed`` (the idempotency key was used before: ``item`` is what that call made). ``version_of`` is the newest
    other item of an added item's lineage. ``chunks_pending`` counts chunks whose vectors are still being made: 0 means
    searchable by meaning.
    ``ledger`` is the thread's account after the write, ``steps`` what stepped down because of it.
    """

    item: Item
    outcome: Outcome
    durable: bool
    chunks: int
    chunks_pending: int
    ledger: ThreadState
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    version_of: str | None = None

    @property
    def utilization(self) -> float:
        """Return the thread's block as a share of its window."""
        return self.ledger.utilization
