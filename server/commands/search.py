"""The command `search`."""

import argparse

from ...core.models import Filters
from ...core.validation import check_name
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the best passages; exit code 1 when nothing matches."""
    thread = None if arguments.thread is None else check_name(arguments.thread, "thread")
    async with open_session(settings) as session:
        answer = await session.memory.search(
            session.caller, " ".join(arguments.query), filters=Filters(thread=thread), limit=arguments.limit
        )
    for hit in answer.hits:
        print(f"{hit.item.item_id}  {hit.score:.2f}  {hit.item.labels.title or 'untitled'}  ({hit.item.thread})")
        if arguments.explain:
            print("    = " + " + ".join(f"{part:.2f} {name}" for name, part in hit.parts.items()))
        print("\n".join(f"    {line}" for line in hit.passage.strip().splitlines()) + "\n")
    for note in answer.notes:
        print(note)
    more = f"; {answer.omitted} more items match" if answer.omitted else ""
    print(f"{len(answer.hits)} hits, evidence: {answer.evidence}{more}.")
    return 0 if answer.hits else 1
