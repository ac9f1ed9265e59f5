"""What every table family shares: the pool, the queries, and receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import ItemNotFoundError
from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import Item, ItemDraft, Receipt
from . import rows
from .rows import Row

if TYPE_CHECKING:
    from .pool import Connection, Pool

Outcome = Literal["added", "duplicate", "replayed", "updated", "unchanged", "forgotten", "restored", "purged"]

UNCOUNTED_MEAN_LENGTH = 100.0
"""The mean chunk length (in words) that impacts are stored with until a namespace has been counted."""


@dataclass(frozen=True, slots=True)
class Account:
    """A thread after a change: ``vectors`` are those that the item's chunks have."""

    thread_tokens: int
    chunks: int
    vectors: int


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
        self, item: Item, outcome: Outcome, account: Account, window: int, notes: Sequence[str] = ()
    ) -> Receipt:
        return Receipt(
            item=item,
            outcome=outcome,
            durable=self._durable,
            chunks=account.chunks,
            chunks_pending=max(0, account.chunks - account.vectors),
            utilization=account.thread_tokens / window,
            notes=tuple(notes),
        )

    async def _current(self, connection: Connection, namespace: str, number: int) -> tuple[Item, Account]:
        row = await connection.fetchrow(self._queries["get"], namespace, number, self._model_id)
        if row is None:
            raise ItemNotFoundError(format_item_id(number))
        return rows.item(row), Account(row["thread_tokens"], row["chunk_count"], row["vectors"])

    async def _lock(self, connection: Connection, namespace: str, item_id: str) -> Row:
        row = await connection.fetchrow(self._queries["lock"], namespace, parse_item_id(item_id))
        if row is None:
            raise ItemNotFoundError(item_id)
        return row

    async def _record(
        self, connection: Connection, namespace: str, actor: str, action: str, row: Row, image: str | None
    ) -> None:
        await connection.execute(
            self._queries["put_event"],
            namespace,
            new_number(),
            actor,
            action,
            row["item_id"],
            row["version"],
            row["sha256"],
            image,
        )

    def _index_parameters(self, namespace: str, draft: ItemDraft) -> tuple[list[Any], ...]:
        vectors = rows.ready_vectors(draft.chunks)
        return (
            *rows.rendition_columns(draft.renditions),
            *rows.chunk_columns(draft.chunks),
            *rows.term_columns([chunk.terms for chunk in draft.chunks], self._mean_length(namespace)),
            *rows.vector_columns(vectors),
        )
