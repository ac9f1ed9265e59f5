"""The tool that takes everything out of the memory, a page at a time."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from .access import Memories
from .results import STORED, ExportResult


async def memory_export(
    memories: Memories,
    format: Annotated[str, Field(json_schema_extra={"enum": ["jsonl", "state"]})] = "jsonl",  # noqa: A002 - its own name
    thread: Annotated[str | None, Field(description="All if left out")] = None,
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None,
    max_tokens: int = 8000,
) -> Annotated[CallToolResult, ExportResult]:
    """Call only when the user asks for a backup or an overview: jsonl is everything, to be loaded elsewhere; state is
    an outline without texts. The pages joined are the file; for much, say `palimpsest dump` is better."""
    page = await memories.services.pages.page(
        memories.caller.namespace, format, thread=thread, cursor=cursor, max_tokens=max_tokens
    )
    result = ExportResult.of(page)
    more = f"next_cursor {page.next_cursor}" if page.next_cursor else "next_cursor null: this is the end"
    return result.answer(
        f"Export as {page.kind}, bytes {page.start} to {page.end}, {page.tokens} tokens; {more}. {STORED}", page.text
    )
