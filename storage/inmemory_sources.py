"""What items of the in-memory store were made from."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.dump_sources import ItemSourceRecord
from ..core.models import Derivation, Origin

if TYPE_CHECKING:
    from .inmemory_shelf import Shelf


class Sources:
    """Derivations, found from both ends."""

    _shelves: "defaultdict[str, Shelf]"

    async def sources(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """See Store."""
        return [one for one in derivations(self._shelves[namespace]) if one.item_id in item_ids]

    async def derived(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """See Store."""
        return [one for one in derivations(self._shelves[namespace]) if one.origin.item_id in item_ids]

    async def link_sources(self, namespace: str, item_id: str, origins: Sequence[Origin]) -> int:
        """See Store."""
        shelf = self._shelves[namespace]
        shelf.record(item_id)
        return put_sources(shelf, item_id, origins)


def put_sources(shelf: "Shelf", item_id: str, origins: Sequence[Origin]) -> int:
    """Note what an item was made from; return how much of it is new."""
    new = 0
    for origin in origins:
        source = shelf.records.get(origin.item_id)
        key = item_id, origin.item_id, origin.start
        if source is None or origin.item_id == item_id or key in shelf.sources:
            continue
        shelf.sources[key] = Derivation(item_id, replace(origin, version=origin.version or source.item.version))
        new += 1
    return new


def derivations(shelf: "Shelf") -> list[Derivation]:
    """Return all that a shelf knows of, in order."""
    return [shelf.sources[key] for key in sorted(shelf.sources)]


def source_records(shelf: "Shelf", held: Collection[str]) -> list[ItemSourceRecord]:
    """Return the records of what items among ``held`` were made from others of them."""
    return [
        ItemSourceRecord(
            item_id=one.item_id,
            source_id=one.origin.item_id,
            source_version=one.origin.version or 1,
            start_offset=one.origin.start,
            end_offset=one.origin.end,
        )
        for one in derivations(shelf)
        if one.item_id in held and one.origin.item_id in held
    ]


def take_source(shelf: "Shelf", record: ItemSourceRecord) -> bool:
    """Put a record onto a shelf, and say whether it is new there."""
    origin = Origin(record.source_id, record.start_offset, record.end_offset, record.source_version)
    return put_sources(shelf, record.item_id, [origin]) > 0
