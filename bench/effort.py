"""What the vector index alone finds, and how long it takes, by how many candidates it keeps in view (ef_search)."""

from __future__ import annotations

import statistics
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from .asking import TOP, candidates
from .bulk import CALLER, batching
from .exact import ExactVectors, recall
from .figures import Numbers, Timings, alternate
from .stores import Bench

if TYPE_CHECKING:
    from palimpsest.storage.pool import Connection

EFFORTS = (100, 200, 400, 800)
_RIGHT = 10


async def effort_of_search(bench: Bench, queries: Sequence[str], vectors: Sequence[Sequence[float]]) -> int:
    """Return the ef_search that searches of this store begin with, pgvector's default where they leave that."""
    seen: list[int] = []
    for query, vector in zip(queries, vectors, strict=True):
        words = bench.lexicon.encode_query(CALLER.namespace, query)
        async with batching(bench) as connection, connection.transaction():
            await connection.execute("SELECT set_config('palimpsest.namespace', $1, true)", CALLER.namespace)
            await candidates(bench, vector, words)
            seen.append(int(await connection.fetchval("SELECT current_setting('hnsw.ef_search')")))
    # Some look further than they began.
    return min(seen)


@asynccontextmanager
async def index_alone(bench: Bench, effort: int) -> AsyncGenerator[Connection, None]:
    """Give a connection on which ``nearest`` asks the index, whatever the planner thinks of it."""
    connection = await asyncpg.connect(**bench.connect)
    await register_vector(connection)
    await connection.execute(
        f"SET hnsw.ef_search = {effort}; SET hnsw.iterative_scan = relaxed_order; SET enable_seqscan = off;"
        "SET enable_bitmapscan = off; SET enable_sort = off; SET jit = off"
    )
    try:
        yield connection
    finally:
        await connection.close()


async def nearest(bench: Bench, connection: Connection, vector: Sequence[float]) -> list[float]:
    """Return the cosines of the nearest by the index, best first; it goes by the leading dimensions."""
    model, leading = bench.embedder.model_id.replace("'", "''"), bench.embedder.leading
    order = " <=> ".join(f"subvector({one}, 1, {leading})::halfvec({leading})" for one in ("embedding", "$2::halfvec"))
    found = await connection.fetch(
        "SELECT item_id, ordinal, embedding <=> $2 AS distance FROM palimpsest.chunk_vectors"
        f" WHERE namespace_id = $1 AND live AND model_id = '{model}' ORDER BY {order} LIMIT {2 * TOP}",
        *(CALLER.namespace, HalfVector(list(vector))),
    )
    return sorted((1 - row["distance"] for row in found), reverse=True)[:TOP]


async def by_effort(bench: Bench, exact: ExactVectors, vectors: Sequence[Sequence[float]]) -> tuple[Timings, Numbers]:
    """Return for each effort the timing, and the share in percent of the 10 nearest that are found."""
    thresholds = exact.thresholds(vectors, _RIGHT)
    timings: Timings = {}
    shares: Numbers = {}
    for effort in EFFORTS:
        found: dict[int, list[float]] = {}
        async with index_alone(bench, effort) as connection:
            ask = partial(_ask, bench, connection, vectors, found)
            timings |= await alternate({f"ef_search {effort}": ask}, len(vectors), warm=2)
        rights = [recall(found[place][:_RIGHT], threshold, _RIGHT) for place, threshold in enumerate(thresholds)]
        shares[f"ef_search {effort}"] = 100 * statistics.fmean(rights)
    return timings, shares


async def _ask(
    bench: Bench, connection: Connection, vectors: Sequence[Sequence[float]], found: dict[int, list[float]], run: int
) -> None:
    place = run % len(vectors)
    found[place] = await nearest(bench, connection, vectors[place])
