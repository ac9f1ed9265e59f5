"""How PostgreSQL goes about a search among many chunks: which tables and indexes it reads, and that nothing is lost."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from palimpsest.core.budget import fixed_budget
from palimpsest.core.ids import format_item_id
from palimpsest.core.models import CandidateSet, Filters, ItemState, SparseTerms
from palimpsest.storage import search_tables
from palimpsest.storage.postgres import PostgresStore, open_store

from ..conftest import run_sql
from .drafts import MODEL, Words, draft, vector
from .drafts import terms as words

ITEMS = 21_000
EMBEDDED = 2_000
BUDGETS = fixed_budget(1_000_000)
# Items 1 to 21,000 of one chunk each: a rare word, one that half of them have (every 500th most of all), one of every
# third, one that all have; and vectors of the first of them.
_FILL = f"""
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, content_type, memory_type, priority,
        pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at, position,
        happened_at)
    SELECT 'big', n, 'main', 1, 'active', CASE WHEN n % 2 = 0 THEN 'text/even' ELSE 'text/odd' END, 'document', n % 10,
        false, CASE WHEN n % 100 = 0 THEN ARRAY['hundredth'] ELSE '{{}}' END, sha256(n::text::bytea), 1, 1, 'test', 1,
        '{{}}', now() - interval '1 day', now(), n, '2020-01-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, {ITEMS}) AS n;
    INSERT INTO palimpsest.chunks
    SELECT 'big', n, 0, 0, 1, '', true, 5,
        ('{{' || string_agg(w.key || ':' || w.impact, ',' ORDER BY w.key) || '}}/1000000000')::sparsevec
    FROM generate_series(1, {ITEMS}) AS n, LATERAL (
        VALUES (n / 10 + 1, 1.0), (1000000 + n % 2, CASE WHEN n % 500 = 0 THEN 2.0 ELSE 0.5 + n % 7 / 100.0 END),
            (2000000 + n % 3, 0.7), (3000000, 0.3)
    ) AS w(key, impact)
    GROUP BY n;
    INSERT INTO palimpsest.chunk_vectors
    SELECT 'big', n, 0, true, '{MODEL}',
        (SELECT array_agg(v - floor(v) - 0.5)::vector::halfvec
         FROM (SELECT sin(n * 12.9898 + d * 78.233) * 43758.5453 AS v FROM generate_series(1, 384) AS d) AS spread)
    FROM generate_series(1, {EMBEDDED}) AS n;
    UPDATE palimpsest.threads SET chunks = {ITEMS} WHERE namespace_id = 'big';
"""
RARE, EVEN, THIRD, EVERY = 77, 1_000_000, 2_000_000, 3_000_000


def terms(*keys: int) -> SparseTerms:
    return SparseTerms(keys, (1,) * len(keys), len(keys))


@asynccontextmanager
async def opened(database: Mapping[str, Any], leading: int | None = None) -> AsyncGenerator[PostgresStore, None]:
    store = await open_store(database, embedding_model=MODEL, dimensions=384, leading=leading, pool_size=1)
    try:
        yield store
    finally:
        await store.aclose()


@pytest.fixture(scope="module")
def filled(postgres: Mapping[str, Any], template: str) -> str:
    """A database with many chunks, counted, that tests clone."""
    name = f"filled_{secrets.token_hex(6)}"
    database = {**postgres, "database": name}

    async def build() -> None:
        await run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
        async with opened(database) as store:
            await store.add("big", draft("big", "first"), budgets=BUDGETS)
            await run_sql(database, _FILL)
            await store.reweigh("big", Words())
        await run_sql(database, "VACUUM ANALYZE")

    asyncio.run(build())
    return name


@pytest_asyncio.fixture
async def big(
    postgres: Mapping[str, Any], filled: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Mapping[str, Any], None]:
    """Such a database of the test's own, in which little is compared exactly."""
    monkeypatch.setattr(search_tables, "EXACT_UP_TO", 500)
    name = f"big_{secrets.token_hex(6)}"
    await run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE {filled}")
    yield {**postgres, "database": name}
    await run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def ask(
    database: Mapping[str, Any],
    query: SparseTerms,
    *,
    meant: int | None = None,
    by: Sequence[float] | None = None,
    leading: int | None = None,
    **given: Any,
) -> CandidateSet:
    """Search in a connection of its own, whose statistics are written when it closes.

    It is by the vector ``by``, or that of item ``meant``; by words alone without either.
    """
    async with opened(database, leading) as store:
        return await store.candidates(
            "big",
            vector=by if meant is None else vector(meant),
            model_id=MODEL,
            terms=query,
            filters=given.pop("filters", Filters()),
            limit=given.pop("limit", 20),
            **given,
        )


