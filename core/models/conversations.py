"""Conversations: turns as they come in, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .items import Standing
from .ledger import Step, ThreadState

WindowStrategy = Literal["sliding", "summarising"]
"""How a session's block makes room: its oldest turns slide out of it, or do so and leave a recap."""


WINDOW_STRATEGIES: tuple[WindowStrategy, ...] = ("sliding", "summarising")


@dataclass(frozen=True, slots=True)
class NewTurn:
    """What somebody said, as a client hands it over.

    ``role`` is who: a role such as user or assistant, or a name. The client's ``turn_id`` tells the turn from all
    others of its session. ``date`` is ISO, None where it is not known.
    """

    role: str
    content: str
    turn_id: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class KnownTurn:
    """A turn that is kept already: its item, the SHA-256 of what it says now, and of all that it ever said."""

    item_id: str
    sha256: str
    spoken: frozenset[str]


@dataclass(frozen=True, slots=True)
class AddedTurns:
    """What a batch of turns became: the items that were added, in order, and their thread's account after it."""

    item_ids: tuple[str, ...]
    durable: bool
    ledger: ThreadState
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class SlidTurn:
    """A turn that left its thread's block; ``position`` is its place in the order of the thread."""

    item_id: str
    position: int
    happened_at: datetime
    content: str


@dataclass(frozen=True, slots=True)
class TurnsReceipt:
    """What is true about some turns once they are committed.

    Each was ``added``, was ``known`` already, ``changed`` one of the same id (a new version of that item), was
    ``sealed`` for what it holds, or was ``empty``; they sum up to the turns given. ``standing`` counts all items of the
    thread by where they stand in its block; ``recaps`` are the items that tell what slid out of it because of them.
    """

    session: str
    thread: str
    added: int
    known: int
    changed: int
    sealed: int
    empty: int
    durable: bool
    chunks_pending: int
    ledger: ThreadState
    standing: Mapping[Standing, int]
    recaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
