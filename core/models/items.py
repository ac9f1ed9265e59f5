"""What is kept: items with their labels and versions, and how they are listed and read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

MemoryType = Literal["document", "episodic", "semantic", "procedural"]


Kind = Literal["prose", "code", "conversation", "json", "table", "log"]


Detail = Literal["full", "summary", "brief", "hint"]


Standing = Literal["full", "summary", "brief", "hint", "archived"]
"""How an item stands in its thread's context: at a detail, or not in it at all."""


MEMORY_TYPES: tuple[MemoryType, ...] = ("document", "episodic", "semantic", "procedural")


DETAILS: tuple[Detail, ...] = ("full", "summary", "brief", "hint")


STANDINGS: tuple[Standing, ...] = ("full", "summary", "brief", "hint", "archived")


Trust = Literal["low", "normal", "high"]
"""How far what an item says may be believed: ``low`` came from outside and may be meant to mislead, ``high`` a person
vouches for. Nothing that was stored is an instruction, however far it is trusted."""


TRUSTS: tuple[Trust, ...] = ("low", "normal", "high")
"""From the least on."""


class ItemState(StrEnum):
    """Whether an item takes part: forgotten ones can be restored, purged ones are gone."""

    ACTIVE = "active"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Labels:
    """What a caller may say about an item besides its content."""

    title: str | None = None
    content_type: str = "text/plain"
    memory_type: MemoryType = "document"
    priority: int = 5
    pinned: bool = False
    tags: tuple[str, ...] = ()
    trust: Trust = "normal"


@dataclass(frozen=True, slots=True)
class Item:
    """One stored memory without its content.

    ``sha256`` (hex) and ``size_bytes`` describe the current version's UTF-8 bytes; ``tokens`` were counted by
    ``token_counter``; ``source`` is the provenance (client, tool). ``cost`` is what the item takes of its thread's
    block at ``detail``, in tokens, 0 when archived; ``header_tokens`` of it are for the line above its text. After
    ``expires_at`` hygiene forgets it. ``happened_at`` is when what it tells happened or came to be so. Items that tell
    the same with a fact changed share a ``lineage``, the id of the first of them; all but the ``latest`` are
    ``superseded_by`` that one.
    """

    item_id: str
    thread: str
    labels: Labels
    state: ItemState
    version: int
    sha256: str
    size_bytes: int
    tokens: int
    token_counter: str
    source: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    happened_at: datetime
    last_used_at: datetime | None = None
    detail: Standing = "full"
    cost: int = 0
    header_tokens: int = 0
    expires_at: datetime | None = None
    lineage: str | None = None
    latest: bool = True
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search or a list is narrowed to; an empty field does not narrow. ``tags`` must all be present.

    ``since`` and ``until`` bound when it happened (``since <= happened_at < until``). ``as_of`` leaves what was valid
    then: it had happened, and no other active item of its lineage had happened later by then (of two that happened at
    once the one with the larger id is the later). ``untrusted`` lets a search find items of low trust.
    """

    thread: str | None = None
    content_type: str | None = None
    memory_type: MemoryType | None = None
    tags: tuple[str, ...] = ()
    min_priority: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    untrusted: bool = False

    @property
    def narrows(self) -> bool:
        """Whether any field leaves something out."""
        return replace(self, untrusted=False) != Filters()


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of an item's text. Joined in order, the pieces of detail ``full`` are the content, byte for byte."""

    item: Item
    detail: Detail
    text: str
    start: int
    end: int
    tokens: int
    total_tokens: int
    sha256: str
    next_cursor: str | None
    version: int


@dataclass(frozen=True, slots=True)
class ItemList:
    """A page of items, newest first."""

    items: tuple[Item, ...]
    total: int
    next_cursor: str | None