async def scans(database: Mapping[str, Any]) -> dict[str, int]:
    """How often each table was read through, and each index used."""
    connection = await asyncpg.connect(**database)
    try:
        rows = await connection.fetch(
            "SELECT 'whole ' || relname AS name, seq_scan AS times FROM pg_stat_user_tables"
            " WHERE schemaname = 'palimpsest'"
            " UNION ALL SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE schemaname = 'palimpsest'"
        )
        return {row["name"]: row["times"] for row in rows}
    finally:
        await connection.close()


async def reads(database: Mapping[str, Any], query: SparseTerms, **given: Any) -> tuple[set[str], CandidateSet]:
    """What a search reads of the large tables, and what it finds."""
    before = await scans(database)
    found = await ask(database, query, **given)
    after = await scans(database)
    used = {name for name, times in after.items() if times > before.get(name, 0)}
    return {"hnsw" if name.startswith("chunk_vectors_") and name[-5:] != "_pkey" else name for name in used}, found


async def graph_rows(database: Mapping[str, Any]) -> int:
    """How many rows the vector index gave so far."""
    connection = await asyncpg.connect(**database)
    try:
        return int(
            await connection.fetchval(
                "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'palimpsest'"
                " AND indexrelname LIKE 'chunk\\_vectors\\_%' AND indexrelname <> 'chunk_vectors_pkey'"
            )
        )
    finally:
        await connection.close()


WHOLE = {f"whole {name}" for name in ("items", "chunks", "chunk_vectors", "contents")}


async def test_many_chunks_are_searched_by_index_and_joined_by_key(big: Mapping[str, Any]) -> None:
    used, found = await reads(big, terms(RARE, EVEN, EVERY), meant=3)
    assert {"hnsw", "chunks_terms", "chunks_pkey", "items_pkey", "term_statistics_pkey"} <= used
    assert not used & WHOLE
    assert not found.exact
    assert found.chunks == ITEMS + 1
    assert len(found.candidates) > 20


async def test_few_chunks_are_all_compared(big: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_tables, "EXACT_UP_TO", 50_000)
    monkeypatch.setattr(search_tables, "EVERY_WORD_UP_TO", 50_000)
    used, found = await reads(big, terms(RARE), meant=3)
    assert "hnsw" not in used
    assert not used & {"whole items", "whole chunks"}
    assert found.exact


async def test_among_few_chunks_a_filter_is_asked_of_every_one(
    big: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_tables, "EVERY_WORD_UP_TO", 50_000)
    for exact_up_to in (500, 50_000):
        monkeypatch.setattr(search_tables, "EXACT_UP_TO", exact_up_to)
        # The first thousands of the best do not pass.
        found = await ask(big, terms(EVEN, EVERY), filters=Filters(content_type="text/odd"), limit=3)
        assert [one.position % 2 for one in found.candidates] == [1, 1, 1]


async def test_a_filter_that_leaves_few_chunks_compares_them_all(big: Mapping[str, Any]) -> None:
    used, found = await reads(big, terms(EVEN, EVERY), meant=3, filters=Filters(tags=("hundredth",)), limit=300)
    assert "items_tags" in used
    assert "hnsw" not in used
    assert not used & (WHOLE - {"whole items"})
    assert found.exact
    ids = {one.item_id for one in found.candidates}
    assert ids == {format_item_id(number) for number in range(100, ITEMS + 1, 100)}
    assert sum(one.dense is not None for one in found.candidates) == EMBEDDED // 100


async def test_rare_words_under_a_filter_that_leaves_few_go_by_the_words(big: Mapping[str, Any]) -> None:
    used, found = await reads(big, terms(71), filters=Filters(tags=("hundredth",)))
    assert {"items_tags", "chunks_terms"} <= used
    assert not used & (WHOLE - {"whole items"})
    assert [one.item_id for one in found.candidates] == [format_item_id(700)]
    assert found.exact


