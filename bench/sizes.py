"""How much room each table and index of a store takes."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from .stores import Bench

_QUERY = """
SELECT c.relname AS name, coalesce(t.relname, c.relname) AS owner, c.relkind = 'i' AS is_index,
    CASE c.relkind WHEN 'i' THEN pg_relation_size(c.oid) ELSE pg_table_size(c.oid) END AS bytes
FROM pg_class c LEFT JOIN pg_index x ON x.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = x.indrelid
WHERE c.relnamespace = 'palimpsest'::regnamespace AND c.relkind IN ('r', 'i')
    AND coalesce(t.relname, c.relname) <> 'bare'
ORDER BY sum(CASE c.relkind WHEN 'i' THEN pg_relation_size(c.oid) ELSE pg_table_size(c.oid) END)
    OVER (PARTITION BY coalesce(t.relname, c.relname)) DESC, owner, is_index, bytes DESC
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, with what it keeps out of line, or an index of it."""

    name: str
    table: str
    is_index: bool
    megabytes: float


async def relations(bench: Bench) -> list[Relation]:
    """Return the tables, largest first with their indexes, each followed by them; not the bare table beside them."""
    connection = await asyncpg.connect(**bench.connect)
    found = await connection.fetch(_QUERY)
    await connection.close()
    return [Relation(row["name"], row["owner"], row["is_index"], row["bytes"] / 1e6) for row in found]


def show_sizes(found: list[Relation], items: int) -> None:
    """Print what takes at least a hundredth, and the total."""
    total = sum(one.megabytes for one in found)
    print(f"\nroom taken by {items} items: {total:.0f} MB, {total * 1e6 / items:.0f} bytes an item")
    for one in found:
        if one.megabytes >= total / 100:
            print(f"  {'  ' if one.is_index else ''}{one.name:<52} {one.megabytes:8.1f} MB")
