"""What items were made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.errors import ItemNotFoundError
from ..core.ids import format_item_id, parse_item_id
from ..core.models import Derivation, Origin
from .rows import Row
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection


class SourceTables(Tables):
    """Derivations, written with an add or later, read from both ends."""

    async def sources(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """See Store."""
        return await self._derivations("sources", namespace, item_ids)

    async def derived(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """See Store."""
        return await self._derivations("derived", namespace, item_ids)

    async def link_sources(self, namespace: str, item_id: str, origins: Sequence[Origin]) -> int:
        """See Store."""
        number = parse_item_id(item_id)
        async with self._pool.transaction(namespace) as connection:
            if not await connection.fetch(self._queries["lock"], namespace, [number]):
                raise ItemNotFoundError(item_id)
            return await self.put_sources(connection, namespace, number, origins)

    async def put_sources(self, connection: Connection, namespace: str, number: int, origins: Sequence[Origin]) -> int:
        """Note what an item was made from; return how much of it is new."""
        if not origins:
            return 0
        found = await connection.fetch(
            self._queries["put_sources"],
            namespace,
            number,
            [parse_item_id(one.item_id) for one in origins],
            [one.version for one in origins],
            [one.start for one in origins],
            [one.end for one in origins],
        )
        return len(found)

    async def _derivations(self, query: str, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries[query], namespace, numbers)
        return [_derivation(row) for row in found]


def _derivation(row: Row) -> Derivation:
    origin = Origin(format_item_id(row["source_id"]), row["start_offset"], row["end_offset"], row["source_version"])
    return Derivation(format_item_id(row["item_id"]), origin)
