"""The records that a dump is made of: one type for each kind of row that cannot be made again from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, AwareDatetime, Field, JsonValue

from .dump_fields import AnyId, Base64, Digest, ItemId, Large, Name, RequestId, Small, Text, Version
from .dump_fields import DumpRecord as _Record
from .dump_images import Image, LinkImage, ModelImage, RenditionImage, StepImage
from .dump_sources import FactRecord, ItemSourceRecord
from .dump_work import AgentRecord, TaskDependencyRecord, TaskItemRecord, TaskNoteRecord, TaskRecord, WorkRecord
from .errors import ConflictError
from .ids import Subject
from .models import (
    AnsweredHow,
    ExampleKind,
    MemoryType,
    Purpose,
    RequestStatus,
    Split,
    Standing,
    Trust,
    Urgency,
)

FORMAT = 1
"""How lines are written; a reader refuses a newer one."""
SCHEMA = 16
"""The migration whose columns these records have; a reader refuses a newer one and fills in what an older one lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRecord(_Record):
    """A thread; its account is counted again from its items."""

    KEY: ClassVar[tuple[str, ...]] = ("thread",)
    PAST: ClassVar[tuple[str, ...]] = ("entries", "compressions", "created_at")
    type: Literal["thread"] = "thread"
    thread: Name
    model: Text | None
    entries: Large
    compressions: Large
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecord(_Record):
    """An item without its contents; where it has no ``happened_at`` it happened when it was added.

    Which of a lineage is the latest follows from their times.
    """

    KEY: ClassVar[tuple[str, ...]] = ("item_id",)
    PAST: ClassVar[tuple[str, ...]] = ("version", "updated_at", "last_used_at")
    type: Literal["item"] = "item"
    item_id: ItemId
    thread: Name
    version: Version
    state: Literal["active", "forgotten"]
    title: Text | None
    content_type: Name
    memory_type: MemoryType
    priority: Annotated[int, Field(ge=0, le=10)]
    pinned: bool
    tags: tuple[Text, ...]
    sha256: Digest
    size_bytes: Small
    tokens: Small
    token_counter: Text
    source: Mapping[Text, Text]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    last_used_at: AwareDatetime | None
    detail: Standing
    position: Large
    header_tokens: Small
    cost: Small
    expires_at: AwareDatetime | None
    happened_at: AwareDatetime | None = None
    lineage: ItemId | None = None
    occurrence: Annotated[int, Field(ge=0, le=2**15 - 1)] = 0
    trust: Trust = "normal"

    @property
    def active(self) -> bool:
        """Whether the item takes part."""
        return self.state == "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRecord(_Record):
    """A version's content; ``encoding`` says how its line carries the bytes."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id", "version")
    IS_PAST: ClassVar[bool] = True
    type: Literal["content"] = "content"
    item_id: ItemId
    version: Version
    content: bytes
    encoding: Literal["utf-8", "base64"]
    sha256: Digest
    tokens: Small
    token_counter: Text
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionRecord(_Record):
    """A shorter text of the current version; made by a language model it may have cost money."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id", "detail")
    PAST: ClassVar[tuple[str, ...]] = ("created_at",)
    type: Literal["rendition"] = "rendition"
    item_id: ItemId
    detail: Literal["summary", "brief", "hint"]
    body: Text
    tokens: Small
    compressor: Text
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord(_Record):
    """What a client's idempotency key added."""

    KEY: ClassVar[tuple[str, ...]] = ("key",)
    IS_PAST: ClassVar[bool] = True
    type: Literal["idempotency_key"] = "idempotency_key"
    key: Name
    item_id: ItemId
    sha256: Digest
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord(_Record):
    """A line of the history; its subject may have been purged since. Older dumps name items only."""

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
    IS_PAST: ClassVar[bool] = True
    type: Literal["event"] = "event"
    event_id: Large
    at: AwareDatetime
    actor: Text
    action: Name
    subject: Subject = "item"
    subject_id: Annotated[AnyId, Field(validation_alias=AliasChoices("subject_id", "item_id"))]
    version: Version
    sha256: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord(_Record):
    """What undoes an event of an item: its fields before, and what else the event did.

    ``image`` is None for an add, and for steps that were asked for. Older dumps have one with nothing in it for each
    add; ``renditions`` is None where the event left them alone.
    """

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
    IS_PAST: ClassVar[bool] = True
    type: Literal["before_image"] = "before_image"
    event_id: Large
    item_id: ItemId
    image: Image | None
    steps: tuple[StepImage, ...] = ()
    links: tuple[LinkImage, ...] = ()
    renditions: tuple[RenditionImage, ...] | None = None
    model: ModelImage | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to put back."""
        return not (self.image or self.steps or self.links or self.renditions is not None or self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRecord(_Record):
    """What undoes an event of a subject that is no item; empty where the event made it."""

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
    IS_PAST: ClassVar[bool] = True
    type: Literal["prior"] = "prior"
    event_id: Large
    subject: Subject
    subject_id: AnyId
    image: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord(_Record):
    """The outline of a sealed item; ``box``, ``wrapped_key`` and ``fingerprint`` (base64) only where asked for."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id",)
    type: Literal["quarantine_item"] = "quarantine_item"
    item_id: ItemId
    reason: Text
    categories: Mapping[Text, Small]
    state: Literal["sealed", "released", "purged"]
    size_bytes: Small
    box: Base64 | None
    wrapped_key: Base64 | None
    key_id: Text
    fingerprint: Base64 | None
    actor: Text
    created_at: AwareDatetime
    settled_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord(_Record):
    """What a call of a language model used and cost."""

    KEY: ClassVar[tuple[str, ...]] = ("usage_id",)
    IS_PAST: ClassVar[bool] = True
    type: Literal["usage"] = "usage"
    usage_id: Large
    at: AwareDatetime
    thread: Name | None
    purpose: Text
    model: Text
    prompt_tokens: Large
    cached_tokens: Large
    completion_tokens: Large
    micros: Large | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord(_Record):
    """A question to a person."""

    KEY: ClassVar[tuple[str, ...]] = ("request_id",)
    type: Literal["human_request"] = "human_request"
    request_id: RequestId
    revision: Version
    asker: Text
    purpose: Purpose
    question: Name
    choices: tuple[Text, ...]
    form: Mapping[str, JsonValue] | None
    urgency: Urgency
    deadline: AwareDatetime | None
    fallback: JsonValue
    subject: Subject | None
    subject_id: AnyId | None
    state: Text
    status: RequestStatus
    answer: JsonValue
    answered_by: Text | None
    answered_how: AnsweredHow | None
    created_at: AwareDatetime
    answered_at: AwareDatetime | None
    used_at: AwareDatetime | None
    told_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRecord(_Record):
    """What a model may learn from; ``source_sha256`` is of the text that it is about."""

    KEY: ClassVar[tuple[str, ...]] = ("example_id",)
    type: Literal["training_example"] = "training_example"
    example_id: Large
    kind: ExampleKind
    system: Text
    prompt: Text
    completion: Text
    teacher: Text
    source_sha256: Digest
    split: Split
    item_id: ItemId | None
    sha256: Digest
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None


