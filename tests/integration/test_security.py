"""Row-level security: every table, every role, and the plans that must survive it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import ItemNotFoundError, SettingsError
from palimpsest.core.models import Candidate, Filters
from palimpsest.storage.migrate import Roles, migrate
from palimpsest.storage.postgres import PostgresStore, open_store

from .drafts import MODEL, Words, draft, terms, vector

WITHOUT_NAMESPACE = {"migrations", "functions", "indexed_models"}
"""Tables about the database itself; the application role can only read them."""


@pytest_asyncio.fixture
async def superuser(database: Mapping[str, Any]) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record], None]:
    connection = await asyncpg.connect(**database)
    yield connection
    await connection.close()


async def open_test_store(connect: Mapping[str, Any], **options: Any) -> PostgresStore:
    return await open_store(connect, embedding_model=MODEL, dimensions=384, **options)


async def test_every_table_forces_row_level_security_with_a_policy_on_its_namespace(
    superuser: asyncpg.Connection[asyncpg.Record],
) -> None:
    rows = await superuser.fetch(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, array_agg(p.polname::text) AS policies,"
        " bool_or(pg_get_expr(p.polqual, c.oid) LIKE '%current_setting(''palimpsest.namespace''%'"
        "   AND pg_get_expr(p.polqual, c.oid) NOT ILIKE '%select%') AS direct"
        " FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
        " WHERE c.relnamespace = 'palimpsest'::regnamespace AND c.relkind = 'r' GROUP BY c.oid"
    )
    tables = {row["relname"]: row for row in rows}
    assert set(tables) > WITHOUT_NAMESPACE
    assert len(tables) > 10
    for name, row in tables.items():
        if name not in WITHOUT_NAMESPACE:
            assert row["relrowsecurity"], f"{name} does not enable row-level security"
            assert row["relforcerowsecurity"], f"{name} does not force row-level security"
            assert "own_namespace" in row["policies"], f"{name} lacks its policy"
            assert row["direct"], f"the policy of {name} hides the namespace from the planner"


async def test_every_key_leads_with_the_namespace(superuser: asyncpg.Connection[asyncpg.Record]) -> None:
    rows = await superuser.fetch(
        "SELECT i.indexrelid::regclass::text AS name, c.relname, a.attname"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE c.relnamespace = 'palimpsest'::regnamespace AND i.indisunique"
    )
    keys = [row for row in rows if row["relname"] not in WITHOUT_NAMESPACE]
    assert len(keys) >= 13
    assert [row["name"] for row in keys if row["attname"] != "namespace_id"] == []
    foreign = await superuser.fetch(
        "SELECT conname, a.attname FROM pg_constraint k"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND k.connamespace = 'palimpsest'::regnamespace"
    )
    assert len(foreign) >= 10
    assert [row["conname"] for row in foreign if row["attname"] != "namespace_id"] == []


async def test_the_application_role_sees_and_writes_only_its_namespace(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    store = await open_test_store(database)
    receipt = await store.add("mine", draft("mine", "a secret of mine"), budgets=fixed_budget(1000))
    with pytest.raises(ItemNotFoundError):
        await store.get("theirs", receipt.item.item_id)
    await store.aclose()
    tables = [
        row["relname"]
        for row in await superuser.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'palimpsest'::regnamespace AND relkind = 'r'"
        )
        if row["relname"] not in WITHOUT_NAMESPACE
    ]
    async with superuser.transaction():
        await superuser.execute(
            "SET LOCAL ROLE palimpsest_app; SELECT set_config('palimpsest.namespace', 'theirs', true)"
        )
        for table in tables:
            assert await superuser.fetchval(f"SELECT count(*) FROM palimpsest.{table}") == 0, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with superuser.transaction():
                await superuser.execute("INSERT INTO palimpsest.namespaces VALUES ('mine-too')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with superuser.transaction():
                await superuser.fetch(
                    "SELECT * FROM palimpsest.candidates('mine', NULL, 'm', '{1}', '{1}', '{}',"
                    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10, 2, 10, 10, 10)"
                )
    assert await superuser.fetchval("SELECT count(*) FROM palimpsest.items") == 1


async def test_without_a_namespace_nothing_is_seen(superuser: asyncpg.Connection[asyncpg.Record]) -> None:
    async with superuser.transaction():
        await superuser.execute("SET LOCAL ROLE palimpsest_app")
        assert await superuser.fetchval("SELECT count(*) FROM palimpsest.items") == 0


@pytest.mark.parametrize("role", ["palimpsest_app", "palimpsest_search"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE palimpsest.events SET actor = 'nobody'",
        "DELETE FROM palimpsest.events",
        "TRUNCATE palimpsest.events CASCADE",
        "ALTER TABLE palimpsest.events DISABLE ROW LEVEL SECURITY",
        "DROP TABLE palimpsest.events",
    ],
)
async def test_no_role_of_the_server_can_take_a_line_out_of_the_history(
    superuser: asyncpg.Connection[asyncpg.Record], role: str, statement: str
) -> None:
    async with superuser.transaction():
        await superuser.execute(f"SET LOCAL ROLE {role}; SELECT set_config('palimpsest.namespace', 'mine', true)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with superuser.transaction():
                await superuser.execute(statement)


async def test_the_history_cannot_be_rewritten(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    store = await open_test_store(database)
    await store.add("mine", draft("mine", "one"), budgets=fixed_budget(1000))
    await store.aclose()
    for change in ("UPDATE palimpsest.events SET actor = 'x'", "DELETE FROM palimpsest.events"):
        as_app = "SET LOCAL ROLE palimpsest_app; SELECT set_config('palimpsest.namespace', 'mine', true);"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await superuser.execute(as_app + change)


async def test_one_login_that_is_no_superuser_can_own_and_serve(
    empty_database: Mapping[str, Any], postgres: Mapping[str, Any]
) -> None:
    admin = await asyncpg.connect(**empty_database)
    name = empty_database["database"]
    roles = Roles(app=f"{name}_app", search=f"{name}_search")
    await admin.execute(f"CREATE ROLE {name}_one LOGIN CREATEROLE PASSWORD 'x'")
    await admin.execute(f"GRANT CREATE ON DATABASE {name} TO {name}_one")
    await admin.execute("CREATE EXTENSION vector")
    store = await open_test_store({**empty_database, "user": f"{name}_one", "password": "x"}, roles=roles)
    try:
        await store.add("mine", draft("mine", "kept by one login"), budgets=fixed_budget(1000))
        found = (
            await store.candidates(
                "mine", vector=vector("x"), model_id=MODEL, terms=terms("mine", "login"), filters=Filters(), limit=5
            )
        ).candidates
        assert [candidate.lexical > 0 for candidate in found] == [True]
        assert await admin.fetchval(
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'palimpsest' AND tablename = 'items'"
        ) == (f"{name}_one")
        bound = await admin.fetchrow(f"SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = '{name}_app'")
        assert bound is not None
        assert (bound["rolsuper"], bound["rolbypassrls"]) == (False, False)
    finally:
        await store.aclose()
        await admin.execute(f"DROP OWNED BY {name}_one, {name}_app, {name}_search CASCADE")
        await admin.execute(f"DROP ROLE {name}_app, {name}_search, {name}_one")
        await admin.close()


async def test_three_roles_can_be_given(empty_database: Mapping[str, Any]) -> None:
    admin = await asyncpg.connect(**empty_database)
    name = empty_database["database"]
    roles = Roles(app=f"{name}_app", search=f"{name}_search")
    await admin.execute("CREATE EXTENSION vector")
    await admin.execute(f"CREATE ROLE {name}_owner LOGIN PASSWORD 'x'")
    await admin.execute(f"CREATE ROLE {roles.app} LOGIN PASSWORD 'x'")
    await admin.execute(f"CREATE ROLE {roles.search} NOLOGIN")
    await admin.execute(f"GRANT {roles.search} TO {name}_owner WITH SET TRUE")
    await admin.execute(f"GRANT {roles.app} TO {name}_owner WITH SET TRUE, INHERIT FALSE")
    await admin.execute(f"GRANT CREATE ON DATABASE {name} TO {name}_owner")
    owner = {**empty_database, "user": f"{name}_owner", "password": "x"}
    app = {**empty_database, "user": roles.app, "password": "x"}
    try:
        with pytest.raises(SettingsError, match="palimpsest migrate"):
            await open_test_store(app, roles=roles)
        store = await open_test_store(app, owner=owner, roles=roles)
        await store.add("mine", draft("mine", "kept by three roles"), budgets=fixed_budget(1000))
        found = (
            await store.candidates(
                "mine", vector=vector("x"), model_id=MODEL, terms=terms("mine", "roles"), filters=Filters(), limit=5
            )
        ).candidates
        assert len(found) == 1
        await store.aclose()
        again = await open_test_store(app, roles=roles)
        await again.aclose()
        assert await admin.fetchval("SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'candidates'") == (
            roles.search
        )
    finally:
        await admin.execute(f"DROP OWNED BY {name}_owner, {roles.app}, {roles.search} CASCADE")
        await admin.execute(f"DROP ROLE {roles.app}, {roles.search}, {name}_owner")
        await admin.close()


async def test_a_login_that_cannot_become_the_application_role_is_refused(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    name = database["database"]
    await superuser.execute(f"CREATE ROLE {name}_stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(SettingsError, match="WITH SET TRUE"):
            await open_test_store({**database, "user": f"{name}_stranger", "password": "x"}, owner=database)
    finally:
        await superuser.execute(f"DROP ROLE {name}_stranger")


async def test_an_application_role_that_bypasses_policies_is_refused(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    name = database["database"]
    roles = Roles(app=f"{name}_loose", search="palimpsest_search")
    await superuser.execute(f"CREATE ROLE {roles.app} BYPASSRLS")
    try:
        with pytest.raises(SettingsError, match="NOBYPASSRLS"):
            await open_test_store(database, roles=roles)
    finally:
        await superuser.execute(f"DROP ROLE {roles.app}")


async def plan(connection: asyncpg.Connection[asyncpg.Record], role: str, query: str) -> str:
    async with connection.transaction():
        await connection.execute(
            f"SET LOCAL ROLE {role}; SELECT set_config('palimpsest.namespace', 'big', true);"
            "SET LOCAL plan_cache_mode = force_custom_plan"
        )
        return "\n".join(row[0] for row in await connection.fetch("EXPLAIN " + query))


async def fill(database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record], chunks: int) -> None:
    """One item's chunks by the thousand, in two namespaces, written around the store for speed."""
    store = await open_test_store(database)
    for namespace in ("big", "small"):
        await store.add(namespace, draft(namespace, f"the first words of {namespace}"), budgets=fixed_budget(1000))
    await store.reweigh("big", Words())
    await store.aclose()
    await superuser.execute(
        f"""
        WITH item AS (SELECT item_id FROM palimpsest.items WHERE namespace_id = 'big'),
        chunk AS (INSERT INTO palimpsest.chunks
            SELECT 'big', item_id, n, 0, 1, '', true, 3,
                format('{{%s:1,%s:1}}/1000000000', n % 900 + 1, n % 7 + 5000)::sparsevec
            FROM item, generate_series(1, {chunks}) n)
        INSERT INTO palimpsest.chunk_vectors
        SELECT 'big', item_id, n, true, '{MODEL}',
            (SELECT array_agg(v - floor(v) - 0.5)::vector::halfvec
             FROM (SELECT sin(n * 12.9898 + d * 78.233) * 43758.5453 AS v FROM generate_series(1, 384) d) AS spread)
        FROM item, generate_series(1, {chunks}) n"""
    )
    await superuser.execute("ANALYZE palimpsest.chunk_vectors, palimpsest.items, palimpsest.chunks")


