"""How PostgreSQL looks for versions among many items: by their keys, with a bounded number of rows."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from palimpsest.storage.queries import load

ITEMS = 20_000
# Every item has a tail of its own, 20 share a middle, all have the same head: as if each were about "the user".
_FILL = f"""
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ('big');
    INSERT INTO palimpsest.threads (namespace_id, thread) VALUES ('big', 'main');
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, content_type, memory_type, priority,
        pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at, position,
        head, middle, tail, lineage, latest)
    SELECT 'big', n, 'main', 1, 'active', 'text/plain', 'document', 5, false, '{{}}', sha256(n::text::bytea), 20, 5,
        'test', 0, '{{}}', now(), now(), n, 7, n / 20, n, 1 + n % 2, n > {ITEMS} - 2
    FROM generate_series(1, {ITEMS}) AS n;
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content)
    SELECT 'big', n, 1, convert_to('text ' || n, 'UTF8')
    FROM generate_series(1, {ITEMS}) AS n;
"""


@pytest_asyncio.fixture(params=["never analyzed", "analyzed"])
async def connection(
    request: pytest.FixtureRequest, database: Mapping[str, Any]
) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record], None]:
    opened = await asyncpg.connect(**database)
    try:
        await opened.execute(_FILL)
        if request.param == "analyzed":
            await opened.execute("ANALYZE palimpsest.items, palimpsest.contents")
        await opened.execute("SET ROLE palimpsest_app")
        await opened.execute("SELECT set_config('palimpsest.namespace', 'big', false)")
        yield opened
    finally:
        await opened.close()


async def explained(connection: asyncpg.Connection[asyncpg.Record], name: str, *arguments: object) -> dict[str, Any]:
    query = load({"vectors": "public", "app": "palimpsest_app", "search": "palimpsest_search"})[name]
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {query}", *arguments)
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def blocks(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_versions_are_looked_for_by_their_keys_the_newest_first(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    arguments = ("big", "main", 0, b"\x00" * 32, [7, 8], [300, 301], [17, ITEMS + 1], 16, 65_536)
    plan = await explained(connection, "nominees", *arguments)
    used = {node.get("Index Name") for node in nodes(plan)}
    assert {"items_head", "items_middle", "items_tail"} <= used
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert plan["Actual Rows"] == 16 + 2 * 16 + 1
    assert blocks(plan) < 1_500


async def test_a_lineage_of_thousands_is_settled_without_reading_them(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    plan = await explained(connection, "settle_lineage", "big", 1, 0)
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node.get("Relation Name")]
    assert blocks(plan) < 500
