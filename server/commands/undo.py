"""The command `undo`."""

import argparse

from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Take back a change, or list the newest ones."""
    async with open_session(settings) as session:
        if arguments.list:
            for event in await session.memory.events(session.caller):
                mark = "" if event.undoable else "  (cannot be undone)"
                at = event.at.isoformat(timespec="seconds")
                print(f"{event.event_id}  {at}  {event.action}  {event.subject_id}  {event.actor}{mark}")
            return 0
        event, receipt = await session.memory.undo(session.caller, arguments.event_id)
    then = "" if receipt is None else f": the item is now {receipt.outcome}"
    print(f"Undid {event.action} of {event.subject_id}{then}.")
    return 0
