"""The records of what was made from what, and of the facts that items tell."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from .dump_fields import Digest, DumpRecord, ItemId, Name, Small, Text, Version
from .models import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSourceRecord(DumpRecord):
    """A place that an item was made from; see Origin."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id", "source_id", "start_offset")
    IS_PAST: ClassVar[bool] = True
    type: Literal["item_source"] = "item_source"
    item_id: ItemId
    source_id: ItemId
    source_version: Version
    start_offset: Small
    end_offset: Small | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecord(DumpRecord):
    """The fact that a content of an item tells; see Fact."""

    KEY: ClassVar[tuple[str, ...]] = ("item_id",)
    type: Literal["fact"] = "fact"
    item_id: ItemId
    sha256: Digest
    subject: Name
    relation: Name
    value: Name
    single: bool
    importance: Annotated[int, Field(ge=1, le=5)]
    valid_from: AwareDatetime | None
    extractor: Text

    @property
    def fact(self) -> Fact:
        """The fact."""
        return Fact(
            self.subject, self.relation, self.value, self.single, self.importance, self.valid_from, self.extractor
        )