async def test_a_filter_that_leaves_many_goes_on_by_index_and_loses_nothing(big: Mapping[str, Any]) -> None:
    used, found = await reads(big, terms(RARE), meant=3, filters=Filters(content_type="text/even"), limit=50)
    assert "hnsw" in used
    assert not found.exact
    assert sum(one.dense is not None and one.picked for one in found.candidates) >= 50
    assert all(one.position % 2 == 0 for one in found.candidates)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(min_priority=9),
        Filters(as_of=datetime(2020, 1, 10, tzinfo=UTC)),
        Filters(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2020, 1, 2, tzinfo=UTC), min_priority=1),
    ],
    ids=["a tenth", "as of a day", "a day"],
)
async def test_however_much_a_filter_leaves_the_nearest_that_pass_are_found(
    big: Mapping[str, Any], filters: Filters
) -> None:
    used, found = await reads(big, terms(), meant=3, filters=filters, limit=50)
    assert "hnsw" in used
    passing = {one.position: one.dense or 0.0 for one in found.candidates if one.picked}
    assert len(passing) >= 45
    connection = await asyncpg.connect(**big)
    nearest = await connection.fetch(
        "SELECT n.item_id FROM palimpsest.chunk_vectors n JOIN palimpsest.items i USING (namespace_id, item_id)"
        " WHERE i.namespace_id = 'big' AND i.priority >= $1 AND i.happened_at >= $2 AND i.happened_at < $3"
        " ORDER BY n.embedding <=> $4::text::halfvec LIMIT 10",
        filters.min_priority or 0,
        filters.since or datetime(2000, 1, 1, tzinfo=UTC),
        filters.until or filters.as_of or datetime(2100, 1, 1, tzinfo=UTC),
        str(list(vector(3))),
    )
    await connection.close()
    assert len({row["item_id"] for row in nearest} & set(passing)) >= 9


