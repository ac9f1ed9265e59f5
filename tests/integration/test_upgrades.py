"""A memory of an earlier version, brought to this one: nothing is lost, and its accounts are right."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.models import Coverage, Space, SpaceState
from palimpsest.storage import migrate as migrating
from palimpsest.storage.migrate import Roles, migrate, migrations
from palimpsest.storage.postgres import open_store

from ..fakes import DIMENSIONS, MODEL
from ..ladder_operations import check_ledger
from ..unit.parts import build_parts

BUDGETS = fixed_budget(1000)
_OLD = """
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ('mine');
    INSERT INTO palimpsest.threads (namespace_id, thread, items, tokens, bytes, chunks)
    VALUES ('mine', 'main', 2, 30, 60, 0);
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, content_type, memory_type, priority,
        pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at)
    SELECT 'mine', number, 'main', 1, CASE number WHEN 3 THEN 'forgotten' ELSE 'active' END, 'text/plain', 'document',
        5, false, '{}', sha256(convert_to('text ' || number, 'UTF8')), 30, 15, 'words', 0, '{}',
        now() - make_interval(days => 10 - number), now()
    FROM generate_series(1, 3) AS number;
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, sha256, tokens, token_counter, created_at)
    SELECT 'mine', number, 1, convert_to('text ' || number, 'UTF8'), sha256(convert_to('text ' || number, 'UTF8')), 15,
        'words', now()
    FROM generate_series(1, 3) AS number;
    INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at) VALUES ('mine', 1, 'embed', 1, now());
"""


_SPACES = """
    INSERT INTO palimpsest.chunks (namespace_id, item_id, ordinal, start_byte, end_byte, context)
    SELECT 'mine', number, 0, 0, 6, '' FROM generate_series(1, 3) AS number;
    INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
    SELECT 'mine', number, 0, true, 'most/1', '[1,0,0]'::halfvec FROM generate_series(1, 3) AS number
    UNION ALL SELECT 'mine', 1, 0, true, 'a-few/1', '[1,0]'::halfvec;
"""


async def test_items_of_before_the_ledger_stand_in_full_in_the_order_in_which_they_came(
    empty_database: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        first = [migration for migration in migrations() if migration.number <= 2]
        earlier.setattr(migrating, "migrations", lambda: first)
        await migrate(empty_database, Roles(), embedding_model=MODEL, dimensions=DIMENSIONS)
    connection = await asyncpg.connect(**empty_database)
    await connection.execute(_OLD)
    await connection.close()

    store = await open_store(empty_database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    try:
        ledger, rungs = await store.rungs("mine", "main", budgets=BUDGETS)
        check_ledger(ledger, rungs)
        assert [rung.position for rung in rungs] == [1, 2]
        block = await store.block("mine", "main", budgets=BUDGETS)
        assert [entry.text for entry in block.entries] == ["text 1", "text 2"]
        parts = build_parts(store=store, budgets=BUDGETS)
        receipt = await parts.memory.add(Caller("mine"), NewMemory("a new one"))
        assert receipt.ledger.items == 3
        assert (await store.block("mine", "main", budgets=BUDGETS)).entries[-1].text == "a new one"
        job = await store.claim_job("mine", owner="me", lease_seconds=10)
        assert job is not None
        assert job.kind == "embed"
    finally:
        await store.aclose()


async def test_vectors_of_before_serve_by_the_model_that_most_are_of_and_any_other_may_take_over_at_once(
    empty_database: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        first = [migration for migration in migrations() if migration.number <= 2]
        earlier.setattr(migrating, "migrations", lambda: first)
        await migrate(empty_database, Roles(), embedding_model=MODEL, dimensions=DIMENSIONS)
    connection = await asyncpg.connect(**empty_database)
    await connection.execute(_OLD)
    await connection.execute(_SPACES)
    await connection.close()

    store = await open_store(empty_database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    try:
        most, few = Space("most/1", 3), Space("a-few/1", 2)
        assert await store.spaces("mine") == SpaceState(most, most)
        assert await store.announce_model("mine", few, takeover_seconds=1000) == SpaceState(most, few)
        assert await store.coverage("mine", few.model_id) == Coverage(chunks=3, vectors=1)
        assert await store.claim_job("mine", owner="me", lease_seconds=10, kinds=["reembed"]) is not None
    finally:
        await store.aclose()
