"""The work of an embed job: vectors for an item's chunks that have none."""

from .ingest import chunk_text
from .models import Job
from .ports import Embedder, Store
from .runner import Done, Lease

BATCH = 32
"""Chunks embedded between two commits: about half a second of work, all that a killed worker loses."""
BATCHES_A_TURN = 16
"""Batches after which a large item lets others go first."""


class Embedding:
    """Embeds a batch, commits it, and looks again what is missing: wherever it is stopped, the next one goes on."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        """Take the ports."""
        self._store = store
        self._embedder = embedder

    async def __call__(self, namespace: str, job: Job, lease: Lease) -> Done:
        """Embed what is missing, or a turn of it.

        Raises:
            EmbedderError: the model failed; the batches before are kept.
            ItemNotFoundError: the item was purged meanwhile.
            LeaseLostError: the job is another runner's by now.
        """
        if job.item_id is None:
            return Done()
        content: bytes | None = None
        seen = -1
        for batch in range(BATCHES_A_TURN):
            version, chunks = await self._store.pending_chunks(namespace, job.item_id, self._embedder.model_id, BATCH)
            if not chunks:
                return Done()
            if content is None or version != seen:
                _, content, _ = await self._store.read(namespace, job.item_id, version)
                seen = version
            vectors = await self._embedder.embed([chunk_text(content, chunk.span) for chunk in chunks])
            ready = {chunk.ordinal: vector for chunk, vector in zip(chunks, vectors, strict=True)}
            await lease.confirm(advanced=batch > 0)
            await self._store.put_vectors(namespace, job.item_id, version, self._embedder.model_id, ready)
        return Done(again_seconds=0)
