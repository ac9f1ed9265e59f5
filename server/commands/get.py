"""The command `get`."""

import argparse
import sys

from ..settings import Settings
from .opened import open_session

_PAGE_TOKENS = 200_000


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write the text to stdout, page by page."""
    cursor: str | None = None
    async with open_session(settings) as session:
        while True:
            page = await session.memory.retrieve(
                session.caller,
                arguments.item_id,
                cursor=cursor,
                max_tokens=_PAGE_TOKENS,
                detail=arguments.detail,
                version=arguments.of_version if cursor is None else None,
            )
            # Written as bytes: text streams would change line ends on some systems.
            sys.stdout.buffer.write(page.text.encode())
            cursor = page.next_cursor
            if cursor is None:
                break
    sys.stdout.buffer.flush()
    return 0
