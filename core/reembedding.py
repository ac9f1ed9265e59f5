"""Moving a memory to another embedding model beside live searches: fill, switch, drop."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import NotFoundError
from .ingest import chunk_text
from .models import BareChunk, Job, MadeVector
from .ports import Clock, Embedder, Store
from .runner import LEASE_SECONDS, MAX_ATTEMPTS, Done, Lease, Runner, Worked
from .spaces import Spaces

BATCH = 32
"""Chunks embedded between two commits: all that a killed worker loses."""
BATCHES_A_TURN = 16
DROP_BATCH = 2000
KEEP_SECONDS = 86_400.0
"""The vectors of the former model stay so long after a switch: who goes back to it within a day need not wait."""
_HELD_SECONDS = 1.0
_ELSEWHERE_SECONDS = 30.0


@dataclass(slots=True)
class _Reader:
    """Reads chunks' texts; the last item's content is kept, for the next chunk is mostly of the same item."""

    store: Store
    namespace: str
    key: tuple[str, int] | None = None
    content: bytes = field(default=b"", repr=False)

    async def read(self, chunk: BareChunk) -> str | None:
        """Return the text to embed, None when the item was purged meanwhile."""
        key = (chunk.item_id, chunk.version)
        if key != self.key:
            try:
                _, self.content, _ = await self.store.read(self.namespace, *key)
            except NotFoundError:
                return None
            self.key = key
        return chunk_text(self.content, chunk.span)


class Reembedding:
    """The work of a reembed job: makes the vectors that the wanted space lacks, lets it serve, drops the others.

    What is missing is looked for anew after each commit, so that it can be stopped anywhere, and what is added, changed
    or purged meanwhile is taken as it is found.
    """

    def __init__(self, store: Store, spaces: Spaces, *, keep_seconds: float = KEEP_SECONDS) -> None:
        """Take the ports; other spaces' vectors stay ``keep_seconds`` after the switch."""
        self._store = store
        self._spaces = spaces
        self._keep_seconds = keep_seconds
        self._places: dict[tuple[str, str], BareChunk | None] = {}

    async def __call__(self, namespace: str, job: Job, lease: Lease) -> Done:
        """Do a turn of it.

        Raises:
            EmbedderError: the model failed; the batches before are kept, and searches go on in the space that serves.
            LeaseLostError: another runner works on it, or another model is wanted by now.
        """
        state = await self._store.spaces(namespace)
        if state is None:
            return Done()
        embedder = self._spaces.find(state.wanted)
        if embedder is None:
            return Done(again_seconds=_ELSEWHERE_SECONDS)
        rest = await self._fill(namespace, embedder, lease)
        if rest is not None:
            return Done(again_seconds=rest)
        await lease.confirm(advanced=True)
        if not await self._store.serve_wanted(namespace, embedder.model_id):
            # Something was added just now, or another model is wanted: the next turn sees which.
            return Done(again_seconds=0)
        return Done(
            again_seconds=await self._store.drop_vectors(namespace, keep_seconds=self._keep_seconds, limit=DROP_BATCH)
        )

    async def _fill(self, namespace: str, embedder: Embedder, lease: Lease) -> float | None:
        """Make a turn's vectors; None when no chunk lacks one, else after how many seconds the next turn is due."""
        where = (namespace, embedder.model_id)
        reader = _Reader(self._store, namespace)
        for _ in range(BATCHES_A_TURN):
            after = self._places.get(where)
            chunks = await self._store.bare_chunks(namespace, embedder.model_id, after=after, limit=BATCH)
            if not chunks:
                self._places.pop(where, None)
                if after is None:
                    return None
                # Once more from the start: items before this place may have changed.
                continue
            made = await _made(reader, embedder, chunks)
            await lease.confirm(advanced=True)
            if made and not await self._store.put_made(namespace, embedder.model_id, made):
                # Whoever holds these items is not done with them.
                return _HELD_SECONDS
            self._places[where] = chunks[-1]
        return 0.0


async def _made(reader: _Reader, embedder: Embedder, chunks: Sequence[BareChunk]) -> list[MadeVector]:
    texts = [(chunk, await reader.read(chunk)) for chunk in chunks]
    present = [(chunk, text) for chunk, text in texts if text is not None]
    vectors = await embedder.embed([text for _, text in present])
    return [MadeVector(chunk, vector) for (chunk, _), vector in zip(present, vectors, strict=True)]


class Reembedder(Runner):
    """A runner of reembed jobs, which also says again and again that its server lives.

    It leaves a job alone whose model it cannot run, so that a server that can takes it.
    """

    def __init__(
        self,
        *,
        store: Store,
        spaces: Spaces,
        owner: str,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """See Runner and Reembedding."""
        super().__init__(
            store=store,
            works={"reembed": Reembedding(store, spaces, keep_seconds=keep_seconds)},
            owner=owner,
            clock=clock,
            lease_seconds=lease_seconds,
            max_attempts=max_attempts,
        )
        self._spaces = spaces

    async def run_one(self, namespace: str) -> Worked | None:
        """Announce this server's model, and work the job if its model can be run here; see Runner."""
        state = await self._spaces.announce(namespace)
        if self._spaces.find(state.wanted) is None:
            return None
        return await super().run_one(namespace)
