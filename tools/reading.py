"""Tools that read the memory: search, retrieve, state, list."""

from dataclasses import replace
from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from ..core import models, validation
from ..core.calls import Period
from ..core.errors import InvalidInputError
from ..core.framing import shown
from ..core.models import Filters
from .access import Memories
from .results import (
    STORED,
    ListedItem,
    ListResult,
    PageResult,
    SearchHit,
    SearchResult,
    joined,
    written,
)
from .writing import ItemId, MemoryType

MaxTokens = Field(description="Bound of the answer")


async def memory_search(
    query: Annotated[str, Field(description="Words, names, codes or a question")],
    memories: Memories,
    limit: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": 100})] = 8,
    max_tokens: Annotated[int, MaxTokens] = 2000,
    thread: Annotated[str | None, Field(description="All if left out")] = None,
    tags: Annotated[list[str] | None, Field(description="All must be present")] = None,
    memory_type: str | None = None,
    min_priority: int | None = None,
    since: Annotated[str | None, Field(description="When it happened: a date, or words like last week")] = None,
    until: str | None = None,
    as_of: Annotated[str | None, Field(description="What was valid then")] = None,
    untrusted: bool | None = None,
) -> Annotated[CallToolResult, SearchResult]:
    """Call before answering when the user refers to earlier work, decisions, preferences or stored files, and at
    the start of a task. Finds by meaning and by word; gives each item's best passage, not its whole text."""
    filters = replace(_filters(thread, tags, memory_type, None, min_priority), untrusted=bool(untrusted))
    answer = await memories.memory.search(
        memories.caller,
        query,
        filters=filters,
        period=Period(since, until, as_of),
        limit=limit,
        max_tokens=max_tokens,
    )
    result = SearchResult(
        hits=[SearchHit.of(hit) for hit in answer.hits],
        omitted=answer.omitted,
        evidence=answer.evidence,
        notes=list(answer.notes),
    )
    return result.answer(_found(result))


def _found(result: SearchResult) -> str:
    if not result.hits and not result.omitted:
        return joined(["Nothing matches; try other words, or drop thread, tags and types.", *result.notes])
    parts = [
        joined(
            [
                f"{len(result.hits)} hit{'' if len(result.hits) == 1 else 's'}, evidence: {result.evidence}. {STORED}",
                *result.notes,
            ]
        )
    ]
    for place, hit in enumerate(result.hits, start=1):
        title = f" · {shown(hit.title)}" if hit.title else ""
        newer = f" · superseded by {hit.superseded_by}" if hit.superseded_by else ""
        parts.append(
            f"[{place}] {hit.item_id} · score {hit.score:.2f}{title} · {hit.date[:10]}{newer}"
            f"{_doubt(hit.trust, hit.source)} · of {hit.total_tokens} tokens\n{hit.passage}"
        )
    if result.omitted:
        parts.append(f"{result.omitted} more items match: raise limit or max_tokens, or narrow the query.")
    return "\n\n".join(parts)


def _doubt(trust: str, source: str) -> str:
    return f" · UNTRUSTED, from {shown(source)}" if trust == "low" else ""


async def memory_retrieve(
    item_id: ItemId,
    memories: Memories,
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None,
    max_tokens: Annotated[int, MaxTokens] = 8000,
    detail: Annotated[str, Field(json_schema_extra={"enum": list(models.DETAILS)})] = "full",
    version: Annotated[int | None, Field(description="An older version")] = None,
) -> Annotated[CallToolResult, PageResult]:
    """Call to read an item's exact text, or its summary with detail. Long items come in pages: pass next_cursor as
    cursor until it is null; the pieces joined are the text, byte for byte."""
    page = await memories.memory.retrieve(
        memories.caller, item_id, cursor=cursor, max_tokens=max_tokens, detail=detail, version=version
    )
    result = PageResult.of(page)
    return result.answer(_header(page), result.content)


def _header(page: models.Page) -> str:
    title = f" {shown(page.item.labels.title)!r}" if page.item.labels.title else ""
    more = f"next_cursor {page.next_cursor}" if page.next_cursor else "next_cursor null: this is the end"
    when = f"dated {written(page.item.happened_at)}"
    if page.item.superseded_by is not None:
        when += f", superseded by {page.item.superseded_by}"
    doubt = "UNTRUSTED, " if page.item.labels.trust == "low" else ""
    whose = f"{doubt}from {shown(page.item.source.get('actor', 'an unknown client'))}"
    return (
        f"{page.item.item_id}{title}, {whose}, {when}, {page.detail}, version {page.version}: "
        f"bytes {page.start} to {page.end}, {page.tokens} of {page.total_tokens} tokens; {more}; "
        f"sha256 of the full text {page.sha256}. {STORED}"
    )


async def memory_list(
    memories: Memories,
    thread: str | None = None,
    tags: list[str] | None = None,
    memory_type: Annotated[str | None, MemoryType] = None,
    content_type: str | None = None,
    min_priority: int | None = None,
    state: Annotated[str, Field(json_schema_extra={"enum": list(models.ItemState)})] = "active",
    limit: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": 200})] = 20,
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None,
) -> Annotated[CallToolResult, ListResult]:
    """Call to browse items newest first, without their texts, when no query says what to look for."""
    page = await memories.memory.list_items(
        memories.caller,
        filters=_filters(thread, tags, memory_type, content_type, min_priority),
        state=_item_state(state),
        limit=limit,
        cursor=cursor,
    )
    result = ListResult(
        items=[ListedItem.of(item) for item in page.items], total=page.total, next_cursor=page.next_cursor
    )
    lines = [
        f"{item.item_id} · {shown(item.title or 'untitled')} · {item.thread} · {item.total_tokens} tokens, "
        f"{item.detail} {item.cost} · priority {item.priority} · {item.date[:10]}"
        f"{'' if item.superseded_by is None else f' · superseded by {item.superseded_by}'}"
        f"{_doubt(item.trust, item.source)}"
        for item in result.items
    ]
    more = f"next_cursor {result.next_cursor}" if result.next_cursor else "next_cursor null: this is the end"
    return result.answer(joined([f"{len(lines)} of {result.total} items; {more}.", *lines]))


def _filters(
    thread: str | None,
    tags: list[str] | None,
    memory_type: str | None,
    content_type: str | None,
    min_priority: int | None,
) -> Filters:
    return Filters(
        thread=None if thread is None else validation.check_name(thread, "thread"),
        content_type=validation.check_label(content_type, "content type"),
        memory_type=None if memory_type is None else validation.check_memory_type(memory_type),
        tags=validation.check_tags(tags or ()),
        min_priority=None if min_priority is None else validation.check_priority(min_priority),
    )


def _item_state(state: str) -> models.ItemState:
    if state not in tuple(models.ItemState):
        raise InvalidInputError(f"{state[:60]!r} is no state; use {' or '.join(models.ItemState)}.")
    return models.ItemState(state)
