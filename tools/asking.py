"""The tool that answers questions from memory."""

from typing import Annotated, Self

from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from ..core import models
from .access import Memories
from .results import STORED, Result, joined


class CitationLine(BaseModel):
    """Words of an item that the answer rests on; ``start`` and ``end`` are byte offsets in its content."""

    item_id: str
    start: int
    end: int
    quote: str

    @classmethod
    def of(cls, citation: models.Citation) -> Self:
        """Say what the core's citation says."""
        return cls(item_id=citation.item_id, start=citation.start, end=citation.end, quote=citation.quote)


class AnswerResult(Result):
    """An answer with its citations, or the best passages, or that there is nothing."""

    outcome: str
    text: str | None
    citations: list[CitationLine]
    evidence: str
    answered_by: str | None
    notes: list[str]


async def memory_ask(
    question: str,
    memories: Memories,
    thread: str | None = None,
    max_tokens: Annotated[int, Field(description="Bound of the answer")] = 500,
) -> Annotated[CallToolResult, AnswerResult]:
    """Call for a short answer from memory with citations instead of passages; says when it is not in memory."""
    answer = await memories.services.asking.ask(memories.caller, question, thread=thread, max_tokens=max_tokens)
    result = AnswerResult(
        outcome=answer.outcome,
        text=answer.text,
        citations=[
            CitationLine(item_id=one.item_id, start=one.start, end=one.end, quote=one.quote) for one in answer.citations
        ],
        evidence=answer.evidence,
        answered_by=answer.answered_by,
        notes=list(answer.notes),
    )
    return result.answer(_told(answer))


def _told(answer: models.Answer) -> str:
    if answer.outcome == "not_in_memory":
        return joined([f"Not in memory (evidence: {answer.evidence}).", *answer.notes])
    lines = [f"{one.item_id} bytes {one.start} to {one.end}: {one.quote}" for one in answer.citations]
    by = f"Answered by {answer.answered_by}; evidence" if answer.text else "Evidence"
    return joined([f"{by}: {answer.evidence}. {STORED}", *answer.notes, answer.text, *lines])