async def test_policies_leave_the_vector_and_the_word_index_usable(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await fill(database, superuser, 3000)
    query_vector = "'[" + ",".join("0.1" for _ in range(384)) + "]'::halfvec(384)"
    by_meaning = (
        "SELECT item_id FROM palimpsest.chunk_vectors x WHERE x.namespace_id = 'big' AND x.live"
        f" AND x.model_id = '{MODEL}' ORDER BY x.embedding::halfvec(384) <=> {query_vector} LIMIT 10"
    )
    by_word = (
        "SELECT item_id FROM palimpsest.chunks x WHERE x.namespace_id = 'big' AND x.live"
        " AND palimpsest.term_keys(x.impacts) && '{7,8}' ORDER BY x.impacts <#> '{1:1}/1000000000'::sparsevec LIMIT 10"
    )
    for role in ("palimpsest_app", "palimpsest_search"):
        assert "using chunk_vectors_" in await plan(superuser, role, by_meaning), role
    assert "Bitmap Index Scan on chunks_terms" in await plan(superuser, "palimpsest_search", by_word)
    # The same query as the application role cannot use the index, because && is not leakproof: hence the search role.
    assert "chunks_terms" not in await plan(superuser, "palimpsest_app", by_word)


async def test_a_read_by_id_is_two_key_look_ups(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await fill(database, superuser, 10)
    await superuser.execute("SET enable_seqscan = off")
    text = await plan(
        superuser,
        "palimpsest_app",
        "SELECT i.*, c.content FROM palimpsest.items i JOIN palimpsest.contents c ON c.namespace_id = i.namespace_id"
        " AND c.item_id = i.item_id AND c.version = i.version WHERE i.namespace_id = 'big' AND i.item_id = 1",
    )
    assert "Seq Scan" not in text
    assert text.count("Index Scan") == 2
    assert "contents_pkey" in text


async def test_both_ways_of_comparing_vectors_agree(
    database: Mapping[str, Any], superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await fill(database, superuser, 3000)
    store = await open_test_store(database)
    await store.reweigh("big", Words())
    query = vector("anything")
    wanted: dict[str, Any] = {
        "vector": query,
        "model_id": MODEL,
        "terms": terms("big", ""),
        "filters": Filters(),
        "limit": 20,
    }
    exact = (await store.candidates("big", **wanted)).candidates
    await store.aclose()
    await superuser.execute("UPDATE palimpsest.corpus_statistics SET chunks = 50000 WHERE namespace_id = 'big'")
    store = await open_test_store(database)
    indexed = (await store.candidates("big", **wanted)).candidates
    await store.aclose()
    assert len(exact) == len(indexed) == 20
    # HNSW is approximate, and vectors without any structure are its hardest case: nearly as good is good enough here.
    assert mean_similarity(indexed) == pytest.approx(mean_similarity(exact), abs=0.03)
    assert mean_similarity(exact) > 0.1


def mean_similarity(candidates: Sequence[Candidate]) -> float:
    return sum(candidate.dense or 0.0 for candidate in candidates) / len(candidates)


async def test_migrating_twice_and_at_once_applies_each_migration_once(empty_database: Mapping[str, Any]) -> None:
    import asyncio

    done = await asyncio.gather(
        *(migrate(empty_database, Roles(), embedding_model=MODEL, dimensions=384) for _ in range(4))
    )
    assert sum(len(names) for names in done) == len(max(done, key=len)) >= 2
    assert await migrate(empty_database, Roles(), embedding_model=MODEL, dimensions=384) == []
