"""The ledger: threads' accounts, where their items stand, their blocks, and money spent on language models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from ..core.budget import Budgets
from ..core.errors import ConflictError
from ..core.ids import format_item_id, new_number, parse_item_id, thread_number
from ..core.models import (
    Block,
    BlockEntry,
    Detail,
    ItemState,
    Receipt,
    Remodelled,
    Rendition,
    Rung,
    Stale,
    StaleItem,
    Step,
    TextUsage,
    ThreadState,
    Trail,
)
from ..core.summaries import CLIENT
from . import images, rows
from .rows import Row
from .undo_tables import UndoTables

if TYPE_CHECKING:
    from ..core.ladder import Choose


class LedgerTables(UndoTables):
    """Steps on the ladder, blocks, renditions that replace others, and what language models cost."""

    async def step(
        self, namespace: str, thread: str, choose: Choose, *, actor: str, budgets: Budgets
    ) -> tuple[ThreadState, Sequence[Step]]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            account = await connection.fetchrow(self._queries["lock_thread"], namespace, thread)
            if account is None:
                return _empty(thread, budgets), ()
            settled = await self._step(connection, namespace, account, choose, actor, budgets, undoable=True)
            return settled.ledger, settled.steps

    async def rungs(
        self, namespace: str, thread: str, *, budgets: Budgets, item_ids: Sequence[str] | None = None
    ) -> tuple[ThreadState, Sequence[Rung]]:
        """See Store."""
        numbers = None if item_ids is None else [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            account = await connection.fetchrow(self._queries["thread"], namespace, thread)
            found = await connection.fetch(self._queries["rungs"], namespace, thread, numbers)
        return _ledger(account, thread, budgets), [rows.rung(row) for row in found]

    async def block(self, namespace: str, thread: str, *, budgets: Budgets) -> Block:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["block"], namespace, thread)
        account = json.loads(found[0]["account"]) if found else None
        entries = tuple(_entry(row) for row in found if row["item_id"] is not None)
        return Block(_ledger(account, thread, budgets), entries)

    async def texts(self, namespace: str, wanted: Sequence[tuple[str, Detail]]) -> Mapping[tuple[str, Detail], str]:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id, _ in wanted]
        details = [detail for _, detail in wanted]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["texts"], namespace, numbers, details)
        return {
            (format_item_id(row["item_id"]), row["detail"]): row["text"].decode()
            for row in found
            if row["text"] is not None
        }

    async def use_model(self, namespace: str, thread: str, model: str, *, actor: str, budgets: Budgets) -> ThreadState:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            account = cast(Row, await connection.fetchrow(self._queries["use_model"], namespace, thread, model))
            settled = await self._settle(connection, namespace, account, budgets)
            if account["former"] != model:
                trail = Trail(images.stepped(settled.steps), model=Remodelled(thread, account["former"], model))
                await self.record(
                    connection,
                    namespace,
                    actor=actor,
                    action="model",
                    subject="thread",
                    number=thread_number(thread),
                    version=1,
                    sha256=images.model_digest(model),
                    image=images.write(None, trail),
                )
            return settled.ledger

    async def put_renditions(
        self,
        namespace: str,
        item_id: str,
        sha256: str,
        renditions: Sequence[Rendition],
        *,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await self._lock(connection, namespace, item_id)
            if row["state"] != ItemState.ACTIVE or row["sha256"].hex() != sha256:
                raise ConflictError(
                    f"Item {item_id} is forgotten, or its content is no longer the one with the SHA-256 {sha256}; "
                    "read it again and shorten what it says now."
                )
            former = await self._renditions(connection, namespace, row["item_id"])
            shorter = {one.detail: one.tokens for one in renditions}
            kept = [one for one in former if one.detail not in shorter]
            await self._write_renditions(connection, namespace, row["item_id"], [*kept, *renditions], list(shorter))
            cost = row["header_tokens"] + shorter[row["detail"]] if row["detail"] in shorter else row["cost"]
            new = await connection.fetchrow(self._queries["reprice"], namespace, row["item_id"], cost)
            settled = await self._enter(connection, namespace, cast(Row, new), row, budgets)
            # What a language model wrote in the background was nobody's change, and can be made again.
            asked = any(one.compressor.startswith(CLIENT) for one in renditions)
            trail = Trail(images.stepped(settled.steps), renditions=former)
            image = images.write(row, trail) if asked else None
            await self._record(connection, namespace, actor, "summarize", row, image)
            return await self._done(connection, namespace, row, "updated", settled, budgets)

    async def stale(self, namespace: str, limits: Stale, *, now: datetime, limit: int) -> Sequence[StaleItem]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["stale"],
                namespace,
                now,
                limits.compress_before,
                limits.archive_before,
                limits.spared_priority,
                limit,
            )
        return [
            StaleItem(
                format_item_id(row["item_id"]),
                row["thread"],
                row["priority"],
                row["last_used"],
                row["detail"],
                row["goal"],
            )
            for row in found
        ]

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return int(await connection.fetchval(self._queries["spent"], namespace, since))

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            await connection.execute(
                self._queries["note_usage"],
                namespace,
                new_number(),
                thread,
                purpose,
                usage.model,
                usage.prompt_tokens,
                usage.cached_tokens,
                usage.completion_tokens,
                micros,
            )


def _ledger(account: Row | None, thread: str, budgets: Budgets) -> ThreadState:
    if account is None:
        return _empty(thread, budgets)
    return rows.ledger(account, budgets, account["spent"])


def _empty(thread: str, budgets: Budgets) -> ThreadState:
    budget = budgets(None)
    return ThreadState(
        thread, 0, 0, budget.window, trigger=budget.trigger, safe=budget.safe, model=budget.model, note=budget.note
    )


def _entry(row: Row) -> BlockEntry:
    text = row["content"].decode() if row["detail"] == "full" else row["body"]
    about = row["title"], row["detail"], row["tokens"], row["cost"]
    return BlockEntry(format_item_id(row["item_id"]), *about, text, rows.trust_of(row["trust"]))
