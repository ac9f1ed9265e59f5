"""Which of a query's words choose chunks by themselves, which two by two, and which by their champions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest


@pytest.mark.parametrize(
    ("known", "condition", "frequent"),
    [
        ([5], "(K && '{1}'::integer[])", []),
        ([5, 900, 2500], "(K && '{1,2,3}'::integer[])", []),
        ([5, 1200, 2500], "(K && '{1,2}'::integer[])", [3]),
        ([9000], "false", [1]),
        ([9000, 90_000], "(K @> '{1,2}'::integer[])", [1, 2]),
        ([9000, 9000, 60_000], "(K @> '{1,2}'::integer[])", None),
        (
            [5, 9000, 90_000],
            "(K && '{1}'::integer[] OR K @> '{2,3}'::integer[])",
            [2, 3],
        ),
        (
            [9000, 9000, 9000, 90_000],
            " OR ".join(f"K @> '{{{p}}}'::integer[]" for p in ("1,2", "1,3", "2,3")),
            None,
        ),
    ],
)
async def test_rare_words_select_alone_and_frequent_ones_in_pairs(
    database: Mapping[str, Any], known: list[float], condition: str, frequent: list[int] | None
) -> None:
    connection = await asyncpg.connect(**database)
    try:
        row = await connection.fetchrow(
            "SELECT * FROM palimpsest.word_plan($1::integer[], $2::double precision[], 1)",
            list(range(1, len(known) + 1)),
            known,
        )
    finally:
        await connection.close()
    assert row is not None
    assert row["condition"].replace("term_keys(x.impacts)", "K").strip("()") == condition.strip("()")
    assert row["frequent"] == (list(range(1, len(known) + 1)) if frequent is None else frequent)
