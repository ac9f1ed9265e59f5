"""The in-memory store's consolidation: statements that are near each other, folded and merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import mul

from ..core import ladder
from ..core.budget import Budget, Budgets
from ..core.clusters import CONSOLIDATION, cluster_key
from ..core.errors import ConflictError
from ..core.ids import parse_item_id
from ..core.models import (
    TRUSTS,
    Item,
    ItemDraft,
    Member,
    Merged,
    Near,
    Receipt,
    Rung,
    Statement,
    Step,
    Stretch,
)
from . import inmemory_lineages as lineages
from .inmemory_changes import receipt_of
from .inmemory_item import Record
from .inmemory_ledger import Ledger
from .inmemory_shelf import Shelf

_CHANGED = "One of the items is gone, or no longer what it was when it was looked at; nothing was written."
_GROWS = "The items that would leave the block cost less there than the one that would come; nothing was written."
_TOLD = "The thread has that text already; nothing was written."
_LARGEST = 8192


class Consolidations(Ledger):
    """Consolidation."""

    async def consolidation_stretch(self, namespace: str, model_id: str, basis: str) -> Stretch:
        """See Store."""
        shelf = self._shelves[namespace]
        since = shelf.consolidated.get(basis)
        until = self._clock.now() - timedelta(minutes=5)
        bare = [
            one.item.updated_at - timedelta(microseconds=1)
            for one in shelf.active()
            if len(one.chunks) == 1
            and model_id not in one.chunks[0].vectors
            and (since is None or one.item.updated_at >= since)
        ]
        return Stretch(since, min([until, *bare]))

    async def note_consolidated(self, namespace: str, basis: str, until: datetime) -> None:
        """See Store."""
        shelf = self._shelves[namespace]
        former = shelf.consolidated.get(basis)
        shelf.consolidated = {basis: until if former is None else max(former, until)}

    async def changed_statements(
        self, namespace: str, model_id: str, *, since: datetime | None, after: str | None, limit: int
    ) -> Sequence[str]:
        """See Store."""
        return [
            name
            for name, one in sorted(self._shelves[namespace].records.items())
            if (after is None or name > after)
            and _is_statement(one)
            and model_id in one.chunks[0].vectors
            and (since is None or one.item.updated_at >= since)
        ][:limit]

    async def near(
        self, namespace: str, model_id: str, item_ids: Sequence[str], *, distance: float, limit: int
    ) -> Sequence[Near]:
        """See Store."""
        shelf = self._shelves[namespace]
        points = {
            name: one.chunks[0].vectors[model_id]
            for name, one in shelf.records.items()
            if one.active and one.chunks and model_id in one.chunks[0].vectors
        }
        found: dict[tuple[str, str], float] = {}
        for item_id in item_ids:
            if item_id not in points:
                continue
            apart = [(1.0 - sum(map(mul, points[item_id], point)), name) for name, point in points.items()]
            for far, name in sorted(apart)[: limit + 1]:
                if far > distance or shelf.records[name].item.thread != shelf.records[item_id].item.thread:
                    continue
                other = shelf.records[name].item.superseded_by or name
                if other != item_id:
                    found[item_id, other] = min(far, found.get((item_id, other), far))
        return [Near(item_id, other, far) for (item_id, other), far in found.items()]

    async def statements(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Statement]:
        """See Store."""
        records = self._shelves[namespace].records
        found = [records[name] for name in sorted(set(item_ids)) if name in records and _is_statement(records[name])]
        return [Statement(one.item, one.contents[-1][0].decode()) for one in found]

    async def merged(self, namespace: str, source_ids: Sequence[str] | None = None) -> Sequence[Merged]:
        """See Store."""
        shelf = self._shelves[namespace]
        found: list[Merged] = []
        for _, record in sorted(shelf.records.items()):
            item = record.item
            if "cluster" not in item.source or not record.active or not item.latest:
                continue
            sources = tuple(item.source["derived_from"].split())
            if source_ids is None or set(sources) & set(source_ids):
                found.append(Merged(item, sources, _intact(shelf, item, sources)))
        return found

    async def fold(
        self, namespace: str, keeper: Member, others: Sequence[Member], *, actor: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record, *rest = _members(shelf, [keeper, *others])
        if any(_age(one) > _age(record) or one.item.thread != record.item.thread for one in rest):
            raise ConflictError(_CHANGED)
        before = shelf.snapshot()
        lineages.link(shelf, record, [record, *rest])
        steps = self._archive(shelf, rest, actor, budgets)
        shelf.put_event(self._clock.now(), actor, "fold", record.item, before=before)
        return replace(receipt_of(shelf, record, "updated", budgets), steps=steps)

    async def unfolded(self, namespace: str, item_ids: Sequence[str]) -> frozenset[str]:
        """See Store."""
        shelf = self._shelves[namespace]
        return frozenset(
            one.subject_id
            for one in shelf.events
            if one.action == "fold"
            and one.subject_id in item_ids
            and one.event_id not in shelf.images
            and one.subject_id in shelf.records
            and shelf.digests[one.event_id] == shelf.records[one.subject_id].item.sha256
        )

    async def declined(self, namespace: str, keys: Sequence[str]) -> frozenset[str]:
        """See Store."""
        shelf = self._shelves[namespace]
        released = {one.subject_id for one in shelf.events if (one.action, one.actor) == ("undo", CONSOLIDATION)}
        told = (
            one.item.source.get("cluster")
            for one in shelf.records.values()
            if not one.active and one.item.item_id not in released
        )
        return frozenset(key for key in told if key in keys and key is not None)

    async def merge(
        self,
        namespace: str,
        draft: ItemDraft,
        sources: Sequence[Member],
        *,
        replaces: Sequence[Member] = (),
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        leaving = _members(shelf, [*sources, *replaces])
        if any(one.item.thread != draft.thread for one in leaving):
            raise ConflictError(_CHANGED)
        if sum(one.item.cost for one in leaving) <= draft.cost:
            raise ConflictError(_GROWS)
        if shelf.twins(draft.thread, draft.sha256):
            raise ConflictError(_TOLD)
        before = shelf.snapshot()
        record = self._put(shelf, draft)
        if former := leaving[len(sources) :]:
            lineages.link(shelf, record, former)
        steps = self._archive(shelf, leaving, actor, budgets)
        shelf.put_event(self._clock.now(), actor, "add", record.item, before=before)
        return replace(receipt_of(shelf, record, "added", budgets), steps=steps)

    def _archive(self, shelf: Shelf, leaving: Sequence[Record], actor: str, budgets: Budgets) -> tuple[Step, ...]:
        names = {one.item.item_id for one in leaving}

        def choose(rungs: Sequence[Rung], _budget: Budget) -> Sequence[Step]:
            return ladder.to_detail([rung for rung in rungs if rung.item_id in names], "archived")

        steps = shelf.step(leaving[0].item.thread, choose, budgets) if leaving else ()
        for step in steps:
            shelf.put_event(self._clock.now(), actor, f"to {step.detail}", shelf.records[step.item_id].item)
        return tuple(steps)


def _is_statement(record: Record) -> bool:
    item = record.item
    return (
        record.active
        and item.latest
        and not item.labels.pinned
        and item.labels.trust != "low"
        and item.expires_at is None
        and len(record.chunks) == 1
        and item.size_bytes <= _LARGEST
        and "derived_from" not in item.source
    )


def _members(shelf: Shelf, members: Sequence[Member]) -> list[Record]:
    found = [shelf.records.get(one.item_id) for one in members]
    kept: list[Record] = []
    for one, member in zip(found, members, strict=True):
        if one is None or not one.active or one.item.sha256 != member.sha256 or not one.item.latest:
            raise ConflictError(_CHANGED)
        if one.item.labels.pinned or one.item.labels.trust == "low":
            raise ConflictError(_CHANGED)
        kept.append(one)
    return kept


def _intact(shelf: Shelf, item: Item, sources: Sequence[str]) -> bool:
    found = [shelf.records.get(name) for name in sources]
    held = [one for one in found if one is not None and one.active]
    least = TRUSTS.index(item.labels.trust)
    if len(held) < len(sources) or any(TRUSTS.index(one.item.labels.trust) < least for one in held):
        return False
    return cluster_key(Member(one.item.item_id, one.item.sha256) for one in held) == item.source["cluster"]


def _age(record: Record) -> tuple[datetime, int]:
    return record.happened_at, parse_item_id(record.item.item_id)
