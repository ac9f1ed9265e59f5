"""What items were made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in another item: bytes ``start`` to ``end`` of the content of a version.

    ``end`` is None for all to its end, ``version`` for the one that is current when it is noted.
    """

    item_id: str
    start: int = 0
    end: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Derivation:
    """That an item was made from a place in another one."""

    item_id: str
    origin: Origin
