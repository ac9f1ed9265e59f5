"""The records that a dump is made of: one type for each kind of row that cannot be made again from others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, AwareDatetime, ConfigDict, Field, JsonValue

from .errors import ConflictError, InvalidInputError
from .ids import LARGEST, Subject, parse_any_id, parse_id
from .models import AnsweredHow, MemoryType, Purpose, RequestStatus, Standing, Trust, Urgency

FORMAT = 1
"""How lines are written; a reader refuses a newer one."""
SCHEMA = 12
"""The migration whose columns these records have; a reader refuses a newer one and fills in what an older one lacks."""


def _id_of(subject: Subject | None = None) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parse_any_id(text) if subject is None else parse_id(subject, text)
        except InvalidInputError as error:
            raise ValueError(f"it is no {subject or ''} id".replace("  ", " ")) from error
        return text

    return check


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("no store keeps NUL characters outside of contents")
    return text


LATER_IMAGE_FIELDS = frozenset({"detail", "header_tokens", "happened_at", "lineage", "position", "occurrence", "trust"})
"""What before-images of earlier versions lack."""

Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1)]
ItemId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("item"))]
RequestId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("request"))]
AnyId = Annotated[str, Field(max_length=40), AfterValidator(_id_of())]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Small = Annotated[int, Field(ge=0, le=2**31 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Large = Annotated[int, Field(ge=0, le=LARGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What all records share: unknown fields and loose types are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    KEY: ClassVar[tuple[str, ...]]
    PAST: ClassVar[tuple[str, ...]] = ("updated_at",)
    """Which fields only tell of the past; see state_hash."""
    IS_PAST: ClassVar[bool] = False
    """Whether all of it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An item's fields before an event; LATER_IMAGE_FIELDS are None where it lacks them."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    thread: Name
    version: Version
    state: Literal["active", "forgotten"]
    title: Text | None
    content_type: Name
    memory_type: MemoryType
    priority: Annotated[int, Field(ge=0, le=10)]
    pinned: bool
    tags: tuple[Text, ...]
    detail: Standing | None
    header_tokens: Small | None
    happened_at: AwareDatetime | None = None
    lineage: ItemId | None = None
    position: Large | None = None
    occurrence: Annotated[int, Field(ge=0, le=2**15 - 1)] | None = None
    trust: Trust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepImage:
    """Another item that stepped down because of an event; see Stepped."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    item_id: ItemId
    detail: Standing
    to: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkImage:
    """Another item that came into a lineage because of an event; see Linked."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    item_id: ItemId
    lineage: ItemId | None
    to: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionImage:
    """A rendition that an event replaced."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    detail: Literal["summary", "brief", "hint"]
    text: Text
    tokens: Small
    compressor: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelImage:
    """A thread's model before an event and after it; see Remodelled."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    thread: Name
    model: Text | None
    to: Text


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


Record = (
    ThreadRecord
    | ItemRecord
    | ContentRecord
    | RenditionRecord
    | KeyRecord
    | EventRecord
    | ImageRecord
    | PriorRecord
    | UsageRecord
    | RequestRecord
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
    UsageRecord,
    RequestRecord,
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
