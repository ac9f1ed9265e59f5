"""A memory of an earlier version, brought to this one: nothing is lost, and its accounts are right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.ids import format_item_id
from palimpsest.core.models import Coverage, Rendition, Space, SpaceState
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.storage import migrate as migrating
from palimpsest.storage import rows
from palimpsest.storage.migrate import Migration, Roles, migrate, migrations
from palimpsest.storage.postgres import open_store
from palimpsest.storage.queries import load

from ..fakes import DIMENSIONS, MODEL, WordCounter, draft
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


def up_to(last: int) -> Sequence[Migration]:
    """The first migrations."""
    return [migration for migration in migrations() if migration.number <= last]


async def test_items_of_before_the_ledger_stand_in_full_in_the_order_in_which_they_came(
    empty_database: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(migrating, "migrations", partial(up_to, 2))
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
        earlier.setattr(migrating, "migrations", partial(up_to, 2))
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


async def test_functions_are_applied_again_when_their_file_changed(database: Mapping[str, Any]) -> None:
    renew = partial(migrate, database, Roles(), embedding_model=MODEL, dimensions=DIMENSIONS)
    assert await renew() == []
    connection = await asyncpg.connect(**database)
    plan = "SELECT condition FROM palimpsest.word_plan(ARRAY[1], ARRAY[5], 1)"
    try:
        expected = await connection.fetchval(plan)
        await connection.execute(
            "CREATE OR REPLACE FUNCTION palimpsest.word_plan(keys integer[], known double precision[], breadth integer,"
            " OUT condition text, OUT frequent integer[]) LANGUAGE sql AS $$ SELECT 'false', '{}'::integer[] $$;"
            " UPDATE palimpsest.functions SET checksum = 'of another version'"
        )
        assert await connection.fetchval(plan) == "false"
        assert await renew() == ["candidates.sql", "word_plan.sql"]
        assert await connection.fetchval(plan) == expected
        assert await renew() == []
    finally:
        await connection.close()


# Item 1 has an earlier version with other bytes, item 2 says what its first version said, item 3 is forgotten; their
# renditions are of one compressor, of several, and of another one, made with the version or later.
_TWO_TABLES = """
    UPDATE palimpsest.items SET version = 2 WHERE item_id = 1;
    UPDATE palimpsest.items SET version = 3 WHERE item_id = 2;
    UPDATE palimpsest.contents c SET created_at = i.created_at FROM palimpsest.items i WHERE i.item_id = c.item_id;
    UPDATE palimpsest.contents SET content = 'before', sha256 = sha256('before'), tokens = 1 WHERE item_id = 1;
    INSERT INTO palimpsest.contents
    SELECT 'mine', 1, 2, 'text 1'::bytea, sha256('text 1'), 15, 'words', '2024-05-01'::timestamptz
    UNION ALL SELECT 'mine', 2, 2, 'between'::bytea, sha256('between'), 2, 'words', '2024-05-02'
    UNION ALL SELECT 'mine', 2, 3, 'text 2'::bytea, sha256('text 2'), 15, 'words', '2024-05-03';
    INSERT INTO palimpsest.renditions (namespace_id, item_id, detail, body, tokens, compressor, created_at)
    SELECT 'mine', 1, d.detail, d.detail || ' of 1', 3, 'extractive-2', '2024-05-01'::timestamptz
    FROM unnest(ARRAY['summary', 'brief', 'hint']) AS d(detail)
    UNION ALL SELECT 'mine', 2, 'brief', 'brief of 2', 4, 'a-model', '2024-06-01'
    UNION ALL SELECT 'mine', 2, 'hint', 'hint of 2', 2, 'extractive-2', '2024-05-03'
    UNION ALL SELECT 'mine', 3, 'summary', 'summary of 3', 5, 'other', i.created_at FROM palimpsest.items i
        WHERE i.item_id = 3
    UNION ALL SELECT 'mine', 3, 'hint', 'hint of 3', 1, 'other', '2024-06-02';
