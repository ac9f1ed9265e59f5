"""The command `restore-server`: a dump of another PostgreSQL into the bundled one."""

import argparse
import asyncio

from ...core.errors import StoreError
from ..app import embedded_config
from ..settings import Settings


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Feed stdin to psql.

    Raises:
        StoreError: psql failed.
    """
    from ...storage.embedded import EmbeddedServer
    from ...storage.embedded.binaries import program
    from ...storage.embedded.cluster import data_path

    # Data of an older major version beside it are the reason for this command; an empty folder says that it is meant.
    data_path(settings.data_dir.expanduser()).mkdir(mode=0o700, parents=True, exist_ok=True)
    async with EmbeddedServer(embedded_config(settings)) as endpoint:
        process = await asyncio.create_subprocess_exec(
            str(program("psql")),
            *("--no-psqlrc", "--quiet", "--host", endpoint.host, "--port", str(endpoint.port)),
            *("--username", endpoint.user, "--dbname", endpoint.database, "--output", "/dev/null"),
        )
        if await process.wait() != 0:
            raise StoreError("psql could not read the dump; what it printed says why.")
    print("The dump has been read; `palimpsest stats` shows what is there.")
    return 0
