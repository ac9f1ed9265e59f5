"""The command `tasks`."""

import argparse

from ...tools.tasks import describe_packet, describe_task
from ..settings import Settings
from .opened import open_session

_PACKET_TOKENS = 20_000


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the packet of a task, or a list of tasks."""
    async with open_session(settings) as session:
        tasks = session.services.tasks
        if arguments.task_id is not None:
            packet = await tasks.handoff(session.caller, arguments.task_id, _PACKET_TOKENS)
            print(packet.text)
            print(describe_packet(packet))
            return 0
        page = await tasks.list_tasks(
            session.caller, status=arguments.status, agent=arguments.agent, limit=arguments.limit
        )
    for task in page.tasks:
        print(describe_task(task))
    print(f"{len(page.tasks)} of {page.total} tasks.")
    return 0
