"""Taking back changes of what the in-memory store holds: each thing returns to what it was."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError, NotFoundError
from ..core.ids import Subject, parse_item_id
from ..core.models import Event, Item, ItemDraft, ItemState, Receipt, Trail
from ..core.ports import Redraft
from . import images
from . import inmemory_lineages as lineages
from .inmemory_changes import settled
from .inmemory_consolidation import Consolidations
from .inmemory_item import Record
from .inmemory_shelf import Prior, Shelf

Undoer = Callable[[Shelf, str, Mapping[str, Any]], tuple[int, str]]
"""Puts a subject back: (shelf, id, image) to its (version, SHA-256 in hex) as it is then; see the one for tables."""


class Undo(Consolidations):
    """Undo."""

    def undoers(self) -> Mapping[Subject, Undoer]:
        """Return who takes back changes of which subject; a family adds its own to those of ``super()``."""
        return {"thread": _model_back}

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt | None]:
        """See Store."""
        shelf = self._shelves[namespace]
        event = _undoable(shelf, event_id)
        prior = shelf.images.get(event.event_id) or Prior(event.subject, event.subject_id)
        if event.subject != "item":
            self._undo_other(shelf, event, prior, actor)
            return event, None
        record = shelf.record(event.subject_id)
        draft: ItemDraft | None = None
        if event.action == "edit" and prior.item is not None:
            old, _ = record.contents[prior.item.version - 1]
            draft = await redraft(record.item, prior.item.labels, prior.item.thread, old)
            draft = replace(draft, happened_at=prior.item.happened_at)
        # Only now: the item may have changed, or gone, while its content was drafted.
        record = shelf.record(event.subject_id)
        _check_newest(shelf, event)
        self._put_back(shelf, record, event, prior, draft)
        shelf.images.pop(event.event_id, None)
        shelf.put_event(record.item.updated_at, actor, "undo", record.item)
        outcome = images.outcome_of(event, record.item.state)
        return event, settled(shelf, record, outcome, budgets)

    def _undo_other(self, shelf: Shelf, event: Event, prior: Prior, actor: str) -> None:
        _check_newest(shelf, event)
        version, sha256 = self.undoers()[event.subject](shelf, event.subject_id, prior.other)
        del shelf.images[event.event_id]
        shelf.note(
            self._clock.now(),
            actor=actor,
            action="undo",
            subject=event.subject,
            subject_id=event.subject_id,
            version=version,
            sha256=sha256,
        )

    def _put_back(self, shelf: Shelf, record: Record, event: Event, prior: Prior, draft: ItemDraft | None) -> None:
        now = record.item
        after = _returned(record, event, prior)
        occurrence = record.occurrence
        if "occurrence" in images.returned(event.action) and prior.occurrence is not None:
            occurrence = prior.occurrence
        if after.state is ItemState.ACTIVE:
            shelf.check_twin(now.item_id, after.thread, draft.sha256 if draft else now.sha256, occurrence)
        if draft is not None:
            self._put_version(shelf, record, draft)
        if prior.trail.renditions is not None:
            record.renditions = prior.trail.renditions
        record.occurrence = occurrence
        if prior.position is not None and "position" in images.returned(event.action):
            record.position = prior.position
        elif after.thread != now.thread:
            shelf.enter(record)
        written = record.item
        record.item = replace(
            after,
            version=written.version,
            sha256=written.sha256,
            size_bytes=written.size_bytes,
            tokens=written.tokens,
            token_counter=written.token_counter,
            updated_at=self._clock.now(),
        )
        record.stand(*ladder.cost_at(record.costs, after.detail))
        trail_back(shelf, prior.trail, event.event_id, record)
        for lineage in (now.lineage, after.lineage):
            lineages.settle(shelf, lineage)


def trail_back(shelf: Shelf, trail: Trail, event_id: int, own: Record | None = None) -> None:
    """Let other items and a thread be as before a change, unless something changed them since."""
    for step in trail.steps:
        record = shelf.records.get(step.item_id)
        if record is not None and record is not own and record.item.detail == step.to:
            record.stand(*ladder.cost_at(record.costs, step.detail))
    _links_back(shelf, trail, event_id)
    model = trail.model
    if model is not None and shelf.thread(model.thread).model == model.to:
        shelf.thread(model.thread).model = model.model


def _links_back(shelf: Shelf, trail: Trail, event_id: int) -> None:
    edits = {one.event_id for one in shelf.events if one.action == "edit" and one.event_id > event_id}
    edited = {shelf.images[number].subject_id for number in edits & shelf.images.keys()}
    joined = {
        one.item.lineage
        for name, one in shelf.records.items()
        if one.active and (parse_item_id(name) > event_id or name in edited)
    }
    for link in trail.links:
        record = shelf.records.get(link.item_id)
        if record is None or record.item.lineage != link.to:
            continue
        # Who joined since would be left alone.
        if link.lineage is not None:
            record.item = replace(record.item, lineage=link.lineage)
        elif link.to not in joined:
            record.item = lineages.parted(record.item)
    for name in {name for link in trail.links for name in (link.lineage, link.to)}:
        lineages.settle(shelf, name)


def _returned(record: Record, event: Event, prior: Prior) -> Item:
    now, then = record.item, prior.item
    if event.action == "add":
        if not record.active:
            raise ConflictError(f"Item {now.item_id} is forgotten already; there is nothing to take back.")
        return replace(now, state=ItemState.FORGOTTEN)
    for step in prior.trail.steps:
        # It may have stepped down itself.
        if step.item_id == now.item_id and step.to == now.detail:
            now = replace(now, detail=step.detail)
    if then is None:
        return now
    names = {"labels" if name in images.LABELS else name for name in images.returned(event.action)}
    fields = {name: getattr(then, name) for name in names - {"position", "occurrence"}}
    after: Item = replace(now, **fields)
    return after if after.lineage is not None else lineages.parted(after)


def _model_back(shelf: Shelf, subject_id: str, image: Mapping[str, Any]) -> tuple[int, str]:
    trail = images.read_trail(image)
    assert trail.model is not None
    if shelf.thread(trail.model.thread).model != trail.model.to:
        raise ConflictError("The thread's model changed again since; undo the newer change first.")
    trail_back(shelf, trail, 0)
    return 1, images.model_digest(trail.model.model).hex()


def _undoable(shelf: Shelf, event_id: int | None) -> Event:
    found = [one for one in shelf.events if event_id in (None, one.event_id) and shelf.undoable(one)]
    if not found:
        raise NotFoundError(
            "There is nothing to undo." if event_id is None else f"Event {event_id} cannot be undone (any more)."
        )
    return replace(max(found, key=lambda one: one.event_id), undoable=True)


def _check_newest(shelf: Shelf, event: Event) -> None:
    newest = shelf.newest_image(event.subject, event.subject_id)
    if newest > event.event_id:
        action = next(one.action for one in shelf.events if one.event_id == newest)
        raise ConflictError(
            f"The {event.subject} {event.subject_id} changed again since: event {newest} ({action}) stands on event "
            f"{event.event_id}; undo that one first."
        )
