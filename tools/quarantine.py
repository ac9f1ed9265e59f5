"""Tools of the quarantine: seal a text, list what is sealed, look at it for a purpose, ask a person to release it."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from ..core.calls import NewMemory
from ..core.screening import listed
from .access import Memories
from .results import STORED, Result, joined


class SealedResult(Result):
    """A sealed item, as much as may be known of it."""

    item_id: str
    reason: str


class SealedLine(BaseModel):
    """A line of the list."""

    item_id: str
    reason: str


class SealedList(Result):
    """What is sealed, newest first, a page at a time."""

    items: list[SealedLine]
    total: int
    next_cursor: str | None


class OpenedResult(Result):
    """A piece of a sealed text; read on with ``next_cursor`` until it is null."""

    item_id: str
    content: str
    title: str | None
    next_cursor: str | None


class ReleaseResult(Result):
    """An ordinary item again, or the question that a person has to answer first."""

    item_id: str
    released: bool
    request_id: str | None


async def quarantine_add(
    content: str,
    reason: Annotated[str, Field(description="Why; without the secret")],
    memories: Memories,
    thread: str | None = None,
) -> Annotated[CallToolResult, SealedResult]:
    """Call to keep a password, key or private data: encrypted, in no search, context or export."""
    new = NewMemory(content=content, thread=memories.thread if thread is None else thread)
    sealing = await memories.services.quarantine.add(memories.caller, new, reason)
    item = sealing.item
    result = SealedResult(item_id=item.item_id, reason=item.reason)
    done = "Sealed as" if sealing.added else "Nothing added: this text is sealed already as"
    kept = "durable" if sealing.durable else "NOT durable (the database does not wait for its disk)"
    return result.answer(f"{done} {item.item_id}; {kept}. quarantine_retrieve shows it for a stated purpose.")


async def quarantine_list(
    memories: Memories,
    cursor: str | None = None,
) -> Annotated[CallToolResult, SealedList]:
    """Call to see ids and reasons of what is sealed."""
    page = await memories.services.quarantine.list_sealed(memories.caller, cursor=cursor)
    result = SealedList(
        items=[SealedLine(item_id=item.item_id, reason=item.reason) for item in page.items],
        total=page.total,
        next_cursor=page.next_cursor,
    )
    more = f"next_cursor {page.next_cursor}" if page.next_cursor else None
    return result.answer(
        joined([f"{page.total} sealed.", *(f"{item.item_id}: {item.reason}" for item in page.items), more])
    )


async def quarantine_retrieve(
    item_id: str,
    purpose: Annotated[str, Field(description="What it is needed for now; kept in the history")],
    memories: Memories,
    cursor: str | None = None,
    max_tokens: int = 8000,
) -> Annotated[CallToolResult, OpenedResult]:
    """Call only when the task at hand needs a sealed text; do not copy it elsewhere."""
    page = await memories.services.quarantine.retrieve(
        memories.caller, item_id, purpose, cursor=cursor, max_tokens=max_tokens
    )
    result = OpenedResult(item_id=item_id, content=page.text, title=page.title, next_cursor=page.next_cursor)
    more = f" next_cursor {page.next_cursor}." if page.next_cursor else ""
    title = f", {page.title}" if page.title else ""
    return result.answer(f"{item_id}{title}, sealed because: {page.item.reason}.{more} {STORED}", page.text)


async def quarantine_release(
    item_id: str,
    reason: str,
    memories: Memories,
) -> Annotated[CallToolResult, ReleaseResult]:
    """Call when a sealed text should be an ordinary memory again. A person decides; call again after the yes."""
    release = await memories.services.quarantine.release(memories.caller, item_id, reason)
    receipt = release.receipt
    if receipt is None:
        result = ReleaseResult(item_id=item_id, released=False, request_id=release.request_id)
        return result.answer(
            f"Not released yet: a person has to answer {release.request_id} (`palimpsest inbox`). It holds "
            f"{listed(release.categories)}. Tell the user, and call quarantine_release again after the answer."
        )
    memories.wake()
    result = ReleaseResult(item_id=receipt.item.item_id, released=True, request_id=None)
    return result.answer(joined([f"Released as {receipt.item.item_id}, an ordinary item now.", *receipt.notes]))
