"""The Store without PostgreSQL: its contract in the plainest form, for tests and for trying things out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..core.budget import Budgets
from ..core.errors import NotFoundError
from ..core.ingest import chunk_text
from ..core.models import (
    NO_TERMS,
    CandidateSet,
    Detail,
    Filters,
    Item,
    ItemList,
    ItemState,
    PendingChunk,
    Rendition,
    Span,
    SparseTerms,
    StoreCounts,
)
from ..core.ports import LexicalEncoder
from .inmemory_conversations import Conversations
from .inmemory_facts import Facts
from .inmemory_learning import Learning
from .inmemory_people import People
from .inmemory_quarantine import Quarantine
from .inmemory_search import Query, find, passes
from .inmemory_sources import Sources
from .inmemory_tasks import Tasks


class InMemoryStore(Tasks, Quarantine, People, Sources, Facts, Conversations, Learning):
    """A Store in this process's memory; see ``Changes`` and ``Ledger`` for what writes."""

    async def get(self, namespace: str, item_id: str) -> Item:
        """See Store."""
        return self._shelves[namespace].record(item_id).item

    async def read(self, namespace: str, item_id: str, version: int | None = None) -> tuple[Item, bytes, str]:
        """See Store."""
        record = self._shelves[namespace].record(item_id)
        wanted = record.item.version if version is None else version
        if not 1 <= wanted <= len(record.contents):
            raise NotFoundError(
                f"Item {item_id} has no version {wanted}; its versions run from 1 to {record.item.version}."
            )
        return record.item, *record.contents[wanted - 1]

    async def rendition(self, namespace: str, item_id: str, detail: Detail) -> tuple[Item, Rendition | None]:
        """See Store."""
        record = self._shelves[namespace].record(item_id)
        return record.item, next((one for one in record.renditions if one.detail == detail), None)

    async def list_items(
        self, namespace: str, filters: Filters, *, state: ItemState, limit: int, before: tuple[datetime, str] | None
    ) -> ItemList:
        """See Store."""
        shelf = self._shelves[namespace]
        passing = [
            record.item
            for record in shelf.records.values()
            if record.item.state is state and passes(record, filters, shelf)
        ]
        passing.sort(key=_place, reverse=True)
        page = [item for item in passing if before is None or _place(item) < before]
        return ItemList(tuple(page[:limit]), len(passing), None)

    async def candidates(
        self,
        namespace: str,
        *,
        vector: Sequence[float] | None,
        model_id: str,
        terms: SparseTerms,
        filters: Filters,
        limit: int,
        reach: int = 2,
        markers: SparseTerms = NO_TERMS,
    ) -> CandidateSet:
        """See Store."""
        return find(self._shelves[namespace], Query(vector, model_id, terms, markers, filters, limit, reach))

    async def known_terms(self, namespace: str, keys: Sequence[int]) -> Mapping[int, int]:
        """See Store."""
        counted = Counter(
            key for record in self._shelves[namespace].active() for chunk in record.chunks for key in chunk.terms.keys
        )
        return {key: counted[key] for key in keys if key in counted}

    async def passages(self, namespace: str, wanted: Sequence[tuple[str, Span]]) -> list[tuple[Item, bytes]]:
        """See Store."""
        records = self._shelves[namespace].records
        return [
            (records[item_id].item, records[item_id].contents[-1][0][span.start : span.end])
            for item_id, span in wanted
            if item_id in records
        ]

    async def state(self, namespace: str, model_id: str, *, budgets: Budgets) -> StoreCounts:
        """See Store."""
        shelf = self._shelves[namespace]
        active = list(shelf.active())
        return StoreCounts(
            items=len(active),
            forgotten=len(shelf.records) - len(active),
            chunks=sum(len(record.chunks) for record in active),
            chunks_pending=sum(record.pending(model_id) for record in active),
            content_bytes=sum(record.item.size_bytes for record in active),
            database_bytes=0,
            threads=tuple(shelf.account(thread, budgets) for thread in sorted(shelf.threads)),
        )

    async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
        """See Store."""
        for item_id in item_ids:
            record = self._shelves[namespace].records.get(item_id)
            if record is not None and (record.item.last_used_at is None or record.item.last_used_at < at):
                record.item = replace(record.item, last_used_at=at)

    async def pending_chunks(
        self, namespace: str, item_id: str, model_id: str, limit: int
    ) -> tuple[int, Sequence[PendingChunk]]:
        """See Store."""
        record = self._shelves[namespace].record(item_id)
        pending = [
            PendingChunk(ordinal, chunk.span)
            for ordinal, chunk in enumerate(record.chunks)
            if model_id not in chunk.vectors
        ]
        return record.item.version, pending[:limit]

    async def put_vectors(
        self, namespace: str, item_id: str, version: int, model_id: str, vectors: Mapping[int, Sequence[float]]
    ) -> None:
        """See Store."""
        record = self._shelves[namespace].records.get(item_id)
        if record is None or record.item.version != version:
            return
        for ordinal, chunk in enumerate(record.chunks):
            if ordinal in vectors:
                chunk.vectors.setdefault(model_id, tuple(vectors[ordinal]))

    async def reweigh(self, namespace: str, lexicon: LexicalEncoder) -> int:
        """Take over the terms of another lexicon; everything else about a score is counted afresh in each search."""
        rewritten = 0
        for record in self._shelves[namespace].records.values():
            if record.lexicon == lexicon.version:
                continue
            content, _ = record.contents[-1]
            for chunk in record.chunks:
                chunk.terms = lexicon.encode_document(namespace, chunk_text(content, chunk.span))
            record.lexicon = lexicon.version
            rewritten += len(record.chunks)
        return rewritten

    async def describe(self) -> str:
        """See Store."""
        return "this process's memory (nothing outlives it)"

    async def aclose(self) -> None:
        """See Store."""


def _place(item: Item) -> tuple[datetime, str]:
    return item.created_at, item.item_id
