"""Changes of items, each with its event and what undoes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import ConflictError, NotFoundError, StoreError
from ..core.ids import new_number, parse_item_id
from ..core.models import Event, Item, ItemDraft, ItemState, Labels, Receipt
from . import rows
from .item_tables import REWEIGH_AFTER
from .rows import Row
from .tables import Account, Outcome, Tables

if TYPE_CHECKING:
    from ..core.ports import Redraft
    from .pool import Connection

_TWIN = (
    "Its thread already holds exactly this content in another active item, so {item_id} was left as it is; "
    "use that one (memory_search finds it), or forget it first."
)


def _sign(row: Row, sign: int) -> tuple[int, int, int, int]:
    return sign, sign * row["tokens"], sign * row["size_bytes"], sign * row["chunk_count"]


class ChangeTables(Tables):
    """Relabelling, new versions, forgetting, restoring, purging and undoing."""

    async def relabel(
        self, namespace: str, item_id: str, labels: Labels, *, thread: str, actor: str, window: int
    ) -> Receipt:
        """See Store."""
        async with self._changing(namespace, item_id) as connection:
            row = await self._lock(connection, namespace, item_id)
            if rows.labels(row) == labels and row["thread"] == thread:
                item, account = await self._current(connection, namespace, row["item_id"])
                return self._receipt(item, "unchanged", account, window)
            await self._relabel(connection, namespace, row, labels, thread)
            await self._record(connection, namespace, actor, "relabel", row, rows.before_image(row))
            item, account = await self._current(connection, namespace, row["item_id"])
            return self._receipt(item, "updated", account, window)

    async def _relabel(self, connection: Connection, namespace: str, row: Row, labels: Labels, thread: str) -> None:
        await self._move(connection, namespace, row, thread)
        await connection.execute(
            self._queries["relabel"],
            namespace,
            row["item_id"],
            thread,
            labels.title,
            labels.content_type,
            labels.memory_type,
            labels.priority,
            labels.pinned,
            list(labels.tags),
        )

    async def _move(self, connection: Connection, namespace: str, row: Row, thread: str) -> None:
        if thread == row["thread"]:
            return
        await connection.execute(self._queries["lock_threads"], namespace, [thread, row["thread"]])
        active = row["state"] == ItemState.ACTIVE
        await self._account(connection, namespace, row["thread"], _sign(row, -active))
        await self._account(connection, namespace, thread, _sign(row, +active))

    async def _account(
        self, connection: Connection, namespace: str, thread: str, change: tuple[int, int, int, int]
    ) -> None:
        await connection.fetchval(self._queries["account"], namespace, thread, *change)

    def _changing(self, namespace: str, item_id: str) -> _Changing:
        return _Changing(self._pool.transaction(namespace), item_id)

    async def replace_content(self, namespace: str, draft: ItemDraft, *, expected_sha256: str, window: int) -> Receipt:
        """See Store."""
        return await self._replace(namespace, draft, expected_sha256, window, undone=None)

    async def _replace(
        self, namespace: str, draft: ItemDraft, expected_sha256: str, window: int, *, undone: int | None
    ) -> Receipt:
        async with self._changing(namespace, draft.item_id) as connection:
            row = await self._lock(connection, namespace, draft.item_id)
            _check_replaceable(draft.item_id, row, expected_sha256)
            if undone is not None:
                await self._check_newest(connection, namespace, row, undone)
            if row["sha256"].hex() == draft.sha256:
                differs = rows.labels(row) != draft.labels or row["thread"] != draft.thread
                if differs:
                    await self._relabel(connection, namespace, row, draft.labels, draft.thread)
                    await self._record(connection, namespace, _actor(draft), "relabel", row, rows.before_image(row))
                item, account = await self._current(connection, namespace, row["item_id"])
                outcome: Outcome = "updated" if differs else "unchanged"
                return self._receipt(item, outcome, account, window, ["The content is the same as before."])
            new = await self._put_version(connection, namespace, row, draft)
            if undone is None:
                await self._record(connection, namespace, _actor(draft), "edit", new, rows.before_image(row))
            else:
                await self._finish_undo(connection, namespace, _actor(draft), new, undone)
            item, account = await self._current(connection, namespace, row["item_id"])
            return self._receipt(item, "updated", account, window)

    async def _put_version(self, connection: Connection, namespace: str, row: Row, draft: ItemDraft) -> Row:
        await self._move(connection, namespace, row, draft.thread)
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
        )
        assert new is not None
        grown = tuple(after - before for after, before in zip(_sign(new, 1), _sign(row, 1), strict=True))
        await self._account(connection, namespace, draft.thread, grown)  # type: ignore[arg-type]
        await connection.execute(self._queries["drop_index"], namespace, row["item_id"])
        await connection.execute(
            self._queries["put_index"],
            namespace,
            row["item_id"],
            *self._index_parameters(namespace, draft),
            draft.embedding_model,
            new_number(),
            REWEIGH_AFTER,
        )
        return new

    async def set_state(self, namespace: str, item_id: str, state: ItemState, *, actor: str, window: int) -> Receipt:
        """See Store."""
        async with self._changing(namespace, item_id) as connection:
            row = await self._lock(connection, namespace, item_id)
            if row["state"] == state:
                item, account = await self._current(connection, namespace, row["item_id"])
                return self._receipt(item, "unchanged", account, window)
            await self._set_state(connection, namespace, row, state)
            action = "forget" if state is ItemState.FORGOTTEN else "restore"
            await self._record(connection, namespace, actor, action, row, rows.before_image(row))
            item, account = await self._current(connection, namespace, row["item_id"])
            return self._receipt(item, "forgotten" if action == "forget" else "restored", account, window)

    async def _set_state(self, connection: Connection, namespace: str, row: Row, state: ItemState) -> None:
        await connection.execute(self._queries["set_state"], namespace, row["item_id"], state.value)
        await connection.execute(self._queries["set_live"], namespace, row["item_id"], state is ItemState.ACTIVE)
        sign = 1 if state is ItemState.ACTIVE else -1
        await self._account(connection, namespace, row["thread"], _sign(row, sign))

    async def purge(self, namespace: str, item_id: str, *, actor: str, window: int) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await self._lock(connection, namespace, item_id)
            item, account = await self._current(connection, namespace, row["item_id"])
            if row["state"] == ItemState.ACTIVE:
                await self._account(connection, namespace, row["thread"], _sign(row, -1))
                account = replace(account, thread_tokens=account.thread_tokens - row["tokens"])
            await connection.execute(self._queries["drop_jobs"], namespace, row["item_id"])
            await connection.execute(self._queries["purge"], namespace, row["item_id"])
            await self._record(connection, namespace, actor, "purge", row, None)
            return self._receipt(item, "purged", Account(account.thread_tokens, 0, 0), window)

    async def events(self, namespace: str, limit: int) -> Sequence[Event]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["events"], namespace, limit)
        return [rows.event(row) for row in found]

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, window: int, redraft: Redraft
    ) -> tuple[Event, Receipt]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetchrow(self._queries["undoable"], namespace, event_id)
            if found is None:
                raise NotFoundError(
                    "There is nothing to undo."
                    if event_id is None
                    else f"Event {event_id} cannot be undone (any more)."
                )
        event = rows.event({**found, "undoable": True})
        image: dict[str, Any] = json.loads(found["image"])
        if event.action == "edit":
            return event, await self._undo_edit(namespace, event, image, actor, window, redraft)
        async with self._changing(namespace, event.item_id) as connection:
            row = await self._lock(connection, namespace, event.item_id)
            await self._check_newest(connection, namespace, row, event.event_id)
            if event.action == "relabel":
                await self._relabel(connection, namespace, row, rows.labels(image), image["thread"])
            else:
                state = ItemState(image["state"]) if image else ItemState.FORGOTTEN
                if row["state"] == state:
                    raise ConflictError(
                        f"Item {event.item_id} is {state.value} already; there is nothing to take back."
                    )
                await self._set_state(connection, namespace, row, state)
            await self._finish_undo(connection, namespace, actor, row, event.event_id)
            item, account = await self._current(connection, namespace, row["item_id"])
            return event, self._receipt(item, _undone(item, event), account, window)

    async def _undo_edit(
        self, namespace: str, event: Event, image: Mapping[str, Any], actor: str, window: int, redraft: Redraft
    ) -> Receipt:
        number = parse_item_id(event.item_id)
        async with self._pool.transaction(namespace) as connection:
            item, _ = await self._current(connection, namespace, number)
            old = await connection.fetchrow(self._queries["read_version"], namespace, number, image["version"])
        assert old is not None
        draft = await redraft(item, rows.labels(image), image["thread"], old["content"])
        draft = replace(draft, source={**draft.source, "actor": actor})
        return await self._replace(namespace, draft, item.sha256, window, undone=event.event_id)

    async def _check_newest(self, connection: Connection, namespace: str, row: Row, event_id: int) -> None:
        if await connection.fetchval(self._queries["built_upon"], namespace, row["item_id"], event_id):
            raise ConflictError("The item changed again since; undo the newer change first.")

    async def _finish_undo(self, connection: Connection, namespace: str, actor: str, row: Row, event_id: int) -> None:
        taken = await connection.execute(self._queries["drop_image"], namespace, event_id)
        if taken != "DELETE 1":
            raise ConflictError("Somebody else took this change back at the same moment.")
        await self._record(connection, namespace, actor, "undo", row, None)


def _actor(draft: ItemDraft) -> str:
    return draft.source.get("actor", "client")


def _undone(item: Item, event: Event) -> Any:
    if event.action == "relabel":
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


class _Changing:
    """A transaction in which running into the same content of another item is a conflict, not a failure."""

    def __init__(self, transaction: Any, item_id: str) -> None:
        self._transaction = transaction
        self._item_id = item_id

    async def __aenter__(self) -> Connection:
        connection: Connection = await self._transaction.__aenter__()
        return connection

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import asyncpg

        try:
            await self._transaction.__aexit__(kind, error, trace)
        except StoreError as failure:
            cause = failure.__cause__
            if isinstance(cause, asyncpg.UniqueViolationError) and cause.constraint_name == "items_same_content":
                raise ConflictError(_TWIN.format(item_id=self._item_id)) from failure
            raise
