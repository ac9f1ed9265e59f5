"""Everything in a namespace of the in-memory store as records."""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..core.budget import Budgets
from ..core.dump_images import Image
from ..core.dump_lines import encoding_of
from ..core.dump_records import (
    ContentRecord,
    EventRecord,
    ImageRecord,
    ItemRecord,
    KeyRecord,
    PriorRecord,
    Record,
    RenditionRecord,
    Tally,
    ThreadRecord,
    UsageRecord,
    place,
    type_names,
)
from ..core.ids import new_number
from ..core.models import Event, Item, ItemDraft, Receipt, Rendition, TextUsage
from ..core.ports import Clock, Redraft
from .images import image_fields
from .inmemory_example_records import example_record
from .inmemory_facts import fact_records
from .inmemory_item import Record as Held
from .inmemory_request_records import request_record
from .inmemory_sealed import sealed_record
from .inmemory_shelf import Prior, Shelf
from .inmemory_sources import source_records
from .inmemory_undo import Undo
from .inmemory_work_records import work_records


@dataclass(frozen=True, slots=True)
class Version:
    """What a version's record tells beside the content."""

    tokens: int
    token_counter: str
    created_at: datetime


@dataclass(slots=True)
class Annex:
    """What a namespace's records tell and no other method of the store needs; all else is read off the shelf."""

    versions: dict[tuple[str, int], Version] = field(default_factory=dict[tuple[str, int], Version])
    renditions: dict[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime])
    keys: dict[str, datetime] = field(default_factory=dict[str, datetime])
    threads: dict[str, datetime] = field(default_factory=dict[str, datetime])
    images: dict[int, Image] = field(default_factory=dict[int, Image])
    """Before-images that were loaded; old ones know less than the store's own."""
    usage: list[UsageRecord] = field(default_factory=list[UsageRecord])

    def drop_renditions(self, item_id: str) -> None:
        """Forget when an item's renditions were made."""
        self.renditions = {key: at for key, at in self.renditions.items() if key[0] != item_id}

    def drop(self, shelf: Shelf) -> None:
        """Forget purged items."""
        self.renditions = {key: at for key, at in self.renditions.items() if key[0] in shelf.records}
        self.versions = {key: version for key, version in self.versions.items() if key[0] in shelf.records}
        self.keys = {key: at for key, at in self.keys.items() if key in shelf.keys}
        self.images = {number: image for number, image in self.images.items() if number in shelf.images}


class Exports(Undo):
    """Export, and the notes that it needs of other changes."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Start empty."""
        super().__init__(clock)
        self._annexes: defaultdict[str, Annex] = defaultdict(Annex)

    async def export(
        self, namespace: str, *, thread: str | None = None, sealed: bool = False
    ) -> AsyncGenerator[Tally | Record, None]:
        """See Store."""
        view = View(self._shelves[namespace], self._annexes[namespace], thread, self._clock.now())
        kept = self._shelves[namespace].sealed.values() if thread is None else ()
        records = sorted([*view.records(), *(sealed_record(one, sealed=sealed) for one in kept)], key=place)
        yield Tally(dict.fromkeys(type_names(), 0) | Counter(record.type for record in records))
        for record in records:
            yield record

    async def replace_content(
        self, namespace: str, draft: ItemDraft, *, expected_sha256: str, budgets: Budgets
    ) -> Receipt:
        """See Store; the former version's tokens are noted."""
        before = self._note_version(namespace, draft.item_id)
        receipt = await super().replace_content(namespace, draft, expected_sha256=expected_sha256, budgets=budgets)
        self._after(namespace, receipt.item, before)
        return receipt

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt | None]:
        """See Store; the former version's tokens are noted."""
        prior = self._shelves[namespace].images.get(event_id or max(self._shelves[namespace].images, default=0))
        before = self._note_version(namespace, "" if prior is None else prior.subject_id)
        event, receipt = await super().undo(namespace, event_id, actor=actor, budgets=budgets, redraft=redraft)
        if receipt is not None:
            self._after(namespace, receipt.item, before)
        return event, receipt

    def _note_version(self, namespace: str, item_id: str) -> int:
        held = self._shelves[namespace].records.get(item_id)
        if held is None:
            return 0
        item = held.item
        made = Version(item.tokens, item.token_counter, _made_at(self._shelves[namespace], item, item.version))
        self._annexes[namespace].versions.setdefault((item_id, item.version), made)
        return item.version

    def _after(self, namespace: str, item: Item, before: int) -> None:
        if item.version != before:
            self._annexes[namespace].drop_renditions(item.item_id)

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
        """See Store; the time is noted."""
        receipt = await super().put_renditions(namespace, item_id, sha256, renditions, actor=actor, budgets=budgets)
        self._annexes[namespace].renditions.update({(item_id, one.detail): self._clock.now() for one in renditions})
        return receipt

    async def purge(
        self, namespace: str, item_id: str, *, actor: str, budgets: Budgets, leave: str | None = None
    ) -> Receipt:
        """See Store; what was noted of the item goes with it."""
        receipt = await super().purge(namespace, item_id, actor=actor, budgets=budgets, leave=leave)
        self._annexes[namespace].drop(self._shelves[namespace])
        return receipt

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """See Store; all of it is noted."""
        await super().note_usage(namespace, usage, micros=micros, purpose=purpose, thread=thread)
        self._annexes[namespace].usage.append(
            UsageRecord(
                usage_id=new_number(),
                at=self._clock.now(),
                thread=thread,
                purpose=purpose,
                model=usage.model,
                prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens,
                completion_tokens=usage.completion_tokens,
                micros=micros,
            )
        )


