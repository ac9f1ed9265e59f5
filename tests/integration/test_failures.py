"""A dead database, a full disk, another server in the way: one clear sentence, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import SettingsError, StoreError, StoreFullError, StoreUnavailableError
from palimpsest.core.models import Filters, ItemState
from palimpsest.storage.migrate import Roles, migrate, migrations
from palimpsest.storage.pool import Pool
from palimpsest.storage.postgres import PostgresStore, open_store

from .drafts import MODEL, draft


async def open_test_store(connect: Mapping[str, Any], **options: Any) -> PostgresStore:
    return await open_store(connect, embedding_model=MODEL, dimensions=384, **options)


async def test_a_database_that_does_not_answer_is_said_to_be_unreachable(tmp_path: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="palimpsest doctor"):
        await open_test_store({"host": str(tmp_path), "user": "postgres", "database": "postgres"})
    with pytest.raises(StoreUnavailableError):
        await open_test_store({"host": "127.0.0.1", "port": 1, "user": "postgres", "database": "postgres"})


async def test_a_database_that_dies_under_a_store_is_an_error_and_then_works_again(
    database: Mapping[str, Any],
) -> None:
    store = await open_test_store(database, pool_size=1)
    kept = await store.add("mine", draft("mine", "before the fall"), budgets=fixed_budget(1000))
    maintenance: dict[str, Any] = {**database, "database": "postgres"}
    admin = await asyncpg.connect(**maintenance)
    try:
        name = database["database"]
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        with pytest.raises(StoreUnavailableError):
            await store.add("mine", draft("mine", "during the fall"), budgets=fixed_budget(1000))
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        item, content, _ = await store.read("mine", kept.item.item_id)
        assert content == b"before the fall"
        assert item.version == 1
        page = await store.list_items("mine", Filters(), state=ItemState.ACTIVE, limit=10, before=None)
        assert page.total == 1
    finally:
        await admin.close()
        await store.aclose()


async def test_a_full_disk_writes_nothing_and_says_so(database: Mapping[str, Any]) -> None:
    store = await open_test_store(database)
    await store.add("mine", draft("mine", "fits"), budgets=fixed_budget(1000))
    admin = await asyncpg.connect(**database)
    # The server raises what it raises when a write finds no space (SQLSTATE 53100), in the middle of the statement.
    await admin.execute(
        "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$;"
        "CREATE TRIGGER no_space BEFORE INSERT ON palimpsest.chunks FOR EACH ROW EXECUTE FUNCTION disk_full()"
    )
    with pytest.raises(StoreFullError, match="free some space"):
        await store.add("mine", draft("mine", "does not fit"), budgets=fixed_budget(1000))
    counts = await store.state("mine", MODEL, budgets=fixed_budget(1000))
    assert (counts.items, counts.chunks, counts.content_bytes) == (1, 1, 4)
    await admin.execute("DROP TRIGGER no_space ON palimpsest.chunks")
    receipt = await store.add("mine", draft("mine", "does not fit"), budgets=fixed_budget(1000))
    assert receipt.outcome == "added"
    await admin.close()
    await store.aclose()


async def test_damaged_migrations_and_newer_databases_are_refused(database: Mapping[str, Any]) -> None:
    admin = await asyncpg.connect(**database)
    await admin.execute("UPDATE palimpsest.migrations SET checksum = 'x' WHERE number = 1")
    with pytest.raises(StoreError, match="another text"):
        await migrate(database, Roles(), embedding_model=MODEL, dimensions=384)
    await admin.execute("DELETE FROM palimpsest.migrations WHERE number = 1")
    await admin.execute("INSERT INTO palimpsest.migrations VALUES (9999, 'future', 'y')")
    await admin.execute("INSERT INTO palimpsest.migrations VALUES (1, 'restored', $1)", migrations()[0].checksum)
    with pytest.raises(StoreError, match="newer version"):
        await migrate(database, Roles(), embedding_model=MODEL, dimensions=384)
    await admin.close()


async def test_an_application_login_does_not_serve_an_older_schema(database: Mapping[str, Any]) -> None:
    admin = await asyncpg.connect(**database)
    await admin.execute("ALTER ROLE palimpsest_app LOGIN PASSWORD 'x'")
    await admin.execute("DELETE FROM palimpsest.migrations WHERE number > 1")
    try:
        with pytest.raises(SettingsError, match="palimpsest migrate"):
            await open_test_store({**database, "user": "palimpsest_app", "password": "x"})
    finally:
        await admin.execute("ALTER ROLE palimpsest_app NOLOGIN PASSWORD NULL")
        await admin.close()


async def test_a_cancelled_write_leaves_no_trace_and_the_connection_usable(database: Mapping[str, Any]) -> None:
    store = await open_test_store(database, pool_size=1)
    admin = await asyncpg.connect(**database)
    await admin.execute("BEGIN; LOCK TABLE palimpsest.contents IN ACCESS EXCLUSIVE MODE")
    waiting = asyncio.create_task(store.add("mine", draft("mine", "never acknowledged"), budgets=fixed_budget(1000)))
    for _ in range(200):
        blocked = await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
        if blocked:
            break
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await admin.execute("ROLLBACK")
    await admin.close()
    page = await store.list_items("mine", Filters(), state=ItemState.ACTIVE, limit=10, before=None)
    assert page.items == ()
    assert (await store.add("mine", draft("mine", "acknowledged"), budgets=fixed_budget(1000))).outcome == "added"
    await store.aclose()


async def test_a_transaction_pooler_may_stand_between(database: Mapping[str, Any]) -> None:
    store = await open_test_store(database, statement_cache=False, pool_size=2)
    receipts = await asyncio.gather(
        *(store.add("mine", draft("mine", f"text {number}"), budgets=fixed_budget(1000)) for number in range(8))
    )
    assert {receipt.outcome for receipt in receipts} == {"added"}
    pool: Pool = store._pool  # pyright: ignore[reportPrivateUsage]
    async with pool.transaction("mine") as connection:
        assert await connection.fetchval("SELECT current_user") == "palimpsest_app"
    async with pool._pool.acquire() as bare:  # pyright: ignore[reportPrivateUsage]
        assert await bare.fetchval("SELECT current_user") == "postgres"
        assert await bare.fetchval("SELECT current_setting('palimpsest.namespace', true)") in (None, "")
    await store.aclose()


async def test_many_writers_of_the_same_content_add_it_once(database: Mapping[str, Any]) -> None:
    stores = [await open_test_store(database, pool_size=2) for _ in range(3)]
    receipts = await asyncio.gather(
        *(
            store.add("mine", draft("mine", "the same"), budgets=fixed_budget(1000))
            for store in stores
            for _ in range(4)
        )
    )
    assert [receipt.outcome for receipt in receipts].count("added") == 1
    assert len({receipt.item.item_id for receipt in receipts}) == 1
    counts = await stores[0].state("mine", MODEL, budgets=fixed_budget(1000))
    assert (counts.items, counts.threads[0].tokens) == (1, 2)
    for store in stores:
        await store.aclose()


async def test_many_writers_of_the_same_idempotency_key_add_once(database: Mapping[str, Any]) -> None:
    store = await open_test_store(database, pool_size=4)
    receipts = await asyncio.gather(
        *(
            store.add(
                "mine",
                draft("mine", "a retry", idempotency_key="k", thread=f"t{number % 3}"),
                budgets=fixed_budget(1000),
            )
            for number in range(9)
        )
    )
    assert [receipt.outcome for receipt in receipts].count("added") == 1
    await store.aclose()
