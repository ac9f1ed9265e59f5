"""Embedding spaces: which serves, which is filled, and what is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import BareChunk, Coverage, MadeVector, Space, SpaceState, Span
from .rows import Row
from .tables import Tables

INDEX_LOCK_SECONDS = 60.0
"""After this long the index of a model that nobody uses is dropped, where searches stood in the way before."""


class SpaceTables(Tables):
    """The vectors of several models; a space's row is held by the switch, and shared by whatever adds or changes."""

    async def spaces(self, namespace: str) -> SpaceState | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["spaces"], namespace)
        return None if row is None else _state(row)

    async def announce_model(self, namespace: str, space: Space, *, takeover_seconds: float) -> SpaceState:
        """See Store."""
        takeover = timedelta(seconds=takeover_seconds)
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(
                self._queries["announce_model"], namespace, space.model_id, space.dimensions, takeover
            )
            if row is None:
                row = await connection.fetchrow(self._queries["spaces"], namespace)
                assert row is not None
                return _state(row)
            # One that comes back to the space that serves has to fill what was added without it meanwhile.
            if row["is_other"] and (not row["is_new"] or _state(row).moving):
                await connection.execute(self._queries["put_reembed"], namespace, new_number())
            return _state(row)

    async def coverage(self, namespace: str, model_id: str) -> Coverage:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["coverage"], namespace, model_id)
        assert row is not None
        return Coverage(row["chunks"], row["vectors"])

    async def bare_chunks(
        self, namespace: str, model_id: str, *, after: BareChunk | None, limit: int
    ) -> Sequence[BareChunk]:
        """See Store."""
        place = (0, -1) if after is None else (parse_item_id(after.item_id), after.ordinal)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["bare_chunks"], namespace, model_id, *place, limit)
        return [
            BareChunk(
                format_item_id(row["item_id"]),
                row["version"],
                row["ordinal"],
                Span(row["start_byte"], row["end_byte"], row["context"]),
            )
            for row in found
        ]

    async def put_made(self, namespace: str, model_id: str, made: Sequence[MadeVector]) -> int:
        """See Store."""
        from pgvector import HalfVector

        async with self._pool.transaction(namespace) as connection:
            count = await connection.fetchval(
                self._queries["put_made"],
                namespace,
                model_id,
                [parse_item_id(one.chunk.item_id) for one in made],
                [one.chunk.version for one in made],
                [one.chunk.ordinal for one in made],
                [HalfVector(list(one.vector)) for one in made],
            )
        return int(count)

    async def serve_wanted(self, namespace: str, model_id: str) -> bool:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            held = await connection.fetchrow(self._queries["hold_spaces"], namespace)
            if held is None or held["wanted"] != model_id:
                return False
            if await connection.fetch(self._queries["bare_chunks"], namespace, model_id, 0, -1, 1):
                return False
            await connection.execute(self._queries["serve_wanted"], namespace)
        return True

    async def drop_vectors(self, namespace: str, *, keep_seconds: float, limit: int) -> float | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            held = await connection.fetchrow(self._queries["hold_spaces"], namespace)
            if held is None or held["serving"] != held["wanted"]:
                return None
            serving = held["serving"]
            if await connection.fetchval(self._queries["has_other_vectors"], namespace, serving):
                if (wait := keep_seconds - held["age"]) > 0:
                    return float(wait)
                await connection.execute(self._queries["drop_vectors"], namespace, serving, limit)
                return 0.0
        return await self._drop_indexes(namespace)

    async def _drop_indexes(self, namespace: str) -> float | None:
        async with self._pool.transaction(namespace) as connection:
            dropped = await connection.fetchval(self._queries["drop_vector_indexes"], namespace)
        return None if dropped else INDEX_LOCK_SECONDS


def _state(row: Row) -> SpaceState:
    return SpaceState(Space(row["serving"], row["serving_dimensions"]), Space(row["wanted"], row["wanted_dimensions"]))
