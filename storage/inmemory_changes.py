"""Changes of what the in-memory store holds, each with its event and what undoes it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..core import ladder
from ..core.budget import Budgets
from ..core.clock import SystemClock
from ..core.errors import ConflictError
from ..core.ids import Subject, new_item_id, public_id
from ..core.models import Event, Item, ItemDraft, ItemState, Labels, Outcome, Receipt, Standing, Step
from ..core.ports import Clock
from ..core.provenance import purge_notes
from . import inmemory_lineages as lineages
from .inmemory_facts import HeldFact, lone_facts
from .inmemory_item import Record
from .inmemory_requests import blank_requests, use_request
from .inmemory_shelf import Shelf
from .inmemory_sources import put_sources

_REWEIGH_AFTER = timedelta(seconds=2)


class Changes:
    """Every method that writes items or their history; once one has begun to change something, it awaits nothing."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Start empty."""
        self._clock = clock or SystemClock()
        self._shelves: defaultdict[str, Shelf] = defaultdict(Shelf)

    async def add(self, namespace: str, draft: ItemDraft, *, budgets: Budgets) -> Receipt:
        """See Store."""
        known = await self.find_added(
            namespace,
            thread=draft.thread,
            sha256=draft.sha256,
            idempotency_key=draft.idempotency_key,
            happened_at=draft.happened_at,
            budgets=budgets,
        )
        if known is not None:
            return known
        shelf, now = self._shelves[namespace], self._clock.now()
        if draft.item_id in shelf.records:
            draft = replace(draft, item_id=new_item_id())
        before = shelf.snapshot()
        kin = lineages.kin(shelf, draft)
        if kin.retyped is not None and lineages.holding(shelf, kin.retyped, draft.happened_at) is kin.retyped:
            spelled = any(digest == draft.sha256 for _, digest in kin.retyped.contents)
            return receipt_of(shelf, kin.retyped, "duplicate" if spelled else "retyped", budgets)
        record = self._put(shelf, draft)
        other = lineages.link(shelf, record, kin.versions) if kin.versions else None
        receipt = settled(shelf, record, "added", budgets)
        shelf.put_event(now, actor_of(draft), "add", record.item, before=before)
        return replace(receipt, version_of=other)

    def _put(self, shelf: Shelf, draft: ItemDraft) -> Record:
        """Put a new item on the shelf; accounts and lineages come later."""
        told = shelf.twins(draft.thread, draft.sha256)
        occurrence = max((one.occurrence + 1 for one in told), default=0)
        record = Record(drafted(draft, self._clock.now()), occurrence=occurrence)
        record.put_content(draft)
        shelf.records[draft.item_id] = record
        shelf.enter(record)
        put_sources(shelf, draft.item_id, draft.origins)
        if draft.fact is not None:
            shelf.facts[draft.item_id] = HeldFact(draft.fact, draft.sha256)
        if draft.model is not None:
            shelf.thread(draft.thread).model = draft.model
        if draft.idempotency_key is not None:
            shelf.keys[draft.idempotency_key] = (draft.item_id, draft.sha256)
        self._put_jobs(shelf, record, draft)
        return record

    async def find_added(
        self,
        namespace: str,
        *,
        thread: str,
        sha256: str,
        idempotency_key: str | None,
        happened_at: datetime | None = None,
        budgets: Budgets,
    ) -> Receipt | None:
        """See Store."""
        shelf = self._shelves[namespace]
        if idempotency_key in shelf.keys:
            item_id, used_for = shelf.keys[idempotency_key]
            if used_for != sha256:
                raise ConflictError(
                    f"The idempotency key {idempotency_key!r} was used for other content; "
                    "take a new key for new content."
                )
            return receipt_of(shelf, shelf.records[item_id], "replayed", budgets)
        for twin in shelf.twins(thread, sha256)[:1]:
            valid = lineages.holding(shelf, twin, happened_at)
            if valid.item.sha256 == sha256:
                return receipt_of(shelf, valid, "duplicate", budgets)
        return None

    async def replace_content(
        self, namespace: str, draft: ItemDraft, *, expected_sha256: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record = shelf.record(draft.item_id)
        before = record.item
        if not record.active:
            raise ConflictError(f"Item {draft.item_id} is forgotten; restore it before editing it.")
        if before.sha256 != expected_sha256:
            raise ConflictError(
                f"Item {draft.item_id} now has the SHA-256 {before.sha256} (version {before.version}), "
                "not the expected one; read it again."
            )
        if before.sha256 == draft.sha256:
            receipt = await self.relabel(
                namespace,
                draft.item_id,
                draft.labels,
                thread=draft.thread,
                header_tokens=draft.header_tokens,
                happened_at=draft.happened_at,
                actor=actor_of(draft),
                budgets=budgets,
            )
            return replace(receipt, notes=("The content is the same as before.",))
        stood = shelf.snapshot()
        shelf.check_twin(draft.item_id, draft.thread, draft.sha256)
        self._put_version(shelf, record, draft)
        if before.thread != draft.thread:
            shelf.enter(record)
        lineages.settle(shelf, before.lineage)
        if kin := lineages.kin(shelf, draft).versions:
            lineages.link(shelf, record, kin)
        receipt = settled(shelf, record, "updated", budgets)
        shelf.put_event(record.item.updated_at, actor_of(draft), "edit", record.item, before=stood)
        return receipt

    def _put_version(self, shelf: Shelf, record: Record, draft: ItemDraft) -> None:
        before = record.item
        record.item = replace(
            drafted(draft, self._clock.now()),
            version=before.version + 1,
            source=before.source,
            created_at=before.created_at,
            happened_at=draft.happened_at or before.happened_at,
            last_used_at=before.last_used_at,
            expires_at=before.expires_at,
        )
        record.occurrence = 0
        record.put_content(draft)
        self._put_jobs(shelf, record, draft)

    def _put_jobs(self, shelf: Shelf, record: Record, draft: ItemDraft) -> None:
        now = self._clock.now()
        if shelf.lacks_vectors(record):
            shelf.queue.put("embed", record.item.item_id, now)
        if draft.summarize:
            shelf.queue.put("summarize", record.item.item_id, now)
        if draft.extract:
            shelf.queue.put("facts", record.item.item_id, now)
        shelf.queue.put("reweigh", None, now + _REWEIGH_AFTER)

    async def relabel(
        self,
        namespace: str,
        item_id: str,
        labels: Labels,
        *,
        thread: str,
        header_tokens: int | None = None,
        happened_at: datetime | None = None,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record = shelf.record(item_id)
        before = record.item
        after = replace(before, labels=labels, thread=thread, happened_at=happened_at or before.happened_at)
        if after == before:
            return receipt_of(shelf, record, "unchanged", budgets)
        if header_tokens is not None:
            after = replace(after, header_tokens=header_tokens)
        stood = shelf.snapshot()
        self._change(shelf, record, after if thread == before.thread else lineages.parted(after))
        receipt = settled(shelf, record, "updated", budgets)
        shelf.put_event(record.item.updated_at, actor, "relabel", record.item, before=stood)
        return receipt

    async def place(self, namespace: str, item_id: str, detail: Standing, *, actor: str, budgets: Budgets) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record = shelf.record(item_id)
        before = record.item
        if not record.active:
            raise ConflictError(f"Item {item_id} is forgotten; restore it first.")
        if ladder.cost_at(record.costs, detail) == (before.detail, before.cost):
            return receipt_of(shelf, record, "unchanged", budgets)
        stood = shelf.snapshot()
        self._place(shelf, record, detail)
        action = f"to {record.item.detail}"
        receipt = settled(shelf, record, "updated", budgets)
        shelf.put_event(self._clock.now(), actor, action, record.item, before=stood)
        return receipt

    def _place(self, shelf: Shelf, record: Record, detail: Standing) -> None:
        if record.item.detail == "archived":
            shelf.enter(record)
        record.stand(*ladder.cost_at(record.costs, detail))
        record.item = replace(record.item, last_used_at=self._clock.now())

    async def set_state(
        self, namespace: str, item_id: str, state: ItemState, *, actor: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record = shelf.record(item_id)
        before = record.item
        if before.state is state:
            return receipt_of(shelf, record, "unchanged", budgets)
        stood = shelf.snapshot()
        self._change(shelf, record, replace(before, state=state))
        receipt = settled(shelf, record, "restored" if record.active else "forgotten", budgets)
        action = "restore" if record.active else "forget"
        shelf.put_event(record.item.updated_at, actor, action, record.item, before=stood)
        return receipt

    def _change(self, shelf: Shelf, record: Record, after: Item) -> None:
        """Let an item have other labels, another thread, time or state."""
        before = record.item
        moved = after.thread != before.thread
        occurrence = 0 if moved else record.occurrence
        if after.state is ItemState.ACTIVE:
            shelf.check_twin(before.item_id, after.thread, before.sha256, occurrence)
        record.occurrence = occurrence
        cost = 0 if before.detail == "archived" else before.cost + after.header_tokens - before.header_tokens
        if after.labels.trust == "low" != before.labels.trust:
            # What is not trusted any more leaves the block.
            after, cost = replace(after, detail="archived"), 0
        record.item = replace(after, cost=cost, updated_at=self._clock.now())
        if moved:
            shelf.enter(record)
        lineages.settle(shelf, before.lineage)
        lineages.settle(shelf, after.lineage)

    async def receipt(self, namespace: str, item_id: str, *, budgets: Budgets) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        return receipt_of(shelf, shelf.record(item_id), "unchanged", budgets)

    async def purge(
        self, namespace: str, item_id: str, *, actor: str, budgets: Budgets, leave: str | None = None
    ) -> Receipt:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        record = shelf.record(item_id)
        if leave is not None:
            use_request(shelf, leave, now, actor=actor, state=record.item.sha256)
        gone, merged = lone_facts(shelf, item_id), merged_of(shelf, item_id)
        made = dict.fromkeys(derived for derived, source, _ in sorted(shelf.sources) if source == item_id)
        for held in (*(shelf.records[one] for one in (*gone, *merged)), record):
            shelf.purge(held.item.item_id)
            blank_requests(shelf, held.item.item_id, now)
            lineages.settle(shelf, held.item.lineage)
            shelf.put_event(self._clock.now(), actor, "purge", held.item)
        notes = purge_notes(gone, [one for one in made if one not in gone and one not in merged], merged)
        return replace(receipt_of(shelf, Record(record.item), "purged", budgets), notes=notes)

    async def events(self, namespace: str, limit: int, *, about: tuple[Subject, int] | None = None) -> Sequence[Event]:
        """See Store."""
        shelf = self._shelves[namespace]
        wanted = None if about is None else public_id(*about)
        found = [event for event in shelf.events if wanted in (None, event.subject_id)]
        newest = sorted(found, key=lambda event: event.event_id, reverse=True)
        return [replace(event, undoable=shelf.undoable(event)) for event in newest[:limit]]


def merged_of(shelf: Shelf, item_id: str) -> list[str]:
    """Return the items, of any state, that consolidation made of an item."""
    return sorted(
        name
        for name, one in shelf.records.items()
        if "cluster" in one.item.source and item_id in one.item.source["derived_from"].split()
    )


def settled(shelf: Shelf, record: Record, outcome: Outcome, budgets: Budgets) -> Receipt:
    """Bring the record's thread under its trigger, and say how things stand then."""
    steps: Sequence[Step] = ()
    if shelf.account(record.item.thread, budgets).over is not None:
        steps = shelf.step(record.item.thread, ladder.under_trigger, budgets)
    return replace(receipt_of(shelf, record, outcome, budgets), steps=tuple(steps))


def drafted(draft: ItemDraft, now: datetime) -> Item:
    """Return the item that a draft makes."""
    return Item(
        item_id=draft.item_id,
        thread=draft.thread,
        labels=draft.labels,
        state=ItemState.ACTIVE,
        version=1,
        sha256=draft.sha256,
        size_bytes=len(draft.content),
        tokens=draft.tokens.tokens,
        token_counter=draft.tokens.counter,
        source=dict(draft.source),
        created_at=now,
        updated_at=now,
        happened_at=draft.happened_at or now,
        detail=draft.detail,
        cost=draft.cost,
        header_tokens=draft.header_tokens,
        expires_at=draft.expires_at,
    )


def actor_of(draft: ItemDraft) -> str:
    """Return who adds or changes by a draft."""
    return draft.source.get("actor", "client")


def receipt_of(shelf: Shelf, record: Record, outcome: Outcome, budgets: Budgets) -> Receipt:
    """Say how things stand."""
    return Receipt(
        item=record.item,
        outcome=outcome,
        durable=False,
        chunks=len(record.chunks),
        chunks_pending=shelf.pending(record),
        ledger=shelf.account(record.item.thread, budgets),
    )
