"""The in-memory store's embedding spaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..core.ids import parse_item_id
from ..core.models import BareChunk, Coverage, MadeVector, Space, SpaceState
from .inmemory_item import Chunk, Record
from .inmemory_jobs import Jobs
from .inmemory_shelf import KnownSpaces, Shelf


class Spaces(Jobs):
    """The vectors of several models."""

    async def spaces(self, namespace: str) -> SpaceState | None:
        """See Store."""
        known = self._shelves[namespace].spaces
        return None if known is None else known.state

    async def announce_model(self, namespace: str, space: Space, *, takeover_seconds: float) -> SpaceState:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        known = shelf.spaces
        if known is None:
            known = shelf.spaces = KnownSpaces(SpaceState(_held(shelf) or space, space), now, now)
            known.models |= {known.state.serving.model_id, space.model_id}
            if known.state.moving:
                shelf.queue.put("reembed", None, now)
            return known.state
        if known.state.wanted == space:
            known.seen_at = now
        elif space.model_id not in known.models or known.seen_at <= now - timedelta(seconds=takeover_seconds):
            known.state = SpaceState(known.state.serving, space)
            known.seen_at = known.changed_at = now
            known.models.add(space.model_id)
            # One that comes back to the space that serves has to fill what was added without it meanwhile.
            shelf.queue.put("reembed", None, now)
        return known.state

    async def coverage(self, namespace: str, model_id: str) -> Coverage:
        """See Store."""
        chunks = [chunk for _, _, chunk in _chunks(self._shelves[namespace])]
        return Coverage(len(chunks), sum(model_id in chunk.vectors for chunk in chunks))

    async def bare_chunks(
        self, namespace: str, model_id: str, *, after: BareChunk | None, limit: int
    ) -> Sequence[BareChunk]:
        """See Store."""
        place = (0, -1) if after is None else (parse_item_id(after.item_id), after.ordinal)
        found = [
            BareChunk(record.item.item_id, record.item.version, ordinal, chunk.span)
            for record, ordinal, chunk in _chunks(self._shelves[namespace])
            if model_id not in chunk.vectors and (parse_item_id(record.item.item_id), ordinal) > place
        ]
        return found[:limit]

    async def put_made(self, namespace: str, model_id: str, made: Sequence[MadeVector]) -> int:
        """See Store."""
        records = self._shelves[namespace].records
        count = 0
        for one in made:
            record = records.get(one.chunk.item_id)
            if record is not None and record.item.version == one.chunk.version:
                record.chunks[one.chunk.ordinal].vectors.setdefault(model_id, tuple(one.vector))
                count += 1
        return count

    async def serve_wanted(self, namespace: str, model_id: str) -> bool:
        """See Store."""
        shelf = self._shelves[namespace]
        known = shelf.spaces
        if known is None or known.state.wanted.model_id != model_id:
            return False
        if any(model_id not in chunk.vectors for _, _, chunk in _chunks(shelf)):
            return False
        if known.state.moving:
            known.changed_at = self._clock.now()
        known.state = SpaceState(known.state.wanted, known.state.wanted)
        return True

    async def drop_vectors(self, namespace: str, *, keep_seconds: float, limit: int) -> float | None:
        """See Store."""
        shelf = self._shelves[namespace]
        known = shelf.spaces
        if known is None or known.state.moving:
            return None
        serving = known.state.serving.model_id
        doomed = [(chunk, model) for _, _, chunk in _chunks(shelf) for model in list(chunk.vectors) if model != serving]
        if not doomed:
            return None
        wait = keep_seconds - (self._clock.now() - known.changed_at).total_seconds()
        if wait > 0:
            return wait
        for chunk, model in doomed[:limit]:
            del chunk.vectors[model]
        return 0.0


def _chunks(shelf: Shelf) -> Iterator[tuple[Record, int, Chunk]]:
    for _, record in sorted(shelf.records.items()):
        for ordinal, chunk in enumerate(record.chunks):
            yield record, ordinal, chunk


def _held(shelf: Shelf) -> Space | None:
    """Return the space of any vector that is there."""
    for _, _, chunk in _chunks(shelf):
        for model_id, vector in chunk.vectors.items():
            return Space(model_id, len(vector))
    return None
