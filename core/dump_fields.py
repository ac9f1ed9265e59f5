"""What records of a dump are made of: fields that check themselves, and what all records share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field

from .errors import InvalidInputError
from .ids import LARGEST, Subject, parse_any_id, parse_id


def _id_of(subject: Subject) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parse_id(subject, text)
        except InvalidInputError as error:
            raise ValueError(f"it is no {subject} id") from error
        return text

    return check


def _any_id(text: str) -> str:
    try:
        parse_any_id(text)
    except InvalidInputError as error:
        raise ValueError("it is no id") from error
    return text


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("no store keeps NUL characters outside of contents")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1)]
ItemId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("item"))]
TaskId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("task"))]
AgentId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("agent"))]
RequestId = Annotated[str, Field(max_length=40), AfterValidator(_id_of("request"))]
AnyId = Annotated[str, Field(max_length=40), AfterValidator(_any_id)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
Small = Annotated[int, Field(ge=0, le=2**31 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Large = Annotated[int, Field(ge=0, le=LARGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpRecord:
    """What all records share: unknown fields and loose types are refused."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    KEY: ClassVar[tuple[str, ...]]
    PAST: ClassVar[tuple[str, ...]] = ("updated_at",)
    """Which fields only tell of the past; see state_hash."""
    IS_PAST: ClassVar[bool] = False
    """Whether all of it does."""
