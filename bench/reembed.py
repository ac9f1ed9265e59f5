"""A memory moves to another embedding model under live searches and adds, and the process that moves it is killed.

    python -m palimpsest.bench.reembed [--items 20000] [--rate 5] [--kill-at 0.4]

It is filled under a model of hashed words (256 dimensions) and moves to the bundled one (384), which a worker process
computes at its real cost. Searches come at a steady rate, whether the ones before have been answered or not. One fails
that raises, finds nothing, has a note, or has a candidate without a similarity in the space of the query: the
last would be a space that does not cover everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.chunking import StructureChunker
from palimpsest.core.clock import SystemClock
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Memory
from palimpsest.core.models import CandidateSet, Space
from palimpsest.core.ports import Embedder
from palimpsest.core.reembedding import Reembedder
from palimpsest.core.services import Ports, build_services
from palimpsest.core.spaces import Spaces
from palimpsest.core.usage import UsageLog
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.times import EnglishTimes
from palimpsest.slm.tokens import choose_counter
from palimpsest.slm.typos import TypoSpeller
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import PostgresStore, open_store

from . import corpus
from .figures import show, summarize

ME = Caller("bench")
ADDERS = 4
LATE_EVERY_SECONDS = 1.0
LEASE_SECONDS = 10.0
KEEP_SECONDS = 10.0


class HashedWords:
    """An embedder that costs next to nothing: a direction a word."""

    model_id = "hashed-words/256"
    dimensions = 256
    leading: int | None = None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self._one(text) for text in texts]

    async def aclose(self) -> None:
        return None

    def _one(self, text: str) -> list[float]:
        values = [0.001] * self.dimensions
        for word in text.lower().split():
            values[zlib.crc32(word.encode()) % self.dimensions] += 1.0
        norm = math.hypot(*values)
        return [value / norm for value in values]


def former(space: Space) -> Embedder | None:
    """Return the model of before."""
    return HashedWords() if space.model_id == HashedWords.model_id else None


class Watch:
    """Stands before a store's candidates: which space each search compared in, and how many met a chunk outside it."""

    def __init__(self, store: PostgresStore) -> None:
        self._candidates = store.candidates
        self.asked: list[str] = []
        self.bare = 0
        store.candidates = self  # type: ignore[method-assign]

    async def __call__(self, namespace: str, **given: Any) -> CandidateSet:
        found = await self._candidates(namespace, **given)
        self.asked.append(given["model_id"])
        self.bare += given["vector"] is None or any(cosine is None for cosine in found.dense)
        return found


@dataclass(frozen=True, slots=True)
class Server:
    """A server's parts."""

    memory: Memory
    store: PostgresStore
    spaces: Spaces
    embedder: Embedder
    watch: Watch


@asynccontextmanager
async def serving(connect: Mapping[str, Any], embedder: Embedder) -> AsyncGenerator[Server, None]:
    """Open a memory whose settings name this embedder."""
    store = await open_store(
        connect, embedding_model=embedder.model_id, dimensions=embedder.dimensions, leading=embedder.leading
    )
    watch = Watch(store)
    counter = choose_counter("estimate")
    spaces, lexicon = Spaces(store=store, embedder=embedder, former=former), WordEncoder()
    ports = Ports(
        store=store,
        embedder=embedder,
        lexicon=lexicon,
        times=EnglishTimes(),
        speller=TypoSpeller(lexicon),
        counter=counter,
        chunker=StructureChunker(),
        compressor=ExtractiveCompressor(counter),
        clock=SystemClock(),
        budgets=fixed_budget(10**9),
        usage=UsageLog(),
        spaces=spaces,
    )
    await spaces.announce(ME.namespace)
    try:
        yield Server(build_services(ports).memory, store, spaces, embedder, watch)
    finally:
        await spaces.aclose()
        await store.aclose()
        await embedder.aclose()


async def work(connect: Mapping[str, Any]) -> None:
    """Be the worker process: move the memory, and say how many texts that took."""
    async with serving(connect, MiniLMEmbedder()) as server:
        runner = Reembedder(
            store=server.store, spaces=server.spaces, owner=f"worker-{time.time_ns()}", lease_seconds=LEASE_SECONDS,
            keep_seconds=KEEP_SECONDS,
        )  # fmt: skip
        jobs = JobRunner(
            store=server.store, embedder=server.embedder, lexicon=WordEncoder(), owner=f"jobs-{time.time_ns()}",
            spaces=server.spaces,
        )  # fmt: skip
        print("ready", flush=True)
        while (state := await server.store.spaces(ME.namespace)) is not None:
            await jobs.drain(ME.namespace)
            if await runner.run_one(ME.namespace) is not None:
                continue
            left = {one.kind for one in await server.store.job_counts(ME.namespace)}
            if not state.moving and "reembed" not in left:
                return
            await asyncio.sleep(0.5)


@dataclass(slots=True)
class Traffic:
    """What searches and adds beside the move came to, by phase."""

    memory: Memory
    queries: Sequence[str]
    phase: str = "before"
    taken: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    failures: list[str] = field(default_factory=list[str])
    late: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def search(self, number: int) -> None:
        """Search once."""
        begin, phase = time.perf_counter(), self.phase
        try:
            answer = await self.memory.search(ME, self.queries[number % len(self.queries)])
        except Exception as error:
            self.failures.append(repr(error))
            return
        self.taken.setdefault(phase, []).append(time.perf_counter() - begin)
        if not answer.hits or answer.notes:
            self.failures.append(f"{len(answer.hits)} hits, notes {answer.notes}")

    async def come(self, rate: float) -> None:
        """Search at a rate, and add an item now and then, until cancelled."""
        begin, number = time.perf_counter(), 0
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self.search(number))
                if number % max(1, round(rate * LATE_EVERY_SECONDS)) == 0:
                    group.create_task(self.add(f"late{number}word came {time.time_ns()} while the memory moved"))
                number += 1
                await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))

    async def add(self, text: str) -> None:
        """Add an item."""
        receipt = await self.memory.add(ME, NewMemory(text))
        self.late.append((receipt.item.item_id, text))


