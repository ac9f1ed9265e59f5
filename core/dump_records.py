"""The records that a dump is made of: one type for each kind of row that cannot be made again from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, AwareDatetime, ConfigDict, Field, JsonValue

from .errors import ConflictError, InvalidInputError
from .ids import LARGEST, PREFIXES, Subject, parse_id, parse_item_id
from .models import AnsweredHow, MemoryType, Purpose, RequestStatus, Standing, Urgency

FORMAT = 1
"""How lines are written; a reader refuses a newer one."""
SCHEMA = 12
"""The migration whose columns these records have; a reader refuses a newer one and fills in what an older one lacks."""


def _item_id(text: str) -> str:
    try:
        parse_item_id(text)
    except InvalidInputError as error:
        raise ValueError("it is no item id") from error
    return text


def _request_id(text: str) -> str:
    try:
        parse_id("request", text)
    except InvalidInputError as error:
        raise ValueError("it is no request id") from error
    return text


def _any_id(text: str) -> str:
    for subject, prefix in PREFIXES.items():
        if text.startswith(prefix):
            try:
                parse_id(subject, text)
            except InvalidInputError:
                break
            return text
    raise ValueError("it is no id")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("no store keeps NUL characters outside of contents")
    return text


LATER_IMAGE_FIELDS = frozenset({"detail", "header_tokens", "happened_at", "lineage"})
"""What before-images of before the ledger, or before dates, lack."""

Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1)]
ItemId = Annotated[str, Field(max_length=40), AfterValidator(_item_id)]
RequestId = Annotated[str, Field(max_length=40), AfterValidator(_request_id)]
AnyId = Annotated[str, Field(max_length=40), AfterValidator(_any_id)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Small = Annotated[int, Field(ge=0, le=2**31 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Large = Annotated[int, Field(ge=0, le=LARGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What all records share: unknown fields and loose types are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    KEY: ClassVar[tuple[str, ...]]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRecord(_Record):
    """A thread; its account is counted again from its items."""

    KEY: ClassVar[tuple[str, ...]] = ("thread",)
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

    @property
    def active(self) -> bool:
        """Whether the item takes part."""
        return self.state == "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRecord(_Record):
    """A version's content; ``encoding`` says how its line carries the bytes."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id", "version")
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
    type: Literal["idempotency_key"] = "idempotency_key"
    key: Name
    item_id: ItemId
    sha256: Digest
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord(_Record):
    """A line of the history; its subject may have been purged since. Older dumps name items only."""

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
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
    """What undoes an event of an item; older dumps have one, with nothing in it, for each add."""

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
    type: Literal["before_image"] = "before_image"
    event_id: Large
    item_id: ItemId
    image: Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRecord(_Record):
    """What undoes an event of a subject that is no item; empty where the event made it."""

    KEY: ClassVar[tuple[str, ...]] = ("event_id",)
    type: Literal["prior"] = "prior"
    event_id: Large
    subject: Subject
    subject_id: AnyId
    image: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord(_Record):
    """What a call of a language model used and cost."""

    KEY: ClassVar[tuple[str, ...]] = ("usage_id",)
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
    """A question to a person, and what became of it."""

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
