"""Facts of the in-memory store."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..core.dump_records import conflict
from ..core.dump_sources import FactRecord
from ..core.models import Fact, KnownFact, ToldFact

if TYPE_CHECKING:
    from .inmemory_item import Record
    from .inmemory_shelf import Shelf


@dataclass(frozen=True, slots=True)
class HeldFact:
    """A fact, and the SHA-256 of the content that tells it."""

    fact: Fact
    sha256: str


class Facts:
    """What items tell as facts."""

    _shelves: "defaultdict[str, Shelf]"

    async def known_facts(
        self, namespace: str, thread: str, wanted: Sequence[tuple[int, datetime]]
    ) -> Sequence[Sequence[KnownFact]]:
        """See Store."""
        told = [one for one in standing(self._shelves[namespace]) if one.item.thread == thread]
        found: list[list[KnownFact]] = []
        for slot, at in wanted:
            kin = [one for one in told if one.fact.slot == slot]
            later = [one for one in kin if one.item.happened_at > at][-1:]
            found.append([*later, *[one for one in kin if one.item.happened_at <= at][:4]])
        return found

    async def list_facts(
        self, namespace: str, *, subject: str | None, thread: str | None, superseded: bool, limit: int
    ) -> Sequence[KnownFact]:
        """See Store."""
        told = standing(self._shelves[namespace])
        return [
            KnownFact(one.item, one.fact, _valid_to(self._shelves[namespace], one), _rivals(one, told))
            for one in told
            if subject in (None, one.fact.subject_key)
            and thread in (None, one.item.thread)
            and (superseded or one.item.latest)
        ][:limit]

    async def told_facts(self, namespace: str, item_ids: Sequence[str]) -> Sequence[ToldFact]:
        """See Store."""
        shelf = self._shelves[namespace]
        told = {one.item.item_id: one.item for one in standing(shelf)}
        links = {(source, item) for item, source, _ in shelf.sources if source in item_ids and item in told}
        return [ToldFact(source, item, told[item].lineage, told[item].happened_at) for source, item in sorted(links)]


def standing(shelf: "Shelf") -> list[KnownFact]:
    """Return the facts of active items that still say so, newest first."""
    found = [
        KnownFact(record.item, held.fact)
        for item_id, held in shelf.facts.items()
        if (record := shelf.records[item_id]).active and record.item.sha256 == held.sha256
    ]
    return sorted(found, key=lambda one: (one.item.happened_at, one.item.item_id), reverse=True)


def kin_by_slot(shelf: "Shelf", slot: int, thread: str, item_id: str) -> "Iterator[Record]":
    """Go through the trusted items of a thread that hold facts of a slot, other than one."""
    for one in standing(shelf):
        said = one.fact.slot == slot and one.item.thread == thread and one.item.labels.trust != "low"
        if said and one.item.item_id != item_id:
            yield shelf.records[one.item.item_id]


def lone_facts(shelf: "Shelf", source_id: str) -> list[str]:
    """Return the items of facts that were read off one item and off nothing else."""
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for item_id, source, _ in shelf.sources:
        sources[item_id].add(source)
    return sorted(item_id for item_id in shelf.facts if sources[item_id] == {source_id})


def fact_records(shelf: "Shelf", held: Collection[str]) -> list[FactRecord]:
    """Return the records of the facts of some items."""
    return [
        FactRecord(
            item_id=item_id,
            sha256=one.sha256,
            subject=one.fact.subject,
            relation=one.fact.relation,
            value=one.fact.value,
            single=one.fact.single,
            importance=one.fact.importance,
            valid_from=one.fact.valid_from,
            extractor=one.fact.extractor,
        )
        for item_id, one in shelf.facts.items()
        if item_id in held
    ]


def take_fact(shelf: "Shelf", record: FactRecord) -> bool:
    """Put a record onto a shelf, and say whether it is new there.

    Raises:
        ConflictError: the item holds another fact.
    """
    held = HeldFact(record.fact, record.sha256)
    if (known := shelf.facts.setdefault(record.item_id, held)) is held:
        return True
    if known != held:
        raise conflict("fact", record.item_id)
    return False


def _valid_to(shelf: "Shelf", one: KnownFact) -> datetime | None:
    item = one.item
    if item.latest:
        return None
    kin = (record.item for record in shelf.active() if record.item.lineage == item.lineage)
    later = [(other.happened_at, other.item_id) for other in kin]
    return min(at for at in later if at > (item.happened_at, item.item_id))[0]


def _rivals(one: KnownFact, told: Sequence[KnownFact]) -> tuple[str, ...]:
    if not (one.fact.single and one.item.latest):
        return ()
    return tuple(
        sorted(
            other.item.item_id
            for other in told
            if other.fact.slot == one.fact.slot
            and other.item.latest
            and (other.item.thread, other.item.happened_at) == (one.item.thread, one.item.happened_at)
            and other is not one
        )
    )
