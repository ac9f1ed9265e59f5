"""What several suites share: one PostgreSQL for the run, and a database of its own for each test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer
from palimpsest.storage.migrate import Roles, migrate

MODEL = "test-model/1"
DIMENSIONS = 384
TEMPLATE = "palimpsest_template"
# How long an example takes says more of what else the machine does.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[Mapping[str, Any], None, None]:
    """A running PostgreSQL, as arguments of ``asyncpg.connect`` for its superuser."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0))
    with asyncio.Runner() as runner:
        endpoint = runner.run(server.__aenter__())
        try:
            yield asdict(endpoint)
        finally:
            runner.run(server.__aexit__(None, None, None))


async def run_sql(connect: Mapping[str, Any], *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = await asyncpg.connect(**connect)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(postgres: Mapping[str, Any]) -> str:
    """A migrated database that tests clone."""

    async def build() -> None:
        await run_sql(postgres, f"CREATE DATABASE {TEMPLATE}")
        await migrate({**postgres, "database": TEMPLATE}, Roles(), embedding_model=MODEL, dimensions=DIMENSIONS)

    asyncio.run(build())
    return TEMPLATE


@pytest_asyncio.fixture
async def database(postgres: Mapping[str, Any], template: str) -> AsyncGenerator[Mapping[str, Any], None]:
    """A database of the test's own, migrated, as arguments of ``asyncpg.connect`` for the superuser."""
    name = f"t_{secrets.token_hex(6)}"
    await run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield {**postgres, "database": name}
    finally:
        await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def empty_database(postgres: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any], None]:
    """An empty database of the test's own."""
    name = f"e_{secrets.token_hex(6)}"
    await run_sql(postgres, f"CREATE DATABASE {name}")
    try:
        yield {**postgres, "database": name}
    finally:
        await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")
