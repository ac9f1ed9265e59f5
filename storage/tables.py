"""What every table family shares: the pool, the queries, and receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ItemNotFoundError
from ..core.ids import Subject, format_item_id, new_number, parse_item_id
from ..core.ladder import Choose
from ..core.models import Item, ItemDraft, Outcome, Receipt, Step, ThreadState, Trail
from . import images, rows
from .rows import Row

if TYPE_CHECKING:
    from .pool import Connection, Pool

AUTOMATIC = "palimpsest"
"""The actor of what happens by itself."""
UNCOUNTED_MEAN_LENGTH = 100.0
"""The mean chunk length (in words) that impacts are stored with until a namespace has been counted."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """How far an item is indexed: ``vectors`` are those that its chunks have."""

    chunks: int
    vectors: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A thread after a change, and what stepped down because of it."""

    ledger: ThreadState
    steps: Sequence[Step] = ()


class Tables:
    """A family of tables over one pool."""

    def __init__(self, pool: Pool, queries: Mapping[str, str], *, durable: bool, embedding_model: str) -> None:
        """``durable`` says whether the server writes to disk before it answers a commit."""
        self._pool = pool
        self._queries = queries
        self._durable = durable
        self._model_id = embedding_model
        self._mean_lengths: dict[str, float] = {}

    def _mean_length(self, namespace: str) -> float:
        return self._mean_lengths.get(namespace, UNCOUNTED_MEAN_LENGTH)

    def _receipt(
        self,
        item: Item,
        outcome: Outcome,
        indexed: Indexed,
        change: Settled,
        notes: Sequence[str] = (),
    ) -> Receipt:
        return Receipt(
            item=item,
            outcome=outcome,
            durable=self._durable,
            chunks=indexed.chunks,
            chunks_pending=max(0, indexed.chunks - indexed.vectors),
            ledger=change.ledger,
            steps=tuple(change.steps),
            notes=tuple(notes),
        )

    async def _current(
        self, connection: Connection, namespace: str, number: int, budgets: Budgets, steps: Sequence[Step] = ()
    ) -> tuple[Item, Indexed, Settled]:
        """Return an item as it is now, and its thread's account."""
        row = await connection.fetchrow(self._queries["get"], namespace, number, self._model_id)
        if row is None:
            raise ItemNotFoundError(format_item_id(number))
        ledger = rows.ledger(json.loads(row["account"]), budgets)
        return rows.item(row), Indexed(row["chunk_count"], row["vectors"]), Settled(ledger, steps)

    async def _settle(self, connection: Connection, namespace: str, account: Row, budgets: Budgets) -> Settled:
        """Let the items of a thread, whose row is held, step down where its block is over the trigger."""
        budget = budgets(account["model"])
        if account["used"] <= budget.trigger_tokens:
            return Settled(rows.ledger(account, budgets), ())
        return await self._step(connection, namespace, account, ladder.under_trigger, AUTOMATIC, budgets)

    async def _step(
        self,
        connection: Connection,
        namespace: str,
        account: Row,
        choose: Choose,
        actor: str,
        budgets: Budgets,
        *,
        undoable: bool = False,
    ) -> Settled:
        """Take the steps that ``choose`` takes of a thread whose row is held; undone they are by the last one's event.

        Steps that follow from a change are undone with that: ``undoable`` is for those that were asked for.
        """
        budget, thread = budgets(account["model"]), account["thread"]
        rungs = [rows.rung(row) for row in await connection.fetch(self._queries["rungs"], namespace, thread, None)]
        steps = choose(rungs, budget)
        numbers = [new_number() for _ in steps]
        if steps:
            taken = await connection.fetchrow(
                self._queries["step"],
                namespace,
                thread,
                actor,
                [parse_item_id(step.item_id) for step in steps],
                [step.detail for step in steps],
                [step.cost for step in steps],
                numbers,
            )
            assert taken is not None
            account = taken
            if undoable:
                image = images.write(None, Trail(steps=images.stepped(steps)))
                await self._put_image(connection, namespace, numbers[-1], parse_item_id(steps[-1].item_id), image)
        return Settled(rows.ledger(account, budgets), steps)

    async def _lock(self, connection: Connection, namespace: str, item_id: str, *threads: str) -> Row:
        """Hold an item, and before it its thread and ``threads``; the first thing that a transaction does."""
        row = (await self._hold(connection, namespace, [item_id], threads)).get(parse_item_id(item_id))
        if row is None:
            raise ItemNotFoundError(item_id)
        return row

    async def _hold(
        self, connection: Connection, namespace: str, item_ids: Sequence[str], threads: Sequence[str]
    ) -> Mapping[int, Row]:
        """Hold those of the items that there are, and before them their threads and ``threads``."""
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        while True:
            held = await connection.fetch(self._queries["lock_threads"], namespace, numbers, list(threads))
            found = {row["item_id"]: row for row in await connection.fetch(self._queries["lock"], namespace, numbers)}
            if {row["thread"] for row in found.values()} <= {one["thread"] for one in held}:
                return found
            # One moved to another thread between the two statements. That one may come before what is held already.
            await self._pool.restart(connection, namespace)

    async def _put_image(
        self, connection: Connection, namespace: str, event_id: int, number: int, image: str | None
    ) -> None:
        """Write what undoes an event of an item that is there already."""
        if image is not None:
            await connection.execute(self._queries["put_image"], namespace, event_id, number, image)

    async def record(
        self,
        connection: Connection,
        namespace: str,
        *,
        actor: str,
        action: str,
        subject: Subject,
        number: int,
        version: int,
        sha256: bytes,
        image: str | None = None,
    ) -> int:
        """Write a line of the history of a subject, and return the event's number.

        ``sha256`` is that of what the subject is after the change; ``image`` is JSON of what undoes it, "{}" for what
        was made by it, None where it cannot be undone.
        """
        event_id = new_number()
        await connection.execute(
            self._queries["put_event"], namespace, event_id, actor, action, subject, number, version, sha256, image
        )
        return event_id

    async def _record(
        self, connection: Connection, namespace: str, actor: str, action: str, row: Row, image: str | None
    ) -> None:
        """Write a line of the history of an item."""
        await self.record(
            connection,
            namespace,
            actor=actor,
            action=action,
            subject="item",
            number=row["item_id"],
            version=row["version"],
            sha256=row["sha256"],
            image=image,
        )

    def _index_parameters(self, namespace: str, draft: ItemDraft) -> tuple[list[Any], ...]:
        vectors = rows.ready_vectors(draft.chunks)
        return (
            *rows.chunk_columns(draft.chunks),
            *rows.term_columns([chunk.terms for chunk in draft.chunks], self._mean_length(namespace)),
            *rows.vector_columns(vectors),
        )
