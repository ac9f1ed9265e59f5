"""The command `load-server`: a dump of another PostgreSQL into a new bundled one."""

import argparse
import asyncio

from ...core.errors import InvalidInputError, StoreError
from ..app import embedded_config
from ..settings import Settings


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Feed the file to psql, which prints what it cannot do (such as making a role that exists) and goes on.

    Raises:
        InvalidInputError: there is no such file.
        StoreError: psql failed.
    """
    from ...storage.embedded import EmbeddedServer
    from ...storage.embedded.binaries import program

    if not arguments.file.is_file():
        raise InvalidInputError(f"{arguments.file} does not exist.")
    async with EmbeddedServer(embedded_config(settings)) as endpoint:
        process = await asyncio.create_subprocess_exec(
            str(program("psql")),
            *("--no-psqlrc", "--quiet", "--output", "/dev/null", "--file", str(arguments.file)),
            *("--host", endpoint.host, "--port", str(endpoint.port)),
            *("--username", endpoint.user, "--dbname", endpoint.database),
            stdin=asyncio.subprocess.DEVNULL,
        )
        if await process.wait() != 0:
            raise StoreError("psql could not read the dump; what it printed says why.")
    print("The dump has been read; `palimpsest stats` shows what is there.")
    return 0
