"""What adds leave pending, finished: vectors of large items, and the statistics of word search."""

from .errors import ItemNotFoundError, PalimpsestError
from .ingest import chunk_text
from .models import Job
from .ports import Embedder, LexicalEncoder, Store

BATCH = 32
"""Chunks embedded between two commits: about half a second of work, all that a killed worker loses."""
LEASE_SECONDS = 60.0


class JobRunner:
    """Works a namespace's jobs, one at a time; any number of runners, in any processes, share them."""

    def __init__(self, *, store: Store, embedder: Embedder, lexicon: LexicalEncoder, owner: str) -> None:
        """``owner`` names this runner in its leases; it must be its own among all processes."""
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._owner = owner

    async def run_one(self, namespace: str) -> bool:
        """Work one due job; False when none is due.

        Raises:
            StoreError: the store cannot be asked; the job's lease runs out and another runner takes it.
        """
        job = await self._store.claim_job(namespace, owner=self._owner, lease_seconds=LEASE_SECONDS)
        if job is None:
            return False
        error: str | None = None
        try:
            await self._work(namespace, job)
        except ItemNotFoundError:
            pass  # purged meanwhile: nothing is left to do
        except PalimpsestError as failure:
            error = str(failure)
        await self._store.finish_job(namespace, job.job_id, owner=self._owner, error=error)
        return True

    async def drain(self, namespace: str) -> int:
        """Work jobs until none is due, and return how many."""
        done = 0
        while await self.run_one(namespace):
            done += 1
        return done

    async def _work(self, namespace: str, job: Job) -> None:
        if job.kind == "reweigh":
            await self._store.reweigh(namespace, self._lexicon)
        elif job.item_id is not None:
            await self._embed(namespace, job.item_id)

    async def _embed(self, namespace: str, item_id: str) -> None:
        model_id = self._embedder.model_id
        content: bytes | None = None
        seen = -1
        while True:
            version, chunks = await self._store.pending_chunks(namespace, item_id, model_id, BATCH)
            if not chunks:
                return
            if content is None or version != seen:
                _, content, _ = await self._store.read(namespace, item_id, version)
                seen = version
            vectors = await self._embedder.embed([chunk_text(content, chunk.span) for chunk in chunks])
            ready = {chunk.ordinal: vector for chunk, vector in zip(chunks, vectors, strict=True)}
            await self._store.put_vectors(namespace, item_id, version, model_id, ready)