async def fill(memory: Memory, texts: Sequence[str]) -> None:
    """Add the texts with several adders."""
    waiting = list(texts)

    async def adder() -> None:
        while waiting:
            await memory.add(ME, NewMemory(waiting.pop()))

    await asyncio.gather(*(adder() for _ in range(ADDERS)))


async def start_worker(connect: Mapping[str, Any]) -> asyncio.subprocess.Process:
    """Start a worker process and wait until it works."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "palimpsest.bench.reembed", "--work", json.dumps(dict(connect)),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"ready\n"
    return worker


async def move(server: Server, connect: Mapping[str, Any], traffic: Traffic, kill_at: float) -> None:
    """Move the memory, killing the process that does it on the way."""
    begin = time.perf_counter()
    worker = await start_worker(connect)
    while (
        reach := await server.store.coverage(ME.namespace, MiniLMEmbedder().model_id)
    ).vectors < kill_at * reach.chunks:
        await asyncio.sleep(0.5)
    worker.kill()
    await worker.wait()
    reach = await server.store.coverage(ME.namespace, MiniLMEmbedder().model_id)
    print(f"worker killed after {time.perf_counter() - begin:.0f} s at {reach.vectors:,} of {reach.chunks:,} passages")
    worker, killed = await start_worker(connect), time.perf_counter()
    while (now := await server.store.coverage(ME.namespace, MiniLMEmbedder().model_id)).vectors <= reach.vectors + 32:
        await asyncio.sleep(0.2)
    print(
        f"the next one goes on at {now.vectors:,} after {time.perf_counter() - killed:.0f} s "
        f"(a lease lasts {LEASE_SECONDS:.0f} s)"
    )
    while (state := await server.store.spaces(ME.namespace)) is not None and state.moving:
        await asyncio.sleep(0.2)
    traffic.phase = "after the switch"
    print(f"switched {time.perf_counter() - begin:.0f} s after the start")
    assert await worker.wait() == 0
    print(f"the former model's vectors and index dropped {time.perf_counter() - begin:.0f} s after the start")


def nothing_to_tell(query: str) -> bool:
    """Say whether a query has words and names no time, so that a note of its search tells of something that failed."""
    reading = EnglishTimes().read(query, datetime.now(UTC))
    return bool(WordEncoder().encode_query(ME.namespace, query).keys) and reading.time is None and not reading.invalid


async def measure(items: int, rate: float, kill_at: float) -> int:
    """Run it all and print; return how many searches failed."""
    texts = corpus.passages(items)
    queries = [one for one in corpus.queries(texts, 500) if nothing_to_tell(one)]
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        config = EmbeddedConfig(data_dir=Path(folder), idle_seconds=0)
        async with EmbeddedServer(config) as endpoint:
            connect = asdict(endpoint)
            async with serving(connect, HashedWords()) as server:
                begin = time.perf_counter()
                await fill(server.memory, texts)
                await server.store.reweigh(ME.namespace, WordEncoder())
                print(f"{len(texts):,} items added in {time.perf_counter() - begin:.0f} s")
            async with serving(connect, MiniLMEmbedder()) as server:
                failed = await under_traffic(server, connect, Traffic(server.memory, queries), rate, kill_at)
        while not await stop(config):
            await asyncio.sleep(0.05)
    return failed


async def under_traffic(
    server: Server, connect: Mapping[str, Any], traffic: Traffic, rate: float, kill_at: float
) -> int:
    """Search before, during and after the move, and print what came of it."""
    coming = asyncio.create_task(traffic.come(rate))
    await asyncio.sleep(20)
    traffic.phase = "while it moves"
    await move(server, connect, traffic, kill_at)
    await asyncio.sleep(20)
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    show("searches", {phase: summarize(taken) for phase, taken in traffic.taken.items()})
    for phase, taken in traffic.taken.items():
        print(f"  longest {phase:<44} {1000 * max(taken):8.0f} ms")
    asked, bare = server.watch.asked, server.watch.bare
    print(f"searches compared in each space: { {model: asked.count(model) for model in dict.fromkeys(asked)} }")
    found = 0
    for item_id, text in traffic.late:
        answer = await traffic.memory.search(ME, text)
        found += item_id in {hit.item.item_id for hit in answer.hits}
    reach = await server.store.coverage(ME.namespace, MiniLMEmbedder().model_id)
    old = await server.store.coverage(ME.namespace, HashedWords.model_id)
    print(f"items added meanwhile: {len(traffic.late)}, found afterwards: {found}")
    print(f"passages: {reach.chunks:,}; vectors of the new model {reach.vectors:,}, of the former {old.vectors:,}")
    print(f"failed searches: {len(traffic.failures)}; with a candidate outside the query's space: {bare}")
    for failure in traffic.failures[:5]:
        print(f"  {failure}")
    return len(traffic.failures) + bare


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=5.0, help="searches a second")
    parser.add_argument(
        "--kill-at", type=float, default=0.4, help="share of the passages at which the worker is killed"
    )
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        asyncio.run(work(json.loads(arguments.work)))
        return
    sys.exit(1 if asyncio.run(measure(arguments.items, arguments.rate, arguments.kill_at)) else 0)


if __name__ == "__main__":
    main()