Record = (
    ThreadRecord
    | ItemRecord
    | ContentRecord
    | RenditionRecord
    | KeyRecord
    | EventRecord
    | ImageRecord
    | PriorRecord
    | SealedRecord
    | UsageRecord
    | WorkRecord
    | RequestRecord
    | ItemSourceRecord
    | FactRecord
    | ExampleRecord
)

RECORDS: tuple[type[Record], ...] = (
    ThreadRecord,
    ItemRecord,
    ContentRecord,
    RenditionRecord,
    KeyRecord,
    EventRecord,
    ImageRecord,
    PriorRecord,
    SealedRecord,
    UsageRecord,
    AgentRecord,
    TaskRecord,
    TaskDependencyRecord,
    TaskItemRecord,
    TaskNoteRecord,
    RequestRecord,
    ItemSourceRecord,
    FactRecord,
    ExampleRecord,
)
"""In the order in which a dump has them: each refers only to those before it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of each type there are."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Restored:
    """What a load did: how many records of each type are new, and how many were here already."""

    added: Mapping[str, int]
    known: Mapping[str, int]


def conflict(name: str, key: str) -> ConflictError:
    """Return the error for a record whose key is taken."""
    return ConflictError(
        f"The {name.replace('_', ' ')} {key} of the dump is here already, but not the same; nothing was loaded. "
        "Load it into a namespace of its own: palimpsest load FILE --into NAME."
    )


def type_names() -> tuple[str, ...]:
    """Return the types' names in their order."""
    return tuple(str(record.__dataclass_fields__["type"].default) for record in RECORDS)


def place(record: Record) -> tuple[int, tuple[Any, ...]]:
    """Return what records are sorted by."""
    return RECORDS.index(type(record)), tuple(getattr(record, name) for name in record.KEY)
