"""The command `stop`."""

import argparse

from ..app import embedded_config
from ..settings import Settings


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Stop the bundled PostgreSQL; exit code 1 while somebody uses it."""
    from ...storage.embedded import stop

    if await stop(embedded_config(settings)):
        print("The bundled PostgreSQL does not run (any more).")
        return 0
    print("The bundled PostgreSQL is in use; it stops by itself once nobody uses it.")
    return 1
