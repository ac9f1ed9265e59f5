"""The work of an embed job: vectors for an item's chunks that have none."""

from .errors import EmbedderError
from .ingest import chunk_text
from .models import Job
from .ports import Embedder, Store
from .runner import Done, Lease
from .spaces import Spaces

BATCH = 32
"""Chunks embedded between two commits: about half a second of work, all that a killed worker loses."""
BATCHES_A_TURN = 16
"""Batches after which a large item lets others go first."""
_ELSEWHERE_SECONDS = 30.0
"""When this server can run no model that the memory uses, one that can has the job to itself for so long."""


class Embedding:
    """Embeds a batch, commits it, and looks again what is missing: wherever it is stopped, the next one goes on."""

    def __init__(self, store: Store, spaces: Spaces) -> None:
        """Take the ports."""
        self._store = store
        self._spaces = spaces

    async def __call__(self, namespace: str, job: Job, lease: Lease) -> Done:
        """Embed what is missing in the space that serves and in the one that is wanted, or a turn of it.

        Raises:
            EmbedderError: a model failed; what the other one made and the batches before are kept.
            ItemNotFoundError: the item was purged meanwhile.
            LeaseLostError: the job is another runner's by now.
        """
        if job.item_id is None:
            return Done()
        embedders = await self._spaces.embedders(namespace)
        if not embedders:
            return Done(again_seconds=_ELSEWHERE_SECONDS)
        failure: EmbedderError | None = None
        for embedder in embedders:
            try:
                if not await self._fill(namespace, job.item_id, embedder, lease):
                    return Done(again_seconds=0)
            except EmbedderError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return Done()

    async def _fill(self, namespace: str, item_id: str, embedder: Embedder, lease: Lease) -> bool:
        """Embed a turn of what one space lacks; say whether it lacks nothing any more."""
        content: bytes | None = None
        seen = -1
        for batch in range(BATCHES_A_TURN):
            version, chunks = await self._store.pending_chunks(namespace, item_id, embedder.model_id, BATCH)
            if not chunks:
                return True
            if content is None or version != seen:
                _, content, _ = await self._store.read(namespace, item_id, version)
                seen = version
            vectors = await embedder.embed([chunk_text(content, chunk.span) for chunk in chunks])
            ready = {chunk.ordinal: vector for chunk, vector in zip(chunks, vectors, strict=True)}
            await lease.confirm(advanced=batch > 0)
            await self._store.put_vectors(namespace, item_id, version, embedder.model_id, ready)
        return False
