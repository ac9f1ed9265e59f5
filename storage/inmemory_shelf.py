"""What a namespace holds without a database: items with all that belongs to them, and their history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError, ItemNotFoundError
from ..core.ids import Subject, new_number
from ..core.ladder import Choose
from ..core.models import (
    Derivation,
    Event,
    HumanRequest,
    Item,
    Linked,
    Remodelled,
    Rendition,
    Sealed,
    SealedItem,
    SpaceState,
    Step,
    Stepped,
    ThreadState,
    Trail,
)
from .inmemory_facts import HeldFact
from .inmemory_item import Record
from .inmemory_lessons import Lessons
from .inmemory_queue import Queue
from .inmemory_work import Work


@dataclass(slots=True)
class Thread:
    """A thread's model, and how many items ever came into its block."""

    model: str | None = None
    entries: int = 0
    compressions: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call of a language model cost."""

    at: datetime
    thread: str | None
    micros: int | None


@dataclass(slots=True)
class KnownSpaces:
    """Which embedding space serves and which is wanted, since when, and every model that was ever announced."""

    state: SpaceState
    seen_at: datetime
    changed_at: datetime
    models: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class Prior:
    """A before-image: an item as it stood, its place among others, and what else the change did.

    ``item`` is None where the event made it or is of another subject; that one's image is ``other``, empty where the
    event made it.
    """

    subject: Subject
    subject_id: str
    item: Item | None = None
    position: int | None = None
    occurrence: int | None = None
    trail: Trail = field(default_factory=Trail)
    other: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How items stood, and which models threads had: (item, position, occurrence, renditions) by id."""

    items: Mapping[str, tuple[Item, int, int, tuple[Rendition, ...]]]
    models: Mapping[str, str | None]


@dataclass(slots=True)
class Kept:
    """A sealed item; without its ciphertext once it is no longer sealed."""

    item: SealedItem
    sealed: Sealed | None

    def put(self, sealed: Sealed) -> None:
        """Keep a ciphertext, or the same one under another master key."""
        self.sealed, self.item = sealed, replace(self.item, key_id=sealed.key_id, held=True)


