"""The command `hygiene`."""

import argparse
from collections.abc import Sequence

from ...core.models import StaleItem
from ..settings import Settings
from .opened import open_session

_SHOWN = 20


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Do what hygiene does, or say what it would do."""
    async with open_session(settings) as session:
        report = await session.services.hygiene.run(session.caller.namespace, dry_run=arguments.dry_run)
    would = "would be " if arguments.dry_run else ""
    show(f"{would}shortened to a summary", report.compressed)
    show(f"{would}archived", report.archived)
    show(f"{would}forgotten, having expired", report.forgotten)
    return 0


def show(what: str, items: Sequence[StaleItem]) -> None:
    """Print the count, and the first items with when they were last used."""
    print(f"{len(items)} items {what}{':' if items else ''}")
    for item in items[:_SHOWN]:
        print(f"  {item.item_id}  thread {item.thread}, priority {item.priority}, last used {item.last_used:%Y-%m-%d}")
    if len(items) > _SHOWN:
        print(f"  and {len(items) - _SHOWN} more")
