"""Changes of items, each with its event and what undoes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError
from ..core.ids import new_number, parse_id, parse_item_id
from ..core.models import Detail, Event, Item, ItemDraft, ItemState, Labels, Outcome, Receipt, Standing
from . import rows
from .accounts import NOTHING, Weight, less, minus, weight
from .changing import Changing, Place
from .history_tables import HistoryTables
from .item_tables import REWEIGH_AFTER
from .lineage_tables import LineageTables
from .people_tables import PeopleTables
from .rows import Row
from .tables import Indexed, Settled

if TYPE_CHECKING:
    from ..core.ports import Redraft
    from .pool import Connection


class ChangeTables(LineageTables, HistoryTables, PeopleTables):
    """Relabelling, placing, new versions, forgetting, restoring, purging and undoing."""

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
            await self._record(connection, namespace, actor, "relabel", row, rows.before_image(row))
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
            to.lineage,
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
            standing, cost = ladder.cost_at(_costs(row), detail)
            if (standing, cost) == (row["detail"], row["cost"]):
                return await self._unchanged(connection, namespace, row, budgets)
            settled = await self._place(connection, namespace, row, standing, cost, budgets)
            await self._record(connection, namespace, actor, f"to {standing}", row, rows.before_image(row))
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
        return await self._replace(namespace, draft, expected_sha256, budgets, undone=None)

    async def _replace(
        self, namespace: str, draft: ItemDraft, expected_sha256: str, budgets: Budgets, *, undone: Event | None
    ) -> Receipt:
        async with self._changing(namespace, draft.item_id) as connection:
            row = await self._lock(connection, namespace, draft.item_id, draft.thread)
            _check_replaceable(draft.item_id, row, expected_sha256)
            if undone is not None:
                await self._check_newest(connection, namespace, "item", row["item_id"], undone.event_id)
            if row["sha256"].hex() == draft.sha256:
                return await self._replace_labels(connection, namespace, row, draft, budgets)
            new, settled = await self._put_version(connection, namespace, row, draft, budgets)
            if undone is None:
                await self._record(connection, namespace, _actor(draft), "edit", new, rows.before_image(row))
            else:
                await self._finish_undo(connection, namespace, _actor(draft), new, undone)
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
        await self._record(connection, namespace, _actor(draft), "relabel", row, rows.before_image(row))
        return await self._done(connection, namespace, row, "updated", settled, budgets, same)

    async def _put_version(
        self, connection: Connection, namespace: str, row: Row, draft: ItemDraft, budgets: Budgets
    ) -> tuple[Row, Settled]:
        place = await self._leave(connection, namespace, row, draft.thread)
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
        )
        assert new is not None
        await self._resettle(connection, namespace, row["lineage"])
        if kin := (await self._kin(connection, namespace, draft, row["item_id"])).versions:
            await self._link(connection, namespace, row["item_id"], kin)
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
        )
        # Only now: the new content's renditions are what it may step down to.
        return new, await self._enter(connection, namespace, new, row, budgets)

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
            await self._record(connection, namespace, actor, action, row, rows.before_image(row))
            outcome: Outcome = "restored" if state is ItemState.ACTIVE else "forgotten"
            return await self._done(connection, namespace, row, outcome, settled, budgets)

    async def _set_state(
        self, connection: Connection, namespace: str, row: Row, state: ItemState, budgets: Budgets
    ) -> Settled:
        place: int | None = None
        if state is ItemState.ACTIVE:
            place = await self._next_place(connection, namespace, row["thread"])
        new = await connection.fetchrow(self._queries["set_state"], namespace, row["item_id"], state.value, place)
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
            row = await self._lock(connection, namespace, item_id)
            if leave is not None:
                await self.use_leave(connection, namespace, leave, actor=actor, state=row["sha256"].hex())
            item, _, _ = await self._current(connection, namespace, row["item_id"], budgets)
            account = await self._account(connection, namespace, row["thread"], less(weight(row)))
            await connection.execute(self._queries["drop_jobs"], namespace, row["item_id"])
            await self.clear_images(connection, namespace, "item", row["item_id"])
            await self.blank_requests(connection, namespace, "item", row["item_id"])
            await connection.execute(self._queries["purge"], namespace, row["item_id"])
            await self._resettle(connection, namespace, row["lineage"])
            await self._record(connection, namespace, actor, "purge", row, None)
            return self._receipt(item, "purged", Indexed(0, 0), Settled(rows.ledger(account, budgets)))

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt | None]:
        """See Store."""
        event, image = await self._undoable(namespace, event_id)
        if event.subject != "item":
            number = parse_id(event.subject, event.subject_id)
            await self._undo_other(namespace, event, number, image, actor=actor)
            return event, None
        if event.action == "edit":
            return event, await self._undo_edit(namespace, event, image, actor, budgets, redraft)
        async with self._changing(namespace, event.subject_id) as connection:
            row = await self._lock(connection, namespace, event.subject_id, *({image["thread"]} if image else ()))
            await self._check_newest(connection, namespace, "item", row["item_id"], event.event_id)
            if event.action == "relabel":
                place = Place.before(image)
                settled = await self._relabel(connection, namespace, row, rows.labels(image), place, budgets)
            elif event.action.startswith("to "):
                standing, cost = ladder.cost_at(_costs(row), image["detail"])
                settled = await self._place(connection, namespace, row, standing, cost, budgets)
            else:
                state = ItemState(image["state"]) if image else ItemState.FORGOTTEN
                if row["state"] == state:
                    raise ConflictError(
                        f"Item {event.subject_id} is {state.value} already; there is nothing to take back."
                    )
                settled = await self._set_state(connection, namespace, row, state, budgets)
            await self._finish_undo(connection, namespace, actor, row, event)
            item, indexed, _ = await self._current(connection, namespace, row["item_id"], budgets)
            return event, self._receipt(item, _undone(item, event), indexed, settled)

    async def _undo_edit(
        self, namespace: str, event: Event, image: Mapping[str, Any], actor: str, budgets: Budgets, redraft: Redraft
    ) -> Receipt:
        number = parse_item_id(event.subject_id)
        async with self._pool.transaction(namespace) as connection:
            item, _, _ = await self._current(connection, namespace, number, budgets)
            old = await connection.fetchrow(self._queries["read_version"], namespace, number, image["version"])
        assert old is not None
        draft = await redraft(item, rows.labels(image), image["thread"], old["content"])
        draft = replace(draft, source={**draft.source, "actor": actor}, happened_at=Place.before(image).happened_at)
        return await self._replace(namespace, draft, item.sha256, budgets, undone=event)

    async def _finish_undo(self, connection: Connection, namespace: str, actor: str, row: Row, event: Event) -> None:
        # An add overwrote nothing.
        if event.action != "add":
            await self._drop_image(connection, namespace, event.event_id)
        await self._record(connection, namespace, actor, "undo", row, None)


def _costs(row: Row) -> Mapping[Detail, int]:
    return rows.costs(row["header_tokens"], row["tokens"], json.loads(row["renditions"] or "{}"))


def _actor(draft: ItemDraft) -> str:
    return draft.source.get("actor", "client")


def _undone(item: Item, event: Event) -> Any:
    if event.action == "relabel" or event.action.startswith("to "):
        return "updated"
    return "restored" if item.state is ItemState.ACTIVE else "forgotten"


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
