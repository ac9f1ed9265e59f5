"""The command `agents`."""

import argparse

from ...core.errors import InvalidInputError
from ...tools.agents import describe_agent
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Register an agent, or print those that are known."""
    if arguments.register is None and (arguments.role or arguments.capability):
        raise InvalidInputError("--role and --capability go with --register NAME.")
    async with open_session(settings) as session:
        agents = session.services.agents
        if arguments.register is not None:
            receipt = await agents.register(
                session.caller, arguments.register, role=arguments.role, capabilities=arguments.capability
            )
            print(f"{receipt.outcome.capitalize()}: {describe_agent(receipt.agent)}")
            return 0
        found = await agents.list_agents(session.caller, 1000)
    for agent in found:
        print(describe_agent(agent))
    print(f"{len(found)} agents.")
    return 0
