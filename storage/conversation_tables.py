"""Turns of conversations: many items in one transaction, with few round trips."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.budget import Budgets
from ..core.errors import InvalidInputError, StoreError
from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.models import TRUSTS, AddedTurns, ItemDraft, KnownTurn, SlidTurn, Standing, Trail
from . import images, rows
from .item_tables import REWEIGH_AFTER
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection

MOST_OCCURRENCES = 32_767
_ATTEMPTS = 3


class ConversationTables(Tables):
    """Adds turns, and says what is known of them."""

    async def known_turns(self, namespace: str, keys: Sequence[str]) -> Mapping[str, KnownTurn]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["known_turns"], namespace, list(keys))
        return {
            row["key"]: KnownTurn(
                format_item_id(row["item_id"]), row["sha256"].hex(), frozenset(one.hex() for one in row["spoken"])
            )
            for row in found
        }

    async def add_turns(self, namespace: str, drafts: Sequence[ItemDraft], *, budgets: Budgets) -> AddedTurns:
        """See Store."""
        import asyncpg

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._pool.transaction(namespace) as connection:
                    return await self._add_turns(connection, namespace, drafts, budgets)
            except StoreError as error:
                # Another process used one of the keys, in another thread, between our look and our write.
                if attempt == _ATTEMPTS or not isinstance(
                    error.__cause__, asyncpg.UniqueViolationError | asyncpg.DeadlockDetectedError
                ):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _add_turns(
        self, connection: Connection, namespace: str, drafts: Sequence[ItemDraft], budgets: Budgets
    ) -> AddedTurns:
        thread = drafts[0].thread
        account: Any = await connection.fetchrow(self._queries["hold_thread"], namespace, thread)
        taken = await connection.fetchrow(
            self._queries["taken"],
            namespace,
            thread,
            [draft.idempotency_key for draft in drafts],
            list({bytes.fromhex(draft.sha256) for draft in drafts}),
        )
        assert taken is not None
        if taken["mean_length"] is not None:
            self._mean_lengths[namespace] = taken["mean_length"]
        known = set(taken["keys"])
        fresh = [draft for draft in drafts if draft.idempotency_key not in known]
        if not fresh:
            return AddedTurns((), self._durable, rows.ledger(account, budgets))
        events = [new_number() for _ in fresh]
        numbered = _numbered(fresh, json.loads(taken["held"] or "{}"), events)
        parameters = self._turn_parameters(namespace, fresh, numbered)
        row = await connection.fetchrow(self._queries["add_turns"], namespace, thread, *parameters)
        assert row is not None
        settled = await self._settle(connection, namespace, json.loads(row["account"]), budgets)
        added = {draft.item_id for draft in fresh}
        others = [step for step in settled.steps if step.item_id not in added]
        image = images.write(None, Trail(images.stepped(others)))
        await self._put_image(connection, namespace, events[-1], parse_item_id(fresh[-1].item_id), image)
        return AddedTurns(tuple(draft.item_id for draft in fresh), self._durable, settled.ledger, tuple(settled.steps))

    def _turn_parameters(
        self, namespace: str, drafts: Sequence[ItemDraft], numbered: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        """Return parameters from the third on: of the items, their chunks and their vectors."""
        numbers = [parse_item_id(draft.item_id) for draft in drafts]
        by_draft = list(zip(numbers, drafts, strict=True))
        chunks = [(number, ordinal, chunk) for number, draft in by_draft for ordinal, chunk in enumerate(draft.chunks)]
        ready = [(number, ordinal, chunk.embedding) for number, ordinal, chunk in chunks if chunk.embedding is not None]
        _, vectors = rows.vector_columns(dict(enumerate(vector for _, _, vector in ready)))
        return [
            json.dumps(numbered),
            [draft.content for draft in drafts],
            [bytes.fromhex(draft.sha256) for draft in drafts],
            [number for number, _, _ in chunks],
            [ordinal for _, ordinal, _ in chunks],
            *rows.chunk_columns([chunk for _, _, chunk in chunks]),
            *rows.term_columns([chunk.terms for _, _, chunk in chunks], self._mean_length(namespace)),
            [number for number, _, _ in ready],
            [ordinal for _, ordinal, _ in ready],
            vectors,
            drafts[0].embedding_model,
            drafts[0].source.get("actor", "client"),
            new_number(),
            REWEIGH_AFTER,
        ]

    async def standing(self, namespace: str, thread: str) -> Mapping[Standing, int]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["standing"], namespace, thread)
        return {row["detail"]: row["items"] for row in found}

    async def slid_turns(self, namespace: str, thread: str, session: str, *, limit: int) -> Sequence[SlidTurn]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["slid_turns"], namespace, thread, session, limit)
        return [
            SlidTurn(format_item_id(row["item_id"]), row["position"], row["happened_at"], row["content"].decode())
            for row in found
        ]


def _numbered(drafts: Sequence[ItemDraft], held: Mapping[str, int], events: Sequence[int]) -> list[Mapping[str, Any]]:
    """Return what is written of each item besides its content, told apart from the same content by its occurrence."""
    following = dict(held)
    found: list[Mapping[str, Any]] = []
    for draft, event in zip(drafts, events, strict=True):
        occurrence = following.get(draft.sha256, 0)
        if occurrence > MOST_OCCURRENCES:
            raise InvalidInputError(
                f"Thread {draft.thread!r} holds the same words {MOST_OCCURRENCES + 1:,} times already; "
                "go on in another session."
            )
        following[draft.sha256] = occurrence + 1
        found.append(_columns(draft, occurrence, event))
    return found


def _columns(draft: ItemDraft, occurrence: int, event: int) -> Mapping[str, Any]:
    labels = draft.labels
    bodies, tokens, compressors = rows.rendition_columns(draft.renditions)
    return {
        "item_id": parse_item_id(draft.item_id),
        "event_id": event,
        "job_id": new_number(),
        "title": labels.title,
        "content_type": labels.content_type,
        "memory_type": labels.memory_type,
        "priority": labels.priority,
        "pinned": labels.pinned,
        "tags": list(labels.tags),
        "size_bytes": len(draft.content),
        "tokens": draft.tokens.tokens,
        "token_counter": draft.tokens.counter,
        "chunk_count": len(draft.chunks),
        "vectors": sum(chunk.embedding is not None for chunk in draft.chunks),
        "source": dict(draft.source),
        "header_tokens": draft.header_tokens,
        "cost": draft.cost,
        "detail": draft.detail,
        "expires_at": None if draft.expires_at is None else draft.expires_at.isoformat(),
        "happened_at": None if draft.happened_at is None else draft.happened_at.isoformat(),
        "occurrence": occurrence,
        "trust": TRUSTS.index(labels.trust),
        "key": draft.idempotency_key,
        "summarize": draft.summarize,
        "facts_job": new_number() if draft.extract else None,
        "bodies": bodies,
        "rendition_tokens": tokens,
        "compressors": compressors,
    }
