"""What consolidation looks at: statements, which are near each other, and what was made of some of them."""

from dataclasses import dataclass
from datetime import datetime

from .items import Item


@dataclass(frozen=True, slots=True)
class Statement:
    """A short item as it stands, with what it says."""

    item: Item
    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """Two statements of a thread and how far they are from each other (cosine distance, 0 to 2)."""

    item_id: str
    other_id: str
    distance: float


@dataclass(frozen=True, slots=True)
class Member:
    """An item as it was looked at: it takes part only while its content has this SHA-256."""

    item_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Merged:
    """An item that was made of others; ``intact`` while all of these say what they said, active and as trusted."""

    item: Item
    source_ids: tuple[str, ...]
    intact: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which statements a run looks at: those that changed since ``since`` (None: all), and up to when that holds."""

    since: datetime | None
    until: datetime
