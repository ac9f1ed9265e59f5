"""Tools by which agents ask people; no tool answers."""

from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from ..core import models, requests
from ..core.answers import dialog_form, write_answer
from ..core.people import Question
from .access import Memories
from .dialogs import ask, heard
from .results import Result, joined, shortened

Choices = Annotated[list[str] | None, Field(description="Free text if left out")]
Fields = Annotated[dict[str, Any] | None, Field(description="Or a flat JSON Schema")]
Deadline = Annotated[str | None, Field(description="ISO")]
Default = Annotated[str | None, Field(description="Taken at the deadline")]
UrgencyName = Annotated[str, Field(json_schema_extra={"enum": list(models.URGENCIES)})]


class RequestResult(BaseModel):
    """A question to a person; ``answer`` is a text, or JSON where a form was asked for."""

    request_id: str
    status: str
    question: str
    answer: str | None
    answered_how: str | None
    asker: str
    purpose: str
    subject_id: str | None
    urgency: str
    deadline: str | None
    notes: list[str]

    @classmethod
    def of(cls, request: models.HumanRequest, notes: Sequence[str] = ()) -> "RequestResult":
        """Say what the core's request says."""
        return cls(
            request_id=request.request_id,
            status=request.status,
            question=request.question,
            answer=None if request.answer is None else write_answer(request.answer),
            answered_how=request.answered_how,
            asker=request.asker,
            purpose=request.purpose,
            subject_id=request.subject_id,
            urgency=request.urgency,
            deadline=None if request.deadline is None else request.deadline.isoformat(timespec="seconds"),
            notes=list(notes),
        )

    def shown(self, text: str) -> CallToolResult:
        """Return the result together with the text that a model reads."""
        return CallToolResult(content=[TextContent(text=text)], structured_content=self.model_dump(mode="json"))


class ListedRequest(BaseModel):
    """A question in a list."""

    request_id: str
    status: str
    question: str
    answer: str | None
    asker: str
    purpose: str
    subject_id: str | None
    deadline: str | None


class RequestList(Result):
    """Questions to people: open ones first, then those that ended, the latest first."""

    requests: list[ListedRequest]


async def _ask_question(
    question: str,
    choices: list[str] | None,
    fields: dict[str, Any] | None,
    urgency: str,
    deadline: str | None,
    default: str | None,
    subject_id: str | None,
    memories: Memories,
    context: Context,
) -> Elicit[Any] | models.Said:
    # What cannot be put to a person is refused before anybody is bothered with it.
    request = memories.services.people.draft(
        memories.caller, Question(question, choices, fields, urgency, deadline, default, subject_id)
    )
    form = dialog_form(request.choices, request.form)
    return await ask(context, request.question, form, memories.dialog_seconds)


async def _heard_question(outcome: Annotated[ElicitationResult[Any], Resolve(_ask_question)]) -> models.Said:
    return heard(outcome)


async def human_ask(
    question: Annotated[str, Field(description="Self-contained; no secrets")],
    memories: Memories,
    said: Annotated[models.Said, Resolve(_heard_question)],
    choices: Choices = None,
    fields: Fields = None,
    urgency: UrgencyName = "normal",
    deadline: Deadline = None,
    default: Default = None,
    subject_id: Annotated[str | None, Field(description="Item or task")] = None,
) -> Annotated[CallToolResult, RequestResult]:
    """Call when only a person can decide. Answered at once, or later in their inbox: go on with other work, you are
    told."""
    asked = Question(question, choices, fields, urgency, deadline, default, subject_id)
    request, wrong = await memories.services.people.ask(memories.caller, asked, said)
    notes = [wrong] if wrong else []
    if request.status == "open":
        notes.append("A person answers it with `palimpsest inbox`; no tool can.")
    return RequestResult.of(request, notes).shown(joined([f"{request.request_id} {requests.told(request)}.", *notes]))


async def human_list(
    memories: Memories,
    request_id: str | None = None,
    limit: int = 20,
) -> Annotated[CallToolResult, RequestList]:
    """Call to see what people were asked and what they answered."""
    people, whole = memories.services.people, request_id is not None
    if request_id is None:
        found = await people.list_requests(memories.caller.namespace, limit)
    else:
        found = [await people.get(memories.caller.namespace, request_id)]
    result = RequestList(requests=[_listed(one, whole=whole) for one in found])
    lines = [f"{shortened(_told(one), most=400)} {one.asker} asked: {shortened(one.question)}" for one in found]
    return result.answer(joined(lines) or "No questions to people.")


def _told(request: models.HumanRequest) -> str:
    return f"{request.request_id} {requests.told(request)}."


def _listed(request: models.HumanRequest, *, whole: bool) -> ListedRequest:
    """Return a request for a list; in one of many, long texts are cut."""
    fields = RequestResult.of(request).model_dump(include=set(ListedRequest.model_fields))
    if not whole:
        fields |= {name: shortened(fields[name]) for name in ("question", "answer") if fields[name] is not None}
    return ListedRequest(**fields)
