"""The in-memory store's ledger: where items stand, their blocks, and money spent on language models."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError
from ..core.ids import public_id, thread_number
from ..core.ladder import Choose
from ..core.models import (
    Block,
    BlockEntry,
    Detail,
    Receipt,
    Rendition,
    Rung,
    Stale,
    StaleItem,
    Step,
    TextUsage,
    ThreadState,
)
from ..core.summaries import CLIENT
from . import images
from .inmemory_changes import Changes, settled
from .inmemory_item import Record
from .inmemory_shelf import Prior, Usage


class Ledger(Changes):
    """What the ledger tells, and what moves items on the ladder."""

    async def step(
        self, namespace: str, thread: str, choose: Choose, *, actor: str, budgets: Budgets
    ) -> tuple[ThreadState, Sequence[Step]]:
        """See Store."""
        shelf = self._shelves[namespace]
        before = shelf.snapshot()
        steps = shelf.step(thread, choose, budgets)
        number = 0
        for step in steps:
            item = shelf.records[step.item_id].item
            number = shelf.put_event(self._clock.now(), actor, f"to {step.detail}", item)
        if steps:
            shelf.images[number] = Prior("item", steps[-1].item_id, trail=shelf.trail(before))
        return shelf.account(thread, budgets), steps

    async def rungs(
        self, namespace: str, thread: str, *, budgets: Budgets, item_ids: Sequence[str] | None = None
    ) -> tuple[ThreadState, Sequence[Rung]]:
        """See Store."""
        shelf = self._shelves[namespace]
        rungs = [record.rung for record in shelf.standing(thread)]
        return shelf.account(thread, budgets), [one for one in rungs if item_ids is None or one.item_id in item_ids]

    async def block(self, namespace: str, thread: str, *, budgets: Budgets) -> Block:
        """See Store."""
        shelf = self._shelves[namespace]
        entries = [
            BlockEntry(item.item_id, item.labels.title, item.detail, item.tokens, item.cost, text, item.labels.trust)
            for record in shelf.standing(thread)
            if (item := record.item).detail != "archived" and (text := record.text(item.detail)) is not None
        ]
        return Block(shelf.account(thread, budgets), tuple(entries))

    async def texts(self, namespace: str, wanted: Sequence[tuple[str, Detail]]) -> Mapping[tuple[str, Detail], str]:
        """See Store."""
        records = self._shelves[namespace].records
        return {
            (item_id, detail): text
            for item_id, detail in wanted
            if item_id in records and records[item_id].active and (text := records[item_id].text(detail)) is not None
        }

    async def use_model(self, namespace: str, thread: str, model: str, *, actor: str, budgets: Budgets) -> ThreadState:
        """See Store."""
        shelf = self._shelves[namespace]
        before = shelf.snapshot()
        shelf.thread(thread).model = model
        if shelf.account(thread, budgets).over is not None:
            shelf.step(thread, ladder.under_trigger, budgets)
        if before.models.get(thread) != model:
            subject_id = public_id("thread", thread_number(thread))
            shelf.note(
                self._clock.now(),
                actor=actor,
                action="model",
                subject="thread",
                subject_id=subject_id,
                version=1,
                sha256=images.model_digest(model).hex(),
                prior=Prior("thread", subject_id, other=images.trail_fields(shelf.trail(before))),
            )
        return shelf.account(thread, budgets)

    async def put_renditions(
        self,
        namespace: str,
        item_id: str,
        sha256: str,
        renditions: Sequence[Rendition],
        *,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        shelf = self._shelves[namespace]
        record = shelf.record(item_id)
        if not record.active or record.item.sha256 != sha256:
            raise ConflictError(
                f"Item {item_id} is forgotten, or has not the SHA-256 {sha256} any more; read it again."
            )
        before = shelf.snapshot()
        by_detail = {one.detail: one for one in (*record.renditions, *renditions)}
        record.renditions = tuple(by_detail.values())
        standing = record.item.detail
        if standing != "archived" and standing in by_detail:
            record.stand(standing, record.costs[standing])
        receipt = settled(shelf, record, "updated", budgets)
        # What a language model wrote in the background was nobody's change, and can be made again.
        asked = any(one.compressor.startswith(CLIENT) for one in renditions)
        shelf.put_event(self._clock.now(), actor, "summarize", record.item, before=before if asked else None)
        return receipt

    async def stale(self, namespace: str, limits: Stale, *, now: datetime, limit: int) -> Sequence[StaleItem]:
        """See Store."""
        found = [
            stale for record in self._shelves[namespace].active() if (stale := _stale(record, limits, now)) is not None
        ]
        found.sort(key=lambda one: (one.to != "forgotten", one.priority >= 5, one.last_used, one.item_id))
        return found[:limit]

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """See Store."""
        return sum(one.micros or 0 for one in self._shelves[namespace].usage if one.at >= since)

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """See Store."""
        self._shelves[namespace].usage.append(Usage(self._clock.now(), thread, micros))


def _stale(record: Record, limits: Stale, now: datetime) -> StaleItem | None:
    item, rung = record.item, record.rung
    common = (item.item_id, item.thread, item.labels.priority, rung.used_at, item.detail)
    if item.expires_at is not None and item.expires_at <= now:
        return StaleItem(*common, "forgotten")
    if item.labels.pinned or item.labels.priority >= limits.spared_priority:
        return None
    if rung.used_at < limits.archive_before and item.detail != "archived":
        return StaleItem(*common, "archived")
    if rung.used_at < limits.compress_before and item.detail == "full" and len(rung.costs) > 1:
        return StaleItem(*common, "summary")
    return None
