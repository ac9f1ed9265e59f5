"""The command `history`."""

import argparse
from collections.abc import Sequence

from ...core.models import Event
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the newest events, of one subject or of all, and the state's hash where asked."""
    async with open_session(settings) as session:
        events = await session.memory.events(session.caller, arguments.limit, subject_id=arguments.subject_id)
        digest = await session.memory.state_hash(session.caller) if arguments.hash else None
    show(events)
    if digest is not None:
        print(f"State: {digest}")
    return 0


def show(events: Sequence[Event]) -> None:
    """Print events, a line each."""
    for event in events:
        mark = "" if event.undoable else "  (cannot be undone)"
        at = event.at.isoformat(timespec="seconds")
        print(f"{event.event_id}  {at}  {event.action}  {event.subject_id}  {event.actor}{mark}")
