"""Statements that are near each other: found, folded into one lineage, and merged into an item of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..core import ladder
from ..core.budget import Budget, Budgets
from ..core.clusters import CONSOLIDATION, cluster_key
from ..core.errors import ConflictError
from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import (
    TRUSTS,
    ItemDraft,
    ItemState,
    Linked,
    Member,
    Merged,
    Near,
    Receipt,
    Rung,
    Statement,
    Step,
    Stretch,
    Trail,
    Trust,
)
from . import images, rows
from .change_tables import ChangeTables
from .item_tables import ItemTables
from .rows import Row
from .search_tables import EXACT_UP_TO
from .tables import Settled

if TYPE_CHECKING:
    from .pool import Connection

CHANGED = "One of the items is gone, or no longer what it was when it was looked at; nothing was written."
GROWS = "The items that would leave the block cost less there than the one that would come; nothing was written."
TOLD = "The thread has that text already; nothing was written."


class ConsolidationTables(ItemTables, ChangeTables):
    """Consolidation."""

    async def consolidation_stretch(self, namespace: str, model_id: str, basis: str) -> Stretch:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["consolidation_stretch"], namespace, model_id, basis)
        assert row is not None
        return Stretch(row["since"], row["until"])

    async def note_consolidated(self, namespace: str, basis: str, until: datetime) -> None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            await connection.execute(self._queries["note_consolidated"], namespace, basis, until)

    async def changed_statements(
        self, namespace: str, model_id: str, *, since: datetime | None, after: str | None, limit: int
    ) -> Sequence[str]:
        """See Store."""
        place = 0 if after is None else parse_item_id(after)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["changed_statements"], namespace, model_id, since, place, limit
            )
        return [format_item_id(row["item_id"]) for row in found]

    async def near(
        self, namespace: str, model_id: str, item_ids: Sequence[str], *, distance: float, limit: int
    ) -> Sequence[Near]:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            # Itself is among the nearest.
            found = await connection.fetch(
                self._queries["near"], namespace, model_id, numbers, distance, limit + 1, EXACT_UP_TO
            )
        return [Near(format_item_id(row["item_id"]), format_item_id(row["other_id"]), row["distance"]) for row in found]

    async def statements(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Statement]:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["statements"], namespace, numbers)
        return [Statement(rows.item(row), row["content"].decode()) for row in found]

    async def merged(self, namespace: str, source_ids: Sequence[str] | None = None) -> Sequence[Merged]:
        """See Store."""
        wanted = None if source_ids is None else list(source_ids)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["merged"], namespace, wanted)
            items = [rows.item(row) for row in found]
            named = sorted({parse_item_id(one) for item in items for one in item.source["derived_from"].split()})
            members = (
                {row["item_id"]: row for row in await connection.fetch(self._queries["members"], namespace, named)}
                if named
                else {}
            )
        return [
            Merged(item, tuple(sources), _intact(item.source["cluster"], item.labels.trust, sources, members))
            for item in items
            for sources in [item.source["derived_from"].split()]
        ]

    async def fold(
        self, namespace: str, keeper: Member, others: Sequence[Member], *, actor: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            held = await self._members(connection, namespace, [keeper, *others])
            row = held[parse_item_id(keeper.item_id)]
            if any(_age(one) > _age(row) or one["thread"] != row["thread"] for one in held.values()):
                raise ConflictError(CHANGED)
            _, links, _ = await self._link(connection, namespace, row["item_id"], list(held.values()))
            account = await connection.fetchrow(self._queries["thread"], namespace, row["thread"])
            assert account is not None
            choose = archiving({one.item_id for one in others})
            settled = await self._step(connection, namespace, account, choose, actor, budgets)
            trail = Trail(images.stepped(settled.steps), tuple(links))
            await self._record(connection, namespace, actor, "fold", row, images.write(row, trail))
            return await self._done(connection, namespace, row, "updated", settled, budgets)

    async def unfolded(self, namespace: str, item_ids: Sequence[str]) -> frozenset[str]:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["unfolded"], namespace, numbers)
        return frozenset(format_item_id(row["subject_id"]) for row in found)

    async def declined(self, namespace: str, keys: Sequence[str]) -> frozenset[str]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["declined"], namespace, list(keys), CONSOLIDATION)
        return frozenset(row["key"] for row in found)

    async def merge(
        self,
        namespace: str,
        draft: ItemDraft,
        sources: Sequence[Member],
        *,
        replaces: Sequence[Member] = (),
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            held = await self._members(connection, namespace, [*sources, *replaces])
            if any(row["thread"] != draft.thread for row in held.values()):
                raise ConflictError(CHANGED)
            if sum(row["cost"] for row in held.values()) <= draft.cost:
                raise ConflictError(GROWS)
            former = [held[parse_item_id(one.item_id)] for one in replaces]
            return await self._merge(connection, namespace, draft, set(held), former, actor, budgets)

    async def _merge(
        self,
        connection: Connection,
        namespace: str,
        draft: ItemDraft,
        leaving: Collection[int],
        former: Sequence[Row],
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        event_id, number = new_number(), parse_item_id(draft.item_id)
        row = await connection.fetchrow(self._queries["add"], *self._add_parameters(namespace, draft, 0, event_id))
        if row is None:
            raise ConflictError(TOLD)
        await self.put_sources(connection, namespace, number, draft.origins)
        links: Sequence[Linked] = ()
        if former:
            _, links, _ = await self._link(connection, namespace, number, former)
        choose = archiving({format_item_id(one) for one in leaving})
        account = json.loads(row["account"])
        settled = await self._step(connection, namespace, account, choose, actor, budgets)
        trail = Trail(images.stepped(settled.steps, number), tuple(links))
        await self._put_image(connection, namespace, event_id, number, images.write(None, trail))
        item, indexed, now = await self._current(connection, namespace, number, budgets)
        return self._receipt(item, "added", indexed, Settled(now.ledger, settled.steps))

    async def _members(self, connection: Connection, namespace: str, members: Sequence[Member]) -> Mapping[int, Row]:
        """Hold items that must be what they were."""
        held = await self._hold(connection, namespace, [one.item_id for one in members], ())
        for one in members:
            row = held.get(parse_item_id(one.item_id))
            if row is None or row["state"] != ItemState.ACTIVE or row["sha256"].hex() != one.sha256:
                raise ConflictError(CHANGED)
            if row["pinned"] or not row["latest"] or row["trust"] == 0:
                raise ConflictError(CHANGED)
        return held


def archiving(leaving: Collection[str]) -> Callable[[Sequence[Rung], Budget], Sequence[Step]]:
    """Return what lets items leave the block."""

    def choose(rungs: Sequence[Rung], _budget: Budget) -> Sequence[Step]:
        return ladder.to_detail([rung for rung in rungs if rung.item_id in leaving], "archived")

    return choose


def _intact(key: str, trust: Trust, sources: Sequence[str], found: Mapping[int, Row]) -> bool:
    members: list[Member] = []
    for item_id in sources:
        row = found.get(parse_item_id(item_id))
        if row is None or row["state"] != ItemState.ACTIVE or row["trust"] < TRUSTS.index(trust):
            return False
        members.append(Member(item_id, row["sha256"].hex()))
    return cluster_key(members) == key


def _age(row: Row) -> tuple[datetime, int]:
    return row["happened_at"], row["item_id"]
