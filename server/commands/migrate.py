"""The command `migrate`."""

import argparse
from dataclasses import asdict

from ..app import choose_embedder, connect_arguments, embedded_config
from ..logs import configure_logging
from ..settings import Settings


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Apply what is missing and print its names.

    Raises:
        StoreError: a migration was refused.
        SettingsError: the server or the login is unsuitable.
    """
    from ...storage.embedded import EmbeddedServer
    from ...storage.migrate import Roles, migrate

    configure_logging(settings.log_level)
    embedder = choose_embedder(settings)
    roles = Roles(settings.database_app_role, settings.database_search_role)
    url = settings.database_owner_url or settings.database_url

    async def apply(connect: dict[str, object]) -> list[str]:
        return await migrate(
            connect,
            roles,
            embedding_model=embedder.model_id,
            dimensions=embedder.dimensions,
            leading=embedder.leading,
        )

    try:
        if url is not None:
            done = await apply(connect_arguments(url))
        else:
            async with EmbeddedServer(embedded_config(settings)) as endpoint:
                done = await apply(asdict(endpoint))
    finally:
        await embedder.aclose()
    print("\n".join(f"applied {name}" for name in done) or "The database is at this version's schema.")
    return 0
