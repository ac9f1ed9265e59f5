"""A memory to measure: the real parts over an embedded PostgreSQL in a folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from palimpsest.core.budget import fixed_budget
from palimpsest.core.chunking import StructureChunker
from palimpsest.core.clock import SystemClock
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Memory
from palimpsest.core.ports import Clock, LexicalEncoder, TokenCounter
from palimpsest.core.services import Ports, Services, build_services
from palimpsest.core.usage import UsageLog
from palimpsest.server.app import choose_consolidating
from palimpsest.slm.embeddings.axes import LEADING, load_axes, turn
from palimpsest.slm.embeddings.minilm import DIMENSIONS, MODEL_ID, MiniLMEmbedder
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.times import EnglishTimes
from palimpsest.slm.tokens import choose_counter
from palimpsest.slm.typos import TypoSpeller
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import PostgresStore, open_store

from .corpus import cache_folder
from .vectors import VectorFiles, complete


class CachedEmbedder:
    """The bundled embedder; vectors of known texts come from files that are made once, kept outside the repository.

    The files have the vectors as the model gives them: they stay of use when the axes change.
    """

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    leading = LEADING

    def __init__(self) -> None:
        """Look up what was made before."""
        self._inner = MiniLMEmbedder(axes=None)
        self._files = VectorFiles(cache_folder(), self._inner.model_id)
        self._axes = load_axes()

    async def prepare(self, texts: Sequence[str]) -> None:
        """Make the vectors of ``texts`` that are not in the files."""
        await complete(self._files, self._inner, texts)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See Embedder."""
        found, vectors = self._files.find(texts)
        missing = [text for text, known in zip(texts, found, strict=True) if not known]
        rows = vectors.astype(np.float32)
        if missing:
            rows[~found] = np.asarray(await self._inner.embed(missing), dtype=np.float32)
        turned: list[list[float]] = turn(rows, self._axes).tolist()
        return turned

    async def aclose(self) -> None:
        """See Embedder."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class Bench:
    """The parts of one memory, and how to reach its database."""

    services: Services
    store: PostgresStore
    embedder: CachedEmbedder
    lexicon: LexicalEncoder
    counter: TokenCounter
    chunker: StructureChunker
    runner: JobRunner
    connect: Mapping[str, Any]

    @property
    def memory(self) -> Memory:
        """The memory service."""
        return self.services.memory


@asynccontextmanager
async def attach_bench(
    folder: Path,
    *,
    window: int = 128_000,
    counter: TokenCounter | None = None,
    clock: Clock | None = None,
    shared_buffers_mb: int | None = None,
) -> AsyncGenerator[Bench, None]:
    """Open a memory whose database lies in ``folder``, beside others that use it at the same time."""
    embedder = CachedEmbedder()
    config = EmbeddedConfig(data_dir=folder, idle_seconds=0, shared_buffers_mb=shared_buffers_mb)
    async with EmbeddedServer(config) as endpoint:
        connect = asdict(endpoint)
        store = await open_store(
            connect,
            embedding_model=embedder.model_id,
            dimensions=embedder.dimensions,
            leading=embedder.leading,
            label="embedded PostgreSQL",
        )
        lexicon, chunker = WordEncoder(), StructureChunker()
        counter = counter or choose_counter("estimate")
        services = build_services(
            Ports(
                store=store,
                embedder=embedder,
                lexicon=lexicon,
                times=EnglishTimes(),
                speller=TypoSpeller(lexicon),
                counter=counter,
                chunker=chunker,
                compressor=ExtractiveCompressor(counter),
                clock=clock or SystemClock(),
                budgets=fixed_budget(window),
                usage=UsageLog(),
                consolidating=choose_consolidating(None),
            )
        )
        runner = JobRunner(store=store, embedder=embedder, lexicon=lexicon, owner="bench")
        try:
            yield Bench(services, store, embedder, lexicon, counter, chunker, runner, connect)
        finally:
            await store.aclose()
            await embedder.aclose()


@asynccontextmanager
async def open_bench(
    folder: Path,
    *,
    window: int = 128_000,
    counter: TokenCounter | None = None,
    clock: Clock | None = None,
    shared_buffers_mb: int | None = None,
) -> AsyncGenerator[Bench, None]:
    """Open a memory whose database lies in ``folder`` and whose threads have this window; its server stops with it."""
    async with attach_bench(
        folder, window=window, counter=counter, clock=clock, shared_buffers_mb=shared_buffers_mb
    ) as bench:
        yield bench
    # The folder may be deleted next, and the server must not be writing to it then.
    while not await stop(EmbeddedConfig(data_dir=folder)):
        await asyncio.sleep(0.05)
