"""Which items of the in-memory store are versions of each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..core import versions
from ..core.ids import new_item_id, parse_item_id
from ..core.models import Item, ItemDraft
from .inmemory_facts import kin_by_slot
from .inmemory_item import Record
from .inmemory_shelf import Shelf


@dataclass(frozen=True, slots=True)
class Kin:
    """What the thread of a text holds besides: the same in other typing, and other versions of it."""

    retyped: Record | None
    versions: Sequence[Record]


def kin(shelf: Shelf, draft: ItemDraft) -> Kin:
    """Find what is said in a draft's thread by other items."""
    found: list[Record] = []
    retyped: Record | None = None
    for record in sorted(shelf.active(), key=lambda one: one.item.item_id, reverse=True):
        if record.item.item_id == draft.item_id or record.item.thread != draft.thread:
            continue
        if draft.frame is None or record.frame is None or not draft.frame.finds(record.frame):
            continue
        text = record.contents[-1][0].decode(errors="replace")
        likeness = versions.likeness(draft.frame, text, record.item.labels.title)
        if likeness is not None:
            found.append(record)
        if likeness == "retyped" and retyped is None:
            retyped = record
    if draft.fact is not None and draft.joins:
        same = kin_by_slot(shelf, draft.fact.slot, draft.thread, draft.item_id)
        found += [one for one in same if one not in found]
    return Kin(retyped, found)


def link(shelf: Shelf, record: Record, kin: Sequence[Record]) -> str:
    """Put an item into one lineage with its versions; return the newest of the others."""
    merged = {one.item.lineage for one in kin} - {None}
    members = [record, *kin, *(one for one in shelf.records.values() if one.item.lineage in merged)]
    taken = {one.item.lineage for one in shelf.records.values()} - merged
    names = [*merged, *(one.item.item_id for one in (record, *kin)), new_item_id()]
    # The first of them may have left another lineage, which still has its name.
    lineage = min(name for name in names if name is not None and name not in taken)
    for member in members:
        member.item = replace(member.item, lineage=lineage)
    settle(shelf, lineage)
    return max((one for one in members if one.active and one is not record), key=_age).item.item_id


def settle(shelf: Shelf, lineage: str | None) -> None:
    """Mark the newest active item of a lineage as its latest, and no other."""
    if lineage is None:
        return
    members = [one for one in shelf.records.values() if one.item.lineage == lineage]
    newest = max((one for one in members if one.active), key=_age, default=None)
    for one in members:
        superseded_by = None if newest in (None, one) else newest.item.item_id
        one.item = replace(one.item, latest=one is newest, superseded_by=superseded_by)


def parted(item: Item) -> Item:
    """Return an item as a version of no other."""
    return replace(item, lineage=None, latest=True, superseded_by=None)


def holding(shelf: Shelf, record: Record, at: datetime | None) -> Record:
    """Return the item of this one's lineage that holds as of a time, itself where none is given or it is alone."""
    if at is None or record.item.lineage is None:
        return record
    members = [one for one in shelf.active() if one.item.lineage == record.item.lineage]
    by_then = [one for one in members if one.item.happened_at <= at]
    return max(by_then, key=_age) if by_then else min(members, key=_age)


def _age(record: Record) -> tuple[datetime, int]:
    return record.item.happened_at, parse_item_id(record.item.item_id)
