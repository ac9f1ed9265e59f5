"""Items, contents and renditions: added and read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..core.budget import Budgets
from ..core.errors import ConflictError, ItemNotFoundError, NotFoundError, StoreError
from ..core.ids import format_item_id, new_item_id, new_number, parse_item_id
from ..core.models import (
    TRUSTS,
    Detail,
    Filters,
    Item,
    ItemDraft,
    ItemList,
    ItemState,
    Linked,
    Receipt,
    Remodelled,
    Rendition,
    Span,
    StoreCounts,
    Trail,
)
from . import images, rows
from .fact_tables import FactTables
from .lineage_tables import LineageTables
from .rows import Row
from .source_tables import SourceTables
from .tables import Indexed

_ATTEMPTS = 3
REWEIGH_AFTER = timedelta(seconds=2)


class _TakenError(Exception):
    """The thread already holds the content, or the id is taken."""


class _RetypedError(Exception):
    """The thread holds the content in other typing; ``spelled`` when one of that item's versions is typed so, too."""

    def __init__(self, number: int, *, spelled: bool) -> None:
        super().__init__(number)
        self.number = number
        self.spelled = spelled


def filter_parameters(filters: Filters) -> tuple[Any, ...]:
    """Return (thread, content_type, memory_type, tags, min_priority, since, until, as_of); None does not narrow."""
    return (
        filters.thread,
        filters.content_type,
        filters.memory_type,
        list(filters.tags) or None,
        filters.min_priority,
        filters.since,
        filters.until,
        filters.as_of,
    )


