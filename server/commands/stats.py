"""The command `stats`."""

import argparse

from ...tools.state import describe_state, summarise_state
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the state of the memory."""
    async with open_session(settings) as session:
        tasks = await session.services.tasks.counts(session.caller)
        print(describe_state(summarise_state(await session.memory.state(session.caller), (), tasks)))
    return 0