@dataclass(frozen=True, slots=True)
class View:
    """A shelf as records, in no order; ``thread`` narrows it."""

    shelf: Shelf
    annex: Annex
    thread: str | None
    now: datetime

    def records(self) -> Iterator[Record]:
        """Go through all records."""
        held = [one for one in self.shelf.records.values() if self.thread in (None, one.item.thread)]
        ids = {one.item.item_id for one in held}
        for name in self.shelf.threads:
            if self.thread in (None, name):
                yield self._thread(name)
        for one in held:
            yield item_record(one)
            yield from self._contents(one)
            yield from self._renditions(one)
        for key, (item_id, digest) in self.shelf.keys.items():
            if item_id in ids:
                made = self.annex.keys.get(key, self.shelf.records[item_id].item.created_at)
                yield KeyRecord(key=key, item_id=item_id, sha256=digest, created_at=made)
        for event in self.shelf.events:
            if self.thread is None or event.subject_id in ids:
                yield self.event(event)
        for number, prior in self.shelf.images.items():
            if prior.subject == "item":
                if prior.subject_id in ids:
                    image = self.annex.images.get(number) or _image(prior)
                    trail = image_fields(prior.trail)
                    yield ImageRecord(event_id=number, item_id=prior.subject_id, image=image, **trail)
            elif self.thread is None:
                yield PriorRecord(
                    event_id=number, subject=prior.subject, subject_id=prior.subject_id, image=dict(prior.other)
                )
        yield from source_records(self.shelf, ids)
        yield from fact_records(self.shelf, ids)
        yield from (one for one in self.annex.usage if self.thread in (None, one.thread))
        for example in self.shelf.lessons.examples.values():
            if self.thread is None or example.item_id in ids:
                yield example_record(example)
        if self.thread is None:
            yield from work_records(self.shelf.work)
            yield from map(request_record, self.shelf.requests.values())

    def made(self, thread: str) -> datetime:
        """Return when a thread was made; unless it was loaded, its first item says so, or the first export."""
        times = [one.item.created_at for one in self.shelf.records.values() if one.item.thread == thread]
        return self.annex.threads.setdefault(thread, min(times, default=self.now))

    def _thread(self, name: str) -> ThreadRecord:
        thread = self.shelf.threads[name]
        return ThreadRecord(
            thread=name,
            model=thread.model,
            entries=thread.entries,
            compressions=thread.compressions,
            created_at=self.made(name),
        )

    def _contents(self, held: Held) -> Iterator[ContentRecord]:
        item = held.item
        for version, (content, digest) in enumerate(held.contents, start=1):
            facts = self.annex.versions.get((item.item_id, version)) or Version(
                item.tokens, item.token_counter, _made_at(self.shelf, item, version)
            )
            yield ContentRecord(
                item_id=item.item_id,
                version=version,
                content=content,
                encoding=encoding_of(content),
                sha256=digest,
                tokens=facts.tokens,
                token_counter=facts.token_counter,
                created_at=facts.created_at,
            )

    def _renditions(self, held: Held) -> Iterator[RenditionRecord]:
        item = held.item
        for one in held.renditions:
            assert one.detail != "full"
            made = self.annex.renditions.get((item.item_id, one.detail))
            yield RenditionRecord(
                item_id=item.item_id,
                detail=one.detail,
                # As other stores do, which have no NUL in a text that is only for reading.
                body=one.text.replace("\x00", ""),
                tokens=one.tokens,
                compressor=one.compressor,
                created_at=made or _made_at(self.shelf, item, item.version),
            )

    def event(self, event: Event) -> EventRecord:
        """Return an event with the hash of what its subject was after it."""
        return EventRecord(
            event_id=event.event_id,
            at=event.at,
            actor=event.actor,
            action=event.action,
            subject=event.subject,
            subject_id=event.subject_id,
            version=event.version,
            sha256=self.shelf.digests[event.event_id],
        )


def item_record(held: Held) -> ItemRecord:
    """Return an item's record."""
    item, labels = held.item, held.item.labels
    return ItemRecord(
        item_id=item.item_id,
        thread=item.thread,
        version=item.version,
        state=item.state.value,
        title=labels.title,
        content_type=labels.content_type,
        memory_type=labels.memory_type,
        priority=labels.priority,
        pinned=labels.pinned,
        tags=labels.tags,
        sha256=item.sha256,
        size_bytes=item.size_bytes,
        tokens=item.tokens,
        token_counter=item.token_counter,
        source=dict(item.source),
        created_at=item.created_at,
        updated_at=item.updated_at,
        last_used_at=item.last_used_at,
        detail=item.detail,
        position=held.position,
        header_tokens=item.header_tokens,
        cost=item.cost,
        expires_at=item.expires_at,
        happened_at=item.happened_at,
        lineage=item.lineage,
        occurrence=held.occurrence,
        trust=labels.trust,
    )


def _image(prior: Prior) -> Image | None:
    before = prior.item
    if before is None:
        return None
    labels = before.labels
    return Image(
        thread=before.thread,
        version=before.version,
        state=before.state.value,
        title=labels.title,
        content_type=labels.content_type,
        memory_type=labels.memory_type,
        priority=labels.priority,
        pinned=labels.pinned,
        tags=labels.tags,
        detail=before.detail,
        header_tokens=before.header_tokens,
        happened_at=before.happened_at,
        lineage=before.lineage,
        position=prior.position,
        occurrence=prior.occurrence,
        trust=labels.trust,
    )


def _made_at(shelf: Shelf, item: Item, version: int) -> datetime:
    """Return when a version came: the first event about it says so."""
    times = (event.at for event in shelf.events if (event.subject_id, event.version) == (item.item_id, version))
    return next(times, item.updated_at)
