"""Blocks, and what a client gets of them."""

from dataclasses import dataclass

from .items import Page, Standing, Trust
from .ledger import Step, ThreadState
from .search import Evidence


@dataclass(frozen=True, slots=True)
class Block:
    """A thread's items in the order of its block, each with its text where it stands; archived ones are left out."""

    ledger: ThreadState
    entries: tuple["BlockEntry", ...]


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """An item's place in the block and its text there."""

    item_id: str
    title: str | None
    detail: Standing
    tokens: int
    cost: int
    text: str
    trust: Trust = "normal"


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """A block as a client gets it.

    ``tokens`` are those of ``text``; ``shown`` counts its items; ``omitted`` counts those left out for want of room:
    of the whole block, or of the items that bear on the query. ``evidence`` is None without a query.
    """

    ledger: ThreadState
    text: str
    tokens: int
    shown: int
    omitted: int
    evidence: Evidence | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a compression by request did: the thread's account after it, and each item's step."""

    ledger: ThreadState
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handout:
    """An item that a client may shorten itself: its text, by pages when it is long, and its summary's bound in tokens.

    ``left`` counts the items that wait for the same after this one.
    """

    page: "Page"
    max_tokens: int
    left: int
