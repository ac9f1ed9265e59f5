"""What an item, or a change of one, counts in its thread's account."""

from dataclasses import astuple, dataclass

from ..core.models import ItemState
from .rows import Row


@dataclass(frozen=True, slots=True)
class Weight:
    """What an item, or a change of one, counts in its thread's account."""

    items: int
    tokens: int
    bytes: int
    chunks: int
    headers: int
    used: int
    entries: int = 0


NOTHING = Weight(0, 0, 0, 0, 0, 0)


def weight(row: Row) -> Weight:
    """Return what an ``items`` row counts: nothing unless it is active."""
    if row["state"] != ItemState.ACTIVE:
        return NOTHING
    return Weight(1, row["tokens"], row["size_bytes"], row["chunk_count"], row["header_tokens"], row["cost"])


def minus(after: Weight, before: Weight) -> Weight:
    """Return the change from ``before`` to ``after``."""
    return Weight(*(now - then for now, then in zip(astuple(after), astuple(before), strict=True)))


def plus(one: Weight, other: Weight) -> Weight:
    """Return both together."""
    return minus(one, less(other))


def less(weight: Weight) -> Weight:
    """Return what takes this off an account."""
    return minus(NOTHING, weight)
