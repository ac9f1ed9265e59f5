"""The command `trust`."""

import argparse

from ...core.calls import Change
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Give an item a level of trust; only a person at the command line raises it."""
    async with open_session(settings) as session:
        receipt = await session.memory.update(session.caller, arguments.item_id, Change(trust=arguments.level))
    item = receipt.item
    print(f"{item.item_id} has {item.labels.trust} trust and stands at {item.detail}.")
    return 0
