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

from palimpsest.core.models import NO_TERMS

from .asking import TOP, candidates
from .bulk import CALLER, batching
from .exact import ExactVectors, recall
from .figures import Numbers, Timings, alternate
from .stores import Bench

if TYPE_CHECKING:
    from palimpsest.storage.pool import Connection

EFFORTS = (100, 200, 400, 800)
_RIGHT = 10


async def effort_of_search(bench: Bench, vector: Sequence[float]) -> int:
    """Return the ef_search that a search of this store runs with, pgvector's default where it leaves that."""
    async with batching(bench) as connection, connection.transaction():
        await connection.execute("SELECT set_config('palimpsest.namespace', $1, true)", CALLER.namespace)
        await candidates(bench, vector, NO_TERMS)
        return int(await connection.fetchval("SELECT current_setting('hnsw.ef_search')"))


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
    """Return the cosines of the nearest by the index, best first."""
    model = bench.embedder.model_id.replace("'", "''")
    order = f"embedding::halfvec({bench.embedder.dimensions}) <=> $2"
    found = await connection.fetch(
        f"SELECT item_id, ordinal, {order} AS distance FROM palimpsest.chunk_vectors"
        f" WHERE namespace_id = $1 AND live AND model_id = '{model}' ORDER BY {order} LIMIT {TOP}",
        *(CALLER.namespace, HalfVector(list(vector))),
    )
    return sorted((1 - row["distance"] for row in found), reverse=True)


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
