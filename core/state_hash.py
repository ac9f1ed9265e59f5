"""A hash of what a memory now says: equal before a change and after it was undone.

What only tells of the past is left out: the history itself, older contents and how many there were, when something was
last changed or used, places and compressions ever counted, idempotency keys, and what was spent; each record names its
own in ``PAST``. So is an item whose add was undone: its content stays, as every content does, but it takes no part. A
lineage is told by its smallest member, and not at all where it has one member only.
"""

import hashlib
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from .dump_lines import encode_record
from .dump_records import ImageRecord, ItemRecord, Record, RenditionRecord, Tally, ThreadRecord
from .dump_sources import FactRecord
from .ports import Store


@dataclass(slots=True)
class _State:
    """What is known of a state so far, a line for each record."""

    lines: list[bytes] = field(default_factory=list[bytes])
    items: dict[str, ItemRecord] = field(default_factory=dict[str, ItemRecord])
    parts: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict[str, list[bytes]](list))
    changed: set[str] = field(default_factory=set[str])
    """Items with changes that can be undone."""

    def take(self, record: Record) -> None:
        """Take a record."""
        match record:
            case ItemRecord():
                self.items[record.item_id] = record
            case RenditionRecord() | FactRecord():
                self.parts[record.item_id].append(_line(record))
            case ImageRecord():
                self.changed.add(record.item_id)
            # A thread without a model says nothing that its items do not say.
            case ThreadRecord(model=None):
                pass
            case _ if not record.IS_PAST:
                self.lines.append(_line(record))
            case _:
                pass

    def all_lines(self) -> list[bytes]:
        """Return all of it in one order."""
        counted = [one for one in self.items.values() if one.active or one.item_id in self.changed]
        members: defaultdict[str | None, list[str]] = defaultdict(list)
        for item in counted:
            members[item.lineage].append(item.item_id)
        lines = list(self.lines)
        for item in counted:
            kin = members[item.lineage] if item.lineage is not None else []
            lines.append(_line(replace(item, lineage=min(kin) if len(kin) > 1 else None)))
            lines += self.parts[item.item_id]
        return sorted(lines)


async def state_hash(store: Store, namespace: str) -> str:
    """Return the SHA-256, in hex, of what a namespace now says."""
    return hashlib.sha256(b"".join(await state_lines(store, namespace))).hexdigest()


async def state_lines(store: Store, namespace: str) -> list[bytes]:
    """Return what a namespace now says, a line for each record and no contents; what the hash is of."""
    state = _State()
    async with aclosing(store.export(namespace)) as records:
        async for record in records:
            if not isinstance(record, Tally):
                state.take(record)
    return state.all_lines()


def _line(record: Record) -> bytes:
    return encode_record(record, without=record.PAST)
