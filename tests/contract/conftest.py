"""The stores that the contract suite runs over: a new one joins by one entry in ``BACKENDS``."""

from __future__ import annotations

import asyncio
import pickle
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from palimpsest.core.ids import parse_item_id
from palimpsest.core.ports import Store
from palimpsest.storage.inmemory import InMemoryStore
from palimpsest.storage.postgres import open_store

from ..conftest import run_sql
from ..fakes import DIMENSIONS, MODEL, HandClock


@dataclass(frozen=True, slots=True)
class Backend:
    """A store, and what a test cannot ask a Store for.

    ``pass_time`` lets leases and waits of a namespace's jobs and tasks, its embedding spaces, its history and its
    requests to people grow older by some seconds; ``remains`` names the places that still hold something of an item,
    or of a text that only it had; ``date`` says of an item (namespace, id) when it happened, and the id of the first
    item of its lineage.
    """

    store: Store
    durable: bool
    pass_time: Callable[[str, float], Awaitable[None]]
    remains: Callable[[int, str], Awaitable[set[str]]]
    date: Callable[[str, str, datetime, str | None], Awaitable[None]]


Opener = Callable[[], AbstractAsyncContextManager[Backend]]


def open_in_memory(request: pytest.FixtureRequest) -> Opener:
    """Open an in-memory store under a clock that the test moves."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Backend, None]:
        clock = HandClock()
        store = InMemoryStore(clock)

        async def pass_time(namespace: str, seconds: float) -> None:
            clock.advance(seconds)

        async def remains(number: int, text: str) -> set[str]:
            return {"memory"} if text.encode() in pickle.dumps(vars(store)) else set()

        async def date(namespace: str, item_id: str, at: datetime, lineage: str | None) -> None:
            record = store._shelves[namespace].records[item_id]  # pyright: ignore[reportPrivateUsage]
            record.item = replace(record.item, happened_at=at, lineage=lineage)

        yield Backend(store, False, pass_time, remains, date)
        await store.aclose()

    return opened


def open_postgres(request: pytest.FixtureRequest) -> Opener:
    """Open a store on one database for all tests: namespaces keep them apart, as they do in service."""
    connect: Mapping[str, Any] = request.getfixturevalue("contract_database")

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Backend, None]:
        async def pass_time(namespace: str, seconds: float) -> None:
            connection = await asyncpg.connect(**connect)
            try:
                for older in _OLDER:
                    await connection.execute(older, namespace, seconds)
            finally:
                await connection.close()

        async def remains(number: int, text: str) -> set[str]:
            connection = await asyncpg.connect(**connect)
            try:
                tables = [row["table_name"] for row in await connection.fetch(_TABLES)]
                found = {
                    table: await connection.fetchval(_HOLDS.format(table), f'"item_id":{number},', text)
                    for table in tables
                }
                return {table for table, held in found.items() if held}
            finally:
                await connection.close()

        async def date(namespace: str, item_id: str, at: datetime, lineage: str | None) -> None:
            connection = await asyncpg.connect(**connect)
            try:
                first = None if lineage is None else parse_item_id(lineage)
                await connection.execute(_DATE, namespace, parse_item_id(item_id), at, first)
            finally:
                await connection.close()

        store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=2)
        try:
            yield Backend(store, True, pass_time, remains, date)
        finally:
            await store.aclose()

    return opened


_OLDER = (
    "UPDATE palimpsest.jobs SET due_at = due_at - make_interval(secs => $2),"
    " leased_until = leased_until - make_interval(secs => $2) WHERE namespace_id = $1",
    "UPDATE palimpsest.tasks SET lease_until = lease_until - make_interval(secs => $2) WHERE namespace_id = $1",
    "UPDATE palimpsest.embedding_spaces SET seen_at = seen_at - make_interval(secs => $2),"
    " changed_at = changed_at - make_interval(secs => $2) WHERE namespace_id = $1",
    "UPDATE palimpsest.human_requests SET deadline = deadline - make_interval(secs => $2),"
    " answered_at = answered_at - make_interval(secs => $2), used_at = used_at - make_interval(secs => $2)"
    " WHERE namespace_id = $1",
    "UPDATE palimpsest.events SET at = at - make_interval(secs => $2) WHERE namespace_id = $1",
)
_DATE = "UPDATE palimpsest.items SET happened_at = $3, lineage = $4 WHERE namespace_id = $1 AND item_id = $2"
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'palimpsest'"
# bytea is shown in hex.
_HOLDS = """
    SELECT EXISTS (
        SELECT FROM palimpsest.{} t, row_to_json(t) AS j
        WHERE strpos(j::text, $1) > 0 OR strpos(j::text, $2) > 0
            OR strpos(j::text, encode(convert_to($2, 'UTF8'), 'hex')) > 0)
"""

BACKENDS: dict[str, Callable[[pytest.FixtureRequest], Opener]] = {
    "memory": open_in_memory,
    "postgres": open_postgres,
}


@pytest.fixture(scope="session")
def contract_database(postgres: Mapping[str, Any], template: str) -> Mapping[str, Any]:
    """A migrated database for the whole suite, as arguments of ``asyncpg.connect`` for the superuser."""
    name = f"contract_{secrets.token_hex(6)}"
    asyncio.run(run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE {template}"))
    return {**postgres, "database": name}


@pytest.fixture(params=list(BACKENDS))
def opener(request: pytest.FixtureRequest) -> Opener:
    """How to open the backend of this run; what it needs is made before the event loop runs."""
    return BACKENDS[request.param](request)


@pytest_asyncio.fixture
async def backend(opener: Opener) -> AsyncGenerator[Backend, None]:
    """An open store with its means of testing."""
    async with opener() as opened:
        yield opened


@pytest.fixture
def store(backend: Backend) -> Store:
    """An open store."""
    return backend.store


@pytest.fixture
def mine() -> str:
    """A namespace that no other test uses."""
    return f"mine-{secrets.token_hex(6)}"


@pytest.fixture
def theirs() -> str:
    """Another one."""
    return f"theirs-{secrets.token_hex(6)}"