"""
_FORMER = (
    "SELECT item_id, version, content, sha256, tokens, token_counter, created_at FROM palimpsest.contents"
    " ORDER BY 1, 2",
    "SELECT item_id, detail, body, tokens, compressor, created_at FROM palimpsest.renditions"
    ' ORDER BY 1, detail COLLATE "C"',
)


async def test_contents_and_renditions_of_two_tables_are_the_same_in_one(
    empty_database: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for last, fill in ((2, _OLD), (16, _TWO_TABLES)):
        with monkeypatch.context() as earlier:
            earlier.setattr(migrating, "migrations", partial(up_to, last))
            await migrate(empty_database, Roles(), embedding_model=MODEL, dimensions=DIMENSIONS)
        connection = await asyncpg.connect(**empty_database)
        await connection.execute(fill)
        await connection.close()
    connection = await asyncpg.connect(**empty_database)
    former = [await connection.fetch(query) for query in _FORMER]
    assert [len(found) for found in former] == [6, 7]

    store = await open_store(empty_database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    try:
        queries = load({"vectors": "public", "app": "palimpsest_app", "search": "palimpsest_search"})
        names = ("export_content", "export_rendition")
        assert [await connection.fetch(queries[name], "mine", None) for name in names] == former
        item, content, digest = await store.read("mine", format_item_id(2), 1)
        assert (content, digest) == (b"text 2", item.sha256)
        assert (await store.rendition("mine", format_item_id(3), "hint"))[1] == Rendition(
            "hint", "hint of 3", 1, "other"
        )
        _, rungs = await store.rungs("mine", "main", budgets=BUDGETS)
        assert [one.summarized_by for one in rungs] == ["extractive-2", None]
        kept = await connection.fetch(
            "SELECT item_id, version, num_nonnulls(sha256, tokens, token_counter) AS repeated, summary_by, brief_by,"
            " hint_by FROM palimpsest.contents ORDER BY 1, 2"
        )
        assert [tuple(row) for row in kept] == [
            (1, 1, 3, None, None, None),
            (1, 2, 0, None, None, None),
            (2, 1, 3, None, None, None),
            (2, 2, 3, None, None, None),
            (2, 3, 0, None, "a-model", "extractive-2"),
            (3, 1, 0, "other", None, None),
        ]
        assert await connection.fetchval("SELECT to_regclass('palimpsest.renditions')") is None
        policies = await connection.fetchval("SELECT count(*) FROM pg_policies WHERE tablename = 'contents'")
        assert policies == 1
    finally:
        await connection.close()
        await store.aclose()


async def test_a_current_content_repeats_nothing_until_the_next_version_takes_its_place(
    database: Mapping[str, Any],
) -> None:
    store = await open_store(database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    connection = await asyncpg.connect(**database)
    read = (
        "SELECT version, sha256, tokens, token_counter, created_at, summary_by, summary_tokens, summary_at, hint"
        " FROM palimpsest.contents ORDER BY version"
    )
    usual = (Rendition("summary", "s", 3, rows.USUAL_COMPRESSOR), Rendition("hint", "h", 2, rows.USUAL_COMPRESSOR))
    try:
        first = replace(draft("mine", "as it was"), renditions=usual)
        await store.add("mine", first, budgets=BUDGETS)
        assert [tuple(row) for row in await connection.fetch(read)] == [(1, *[None] * 5, 3, None, "h")]
        second = replace(draft("mine", "as it is", item_id=first.item_id), renditions=usual[:1])
        await store.replace_content("mine", second, expected_sha256=first.sha256, budgets=BUDGETS)
        old, new = await connection.fetch(read)
        digest = bytes.fromhex(first.sha256)
        assert tuple(old) == (1, digest, first.tokens.tokens, first.tokens.counter, *[None] * 5)
        assert (*tuple(new)[:4], *tuple(new)[5:]) == (2, None, None, None, None, 3, None, None)
        item, content, told = await store.read("mine", first.item_id, 1)
        assert (item.version, content, told) == (2, first.content, first.sha256)
    finally:
        await connection.close()
        await store.aclose()


async def test_the_usual_compressor_is_the_one_that_everybody_has(database: Mapping[str, Any]) -> None:
    connection = await asyncpg.connect(**database)
    try:
        told = await connection.fetchval("SELECT palimpsest.usual_compressor()")
    finally:
        await connection.close()
    # Under another name it would be written down with every item; a migration can tell the new one.
    assert told == rows.USUAL_COMPRESSOR == ExtractiveCompressor(WordCounter()).name
