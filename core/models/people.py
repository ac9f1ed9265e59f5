"""Questions that only a person may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..ids import Subject

Urgency = Literal["low", "normal", "high"]
Purpose = Literal["question", "release", "purge", "bulk_forget"]
RequestStatus = Literal["open", "answered", "declined", "expired", "cancelled", "used"]
AnsweredHow = Literal["elicitation", "cli", "default"]
Json = Any
"""A value as JSON has it."""

URGENCIES: tuple[Urgency, ...] = ("low", "normal", "high")
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class HumanRequest:
    """A question to a person.

    It is answered by one of ``choices``, by a ``form`` (a flat JSON Schema), or by free text. At its ``deadline`` the
    ``fallback`` becomes its answer, or it expires. Requests for anything but a ``question`` ask for leave to do one
    thing to one subject while that is as ``state`` says; a leave is ``used`` once. ``told_at`` is when its asker heard
    how it ended.
    """

    request_id: str
    asker: str
    question: str
    created_at: datetime
    purpose: Purpose = "question"
    choices: tuple[str, ...] = ()
    form: Mapping[str, Json] | None = None
    urgency: Urgency = "normal"
    deadline: datetime | None = None
    fallback: Json = None
    subject: Subject | None = None
    subject_id: str | None = None
    state: str = ""
    status: RequestStatus = "open"
    answer: Json = None
    answered_by: str | None = None
    answered_how: AnsweredHow | None = None
    answered_at: datetime | None = None
    used_at: datetime | None = None
    told_at: datetime | None = None
    revision: int = 1

    @property
    def grants(self) -> bool:
        """Whether a person gave leave that is not used up."""
        return self.purpose != "question" and self.status == "answered" and self.answer == YES


@dataclass(frozen=True, slots=True)
class Closing:
    """How an open request ends."""

    status: Literal["answered", "declined", "cancelled"]
    by: str
    how: AnsweredHow | None = None
    answer: Json = None


@dataclass(frozen=True, slots=True)
class Said:
    """What came of showing a person a dialog; ``unasked`` where the client has none.

    ``asked`` is the text that an accepted answer was given to.
    """

    action: Literal["unasked", "accept", "decline", "cancel"] = "unasked"
    content: Mapping[str, Json] = field(default_factory=dict[str, Json])
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Leave:
    """What a person has to agree to before it is done; ``shown`` is the question with what no table may keep."""

    purpose: Literal["purge", "bulk_forget"]
    question: str
    shown: str
    state: str
    subject: Subject | None = None
    subject_id: str | None = None
