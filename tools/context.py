"""Tools of the context: its block, and its compression."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from ..core import models
from ..core.errors import InvalidInputError
from .access import Memories, Session
from .results import STORED, CompressResult, ContextResult, joined, ledger_notes


async def memory_context(
    memories: Memories,
    query: Annotated[str | None, Field(description="Question or task; leave out for the whole block")] = None,
    thread: str | None = None,
    max_tokens: Annotated[int | None, Field(description="Default 4000 with query, else unbounded")] = None,
    model: Annotated[str | None, Field(description="Model whose window the thread has")] = None,
) -> Annotated[CallToolResult, ContextResult]:
    """Call at the start of work, or after your context was cut, to get what the thread holds as one text: with query
    the parts that bear on it, else every item, older ones shortened. memory_retrieve gives any item in full."""
    name = memories.thread if thread is None else thread
    answer = await memories.services.context.get(memories.caller, name, query=query, max_tokens=max_tokens, model=model)
    result = ContextResult.of(answer)
    return result.answer(describe_context(answer, result.notes), answer.text)


def describe_context(answer: models.ContextAnswer, notes: Sequence[str]) -> str:
    """Return the lines before a block: what it is, and what its reader must know."""
    ledger = answer.ledger
    if not answer.shown:
        empty = "holds nothing yet" if not ledger.items else "has nothing that bears on this"
        return joined([f"Thread {ledger.thread} {empty}; try memory_search over all threads.", *notes])
    left = f", {answer.omitted} left out" if answer.omitted else ""
    sure = f"; evidence: {answer.evidence}" if answer.evidence else ""
    return joined(
        [
            f"Thread {ledger.thread}: {answer.shown} items{left}, {answer.tokens:,} tokens{sure}. The whole block has "
            f"{ledger.used:,} of {ledger.window:,} ({ledger.utilization:.1%}). {STORED} "
            "memory_retrieve(item_id) gives an item's full text.",
            *notes,
        ]
    )


async def memory_compress(
    memories: Memories,
    thread: str | None = None,
    item_ids: Annotated[list[str] | None, Field(description="Only these; one step down unless detail is given")] = None,
    detail: Annotated[
        str | None, Field(description="Step down to", json_schema_extra={"enum": list(models.STANDINGS[1:])})
    ] = None,
    share: Annotated[float | None, Field(description="Until the block has this share of the window, e.g. 0.2")] = None,
    hand_out: Annotated[bool, Field(description="Get the next text to summarise yourself")] = False,
    summary: Annotated[str | None, Field(description="Your summary of item_ids[0]")] = None,
    sha256: Annotated[str | None, Field(description="With summary: of the text it is of")] = None,
) -> Annotated[CallToolResult, CompressResult]:
    """Call to make room in a thread's block; originals stay whole. Or write better summaries than the built-in ones:
    hand_out gives a text, then pass summary with item_ids and sha256."""
    name = memories.thread if thread is None else thread
    if hand_out and (item_ids or detail or share is not None or summary is not None):
        raise InvalidInputError("hand_out goes with thread only: it hands out a text and steps nothing down.")
    if hand_out:
        return await _hand_out(memories, name)
    if summary is not None:
        return await _submit(memories, item_ids or [], summary, sha256, detail, share)
    done = await memories.services.compression.compress(
        memories.caller, name, item_ids=item_ids or (), detail=detail, share=share
    )
    return _stepped(done.ledger, done.steps, done.notes)


async def _hand_out(memories: Session, thread: str) -> CallToolResult:
    offer = await memories.services.compression.hand_out(memories.caller, thread)
    page, ledger = offer.page, await memories.services.context.ledger(memories.caller, thread)
    result = _result(ledger, (), [f"{offer.left} more texts wait after this one."] if offer.left else [])
    result = result.model_copy(
        update={
            "item_id": page.item.item_id,
            "content": page.text,
            "sha256": page.sha256,
            "max_tokens": offer.max_tokens,
            "next_cursor": page.next_cursor,
        }
    )
    more = f" This is its start; memory_retrieve reads on with cursor {page.next_cursor}." if page.next_cursor else ""
    head = (
        f"Summarise {page.item.item_id} in at most {offer.max_tokens} tokens: keep names, numbers, paths, dates, "
        f"decisions and what is negated. Then call memory_compress with item_ids [{page.item.item_id}], your summary "
        f"and sha256 {page.sha256}.{more} {STORED}"
    )
    return result.answer(joined([head, *result.notes]), page.text)


async def _submit(
    memories: Session,
    item_ids: Sequence[str],
    summary: str,
    sha256: str | None,
    detail: str | None,
    share: float | None,
) -> CallToolResult:
    if len(item_ids) != 1 or share is not None:
        raise InvalidInputError("A summary goes with exactly one id in item_ids, its sha256, and at most a detail.")
    receipt = await memories.services.compression.submit(memories.caller, item_ids[0], sha256, summary, detail)
    note = f"The summary of {item_ids[0]} is yours now; its full text stays as it is."
    return _stepped(receipt.ledger, receipt.steps, (note, *receipt.notes))


def _stepped(ledger: models.ThreadState, steps: Sequence[models.Step], notes: Sequence[str]) -> CallToolResult:
    result = _result(ledger, steps, notes)
    moved = ", ".join(f"{count} to {detail}" for detail, count in result.details.items()) or "none"
    return result.answer(
        joined(
            [
                f"Items that stepped down: {moved}; {result.freed:,} tokens freed. Thread {ledger.thread} now has "
                f"{ledger.used:,} of {ledger.window:,} tokens ({ledger.utilization:.1%}). Every original is kept: "
                "memory_retrieve gives it, memory_update with detail full brings it back.",
                *result.notes,
            ]
        )
    )


def _result(ledger: models.ThreadState, steps: Sequence[models.Step], notes: Sequence[str]) -> CompressResult:
    counts = Counter(step.detail for step in steps)
    return CompressResult(
        thread=ledger.thread,
        used=ledger.used,
        window=ledger.window,
        utilization=round(ledger.utilization, 4),
        freed=sum(step.freed for step in steps),
        details={detail: counts[detail] for detail in models.STANDINGS if counts[detail]},
        notes=[*notes, *ledger_notes(ledger)],
    )
