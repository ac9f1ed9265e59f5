"""How long adding, retrieving and searching take in the service, beside the bare statements that they cannot beat.

    python -m palimpsest.bench.latency [--items 10000] [--runs 300]

Every pair is measured in turn, in one run, over the same pool and the same form of transaction. The items are
passages of about 130 tokens of the standard library and the system's documentation.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
from pgvector import HalfVector

from palimpsest.core.ids import parse_item_id
from palimpsest.core.memory import Caller, NewMemory
from palimpsest.core.models import Filters, SparseTerms
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder

from . import corpus
from .figures import alternate, show
from .stores import Bench, open_bench

CALLER = Caller("bench")
ADDERS = 4


async def fill(bench: Bench, texts: Sequence[str]) -> list[str]:
    """Add the texts with several adders and return their ids."""
    await bench.embedder.prepare(texts)
    start = time.perf_counter()
    waiting = list(texts)
    ids: list[str] = []

    async def adder() -> None:
        while waiting:
            receipt = await bench.memory.add(CALLER, NewMemory(waiting.pop()))
            ids.append(receipt.item.item_id)

    await asyncio.gather(*(adder() for _ in range(ADDERS)))
    seconds = time.perf_counter() - start
    print(f"{len(ids)} items added by {ADDERS} adders, vectors made before: {len(ids) / seconds:.0f} a second")
    await bench.store.reweigh(CALLER.namespace, bench.lexicon)
    connection = await asyncpg.connect(**bench.connect)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return ids


async def bare_table(bench: Bench) -> None:
    """Make a table of nothing but key and content, with the same bytes."""
    connection = await asyncpg.connect(**bench.connect)
    await connection.execute(
        'CREATE TABLE palimpsest.bare (namespace_id text COLLATE "C", item_id bigint, content bytea NOT NULL,'
        " PRIMARY KEY (namespace_id, item_id));"
        "INSERT INTO palimpsest.bare SELECT namespace_id, item_id, content FROM palimpsest.contents;"
        "GRANT SELECT, INSERT ON palimpsest.bare TO palimpsest_app"
    )
    await connection.execute("VACUUM ANALYZE palimpsest.bare")
    await connection.close()


async def retrieving(bench: Bench, ids: Sequence[str], runs: int) -> None:
    """Compare retrieving by id with a bare primary-key SELECT."""

    async def service(run: int) -> object:
        return await bench.memory.retrieve(CALLER, ids[run * 7 % len(ids)])

    async def bare(run: int) -> object:
        async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
            return await connection.fetchval(
                "SELECT content FROM palimpsest.bare WHERE namespace_id = $1 AND item_id = $2",
                CALLER.namespace,
                parse_item_id(ids[run * 7 % len(ids)]),
            )

    timings = await alternate({"bare primary-key SELECT": bare, "memory.retrieve": service}, runs)
    show("retrieve by id", timings)
    ratio = timings["memory.retrieve"].p50 / timings["bare primary-key SELECT"].p50
    print(f"  ratio of medians: {ratio:.2f}")


async def adding(bench: Bench, runs: int) -> None:
    """Compare a single add of 200 tokens, embedding included, with the embedder alone and a bare durable INSERT."""
    texts = [text + text[:280] + f" {number}" for number, text in enumerate(corpus.passages(runs + 10, seed=99))]
    embedder = MiniLMEmbedder()
    connection_number = iter(range(1, 10**9))

    async def service(run: int) -> object:
        return await bench.memory.add(CALLER, NewMemory(texts[run]))

    async def embed(run: int) -> object:
        return await embedder.embed([texts[run]])

    async def insert(run: int) -> object:
        async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
            return await connection.execute(
                "INSERT INTO palimpsest.bare VALUES ($1, $2, $3)",
                CALLER.namespace,
                next(connection_number),
                texts[run].encode(),
            )

    timings = await alternate(
        {"embedder alone": embed, "bare durable INSERT of the same bytes": insert, "memory.add": service}, runs
    )
    show("add one text of about 200 tokens, searchable by word and by meaning", timings)
    parts = timings["embedder alone"].p50 + timings["bare durable INSERT of the same bytes"].p50
    print(f"  ratio to the sum of the bare parts: {timings['memory.add'].p50 / parts:.2f}")
    await embedder.aclose()


async def searching(bench: Bench, texts: Sequence[str], runs: int) -> None:
    """Compare a search with its bare parts: the embedder, the vector scan, the word scan."""
    asked = corpus.queries(list(texts), runs + 10)
    embedder = MiniLMEmbedder()
    vectors = await embedder.embed(asked)

    async def service(run: int) -> object:
        return await bench.memory.search(CALLER, asked[run], limit=10)

    async def embed(run: int) -> object:
        return await embedder.embed([asked[run]])

    async def by_meaning(run: int) -> object:
        async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
            return await connection.fetch(
                "SELECT item_id FROM palimpsest.chunk_vectors WHERE namespace_id = $1 AND model_id = $3"
                " ORDER BY (embedding <=> $2) + 0 LIMIT 10",
                CALLER.namespace,
                HalfVector(list(vectors[run])),
                bench.embedder.model_id,
            )

    async def by_word(run: int) -> object:
        terms = bench.lexicon.encode_query(CALLER.namespace, asked[run])
        return await candidates(None, terms)

    async def both(run: int) -> object:
        return await candidates(vectors[run], bench.lexicon.encode_query(CALLER.namespace, asked[run]))

    async def candidates(vector: Any, terms: SparseTerms) -> object:
        return await bench.store.candidates(
            CALLER.namespace,
            vector=vector,
            model_id=bench.embedder.model_id,
            terms=terms,
            filters=Filters(),
            limit=100,
        )

    timings = await alternate(
        {
            "query embedding alone": embed,
            "exact vector scan alone": by_meaning,
            "candidates by word": by_word,
            "candidates by both": both,
            "memory.search": service,
        },
        runs,
    )
    show(f"search among {len(texts)} items", timings)
    await embedder.aclose()


async def run(items: int, runs: int) -> None:
    """Fill a fresh store and measure."""
    texts = corpus.passages(items)
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        async with open_bench(Path(folder)) as bench:
            ids = await fill(bench, texts)
            await bare_table(bench)
            await retrieving(bench, ids, runs)
            await searching(bench, texts, runs)
            await adding(bench, min(runs, 200))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=300)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.items, arguments.runs))


if __name__ == "__main__":
    main()