class ItemTables(LineageTables, SourceTables, FactTables):
    """Adds and reads."""

    async def find_added(
        self,
        namespace: str,
        *,
        thread: str,
        sha256: str,
        idempotency_key: str | None,
        happened_at: datetime | None = None,
        budgets: Budgets,
    ) -> Receipt | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await self._find_added(connection, namespace, thread, sha256, idempotency_key, happened_at, budgets)
            return found if isinstance(found, Receipt) else None

    async def _find_added(
        self,
        connection: Any,
        namespace: str,
        thread: str,
        sha256: str,
        key: str | None,
        at: datetime | None,
        budgets: Budgets,
    ) -> Receipt | int:
        """Return what an add would run into, or how often the thread had been told the content when it changed."""
        row = await connection.fetchrow(self._queries["find_added"], namespace, thread, bytes.fromhex(sha256), key)
        if row["mean_length"] is not None:
            self._mean_lengths[namespace] = row["mean_length"]
        if row["item_id"] is None:
            return 0
        if not row["same"]:
            raise ConflictError(
                f"The idempotency key {key!r} was used for other content; take a new key for new content."
            )
        valid = await self._holding(connection, namespace, row, at)
        if valid["sha256"] != row["sha256"]:
            return int(row["occurrence"])
        item, indexed, settled = await self._current(connection, namespace, valid["item_id"], budgets)
        return self._receipt(item, row["outcome"], indexed, settled)

    async def add(self, namespace: str, draft: ItemDraft, *, budgets: Budgets) -> Receipt:
        """See Store."""
        import asyncpg

        occurrence = 0
        for _ in range(_ATTEMPTS):
            try:
                async with self._pool.transaction(namespace) as connection:
                    return await self._add(connection, namespace, draft, occurrence, budgets)
            except _TakenError:
                pass
            except _RetypedError as same:
                return await self._retyped(namespace, same, budgets)
            except StoreError as error:
                # Another process used the same idempotency key between our look and our write.
                if not isinstance(error.__cause__, asyncpg.UniqueViolationError):
                    raise
            async with self._pool.transaction(namespace) as connection:
                known = await self._find_added(
                    connection,
                    namespace,
                    draft.thread,
                    draft.sha256,
                    draft.idempotency_key,
                    draft.happened_at,
                    budgets,
                )
            if isinstance(known, Receipt):
                return known
            # The value came back, the id was taken, or the other item was forgotten meanwhile: a new id may do.
            occurrence = known
            draft = replace(draft, item_id=new_item_id())
        raise StoreError(
            "The item could not be added because others change the same content; nothing was written, try again."
        )

    async def _add(
        self, connection: Any, namespace: str, draft: ItemDraft, occurrence: int, budgets: Budgets
    ) -> Receipt:
        former = None
        if draft.model is not None:
            former = await connection.fetchrow(self._queries["lock_thread"], namespace, draft.thread)
        event_id = new_number()
        parameters = self._add_parameters(namespace, draft, occurrence, event_id)
        row = await connection.fetchrow(self._queries["add"], *parameters)
        if row is None:
            # The account has grown already: the transaction must not commit.
            raise _TakenError
        number = parse_item_id(draft.item_id)
        await self.put_sources(connection, namespace, number, draft.origins)
        await self.put_fact(connection, namespace, draft)
        lineage, links, other = await self._join(connection, namespace, draft)
        settled = await self._settle(connection, namespace, json.loads(row["account"]), budgets)
        trail = Trail(images.stepped(settled.steps, number), tuple(links), model=_remodelled(draft, former))
        await self._put_image(connection, namespace, event_id, number, images.write(None, trail))
        ready = sum(chunk.embedding is not None for chunk in draft.chunks)
        item = replace(_added_item(draft, row), lineage=lineage)
        if other is not None and (other["happened_at"], other["item_id"]) > (
            item.happened_at,
            parse_item_id(item.item_id),
        ):
            item = replace(item, latest=False, superseded_by=format_item_id(other["item_id"]))
        own = next((step for step in settled.steps if step.item_id == item.item_id), None)
        if own is not None:
            item = replace(item, detail=own.detail, cost=own.cost)
        receipt = self._receipt(item, "added", Indexed(len(draft.chunks), ready), settled)
        return receipt if other is None else replace(receipt, version_of=format_item_id(other["item_id"]))

    async def _join(
        self, connection: Any, namespace: str, draft: ItemDraft
    ) -> tuple[str | None, Sequence[Linked], Row | None]:
        """Let a new item join its versions; return its lineage, who left another for it, and the newest of the others.

        The thread's row is held by now, so that of two versions at the same moment one sees the other.
        """
        number = parse_item_id(draft.item_id)
        kin = await self._kin(connection, namespace, draft, number)
        if kin.retyped is not None:
            valid = await self._holding(connection, namespace, kin.retyped, draft.happened_at)
            if valid["item_id"] == kin.retyped["item_id"]:
                raise _RetypedError(valid["item_id"], spelled=kin.retyped["spelled"])
        if not kin.versions:
            return None, (), None
        return await self._link(connection, namespace, number, kin.versions)

    async def _retyped(self, namespace: str, same: _RetypedError, budgets: Budgets) -> Receipt:
        async with self._pool.transaction(namespace) as connection:
            item, indexed, settled = await self._current(connection, namespace, same.number, budgets)
        return self._receipt(item, "duplicate" if same.spelled else "retyped", indexed, settled)

    def _add_parameters(self, namespace: str, draft: ItemDraft, occurrence: int, event_id: int) -> list[Any]:
        labels = draft.labels
        return [
            namespace,
            parse_item_id(draft.item_id),
            draft.thread,
            labels.title,
            labels.content_type,
            labels.memory_type,
            labels.priority,
            labels.pinned,
            list(labels.tags),
            bytes.fromhex(draft.sha256),
            len(draft.content),
            draft.tokens.tokens,
            draft.tokens.counter,
            len(draft.chunks),
            json.dumps(dict(draft.source)),
            draft.content,
            *rows.rendition_columns(draft.renditions),
            *self._index_parameters(namespace, draft),
            draft.embedding_model,
            draft.idempotency_key,
            event_id,
            draft.source.get("actor", "client"),
            new_number(),
            REWEIGH_AFTER,
            draft.header_tokens,
            draft.model,
            draft.expires_at,
            draft.summarize,
            draft.happened_at,
            occurrence,
            *rows.frame_columns(draft.frame),
            TRUSTS.index(draft.labels.trust),
            new_number() if draft.extract else None,
        ]

    async def get(self, namespace: str, item_id: str) -> Item:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["get"], namespace, parse_item_id(item_id), self._model_id)
        if row is None:
            raise ItemNotFoundError(item_id)
        return rows.item(row)

    async def read(self, namespace: str, item_id: str, version: int | None = None) -> tuple[Item, bytes, str]:
        """See Store."""
        number = parse_item_id(item_id)
        async with self._pool.transaction(namespace) as connection:
            if version is None:
                row = await connection.fetchrow(self._queries["read"], namespace, number)
            else:
                row = await connection.fetchrow(self._queries["read_version"], namespace, number, version)
        if row is None:
            raise ItemNotFoundError(item_id)
        if row["content"] is None:
            raise NotFoundError(
                f"Item {item_id} has no version {version}; its versions run from 1 to {row['version']}."
            )
        return rows.item(row), row["content"], row["content_sha256"].hex()

    async def rendition(self, namespace: str, item_id: str, detail: Detail) -> tuple[Item, Rendition | None]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["rendition"], namespace, parse_item_id(item_id), detail)
        if row is None:
            raise ItemNotFoundError(item_id)
        if row["body"] is None:
            return rows.item(row), None
        return rows.item(row), Rendition(detail, row["body"], row["rendition_tokens"], row["compressor"])

    async def list_items(
        self, namespace: str, filters: Filters, *, state: ItemState, limit: int, before: tuple[datetime, str] | None
    ) -> ItemList:
        """See Store."""
        place = (None, None) if before is None else (before[0], parse_item_id(before[1]))
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["list_items"], namespace, state.value, *filter_parameters(filters), *place, limit
            )
        # The count comes with a row of its own, also for a page past the end.
        items = tuple(rows.item(row) for row in found if row["item_id"] is not None)
        return ItemList(items, found[0]["total"], None)

    async def passages(self, namespace: str, wanted: Sequence[tuple[str, Span]]) -> list[tuple[Item, bytes]]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["passages"],
                namespace,
                [parse_item_id(item_id) for item_id, _ in wanted],
                [span.start for _, span in wanted],
                [span.end for _, span in wanted],
            )
        return [(rows.item(row), row["passage"]) for row in found]

    async def state(self, namespace: str, model_id: str, *, budgets: Budgets) -> StoreCounts:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["state"], namespace, model_id)
        assert row is not None
        threads = json.loads(row["threads"])
        total = sum(thread["chunks"] for thread in threads)
        return StoreCounts(
            items=sum(thread["items"] for thread in threads),
            forgotten=row["forgotten"],
            chunks=total,
            chunks_pending=max(0, total - row["vectors"]),
            content_bytes=sum(thread["bytes"] for thread in threads),
            database_bytes=row["database_bytes"],
            threads=tuple(rows.ledger(thread, budgets, thread["spent"]) for thread in threads),
        )

    async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            await connection.execute(
                self._queries["touch"], namespace, sorted(parse_item_id(item_id) for item_id in item_ids), at
            )


def _remodelled(draft: ItemDraft, former: Row | None) -> Remodelled | None:
    model = None if former is None else former["model"]
    return None if draft.model in (None, model) else Remodelled(draft.thread, model, str(draft.model))


def _added_item(draft: ItemDraft, row: Any) -> Item:
    return Item(
        item_id=draft.item_id,
        thread=draft.thread,
        labels=draft.labels,
        state=ItemState.ACTIVE,
        version=1,
        sha256=draft.sha256,
        size_bytes=len(draft.content),
        tokens=draft.tokens.tokens,
        token_counter=draft.tokens.counter,
        source=dict(draft.source),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        happened_at=row["happened_at"],
        detail=draft.detail,
        cost=draft.cost,
        header_tokens=draft.header_tokens,
        expires_at=draft.expires_at,
    )
