"""How long adding, retrieving and searching take in the service, beside the bare statements that they cannot beat.

    python -m palimpsest.bench.latency [--items 10000] [--runs 200] [--clients 8] [--store FOLDER]

The items are passages of about 130 tokens of the standard library and the system's documentation. Their store is made
at the first run, in the user's cache folder unless ``--store`` says where, and used again by later ones. Every pair is
measured in turn, in one run, over the same pool and the same form of transaction; a call is asked each query once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from palimpsest.core.ids import format_item_id, parse_item_id
from palimpsest.core.memory import NewMemory
from palimpsest.core.models import NO_TERMS
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder

from . import bulk, corpus, questions
from .asking import NARROW, candidates
from .bulk import CALLER
from .effort import by_effort, effort_of_search, index_alone, nearest
from .exact import ExactVectors
from .figures import Call, Numbers, Timings, alternate, at_once, hardware, show, show_numbers, summarize
from .filters import recalls
from .sizes import relations, show_sizes
from .stores import Bench, open_bench

LIMIT = 10
RECALL_QUERIES = 100
COLD_QUERIES = 20
RESTARTS = 3
FIGURES = "figures.json"
RETRIEVE, SEARCH, ADD = "retrieve by id", "search", "add one text of about 200 tokens"


async def some_ids(bench: Bench, count: int) -> list[str]:
    """Return ids from all over the store."""
    connection = await asyncpg.connect(**bench.connect)
    found = await connection.fetch(
        "SELECT item_id FROM palimpsest.bare WHERE namespace_id = $1 ORDER BY hashint8(item_id) LIMIT $2",
        *(CALLER.namespace, count),
    )
    await connection.close()
    return [format_item_id(row["item_id"]) for row in found]


async def retrieving(bench: Bench, runs: int) -> Timings:
    """Compare retrieving by id with a bare primary-key SELECT of the same bytes."""
    ids = await some_ids(bench, runs + 10)

    async def service(run: int) -> object:
        return await bench.memory.retrieve(CALLER, ids[run])

    async def bare(run: int) -> object:
        async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
            return await connection.fetchval(
                "SELECT content FROM palimpsest.bare WHERE namespace_id = $1 AND item_id = $2",
                *(CALLER.namespace, parse_item_id(ids[run])),
            )

    timings = await alternate({"bare primary-key SELECT": bare, "memory.retrieve": service}, runs)
    show("retrieve by id", timings)
    return timings


async def adding(bench: Bench, runs: int) -> Timings:
    """Compare a single add of 200 tokens, embedding included, with the embedder alone and a bare durable INSERT."""
    texts = [text + text[:280] + f" {number}" for number, text in enumerate(corpus.passages(runs + 10, seed=99))]
    embedder = MiniLMEmbedder()
    numbers = iter(range(1, 10**9))
    made: list[str] = []

    async def service(run: int) -> object:
        receipt = await bench.memory.add(CALLER, NewMemory(texts[run], thread=f"notes-{run % bulk.THREADS:04d}"))
        made.append(receipt.item.item_id)
        return receipt

    async def embed(run: int) -> object:
        return await embedder.embed([texts[run]])

    async def insert(run: int) -> object:
        async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
            return await connection.execute(
                "INSERT INTO palimpsest.bare VALUES ($1, $2, $3)",
                *(CALLER.namespace, next(numbers), texts[run].encode()),
            )

    timings = await alternate(
        {"embedder alone": embed, "bare durable INSERT of the same bytes": insert, "memory.add": service}, runs
    )
    show("add one text of about 200 tokens, searchable by word and by meaning", timings)
    # The store is to be the same for the next run.
    for item_id in made:
        await bench.memory.forget(CALLER, item_id, "purge")
    async with bench.store._pool.transaction(CALLER.namespace) as connection:  # pyright: ignore[reportPrivateUsage]
        await connection.execute("DELETE FROM palimpsest.bare WHERE item_id < $1", next(numbers))
    await embedder.aclose()
    return timings


class Asked:
    """Queries with their vectors; each of several calls comes to each query once, at another time."""

    def __init__(self, bench: Bench, queries: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """``vectors`` are those of ``queries``, which are all distinct."""
        self._bench = bench
        self._queries = queries
        self._vectors = vectors
        self._terms = [bench.lexicon.encode_query(CALLER.namespace, one) for one in queries]

    def place(self, run: int, turn: int) -> int:
        """Return which query the call that comes ``turn``-th in each run is asked."""
        return (run + turn * len(self._queries) // 8) % len(self._queries)

    async def embed(self, run: int) -> object:
        return await self._bench.embedder.embed([self._queries[self.place(run, 0)]])

    async def by_meaning(self, run: int) -> object:
        return await candidates(self._bench, self._vectors[self.place(run, 2)], NO_TERMS)

    async def by_word(self, run: int) -> object:
        return await candidates(self._bench, None, self._terms[self.place(run, 3)])

    async def both(self, run: int) -> object:
        place = self.place(run, 4)
        return await candidates(self._bench, self._vectors[place], self._terms[place])

    async def search(self, run: int) -> object:
        return await self._bench.memory.search(CALLER, self._queries[self.place(run, 5)], limit=LIMIT)

    async def narrowed(self, name: str, turn: int, run: int) -> object:
        query = self._queries[self.place(run, turn)]
        return await self._bench.memory.search(CALLER, query, limit=LIMIT, filters=NARROW[name].filters)

    async def nearest(self, connection: Any, run: int) -> object:
        """Ask for the nearest by the vector index alone."""
        return await nearest(self._bench, connection, self._vectors[self.place(run, 1)])


async def searching(bench: Bench, asked: Asked, runs: int, effort: int) -> Timings:
    """Compare a search with its bare parts: the embedder, the vector index, the two kinds of candidates."""
    async with index_alone(bench, effort) as connection:
        timings = await alternate(
            {
                "query embedding alone": asked.embed,
                "vector index alone (HNSW), 100 nearest": partial(asked.nearest, connection),
                "candidates by meaning": asked.by_meaning,
                "candidates by word": asked.by_word,
                "candidates by both": asked.both,
                "memory.search": asked.search,
            },
            runs,
        )
    show("search, one client, warm", timings)
    return timings


async def narrowing(asked: Asked, runs: int) -> Timings:
    """Compare searches under filters with one without."""

    calls: dict[str, Call] = {"no filter": asked.search}
    for turn, name in enumerate(NARROW):
        calls[f"filter that leaves {name}"] = partial(asked.narrowed, name, turn)
    timings = await alternate(calls, runs)
    show("search under filters, one client, warm", timings)
    return timings


async def crowding(asked: Asked, runs: int, clients: int) -> tuple[Timings, Numbers]:
    """Let several clients search at the same time, and do the parts of it."""
    calls = {
        "query embedding alone": asked.embed,
        "candidates by both": asked.both,
        "memory.search": asked.search,
    }
    timings: Timings = {}
    rates: Numbers = {}
    for name, call in calls.items():
        timings[name], rates[f"{name}, calls a second"] = await at_once(call, runs, clients)
    show(f"{clients} clients at once", timings)
    show_numbers(f"{clients} clients at once", rates)
    return timings, rates


async def first_searches(folder: Path, queries: Sequence[str], **options: Any) -> Timings:
    """Time searches right after a start of the database and of the service; the system's file cache stays as it is."""
    first: list[float] = []
    others: list[float] = []
    for restart in range(RESTARTS):
        async with open_bench(folder, **options) as bench:
            # The service does not read the files of vectors, the benchmark does.
            await bench.embedder.prepare([])
            for number, query in enumerate(queries[restart * COLD_QUERIES : (restart + 1) * COLD_QUERIES]):
                start = time.perf_counter()
                await bench.memory.search(CALLER, query, limit=LIMIT)
                (others if number else first).append(time.perf_counter() - start)
    timings = {"first search, model loaded in it": summarize(first), "the 19 after it": summarize(others)}
    show(f"search after a restart of the database and the service, {RESTARTS} restarts", timings)
    return timings


