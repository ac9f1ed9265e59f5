"""The command `purge`."""

import argparse
from dataclasses import asdict

from ..app import connect_arguments, embedded_config
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Delete items for good and, where asked, take what was ever purged off the disk.

    Raises:
        ItemNotFoundError: no such item; those before it are gone.
        StoreError: a table could not be rewritten.
    """
    async with open_session(settings) as session:
        for item_id in arguments.item_ids:
            receipt = await session.memory.forget(session.caller, item_id, "purge")
            print(f"Purged {receipt.item.item_id} with its {receipt.item.version} versions.")
        if not arguments.scrub:
            if arguments.item_ids:
                print("Its bytes stay on disk until the database overwrites them; --scrub does that now.")
            return 0
    return await _scrub(settings)


async def _scrub(settings: Settings) -> int:
    from ...storage.embedded import EmbeddedServer
    from ...storage.scrub import scrub

    url = settings.database_owner_url or settings.database_url
    if url is not None:
        report = await scrub(connect_arguments(url))
    else:
        async with EmbeddedServer(embedded_config(settings)) as endpoint:
            report = await scrub(asdict(endpoint))
    print("\n".join(f"{line[0].upper()}{line[1:]}." for line in report.done))
    print("\n".join(report.missing) or "Nothing of what was purged is left on disk. Backups and dumps have their own.")
    return 1 if report.missing else 0
