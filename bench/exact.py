"""The right answers, without any index that could miss one: cosines by numpy, BM25 by every chunk with a term."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
import numpy as np
import numpy.typing as npt
from pgvector import SparseVector
from pgvector.asyncpg import register_vector

from palimpsest.core.models import SparseTerms
from palimpsest.slm.lexical import DIMENSIONS as TERM_DIMENSIONS

from .bulk import CALLER
from .stores import Bench

if TYPE_CHECKING:
    from palimpsest.storage.pool import Connection

_ROWS = 50_000
_HEADER_BYTES = 4
NOISE = 1e-5
"""Scores that differ by less are taken as equal: a database adds single-precision numbers in another order."""


class ExactVectors:
    """Every vector of a store's active chunks, in memory."""

    def __init__(self, item_ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.float16]) -> None:
        """Use ``read``."""
        self._item_ids = item_ids
        self._vectors = vectors

    @classmethod
    async def read(cls, bench: Bench) -> ExactVectors:
        """Read them out of the database."""
        connection = await asyncpg.connect(**bench.connect)
        # As bytes: a Python list for each of 500,000 vectors would take longer than all comparisons.
        await connection.set_type_codec("halfvec", schema="public", encoder=bytes, decoder=bytes, format="binary")
        ids: list[int] = []
        parts: list[npt.NDArray[np.float16]] = []
        async with connection.transaction():
            cursor = await connection.cursor(
                "SELECT item_id, embedding FROM palimpsest.chunk_vectors"
                " WHERE namespace_id = $1 AND model_id = $2 AND live",
                *(CALLER.namespace, bench.embedder.model_id),
            )
            while found := await cursor.fetch(_ROWS):
                ids += [row["item_id"] for row in found]
                raw = b"".join(row["embedding"][_HEADER_BYTES:] for row in found)
                parts.append(np.frombuffer(raw, dtype=">f2").astype(np.float16).reshape(len(found), -1))
        await connection.close()
        return cls(np.array(ids, dtype=np.int64), np.concatenate(parts))

    def thresholds(self, queries: Sequence[Sequence[float]], top: int, among: set[int] | None = None) -> list[float]:
        """Return each query's ``top``-th best cosine among the chunks of some items, or -1 where there are fewer."""
        chosen = self._vectors if among is None else self._vectors[np.isin(self._item_ids, list(among))]
        if len(chosen) < top:
            return [-1.0] * len(queries)
        # Queries reach the database as half-precision numbers too.
        asked = np.asarray(queries, dtype=np.float16).astype(np.float32).T
        best = np.full((top, len(queries)), -2.0, dtype=np.float32)
        for start in range(0, len(chosen), _ROWS):
            block = chosen[start : start + _ROWS].astype(np.float32)
            norms = np.linalg.norm(block, axis=1, keepdims=True) * np.linalg.norm(asked, axis=0)
            best = np.partition(np.concatenate([best, block @ asked / norms]), -top, axis=0)[-top:]
        return [float(value) for value in best.min(axis=0)]


async def bm25_thresholds(bench: Bench, queries: Sequence[SparseTerms], top: int) -> list[float]:
    """Return each query's ``top``-th best BM25, 0 where fewer chunks have any of its terms."""
    connection = await asyncpg.connect(**bench.connect)
    await register_vector(connection)
    # The planner cannot know that almost every row may have to be looked at; without bitmaps it would sort them all.
    await connection.execute("SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1")
    scores = [await _bm25_threshold(connection, query, top) for query in queries]
    await connection.close()
    return scores


async def _bm25_threshold(connection: Connection, query: SparseTerms, top: int) -> float:
    weights = await _weights(connection, query)
    found = await connection.fetch(
        "SELECT -(impacts <#> $2) AS score FROM palimpsest.chunks"
        " WHERE namespace_id = $1 AND live AND palimpsest.term_keys(impacts) && $3::integer[]"
        " ORDER BY impacts <#> $2 LIMIT $4",
        *(CALLER.namespace, SparseVector(weights, TERM_DIMENSIONS), list(query.keys), top),
    )
    return float(found[-1]["score"]) if len(found) == top else 0.0


async def _weights(connection: Connection, query: SparseTerms) -> dict[int, float]:
    """Return the inverse document frequencies times the query's counts, by place in the sparse vector from 0."""
    total = await connection.fetchval(
        "SELECT chunks FROM palimpsest.corpus_statistics WHERE namespace_id = $1", CALLER.namespace
    )
    rows: Sequence[Any] = await connection.fetch(
        "SELECT key, chunks FROM palimpsest.term_statistics WHERE namespace_id = $1 AND key = ANY($2::integer[])",
        *(CALLER.namespace, list(query.keys)),
    )
    known = {row["key"]: row["chunks"] for row in rows}
    weights: dict[int, float] = {}
    for key, count in zip(query.keys, query.counts, strict=True):
        holding = known.get(key, 1)
        weights[key - 1] = count * math.log(1 + (total - holding + 0.5) / (holding + 0.5))
    return weights


def recall(scores: Sequence[float], threshold: float, top: int, available: int | None = None) -> float:
    """Return the share of the ``top`` best that are among ``scores``: of those at or above the threshold.

    Whichever of several equals were found counts, so that ties cost nothing. ``available`` says that there are fewer
    than ``top``.
    """
    wanted = top if available is None else min(top, available)
    right = sum(score >= threshold - NOISE * max(1.0, abs(threshold)) for score in scores)
    return min(right, wanted) / wanted if wanted else 1.0