async def finding(
    bench: Bench, queries: Sequence[str], vectors: Sequence[Sequence[float]], timings: Any, numbers: Any
) -> None:
    """Compare what is found with what is right; into ``timings`` and ``numbers`` by section."""
    exact = await ExactVectors.read(bench)
    numbers["share found, %"] = await recalls(bench, exact, queries, vectors)
    show_numbers("share found, %", numbers["share found, %"])
    name = "vector index alone"
    timings[name], numbers[f"{name}, share of the 10 nearest, %"] = await by_effort(bench, exact, vectors)
    show(name, timings[name])
    show_numbers("share of the 10 nearest, %", numbers[f"{name}, share of the 10 nearest, %"])


def ratios(timings: Mapping[str, Timings]) -> Numbers:
    """Return by how much the service takes longer than the bare things that it is made of."""
    retrieve, search, add = timings[RETRIEVE], timings[SEARCH], timings[ADD]
    return {
        "memory.retrieve to the bare SELECT": retrieve["memory.retrieve"].p50 / retrieve["bare primary-key SELECT"].p50,
        "memory.search to embedding and candidates": search["memory.search"].p50
        / (search["query embedding alone"].p50 + search["candidates by both"].p50),
        "candidates by meaning to the index alone": search["candidates by meaning"].p50
        / search["vector index alone (HNSW), 100 nearest"].p50,
        "memory.add to embedding and a bare INSERT": add["memory.add"].p50
        / (add["embedder alone"].p50 + add["bare durable INSERT of the same bytes"].p50),
    }


