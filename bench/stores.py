"""A memory to measure: the real parts over an embedded PostgreSQL in a folder of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from palimpsest.core.budget import fixed_budget
from palimpsest.core.chunking import StructureChunker
from palimpsest.core.clock import SystemClock
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Memory
from palimpsest.core.ports import Clock, Embedder, LexicalEncoder, TokenCounter
from palimpsest.core.services import Ports, Services, build_services
from palimpsest.core.usage import UsageLog
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.tokens import choose_counter
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import PostgresStore, open_store


class CachedEmbedder:
    """An embedder whose vectors of known texts come from a file that is made once and kept outside the repository."""

    def __init__(self, inner: Embedder) -> None:
        """Cache what ``inner`` makes."""
        self._inner = inner
        self._known: dict[str, Sequence[float]] = {}

    @property
    def model_id(self) -> str:
        """See Embedder."""
        return self._inner.model_id

    @property
    def dimensions(self) -> int:
        """See Embedder."""
        return self._inner.dimensions

    async def prepare(self, texts: Sequence[str]) -> None:
        """Make or load the vectors of ``texts``."""
        digest = hashlib.blake2b("\x00".join([self.model_id, *texts]).encode(), digest_size=12).hexdigest()
        file = Path(platformdirs.user_cache_dir("palimpsest-bench")) / f"{digest}.npy"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, np.array(await self._inner.embed(list(texts)), dtype=np.float32))
        self._known.update(zip(texts, np.load(file).tolist(), strict=True))

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See Embedder."""
        missing = [text for text in texts if text not in self._known]
        fresh = dict(zip(missing, await self._inner.embed(missing), strict=True)) if missing else {}
        return [list(self._known[text]) if text in self._known else fresh[text] for text in texts]

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
async def open_bench(
    folder: Path, *, window: int = 128_000, counter: TokenCounter | None = None, clock: Clock | None = None
) -> AsyncGenerator[Bench, None]:
    """Open a memory whose database lies in ``folder`` and whose threads have this window."""
    embedder = CachedEmbedder(MiniLMEmbedder())
    config = EmbeddedConfig(data_dir=folder, idle_seconds=0)
    async with EmbeddedServer(config) as endpoint:
        connect = asdict(endpoint)
        store = await open_store(
            connect, embedding_model=embedder.model_id, dimensions=embedder.dimensions, label="embedded PostgreSQL"
        )
        lexicon, chunker = WordEncoder(), StructureChunker()
        counter = counter or choose_counter("estimate")
        services = build_services(
            Ports(
                store=store,
                embedder=embedder,
                lexicon=lexicon,
                counter=counter,
                chunker=chunker,
                compressor=ExtractiveCompressor(counter),
                clock=clock or SystemClock(),
                budgets=fixed_budget(window),
                usage=UsageLog(),
            )
        )
        runner = JobRunner(store=store, embedder=embedder, lexicon=lexicon, owner="bench")
        try:
            yield Bench(services, store, embedder, lexicon, counter, chunker, runner, connect)
        finally:
            await store.aclose()
            await embedder.aclose()
    # The folder may be deleted next, and the server must not be writing to it then.
    while not await stop(config):
        await asyncio.sleep(0.05)
