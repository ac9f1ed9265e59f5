"""Everything in a namespace as records, read in one snapshot and written back in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from ..core.dump_records import (
    RECORDS,
    ContentRecord,
    EventRecord,
    ExampleRecord,
    ImageRecord,
    ItemRecord,
    KeyRecord,
    PriorRecord,
    Record,
    RenditionRecord,
    RequestRecord,
    Restored,
    SealedRecord,
    Tally,
    ThreadRecord,
    UsageRecord,
    conflict,
    type_names,
)
from ..core.dump_sources import FactRecord, ItemSourceRecord
from ..core.dump_work import AgentRecord, TaskDependencyRecord, TaskItemRecord, TaskNoteRecord, TaskRecord
from ..core.errors import ConflictError
from ..core.ids import Subject, format_item_id, new_number, parse_item_id, public_id
from . import rows
from .export_rows import record_of, row_of
from .item_tables import REWEIGH_AFTER
from .rows import Row
from .tables import UNCOUNTED_MEAN_LENGTH, Tables

if TYPE_CHECKING:
    from ..core.models import ChunkDraft
    from ..core.ports import Indexer
    from ..core.versions import Frame
    from .pool import Connection

_ROWS_AT_ONCE = 500
_CONTENTS_AT_ONCE = 8
"""Contents may have 16 MB each."""
_BYTES_AT_ONCE = 8_000_000
_BIND = "SELECT set_config('role', $1, true), set_config('palimpsest.namespace', $2, true)"
_EXPORTS: Mapping[type[Record], str] = {
    ThreadRecord: "export_thread",
    ItemRecord: "export_item",
    ContentRecord: "export_content",
    RenditionRecord: "export_rendition",
    KeyRecord: "export_idempotency_key",
    EventRecord: "export_event",
    ImageRecord: "export_before_image",
    PriorRecord: "export_prior",
    SealedRecord: "export_quarantine_item",
    UsageRecord: "export_usage",
    AgentRecord: "export_agent",
    TaskRecord: "export_task",
    TaskDependencyRecord: "export_task_dependency",
    TaskItemRecord: "export_task_item",
    TaskNoteRecord: "export_task_note",
    RequestRecord: "export_human_request",
    ItemSourceRecord: "export_item_source",
    FactRecord: "export_fact",
    ExampleRecord: "export_training_example",
}
_RESTORES: Mapping[type[Record], str] = {
    ThreadRecord: "restore_thread",
    ItemRecord: "restore_item",
    RenditionRecord: "restore_rendition",
    KeyRecord: "restore_idempotency_key",
    EventRecord: "restore_event",
    ImageRecord: "restore_before_image",
    PriorRecord: "restore_before_image",
    SealedRecord: "restore_quarantine_item",
    UsageRecord: "restore_usage",
    AgentRecord: "restore_agent",
    TaskRecord: "restore_task",
    TaskDependencyRecord: "restore_task_dependency",
    TaskItemRecord: "restore_task_item",
    TaskNoteRecord: "restore_task_note",
    RequestRecord: "restore_human_request",
    ItemSourceRecord: "restore_item_source",
    FactRecord: "restore_fact",
    ExampleRecord: "restore_training_example",
}


_SUBJECTS: Mapping[str, Subject] = {
    "item": "item",
    "content": "item",
    "task": "task",
    "human_request": "request",
    "fact": "item",
}
"""Whose ids the keys of these records are."""


class _TriedError(Exception):
    """The transaction was only tried."""


class ExportTables(Tables):
    """Export and restore."""

    async def export(
        self, namespace: str, *, thread: str | None = None, sealed: bool = False
    ) -> AsyncGenerator[Tally | Record, None]:
        """See Store."""
        async with self._snapshot(namespace) as connection:
            counts = await connection.fetchrow(self._queries["export_counts"], namespace, thread)
            assert counts is not None
            yield Tally(dict(counts))
            for record in RECORDS:
                at_once = _CONTENTS_AT_ONCE if record in (ContentRecord, SealedRecord) else _ROWS_AT_ONCE
                query = self._queries[_EXPORTS[record]]
                asked = (sealed,) if record is SealedRecord else ()
                async for row in connection.cursor(query, namespace, thread, *asked, prefetch=at_once):
                    yield record_of(record, dict(row))

    @asynccontextmanager
    async def _snapshot(self, namespace: str) -> AsyncGenerator[Connection, None]:
        """Give a transaction that sees one moment; it has to begin anew, because its kind is set before all else."""
        async with self._pool.transaction(namespace) as connection:
            role = await connection.fetchval("SELECT current_user::text")
            await connection.execute("ROLLBACK")
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await connection.fetchrow(_BIND, role, namespace)
            yield connection

    async def restore(
        self, namespace: str, records: Iterable[Record], *, indexer: Indexer, keep: bool = True
    ) -> Restored:
        """See Store."""
        restoring: _Restoring | None = None
        try:
            async with self._pool.transaction(namespace) as connection:
                restoring = _Restoring(connection, namespace, self._queries, indexer if keep else None)
                await restoring.take(records)
                if not keep:
                    raise _TriedError
        except _TriedError:
            pass
        assert restoring is not None
        return restoring.restored()


class _Restoring:
    """A load on its way: its connection, and what has been counted so far."""

    def __init__(
        self, connection: Connection, namespace: str, queries: Mapping[str, str], indexer: Indexer | None
    ) -> None:
        self._connection = connection
        self._namespace = namespace
        self._queries = queries
        self._indexer = indexer
        self._added: Counter[str] = Counter(dict.fromkeys(type_names(), 0))
        self._known: Counter[str] = Counter(dict.fromkeys(type_names(), 0))
        self._threads: list[str] = []
        self._known_events: set[int] = set()
        self._mean_length = UNCOUNTED_MEAN_LENGTH

    def restored(self) -> Restored:
        return Restored(dict(self._added), dict(self._known))

    async def take(self, records: Iterable[Record]) -> None:
        known = await self._connection.fetchval(self._queries["restore_namespace"], self._namespace)
        self._mean_length = known or UNCOUNTED_MEAN_LENGTH
        for batch in _batches(records):
            name = batch[0].type
            if isinstance(batch[0], ContentRecord):
                made = await self._contents([one for one in batch if isinstance(one, ContentRecord)])
            else:
                made = await self._rows(name, batch)
            self._added[name] += made
            self._known[name] += len(batch) - made
        await self._connection.execute(self._queries["restore_latest"], self._namespace, self._threads)
        await self._connection.execute(
            self._queries["restore_accounts"], self._namespace, self._threads, new_number(), REWEIGH_AFTER
        )

    async def _rows(self, name: str, batch: Sequence[Record]) -> int:
        if name == "thread":
            self._threads += [one.thread for one in batch if isinstance(one, ThreadRecord)]
        kept = [one for one in batch if self._may_undo(one)]
        wanted = json.dumps([row_of(one) for one in kept], default=datetime.isoformat)
        if name == "item":
            await self._check_twins(wanted)
        found = await self._connection.fetch(self._queries[_RESTORES[type(batch[0])]], self._namespace, wanted)
        _check(name, found)
        if name == "event":
            self._known_events.update(row["key"] for row in found if not row["made"])
        return sum(row["made"] for row in found)

    def _may_undo(self, record: Record) -> bool:
        """Say whether a before-image is wanted: what was taken back here since must not become undoable again."""
        if not isinstance(record, ImageRecord | PriorRecord):
            return True
        return record.event_id not in self._known_events and not (isinstance(record, ImageRecord) and record.is_empty)

    async def _check_twins(self, wanted: str) -> None:
        row = await self._connection.fetchrow(self._queries["restore_twin"], self._namespace, wanted)
        if row is not None:
            raise ConflictError(
                f"The content of {format_item_id(row['item_id'])} is here already, in {format_item_id(row['twin'])} of "
                "the same thread; nothing was loaded; forget that one first, or load into a namespace of its own."
            )

    async def _contents(self, batch: Sequence[ContentRecord]) -> int:
        found = await self._connection.fetch(
            self._queries["restore_content"],
            self._namespace,
            [parse_item_id(one.item_id) for one in batch],
            [one.version for one in batch],
            [one.content for one in batch],
            [bytes.fromhex(one.sha256) for one in batch],
            [one.tokens for one in batch],
            [one.token_counter for one in batch],
            [one.created_at for one in batch],
        )
        _check("content", found)
        if self._indexer is not None:
            index = _Index()
            for row, record in zip(found, batch, strict=True):
                if row["made"] and row["current"]:
                    chunks = await self._indexer.chunks(
                        self._namespace, record.content, row["content_type"], row["title"]
                    )
                    frame = self._indexer.frame(self._namespace, record.content, rows.labels(row))
                    index.add(row["key"], row["live"], chunks, frame)
            await self._put_index(index)
        return sum(row["made"] for row in found)

    async def _put_index(self, index: _Index) -> None:
        assert self._indexer is not None
        if not index.places:
            return
        items = list(dict.fromkeys(item for item, _ in index.places))
        await self._connection.execute(
            self._queries["restore_index"],
            self._namespace,
            [item for item, _ in index.places],
            [ordinal for _, ordinal in index.places],
            *rows.chunk_columns(index.chunks),
            index.live,
            *rows.term_columns([chunk.terms for chunk in index.chunks], self._mean_length),
            [new_number() for _ in items],
            items,
        )
        framed = [(number, *rows.frame_columns(frame)) for number, frame in index.frames]
        if framed:
            await self._connection.execute(
                self._queries["restore_frames"], self._namespace, *map(list, zip(*framed, strict=True))
            )


class _Index:
    """Chunks of several items, in columns, and what their versions are found by."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []
        self.live: list[bool] = []
        self.chunks: list[ChunkDraft] = []
        self.frames: list[tuple[int, Frame]] = []

    def add(self, number: int, live: bool, chunks: Sequence[ChunkDraft], frame: Frame | None) -> None:
        self.places += [(number, ordinal) for ordinal in range(len(chunks))]
        self.live += [live] * len(chunks)
        self.chunks += chunks
        if frame is not None:
            self.frames.append((number, frame))


def _check(name: str, found: Sequence[Row]) -> None:
    differing = next((row["key"] for row in found if row["differs"]), None)
    if differing is not None:
        subject = _SUBJECTS.get(name)
        raise conflict(name, repr(differing) if subject is None else public_id(subject, differing))


def _batches(records: Iterable[Record]) -> Generator[list[Record], None, None]:
    """Yield records in lists of one type that are not too large for a statement."""
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (record.type != batch[0].type or len(batch) == _ROWS_AT_ONCE or size > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.content) if isinstance(record, ContentRecord) else 0
        size += len(record.box or "") if isinstance(record, SealedRecord) else 0
    if batch:
        yield batch