async def run(items: int, runs: int, clients: int, folder: Path, **options: Any) -> dict[str, Any]:
    """Make the store where it is missing, measure, and keep the figures beside the store."""
    await bulk.ensure(folder, items)
    queries = questions.standard(max(runs + 10, RESTARTS * COLD_QUERIES))
    found: dict[str, Any] = {"items": items, "hardware": hardware(), "timings": {}, "numbers": {}}
    timings, numbers = found["timings"], found["numbers"]
    timings["search after a restart"] = await first_searches(folder, queries, **options)
    async with open_bench(folder, **options) as bench:
        vectors = await bench.embedder.embed(queries)
        asked = Asked(bench, queries, vectors)
        timings[RETRIEVE] = await retrieving(bench, runs)
        effort = await effort_of_search(bench, queries[:10], vectors[:10])
        timings[SEARCH] = await searching(bench, asked, runs, effort)
        timings["search under filters"] = await narrowing(asked, runs)
        timings[f"{clients} clients"], numbers[f"{clients} clients"] = await crowding(asked, runs, clients)
        await finding(bench, queries[:RECALL_QUERIES], vectors[:RECALL_QUERIES], timings, numbers)
        timings[ADD] = await adding(bench, min(runs, 100))
        sizes = await relations(bench)
        show_sizes(sizes, items)
        numbers["room taken, MB"] = {("index " if one.is_index else "") + one.name: one.megabytes for one in sizes}
    numbers["ratios of medians"] = ratios(timings)
    show_numbers("ratios of medians", numbers["ratios of medians"])
    (folder / FIGURES).write_text(json.dumps(found, default=asdict))
    return found


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--shared-buffers", type=int, help="MB, instead of what fits the machine")
    arguments = parser.parse_args()
    folder = arguments.store or bulk.default_folder(arguments.items)
    asyncio.run(
        run(arguments.items, arguments.runs, arguments.clients, folder, shared_buffers_mb=arguments.shared_buffers)
    )


if __name__ == "__main__":
    main()
