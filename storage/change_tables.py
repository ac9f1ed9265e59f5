"""Changes of items, each with its event and what undoes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError, ItemNotFoundError
from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import (
    TRUSTS,
    Detail,
    ItemDraft,
    ItemState,
    Labels,
    Linked,
    Outcome,
    Receipt,
    Rendition,
    Standing,
    Stepped,
    Trail,
)
from ..core.provenance import purge_notes
from . import images, rows
from .accounts import NOTHING, Weight, less, minus, weight
from .changing import Changing, Place
from .history_tables import HistoryTables
from .item_tables import REWEIGH_AFTER
from .lineage_tables import LineageTables
from .people_tables import PeopleTables
from .rows import Row
from .tables import Indexed, Settled

if TYPE_CHECKING:
    from .pool import Connection


class ChangeTables(LineageTables, HistoryTables, PeopleTables):
    """Relabelling, placing, new versions, forgetting, restoring and purging."""

    async def relabel(
        self,
        namespace: str,
        item_id: str,
        labels: Labels,
        *,
        thread: str,
        header_tokens: int | None = None,
        happened_at: datetime | None = None,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        async with self._changing(namespace, item_id) as connection:
            row = await self._lock(connection, namespace, item_id, thread)
            if (rows.labels(row), row["thread"]) == (labels, thread) and happened_at in (None, row["happened_at"]):
                return await self._unchanged(connection, namespace, row, budgets)
            place = Place(thread, header_tokens, happened_at)
            settled = await self._relabel(connection, namespace, row, labels, place, budgets)
            await self._record(
                connection,
                namespace,
                actor,
                "relabel",
                row,
                _before_relabel(row, labels, settled),
            )
            return await self._done(connection, namespace, row, "updated", settled, budgets)

    async def _relabel(
        self,
        connection: Connection,
        namespace: str,
        row: Row,
        labels: Labels,
        to: Place,
        budgets: Budgets,
    ) -> Settled:
        place = await self._leave(connection, namespace, row, to.thread)
        new = await connection.fetchrow(
            self._queries["relabel"],
            namespace,
            row["item_id"],
            to.thread,
            labels.title,
            labels.content_type,
            labels.memory_type,
            labels.priority,
            labels.pinned,
            list(labels.tags),
            place,
            to.header_tokens,
            to.happened_at,
            TRUSTS.index(labels.trust),
        )
        assert new is not None
        await self._resettle(connection, namespace, row["lineage"], new["lineage"])
        return await self._enter(connection, namespace, new, row, budgets)

    async def _resettle(self, connection: Connection, namespace: str, *lineages: int | None) -> None:
        for lineage in sorted({one for one in lineages if one is not None}):
            await self._settle_lineage(connection, namespace, lineage)

    async def place(self, namespace: str, item_id: str, detail: Standing, *, actor: str, budgets: Budgets) -> Receipt:
        """See Store."""
        async with self._changing(namespace, item_id) as connection:
            row = await self._lock(connection, namespace, item_id)
            if row["state"] != ItemState.ACTIVE:
                raise ConflictError(
                    f"Item {item_id} is forgotten; bring it back with memory_forget(mode='restore') first."
                )
            standing, cost = ladder.cost_at(costs_of(row), detail)
            if (standing, cost) == (row["detail"], row["cost"]):
                return await self._unchanged(connection, namespace, row, budgets)
            settled = await self._place(connection, namespace, row, standing, cost, budgets)
            await self._record(
                connection,
                namespace,
                actor,
                f"to {standing}",
                row,
                images.write(row, Trail(steps=images.stepped(settled.steps))),
            )
            return await self._done(connection, namespace, row, "updated", settled, budgets)

    async def _place(
        self, connection: Connection, namespace: str, row: Row, detail: Standing, cost: int, budgets: Budgets
    ) -> Settled:
        place: int | None = None
        if row["detail"] == "archived":
            place = await self._next_place(connection, namespace, row["thread"])
        new = await connection.fetchrow(self._queries["place"], namespace, row["item_id"], detail, cost, place)
        assert new is not None
        return await self._enter(connection, namespace, new, row, budgets)

    async def _leave(self, connection: Connection, namespace: str, row: Row, thread: str) -> int | None:
        """Take an item off the account of a thread that it leaves, and return its place in the new one."""
        if thread == row["thread"]:
            return None
        await self._account(connection, namespace, row["thread"], less(weight(row)))
        return await self._next_place(connection, namespace, thread)

    async def _next_place(self, connection: Connection, namespace: str, thread: str) -> int:
        account = await self._account(connection, namespace, thread, replace(NOTHING, entries=1))
        return int(account["entries"])

    async def _enter(self, connection: Connection, namespace: str, new: Row, old: Row, budgets: Budgets) -> Settled:
        """Bring the account of an item's thread up to date, and the block under its trigger."""
        before = weight(old) if old["thread"] == new["thread"] else NOTHING
        account = await self._account(connection, namespace, new["thread"], minus(weight(new), before))
        return await self._settle(connection, namespace, account, budgets)

    async def _account(self, connection: Connection, namespace: str, thread: str, change: Weight) -> Row:
        row = await connection.fetchrow(self._queries["account"], namespace, thread, *astuple(change))
        assert row is not None
        return row

    async def _unchanged(self, connection: Connection, namespace: str, row: Row, budgets: Budgets) -> Receipt:
        item, indexed, settled = await self._current(connection, namespace, row["item_id"], budgets)
        return self._receipt(item, "unchanged", indexed, settled)

    async def _done(
        self,
        connection: Connection,
        namespace: str,
        row: Row,
        outcome: Outcome,
        settled: Settled,
        budgets: Budgets,
        notes: Sequence[str] = (),
    ) -> Receipt:
        item, indexed, _ = await self._current(connection, namespace, row["item_id"], budgets)
        return self._receipt(item, outcome, indexed, settled, notes)

    def _changing(self, namespace: str, item_id: str) -> Changing:
        return Changing(self._pool.transaction(namespace), item_id)

    async def replace_content(
        self, namespace: str, draft: ItemDraft, *, expected_sha256: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        async with self._changing(namespace, draft.item_id) as connection:
            row = await self._lock(connection, namespace, draft.item_id, draft.thread)
            _check_replaceable(draft.item_id, row, expected_sha256)
            if row["sha256"].hex() == draft.sha256:
                return await self._replace_labels(connection, namespace, row, draft, budgets)
            renditions = await self._renditions(connection, namespace, row["item_id"])
            place = await self._leave(connection, namespace, row, draft.thread)
            new = await self._write_version(connection, namespace, row, draft, place)
            await self._resettle(connection, namespace, row["lineage"])
            links: Sequence[Linked] = ()
            if kin := (await self._kin(connection, namespace, draft, row["item_id"])).versions:
                _, links, _ = await self._link(connection, namespace, row["item_id"], kin)
            # Only now: the new content's renditions are what it may step down to.
            settled = await self._enter(connection, namespace, new, row, budgets)
            trail = Trail(images.stepped(settled.steps), tuple(links), renditions)
            await self._record(connection, namespace, _actor(draft), "edit", new, images.write(row, trail))
            return await self._done(connection, namespace, row, "updated", settled, budgets)

    async def _replace_labels(
        self, connection: Connection, namespace: str, row: Row, draft: ItemDraft, budgets: Budgets
    ) -> Receipt:
        same = ["The content is the same as before."]
        unmoved = row["thread"] == draft.thread and draft.happened_at in (None, row["happened_at"])
        if rows.labels(row) == draft.labels and unmoved:
            receipt = await self._unchanged(connection, namespace, row, budgets)
            return replace(receipt, notes=tuple(same))
        place = Place(draft.thread, draft.header_tokens, draft.happened_at)
        settled = await self._relabel(connection, namespace, row, draft.labels, place, budgets)
        await self._record(
            connection,
            namespace,
            _actor(draft),
            "relabel",
            row,
            _before_relabel(row, draft.labels, settled),
        )
        return await self._done(connection, namespace, row, "updated", settled, budgets, same)

    async def _renditions(self, connection: Connection, namespace: str, number: int) -> tuple[Rendition, ...]:
        return images.renditions(await connection.fetch(self._queries["renditions"], namespace, number))

    async def _write_renditions(
        self,
        connection: Connection,
        namespace: str,
        number: int,
        renditions: Sequence[Rendition],
        made: Sequence[str],
    ) -> None:
        """Let an item have these renditions and no others; those of the details ``made`` are new."""
        columns = rows.rendition_columns(renditions)
        await connection.execute(self._queries["put_renditions"], namespace, number, *columns, list(made))

    async def _write_version(
        self, connection: Connection, namespace: str, row: Row, draft: ItemDraft, place: int | None, occurrence: int = 0
    ) -> Row:
        """Make a draft the item's next version, with all that is derived from it; accounts and lineages come later."""
        labels = draft.labels
        new = await connection.fetchrow(
            self._queries["put_version"],
            namespace,
            row["item_id"],
            row["version"] + 1,
            draft.content,
            bytes.fromhex(draft.sha256),
            draft.tokens.tokens,
            draft.tokens.counter,
            len(draft.chunks),
            labels.title,
            labels.content_type,
            labels.memory_type,
            labels.priority,
            labels.pinned,
            list(labels.tags),
            draft.thread,
            place,
            draft.header_tokens,
            draft.happened_at,
            *rows.frame_columns(draft.frame),
            TRUSTS.index(labels.trust),
            occurrence,
            *rows.rendition_columns(draft.renditions),
        )
        assert new is not None
        await connection.execute(self._queries["drop_index"], namespace, row["item_id"])
        await connection.execute(
            self._queries["put_index"],
            namespace,
            row["item_id"],
            *self._index_parameters(namespace, draft),
            draft.embedding_model,
            new_number(),
            REWEIGH_AFTER,
            draft.summarize,
            new_number() if draft.extract else None,
        )
        return new

    async def set_state(
        self, namespace: str, item_id: str, state: ItemState, *, actor: str, budgets: Budgets
    ) -> Receipt:
        """See Store."""
        async with self._changing(namespace, item_id) as connection:
            row = await self._lock(connection, namespace, item_id)
            if row["state"] == state:
                return await self._unchanged(connection, namespace, row, budgets)
            settled = await self._set_state(connection, namespace, row, state, budgets)
            action = "restore" if state is ItemState.ACTIVE else "forget"
            await self._record(
                connection,
                namespace,
                actor,
                action,
                row,
                images.write(row, Trail(steps=images.stepped(settled.steps))),
            )
            outcome: Outcome = "restored" if state is ItemState.ACTIVE else "forgotten"
            return await self._done(connection, namespace, row, outcome, settled, budgets)

    async def _set_state(
        self, connection: Connection, namespace: str, row: Row, state: ItemState, budgets: Budgets
    ) -> Settled:
        new = await connection.fetchrow(self._queries["set_state"], namespace, row["item_id"], state.value)
        assert new is not None
        await connection.execute(self._queries["set_live"], namespace, row["item_id"], state is ItemState.ACTIVE)
        await self._resettle(connection, namespace, row["lineage"])
        return await self._enter(connection, namespace, new, row, budgets)

    async def receipt(self, namespace: str, item_id: str, *, budgets: Budgets) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            item, indexed, settled = await self._current(connection, namespace, parse_item_id(item_id), budgets)
        return self._receipt(item, "unchanged", indexed, settled)

    async def purge(
        self, namespace: str, item_id: str, *, actor: str, budgets: Budgets, leave: str | None = None
    ) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            number = parse_item_id(item_id)
            lone = await connection.fetch(self._queries["lone_facts"], namespace, number)
            merged = await connection.fetch(self._queries["made_of"], namespace, item_id)
            told = [format_item_id(one["item_id"]) for one in (*lone, *merged)]
            held = await self._hold(connection, namespace, [item_id, *told], [one["thread"] for one in lone])
            if number not in held:
                raise ItemNotFoundError(item_id)
            row = held[number]
            if leave is not None:
                await self.use_leave(connection, namespace, leave, actor=actor, state=row["sha256"].hex())
            item, _, _ = await self._current(connection, namespace, number, budgets)
            made = await connection.fetch(self._queries["derived"], namespace, [number])
            # One may have been told by another item, too, before it was held.
            lone = await connection.fetch(self._queries["lone_facts"], namespace, number)
            gone = [held[one["item_id"]] for one in lone if one["item_id"] in held]
            put = [held[one["item_id"]] for one in merged if one["item_id"] in held]
            for other in (*gone, *put):
                await self._purge(connection, namespace, other, actor)
            account = await self._purge(connection, namespace, row, actor)
            names, sums = ([format_item_id(one["item_id"]) for one in ones] for ones in (gone, put))
            others = dict.fromkeys(format_item_id(one["item_id"]) for one in made)
            rest = [one for one in others if one not in names and one not in sums]
            notes = purge_notes(names, rest, sums)
            return self._receipt(item, "purged", Indexed(0, 0), Settled(rows.ledger(account, budgets)), notes)

    async def _purge(self, connection: Connection, namespace: str, row: Row, actor: str) -> Row:
        """Delete a held item with all that could bring it back; return its thread's account."""
        account = await self._account(connection, namespace, row["thread"], less(weight(row)))
        await connection.execute(self._queries["drop_jobs"], namespace, row["item_id"])
        await self.clear_images(connection, namespace, "item", row["item_id"])
        await self.blank_requests(connection, namespace, "item", row["item_id"])
        await connection.execute(self._queries["purge"], namespace, row["item_id"])
        await self._resettle(connection, namespace, row["lineage"])
        await self._record(connection, namespace, actor, "purge", row, None)
        return account


def _before_relabel(row: Row, labels: Labels, settled: Settled) -> str | None:
    steps = images.stepped(settled.steps)
    if labels.trust == "low" and row["trust"] > 0 and row["detail"] != "archived":
        # What is not trusted any more leaves the block.
        steps = (Stepped(format_item_id(row["item_id"]), row["detail"], "archived"), *steps)
    return images.write(row, Trail(steps))


def costs_of(row: Row) -> Mapping[Detail, int]:
    """Return what a held item costs at each detail that it has."""
    return rows.costs(row["header_tokens"], row["tokens"], json.loads(row["renditions"] or "{}"))


def _actor(draft: ItemDraft) -> str:
    return draft.source.get("actor", "client")


def _check_replaceable(item_id: str, row: Row, expected_sha256: str) -> None:
    if row["state"] != ItemState.ACTIVE:
        raise ConflictError(
            f"Item {item_id} is forgotten; restore it with memory_forget(mode='restore') before editing it."
        )
    if row["sha256"].hex() != expected_sha256:
        raise ConflictError(
            f"Item {item_id} now has the SHA-256 {row['sha256'].hex()} (version {row['version']}), not the expected "
            "one; read it again, make the change in what it says now, and pass that sha256."
        )
