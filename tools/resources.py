"""Resources: an item's text by its id, a thread's block, and the state of the memory."""

from collections.abc import Callable, Coroutine
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from ..core.errors import NotFoundError, PalimpsestError
from ..core.ids import parse_item_id
from .access import Access
from .state import describe_state, summarise_state

_CLIENT = "resource reader"
_FIRST_PAGE_TOKENS = 8000

Reader = Callable[..., Coroutine[Any, Any, str]]


def add_resources(server: MCPServer[Any], access: Access) -> None:
    """Register ``memory://items/{item_id}``, ``memory://context/{thread}`` and ``memory://state``."""

    async def item(item_id: str) -> str:
        return await _worded(_read_item(access, item_id))

    async def context(thread: str) -> str:
        return await _worded(_read_context(access, thread))

    async def state() -> str:
        return await _worded(_read_state(access))

    server.resource(
        "memory://items/{item_id}",
        name="item",
        title="A remembered text",
        description="The text of an item; of a long one the first page, and how to read on.",
        mime_type="text/plain",
    )(item)
    server.resource(
        "memory://context/{thread}",
        name="context",
        title="A thread's context",
        description="The block of a thread: every item at its detail; it only grows at its end between compressions.",
        mime_type="text/plain",
    )(context)
    server.resource(
        "memory://state",
        name="state",
        title="State of the memory",
        description="What the memory holds and what serves it.",
        mime_type="text/plain",
    )(state)


async def _read_item(access: Access, item_id: str) -> str:
    parse_item_id(item_id)
    session = await access.session(_CLIENT)
    page = await session.memory.retrieve(session.caller, item_id, max_tokens=_FIRST_PAGE_TOKENS)
    if page.next_cursor is None:
        return page.text
    return (
        f"{page.text}\n\n[Palimpsest: these are bytes {page.start} to {page.end} of {page.item.size_bytes}; the tool "
        f"memory_retrieve reads on with item_id {item_id} and cursor {page.next_cursor}]"
    )


async def _read_context(access: Access, thread: str) -> str:
    session = await access.session(_CLIENT)
    return (await session.services.context.get(session.caller, thread)).text


async def _read_state(access: Access) -> str:
    session = await access.session(_CLIENT)
    return describe_state(summarise_state(await session.memory.state(session.caller)))


async def _worded(reading: Coroutine[Any, Any, str]) -> str:
    try:
        return await reading
    except NotFoundError as error:
        raise ResourceNotFoundError(str(error)) from error
    except PalimpsestError as error:
        raise ResourceError(str(error)) from error