@dataclass(slots=True)
class Shelf:
    """One namespace: nothing here refers to another."""

    records: dict[str, Record] = field(default_factory=dict[str, Record])
    threads: dict[str, Thread] = field(default_factory=dict[str, Thread])
    usage: list[Usage] = field(default_factory=list[Usage])
    keys: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Idempotency keys: the item that each made, and its content's SHA-256."""
    events: list[Event] = field(default_factory=list[Event])
    digests: dict[int, str] = field(default_factory=dict[int, str])
    """The SHA-256 of what an event's subject was after it."""
    images: dict[int, Prior] = field(default_factory=dict[int, Prior])
    """What undoes events that were not undone; no add of an item has one."""
    queue: Queue = field(default_factory=Queue)
    spaces: KnownSpaces | None = None
    work: Work = field(default_factory=Work)
    sealed: dict[str, Kept] = field(default_factory=dict[str, Kept])
    requests: dict[str, HumanRequest] = field(default_factory=dict[str, HumanRequest])
    consolidated: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Until when it was consolidated, by the basis of that."""
    sources: dict[tuple[str, str, int], Derivation] = field(default_factory=dict[tuple[str, str, int], Derivation])
    """By item, source and place."""
    facts: dict[str, HeldFact] = field(default_factory=dict[str, HeldFact])
    lessons: Lessons = field(default_factory=Lessons)

    def record(self, item_id: str) -> Record:
        """Return an item's record.

        Raises:
            ItemNotFoundError: there is none.
        """
        try:
            return self.records[item_id]
        except KeyError:
            raise ItemNotFoundError(item_id) from None

    def pending(self, record: Record) -> int:
        """Count the item's chunks that cannot be found by meaning yet."""
        return record.pending(self.spaces.state.serving.model_id if self.spaces else record.embedding_model)

    def lacks_vectors(self, record: Record) -> bool:
        """Whether a chunk of the item has no vector of a space that serves or is wanted."""
        if self.spaces is None:
            return record.pending(record.embedding_model) > 0
        state = self.spaces.state
        return any(record.pending(space.model_id) for space in (state.serving, state.wanted))

    def active(self) -> Iterator[Record]:
        """Go through the records that take part."""
        return (record for record in self.records.values() if record.active)

    def twins(self, thread: str, sha256: str) -> list[Record]:
        """Return the thread's active items with this content, the latest first; more than one if values came back."""
        found = [one for one in self.active() if (one.item.thread, one.item.sha256) == (thread, sha256)]
        return sorted(found, key=lambda one: (one.latest, one.happened_at), reverse=True)

    def twin(self, thread: str, sha256: str, *, of: str | None = None, occurrence: int = 0) -> Record | None:
        """Find the thread's active item that had this content at its n-th occurrence, other than ``of``."""
        found = (one for one in self.twins(thread, sha256) if one.occurrence == occurrence)
        return next((one for one in found if one.item.item_id != of), None)

    def check_twin(self, item_id: str, thread: str, sha256: str, occurrence: int = 0) -> None:
        """Refuse a second active item with the same content in a thread, other than one for a value that came back.

        Raises:
            ConflictError: there would be one.
        """
        twin = self.twin(thread, sha256, of=item_id, occurrence=occurrence)
        if twin is not None:
            raise ConflictError(
                f"Its thread already holds exactly this content in {twin.item.item_id}, so {item_id} was left as it "
                "is; use that one, or forget it first."
            )

    def thread(self, name: str) -> Thread:
        """Return a thread, which is made when it is new."""
        return self.threads.setdefault(name, Thread())

    def enter(self, record: Record) -> None:
        """Give an item the last place in its thread's block."""
        thread = self.thread(record.item.thread)
        thread.entries += 1
        record.position = thread.entries

    def standing(self, thread: str) -> list[Record]:
        """Return a thread's active items in the order of its block."""
        return sorted(
            (record for record in self.active() if record.item.thread == thread), key=lambda record: record.position
        )

    def account(self, thread: str, budgets: Budgets) -> ThreadState:
        """Return a thread's account, counted afresh."""
        known = self.threads.get(thread, Thread())
        budget = budgets(known.model)
        records = self.standing(thread)
        used = sum(record.item.cost for record in records)
        saved = sum(record.costs["full"] for record in records) - used
        return ThreadState(
            thread=thread,
            items=len(records),
            tokens=sum(record.item.tokens for record in records),
            window=budget.window,
            used=used,
            saved=saved,
            trigger=budget.trigger,
            safe=budget.safe,
            model=known.model or budget.model,
            compressions=known.compressions,
            over=ladder.reason_over(used, budget),
            note=budget.note,
            spent_micros=sum(one.micros or 0 for one in self.usage if one.thread == thread),
            saved_micros=budget.micros(saved),
        )

    def step(self, thread: str, choose: Choose, budgets: Budgets) -> Sequence[Step]:
        """Let items of a thread step to other rungs."""
        known = self.threads.get(thread, Thread())
        steps = choose([record.rung for record in self.standing(thread)], budgets(known.model))
        for step in steps:
            self.records[step.item_id].stand(step.detail, step.cost)
        known.compressions += bool(steps)
        return steps

    def note(
        self,
        at: datetime,
        *,
        actor: str,
        action: str,
        subject: Subject,
        subject_id: str,
        version: int,
        sha256: str,
        prior: Prior | None = None,
    ) -> int:
        """Write a line of the history and, where it can be undone, what the change overwrote; return its number."""
        self.sweep(at)
        number = new_number()
        self.events.append(Event(number, at, actor, action, subject, subject_id, version, False))
        self.digests[number] = sha256
        if prior is not None:
            self.images[number] = prior
        return number

    def sweep(self, at: datetime) -> None:
        """Let nothing be learned any more from what may not teach."""
        self.lessons.sweep({item_id: record.item for item_id, record in self.records.items()}, at)

    def snapshot(self) -> Snapshot:
        """Note how everything stands before a change."""
        held = {name: (one.item, one.position, one.occurrence, one.renditions) for name, one in self.records.items()}
        return Snapshot(held, {name: thread.model for name, thread in self.threads.items()})

    def prior(self, item_id: str, action: str, before: Snapshot) -> Prior | None:
        """Return what undoes a change of an item by what differs now; None for an add that changed nothing else."""
        trail = self.trail(before, item_id)
        if item_id not in before.items:
            return None if trail == Trail() else Prior("item", item_id, trail=trail)
        item, position, occurrence, renditions = before.items[item_id]
        if action in ("edit", "summarize"):
            trail = replace(trail, renditions=renditions)
        return Prior("item", item_id, item, position, occurrence, trail)

    def trail(self, before: Snapshot, item_id: str | None = None) -> Trail:
        """Return what differs now from how other items than this one, and threads, stood before."""
        steps: list[Stepped] = []
        links: list[Linked] = []
        for name, (then, *_) in before.items.items():
            now = self.records[name].item
            if now.detail != then.detail:
                steps.append(Stepped(name, then.detail, now.detail))
            if name != item_id and now.lineage is not None and then.lineage != now.lineage:
                links.append(Linked(name, then.lineage, now.lineage))
        for name, thread in self.threads.items():
            if thread.model is not None and thread.model != before.models.get(name):
                model = Remodelled(name, before.models.get(name), thread.model)
                return Trail(tuple(steps), tuple(links), model=model)
        return Trail(tuple(steps), tuple(links))

    def put_event(self, at: datetime, actor: str, action: str, item: Item, *, before: Snapshot | None = None) -> int:
        """Write a line of the history of an item and, where it can be undone by that, how everything stood before."""
        return self.note(
            at,
            actor=actor,
            action=action,
            subject="item",
            subject_id=item.item_id,
            version=item.version,
            sha256=item.sha256,
            prior=None if before is None else self.prior(item.item_id, action, before),
        )

    def newest_image(self, subject: Subject, subject_id: str) -> int:
        """Return the newest event of a subject that has a before-image, 0 when there is none."""
        held = (n for n, one in self.images.items() if (one.subject, one.subject_id) == (subject, subject_id))
        return max(held, default=0)

    def undoable(self, event: Event) -> bool:
        """Whether an event can be undone: it has a before-image, or is an add that was not undone."""
        if event.event_id in self.images:
            return True
        if (event.subject, event.action) != ("item", "add") or event.subject_id not in self.records:
            return False
        return self.records[event.subject_id].active or self.newest_image("item", event.subject_id) > 0

    def clear_images(self, subject: Subject, subject_id: str) -> None:
        """Take away what could bring a purged subject's text back."""
        gone = (subject, subject_id)
        self.images = {n: one for n, one in self.images.items() if (one.subject, one.subject_id) != gone}

    def purge(self, item_id: str) -> None:
        """Delete an item and everything but its lines of the history."""
        del self.records[item_id]
        self.keys = {key: made for key, made in self.keys.items() if made[0] != item_id}
        self.clear_images("item", item_id)
        self.sources = {key: one for key, one in self.sources.items() if item_id not in key}
        self.facts.pop(item_id, None)
        self.queue.drop(item_id)
        self.work.drop_item(item_id)