async def test_more_of_the_graph_is_seen_where_words_find_what_it_missed(big: Mapping[str, Any]) -> None:
    connection = await asyncpg.connect(**big)
    nearest = await connection.fetchval(
        "SELECT item_id FROM palimpsest.chunk_vectors WHERE namespace_id = 'big' AND model_id = $1"
        " ORDER BY embedding <=> $2::text::halfvec LIMIT 1",
        *(MODEL, str(list(vector(3)))),
    )

    async def looks() -> int:
        before = await graph_rows(big)
        await ask(big, terms(nearest // 10 + 1), meant=3, limit=300)
        return await graph_rows(big) - before

    first = await looks()
    # The graph does not give it any more, its words do.
    await connection.execute("UPDATE palimpsest.chunk_vectors SET live = false WHERE item_id = $1", nearest)
    await connection.close()
    assert 300 <= first < 600 <= await looks()


async def test_less_of_the_graph_is_seen_where_it_comes_by_what_words_found(big: Mapping[str, Any]) -> None:
    # By the dimensions that the index knows, the items come one after another; by all of them, the ten nearest are the
    # 31st to the 40th.
    connection = await asyncpg.connect(**big)
    await connection.execute(
        "UPDATE palimpsest.chunk_vectors SET embedding = (ARRAY[cos(0.5 + item_id * 0.001),"
        " sin(0.5 + item_id * 0.001), 0, 0, (item_id BETWEEN 31 AND 40)::integer] || array_fill(0, ARRAY[379]))"
        "::vector::halfvec"
    )

    async def looks(query: SparseTerms, nearest: Sequence[int]) -> int:
        before = await graph_rows(big)
        found = await ask(big, query, by=[1, 0, 0, 0, 3] + [0] * 379, leading=4, limit=100)
        best = sorted(found.candidates, key=lambda one: -(one.dense or 0))[: len(nearest)]
        assert {one.item_id for one in best} == set(map(format_item_id, nearest))
        return await graph_rows(big) - before

    # The term 1 is that of the first nine items.
    assert 110 <= await looks(terms(1), range(31, 41)) < 200 < await looks(terms(), range(31, 41))
    # That one more item has it, nearer than all, and is far from there in the index, says that the walk went astray.
    await connection.execute(
        "UPDATE palimpsest.chunks SET impacts = '{1:1}/1000000000' WHERE item_id = 1500;"
        "UPDATE palimpsest.chunk_vectors SET embedding = (ARRAY[cos(2), sin(2), 0, 0, 10] || array_fill(0, ARRAY[379]))"
        "::vector::halfvec WHERE item_id = 1500"
    )
    await connection.close()
    assert await looks(terms(1), [1500, *range(31, 41)]) > 200


async def test_of_many_chunks_only_the_best_have_company(
    big: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_sql(big, "UPDATE palimpsest.items SET memory_type = 'episodic' WHERE namespace_id = 'big'")
    monkeypatch.setattr(search_tables, "_ACCOMPANIED", 2)
    found = (await ask(big, terms(RARE), limit=10)).candidates
    places = {one.position for one in found if one.picked}
    assert places == set(range(760, 770))
    # The two best weigh alike with the others: whichever they are, nobody else brings a neighbour along.
    assert 0 < len(found) - len(places) <= 4
    monkeypatch.setattr(search_tables, "EVERY_WORD_UP_TO", 50_000)
    found = (await ask(big, terms(RARE), limit=10)).candidates
    assert {one.position for one in found} == set(range(758, 772))


async def test_a_frequent_word_is_found_where_it_weighs_most(big: Mapping[str, Any]) -> None:
    used, found = await reads(big, terms(EVEN))
    assert used & {"term_champions_pkey", "whole term_champions"}
    assert "chunks_terms" not in used
    assert {one.item_id for one in found.candidates} <= {
        format_item_id(number) for number in range(500, ITEMS + 1, 500)
    }
    assert len(found.candidates) == 20


async def test_two_frequent_words_are_found_together_and_alone(big: Mapping[str, Any]) -> None:
    found = await ask(big, terms(EVEN, THIRD), limit=60)
    heavy = set(range(500, ITEMS + 1, 500))
    places = {one.position for one in found.candidates}
    assert len(places) == 60
    assert heavy < places
    assert {place % 6 for place in places - heavy} == {0}


async def test_words_are_found_as_well_as_by_going_through_every_chunk(
    big: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [terms(*keys) for keys in ((RARE, EVEN), (EVEN,), (THIRD, EVEN, EVERY), (5, 6, EVERY), (10**9, THIRD))]
    bounded = [await ask(big, query) for query in queries]
    monkeypatch.setattr(search_tables, "EVERY_WORD_UP_TO", 50_000)
    exact = [await ask(big, query) for query in queries]
    for some, every in zip(bounded, exact, strict=True):
        best = sorted((round(one.lexical, 4) for one in some.candidates), reverse=True)
        assert best == sorted((round(one.lexical, 4) for one in every.candidates), reverse=True)


async def test_champions_that_were_forgotten_are_not_found_and_new_items_are(big: Mapping[str, Any]) -> None:
    async with opened(big) as store:
        await store.set_state("big", format_item_id(500), ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
        made = draft("big", "a new text")
        connection = await asyncpg.connect(**big)
        await store.add("big", made, budgets=BUDGETS)
        await connection.execute(
            "UPDATE palimpsest.chunks SET impacts = $2::text::sparsevec"
            " WHERE namespace_id = 'big' AND palimpsest.term_keys(impacts) && $1::integer[]",
            list(words("big", "new").keys),
            f"{{{EVEN}:2.1}}/1000000000",
        )
        await connection.close()
    found = {one.item_id for one in (await ask(big, terms(EVEN), limit=100)).candidates}
    assert made.item_id in found
    assert format_item_id(500) not in found
    assert format_item_id(1000) in found


async def test_the_statistics_of_many_chunks_are_counted_when_they_grew(big: Mapping[str, Any]) -> None:
    connection = await asyncpg.connect(**big)
    read = "SELECT counted_at FROM palimpsest.corpus_statistics WHERE namespace_id = 'big'"
    grow = "UPDATE palimpsest.threads SET chunks = chunks + $1 WHERE namespace_id = 'big'"
    try:
        first = await connection.fetchval(read)
        async with opened(big) as store:
            await connection.execute(grow, 1000)
            await store.reweigh("big", Words())
            assert await connection.fetchval(read) == first
            await connection.execute(grow, 2000)
            await store.reweigh("big", Words())
            assert await connection.fetchval(read) > first
    finally:
        await connection.close()
