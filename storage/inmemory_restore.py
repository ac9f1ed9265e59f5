"""Records back into the in-memory store: all or nothing."""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..core.dump_images import Image
from ..core.dump_records import (
    ContentRecord,
    EventRecord,
    ExampleRecord,
    ImageRecord,
    ItemRecord,
    KeyRecord,
    PriorRecord,
    Record,
    RenditionRecord,
    RequestRecord,
    Restored,
    SealedRecord,
    ThreadRecord,
    UsageRecord,
    conflict,
    type_names,
)
from ..core.dump_sources import FactRecord, ItemSourceRecord
from ..core.errors import ConflictError
from ..core.models import ChunkDraft, Event, Item, ItemState, Labels, Rendition
from ..core.ports import Indexer
from ..core.versions import Frame
from . import inmemory_lineages as lineages
from .images import trail_of
from .inmemory_example_records import take_example
from .inmemory_export import Annex, Exports, Version, View, item_record
from .inmemory_facts import take_fact
from .inmemory_item import Chunk
from .inmemory_item import Record as Held
from .inmemory_request_records import take_request
from .inmemory_sealed import put_sealed_record
from .inmemory_shelf import Prior, Shelf, Usage
from .inmemory_sources import take_source
from .inmemory_work_records import take_work

_REWEIGH_AFTER = timedelta(seconds=2)
_Chunks = Mapping[str, Sequence[ChunkDraft]]
_Frames = Mapping[str, Frame | None]


class Restores(Exports):
    """Restore."""

    async def restore(
        self, namespace: str, records: Iterable[Record], *, indexer: Indexer, keep: bool = True
    ) -> Restored:
        """See Store."""
        wanted = list(records)
        chunks, frames = await _index(namespace, wanted, indexer)
        # Only now, so that nobody changes what is copied before the copy takes its place.
        shelf, annex = copy.deepcopy((self._shelves[namespace], self._annexes[namespace]))
        restoring = _Restoring(shelf, annex, View(shelf, annex, None, self._clock.now()), chunks, frames, indexer)
        for record in wanted:
            added = restoring.take(record)
            (restoring.added if added else restoring.known)[record.type] += 1
        for lineage in {record.lineage for record in wanted if isinstance(record, ItemRecord)}:
            lineages.settle(shelf, lineage)
        if keep:
            now = self._clock.now()
            for item_id in restoring.new:
                shelf.queue.put("embed", item_id, now)
            shelf.queue.put("reweigh", None, now + _REWEIGH_AFTER)
            self._shelves[namespace], self._annexes[namespace] = shelf, annex
        return Restored(dict(restoring.added), dict(restoring.known))


async def _index(namespace: str, records: Sequence[Record], indexer: Indexer) -> tuple[_Chunks, _Frames]:
    items = {record.item_id: record for record in records if isinstance(record, ItemRecord)}
    found: dict[str, Sequence[ChunkDraft]] = {}
    frames: dict[str, Frame | None] = {}
    for record in records:
        if isinstance(record, ContentRecord) and (item := items[record.item_id]).version == record.version:
            found[record.item_id] = await indexer.chunks(namespace, record.content, item.content_type, item.title)
            frames[record.item_id] = indexer.frame(namespace, record.content, _labels(item))
    return found, frames


