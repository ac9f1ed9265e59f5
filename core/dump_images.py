"""Before-images as a dump has them: what an item was, and what else a change touched."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from .dump_fields import ItemId, Large, Name, Small, Text, Version
from .models import MemoryType, Standing, Trust

LATER_IMAGE_FIELDS = frozenset({"detail", "header_tokens", "happened_at", "lineage", "position", "occurrence", "trust"})
"""What before-images of earlier versions lack."""


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
