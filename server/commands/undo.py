"""The command `undo`."""

import argparse

from ..settings import Settings
from .history import show
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Take back a change, or list the newest ones."""
    async with open_session(settings) as session:
        if arguments.list:
            show(await session.memory.events(session.caller))
            return 0
        before = await session.memory.state_hash(session.caller) if arguments.check else None
        event, receipt = await session.memory.undo(session.caller, arguments.event_id)
        after = await session.memory.state_hash(session.caller) if arguments.check else None
    then = "" if receipt is None else f": the item is now {receipt.outcome}"
    print(f"Undid {event.action} of {event.subject_id}{then}.")
    if arguments.check:
        print(f"State before: {before}\nState now:    {after}")
    return 0