@dataclass(slots=True)
class _Restoring:
    """A load on its way; ``new`` are the items that were not here."""

    shelf: Shelf
    annex: Annex
    view: View
    chunks: _Chunks
    frames: _Frames
    indexer: Indexer
    new: set[str] = field(default_factory=set[str])
    new_events: set[int] = field(default_factory=set[int])
    added: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(type_names(), 0)))
    known: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(type_names(), 0)))

    def take(self, record: Record) -> bool:
        """Put a record onto the shelf, and say whether it is new there.

        Raises:
            ConflictError: its key is taken.
        """
        match record:
            case ThreadRecord():
                return self._thread(record)
            case ItemRecord():
                return self._item(record)
            case ContentRecord():
                return self._content(record)
            case RenditionRecord():
                return self._rendition(record)
            case KeyRecord():
                return self._key(record)
            case EventRecord():
                return self._event(record)
            case ImageRecord():
                return self._image(record)
            case PriorRecord():
                return self._prior(record)
            case SealedRecord():
                return put_sealed_record(self.shelf, record)
            case UsageRecord():
                return self._usage(record)
            case FactRecord():
                return take_fact(self.shelf, record)
            case ItemSourceRecord():
                return take_source(self.shelf, record)
            case RequestRecord():
                return take_request(self.shelf, record)
            case ExampleRecord():
                return take_example(self.shelf.lessons, record)
            case _:
                return take_work(self.shelf.work, record)

    def _thread(self, record: ThreadRecord) -> bool:
        new = record.thread not in self.shelf.threads
        made = record.created_at if new else min(record.created_at, self.view.made(record.thread))
        thread = self.shelf.thread(record.thread)
        thread.model = thread.model or record.model
        thread.entries = max(thread.entries, record.entries)
        thread.compressions = max(thread.compressions, record.compressions)
        self.annex.threads[record.thread] = made
        return new

    def _item(self, record: ItemRecord) -> bool:
        held = self.shelf.records.get(record.item_id)
        if held is not None:
            if _lasting(item_record(held)) != _lasting(record):
                raise conflict("item", record.item_id)
            held.item = replace(held.item, lineage=held.item.lineage or record.lineage)
            return False
        twin = self.shelf.twin(record.thread, record.sha256, occurrence=record.occurrence) if record.active else None
        if twin is not None:
            raise ConflictError(
                f"The content of {record.item_id} is here already, in {twin.item.item_id} of the same thread; nothing "
                "was loaded; forget that one first, or load into a namespace of its own."
            )
        self.shelf.records[record.item_id] = Held(
            _item(record),
            chunks=[Chunk(chunk.span, chunk.terms, {}) for chunk in self.chunks[record.item_id]],
            embedding_model=self.indexer.embedding_model,
            lexicon=self.indexer.lexicon,
            position=record.position,
            frame=self.frames[record.item_id],
            occurrence=record.occurrence,
        )
        self.new.add(record.item_id)
        return True

    def _content(self, record: ContentRecord) -> bool:
        contents = self.shelf.records[record.item_id].contents
        if record.item_id not in self.new:
            if contents[record.version - 1][1] != record.sha256:
                raise conflict("content", record.item_id)
            return False
        contents.append((record.content, record.sha256))
        facts = Version(record.tokens, record.token_counter, record.created_at)
        self.annex.versions[record.item_id, record.version] = facts
        return True

    def _rendition(self, record: RenditionRecord) -> bool:
        held = self.shelf.records[record.item_id]
        if any(one.detail == record.detail for one in held.renditions):
            return False
        rendition = Rendition(record.detail, record.body, record.tokens, record.compressor)
        held.renditions = (*held.renditions, rendition)
        self.annex.renditions[record.item_id, record.detail] = record.created_at
        return True

    def _key(self, record: KeyRecord) -> bool:
        used = self.shelf.keys.get(record.key)
        if used is not None:
            if used != (record.item_id, record.sha256):
                raise conflict("idempotency_key", repr(record.key))
            return False
        self.shelf.keys[record.key] = record.item_id, record.sha256
        self.annex.keys[record.key] = record.created_at
        return True

    def _event(self, record: EventRecord) -> bool:
        known = next((event for event in self.shelf.events if event.event_id == record.event_id), None)
        if known is not None:
            if self.view.event(known) != record:
                raise conflict("event", str(record.event_id))
            return False
        about = record.subject, record.subject_id
        event = Event(record.event_id, record.at, record.actor, record.action, *about, record.version, False)
        self.shelf.events.append(event)
        self.shelf.digests[record.event_id] = record.sha256
        self.new_events.add(record.event_id)
        return True

    def _image(self, record: ImageRecord) -> bool:
        # What was taken back here since must not become undoable again.
        if record.event_id not in self.new_events or record.is_empty:
            return False
        trail, image = trail_of(record), record.image
        if image is None:
            self.shelf.images[record.event_id] = Prior("item", record.item_id, trail=trail)
            return True
        before = _before(self.shelf.records[record.item_id].item, image)
        place = image.position, image.occurrence
        self.shelf.images[record.event_id] = Prior("item", record.item_id, before, *place, trail)
        self.annex.images[record.event_id] = image
        return True

    def _prior(self, record: PriorRecord) -> bool:
        if record.event_id not in self.new_events:
            return False
        self.shelf.images[record.event_id] = Prior(record.subject, record.subject_id, other=dict(record.image))
        return True

    def _usage(self, record: UsageRecord) -> bool:
        known = next((one for one in self.annex.usage if one.usage_id == record.usage_id), None)
        if known is not None:
            if known != record:
                raise conflict("usage", str(record.usage_id))
            return False
        self.shelf.usage.append(Usage(record.at, record.thread, record.micros))
        self.annex.usage.append(record)
        return True


def _lasting(record: ItemRecord) -> ItemRecord:
    """Return what must be equal for an item to be the same one: all but its use, its place and its counts."""
    return replace(
        record,
        last_used_at=None,
        detail="full",
        position=0,
        header_tokens=0,
        cost=0,
        size_bytes=0,
        tokens=0,
        token_counter="",
        happened_at=record.happened_at or record.created_at,
        lineage=None,
        occurrence=0,
    )


def _labels(record: ItemRecord | Image) -> Labels:
    return Labels(
        record.title,
        record.content_type,
        record.memory_type,
        record.priority,
        record.pinned,
        tuple(record.tags),
        record.trust or "normal",
    )


def _item(record: ItemRecord) -> Item:
    return Item(
        item_id=record.item_id,
        thread=record.thread,
        labels=_labels(record),
        state=ItemState(record.state),
        version=record.version,
        sha256=record.sha256,
        size_bytes=record.size_bytes,
        tokens=record.tokens,
        token_counter=record.token_counter,
        source=dict(record.source),
        created_at=record.created_at,
        updated_at=record.updated_at,
        last_used_at=record.last_used_at,
        detail=record.detail,
        happened_at=record.happened_at or record.created_at,
        cost=record.cost,
        header_tokens=record.header_tokens,
        expires_at=record.expires_at,
        lineage=record.lineage,
    )


def _before(item: Item, image: Image) -> Item:
    return replace(
        item,
        thread=image.thread,
        version=image.version,
        state=ItemState(image.state),
        labels=_labels(image),
        detail=image.detail or "full",
        header_tokens=item.header_tokens if image.header_tokens is None else image.header_tokens,
        happened_at=image.happened_at or item.happened_at,
        lineage=image.lineage,
    )
