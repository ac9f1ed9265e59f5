"""Which items are versions of each other, kept by whoever holds their thread's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core import versions
from ..core.ids import format_item_id, new_number
from ..core.models import Linked
from .rows import item_id_or_none
from .tables import Tables

if TYPE_CHECKING:
    from datetime import datetime

    from ..core.models import ItemDraft
    from ..core.versions import Frame
    from .pool import Connection
    from .rows import Row

NOBODY = 0
"""No item has this number."""


@dataclass(frozen=True, slots=True)
class Kin:
    """What the thread of a text holds besides: the same in other typing, and other versions of it."""

    retyped: Row | None
    versions: Sequence[Row]


class LineageTables(Tables):
    """Lineages: all of one are in one thread, whose row is held while they change."""

    async def _kin(self, connection: Connection, namespace: str, draft: ItemDraft, number: int) -> Kin:
        """Find what is said in a draft's thread by other items than ``number``."""
        kin: Sequence[Row] = ()
        if draft.fact is not None and draft.joins:
            slot = draft.fact.slot
            kin = await connection.fetch(self._queries["fact_kin"], namespace, slot, draft.thread, number)
        if draft.frame is None:
            return Kin(None, kin)
        alike = await self._alike(connection, namespace, draft, draft.frame, number)
        known = {row["item_id"] for row in alike.versions}
        return Kin(alike.retyped, [*alike.versions, *(row for row in kin if row["item_id"] not in known)])

    async def _alike(self, connection: Connection, namespace: str, draft: ItemDraft, frame: Frame, number: int) -> Kin:
        """Find the same in other typing, and other versions, by the words."""
        found = await connection.fetch(
            self._queries["nominees"],
            namespace,
            draft.thread,
            number,
            bytes.fromhex(draft.sha256),
            list(frame.probe.heads),
            list(frame.probe.middles),
            list(frame.probe.tails),
            frame.nominees,
            versions.MAX_BYTES,
        )
        kin = [(row, versions.likeness(frame, row["content"].decode(errors="replace"), row["title"])) for row in found]
        retyped = next((row for row, likeness in kin if likeness == "retyped"), None)
        return Kin(retyped, [row for row, likeness in kin if likeness is not None])

    async def _link(
        self, connection: Connection, namespace: str, number: int, kin: Sequence[Row]
    ) -> tuple[str, Sequence[Linked], Row | None]:
        """Put an item into one lineage with its versions; return that, who came into it, and the newest of the others.

        It has the name of the first of them, unless that one left another lineage, which still has its name.
        """
        members = [number, *(row["item_id"] for row in kin)]
        merged = [row["lineage"] for row in kin if row["lineage"] is not None]
        names = [*members, *merged, new_number()]
        moved = await connection.fetch(self._queries["link"], namespace, members, merged, names)
        lineage: int = moved[0]["lineage"]
        name = format_item_id(lineage)
        links = [
            Linked(format_item_id(row["item_id"]), item_id_or_none(row["before"]), name)
            for row in moved
            if row["item_id"] != number
        ]
        return name, links, await self._settle_lineage(connection, namespace, lineage, number)

    async def _settle_lineage(
        self, connection: Connection, namespace: str, lineage: int | None, number: int = NOBODY
    ) -> Row | None:
        """Mark the latest of a lineage; return the newest that is not ``number``, None where there is none."""
        if lineage is None:
            return None
        return await connection.fetchrow(self._queries["settle_lineage"], namespace, lineage, number)

    async def _holding(self, connection: Connection, namespace: str, row: Row, at: datetime | None) -> Row:
        """Return the item of this one's lineage that holds as of a time, itself where none is given or it is alone."""
        if at is None or row["lineage"] is None:
            return row
        return await connection.fetchrow(self._queries["valid_at"], namespace, row["lineage"], at) or row
