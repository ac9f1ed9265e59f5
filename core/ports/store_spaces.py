"""The vectors of several embedding models, beside each other and never mixed."""

from collections.abc import Sequence
from typing import Protocol

from ..models import BareChunk, Coverage, MadeVector, Space, SpaceState


class SpaceStore(Protocol):
    """The vectors of several embedding models, beside each other and never mixed."""

    async def spaces(self, namespace: str) -> SpaceState | None:
        """Return which space serves and which is wanted, None before any model was announced."""
        ...

    async def announce_model(self, namespace: str, space: Space, *, takeover_seconds: float) -> SpaceState:
        """Say that a server runs with this model, and return what holds from now on.

        The first model announced serves, unless there are vectors of another one already: that one serves then. A model
        that was never announced here before becomes the wanted one. One that was (an older setting) does so only when
        the wanted one was not announced for ``takeover_seconds``, so that servers with different settings do not take
        the memory from each other again and again. A new wanted space leaves a ``reembed`` job, due at once and as if
        it were new; who works on the former one loses the lease.
        """
        ...

    async def coverage(self, namespace: str, model_id: str) -> Coverage:
        """Count how far a space reaches."""
        ...

    async def bare_chunks(
        self, namespace: str, model_id: str, *, after: BareChunk | None, limit: int
    ) -> Sequence[BareChunk]:
        """Return up to ``limit`` chunks without a vector of the model, by item and ordinal, those after ``after``."""
        ...

    async def put_made(self, namespace: str, model_id: str, made: Sequence[MadeVector]) -> int:
        """Store vectors and return how many chunks have theirs by now.

        Those of an item that has another version by now, is gone, or is being changed at this moment are left out.
        """
        ...

    async def serve_wanted(self, namespace: str, model_id: str) -> bool:
        """Let the wanted space serve if it is of this model and no chunk is without its vector; else False.

        No item is added or changed in between: each one that is not in the space when it begins to serve has an
        ``embed`` job.
        """
        ...

    async def drop_vectors(self, namespace: str, *, keep_seconds: float, limit: int) -> float | None:
        """Delete up to ``limit`` vectors of spaces that are neither served nor wanted.

        Nothing is deleted while the memory moves, nor before the last change of spaces is ``keep_seconds`` ago. Returns
        after how many seconds there is more to do (0 for at once), or None when nothing is left, indexes included.
        """
        ...
