"""Which embedder a namespace's searches and adds use, while it may be moving from one model to another."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import EmbedderError
from .models import Coverage, QueryVector, Space, SpaceState
from .ports import Embedder, Store

LOOK_SECONDS = 1.0
"""How old what is known of a namespace's spaces may be; dropped vectors stay far longer than this after a switch."""
COUNT_SECONDS = 10.0
"""How old a count of vectors may be that an answer tells."""
HEARTBEAT_SECONDS = 20.0
TAKEOVER_SECONDS = 120.0
"""An older setting's model is wanted again when no server with the newer one gave a sign of life for so long."""

Former = Callable[[Space], Embedder | None]
"""Makes the embedder of a space that other settings made, None where these settings cannot run it."""


def no_former(_space: Space) -> Embedder | None:
    """Know no other model."""
    return None


@dataclass(frozen=True, slots=True)
class _Known:
    """Something, and when it was learned."""

    at: float
    state: SpaceState
    coverage: Coverage | None = None


class Spaces:
    """Pairs each text with the embedder whose space it is meant for: vectors of two models are never compared.

    Searches and adds use the model that serves, complete, until the wanted one covers every chunk. Where the serving
    model cannot be run, they use this server's own as far as its vectors reach, and say so.
    """

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        former: Former = no_former,
        takeover_seconds: float = TAKEOVER_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``embedder`` is the one that is set; nothing is opened, loaded or asked here."""
        self._store = store
        self._own = embedder
        self._own_space = Space(embedder.model_id, embedder.dimensions)
        self._former = former
        self._takeover_seconds = takeover_seconds
        self._look_seconds = look_seconds
        self._others: dict[Space, Embedder | None] = {}
        self._known: dict[str, _Known] = {}
        self._counted: dict[tuple[str, Space], _Known] = {}
        self._announced: dict[str, float] = {}

    @property
    def own(self) -> Space:
        """Return the space of the model that is set."""
        return self._own_space

    async def announce(self, namespace: str) -> SpaceState:
        """Say that this server runs with its model, again and again while it lives; see Store.announce_model."""
        state = await self._store.spaces(namespace)
        now = time.monotonic()
        due = now >= self._announced.get(namespace, -HEARTBEAT_SECONDS) + HEARTBEAT_SECONDS
        if state is None or state.wanted != self.own or due:
            state = await self._store.announce_model(namespace, self.own, takeover_seconds=self._takeover_seconds)
            self._announced[namespace] = now
        self._known[namespace] = _Known(now, state)
        return state

    async def look(self, namespace: str) -> SpaceState:
        """Return which space serves and which is wanted: this server's own where none was ever announced."""
        known = self._known.get(namespace)
        if known is None or time.monotonic() - known.at > self._look_seconds:
            return await self._look_now(namespace)
        return known.state

    def find(self, space: Space) -> Embedder | None:
        """Return the embedder of a space, None where it cannot be run here."""
        if space.model_id == self.own.model_id:
            return self._own
        if space not in self._others:
            self._others[space] = self._former(space)
        return self._others[space]

    async def embedders(self, namespace: str) -> Sequence[Embedder]:
        """Return what makes the vectors that a chunk needs as of now, the serving model's first; none that cannot be
        run here."""
        state = await self._look_now(namespace)
        spaces = dict.fromkeys((state.serving, state.wanted))
        return [embedder for embedder in map(self.find, spaces) if embedder is not None]

    async def embed_new(self, namespace: str, texts: Sequence[str]) -> tuple[str, list[list[float]]]:
        """Return a model's id and its vectors of texts that are about to be added.

        Raises:
            EmbedderError: the model failed, or this server can run none that the memory uses.
        """
        # What a moment ago served would leave the new item without a vector that is compared.
        state = await self._look_now(namespace)
        embedder = self.find(state.serving) or self.find(state.wanted)
        if embedder is None:
            raise EmbedderError(self._cannot_run(state.serving))
        return embedder.model_id, await embedder.embed(texts)

    async def embed_query(self, namespace: str, query: str) -> QueryVector:
        """Return the query's vector and the space that it may be compared in; a model's failure becomes a note."""
        state = await self.look(namespace)
        serving = self.find(state.serving)
        failure = self._cannot_run(state.serving)
        if serving is not None:
            try:
                return QueryVector(serving.model_id, (await serving.embed([query]))[0])
            except EmbedderError as error:
                failure = str(error)
        if serving is self._own:
            return QueryVector(self.own.model_id, None, (f"Searched by word only: {failure}",))
        return await self._as_far_as_it_reaches(namespace, state, query, failure)

    async def notes(self, namespace: str) -> tuple[str, ...]:
        """Return what a reader must know of the namespace's spaces: nothing, unless it moves or has another model."""
        state = await self.look(namespace)
        if state.moving:
            return (moving_note(state, await self._count(namespace, state, state.wanted)),)
        if state.serving.model_id != self.own.model_id:
            return (
                (self._cannot_run(state.serving),) if self.find(state.serving) is None else (_other(state, self.own),)
            )
        return ()

    async def aclose(self) -> None:
        """Close the embedders of other spaces; the own one is its maker's."""
        others, self._others = self._others, {}
        for embedder in others.values():
            if embedder is not None:
                await embedder.aclose()

    async def _look_now(self, namespace: str) -> SpaceState:
        state = await self._store.spaces(namespace) or SpaceState(self.own, self.own)
        self._known[namespace] = _Known(time.monotonic(), state)
        return state

    async def _as_far_as_it_reaches(self, namespace: str, state: SpaceState, query: str, failure: str) -> QueryVector:
        own = self.own.model_id
        reach = await self._count(namespace, state, self.own)
        if not reach.vectors:
            return QueryVector(own, None, (f"Searched by word only: {failure}",))
        try:
            vector = (await self._own.embed([query]))[0]
        except EmbedderError as error:
            return QueryVector(own, None, (f"Searched by word only: {failure} {error}",))
        note = (
            f"{failure} By meaning, {reach.vectors:,} of {reach.chunks:,} passages were searched, those that have "
            f"vectors of {own}; the others by word only."
        )
        return QueryVector(own, vector, (note,))

    async def _count(self, namespace: str, state: SpaceState, space: Space) -> Coverage:
        known, now = self._counted.get((namespace, space)), time.monotonic()
        if known is None or known.coverage is None or known.state != state or now - known.at > COUNT_SECONDS:
            known = _Known(now, state, await self._store.coverage(namespace, space.model_id))
            self._counted[namespace, space] = known
        assert known.coverage is not None
        return known.coverage

    def _cannot_run(self, space: Space) -> str:
        return (
            f"The memory's vectors are of the embedding model {space.model_id}, which this server cannot run with its "
            f"settings; its own is {self.own.model_id}."
        )


def moving_note(state: SpaceState, reach: Coverage) -> str:
    """Say how far a memory has come on its way to another model."""
    return (
        f"Re-embedding for the model {state.wanted.model_id}: {reach.vectors:,} of {reach.chunks:,} passages; "
        f"searches use {state.serving.model_id} until it is done."
    )


def _other(state: SpaceState, own: Space) -> str:
    return (
        f"Searches use the embedding model {state.serving.model_id}, which another server's settings name; this "
        f"server's name {own.model_id}, which takes over once no server with the other one runs."
    )
