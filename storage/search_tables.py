"""Search candidates, vectors, and the statistics of word search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.errors import ItemNotFoundError
from ..core.ids import parse_item_id
from ..core.ingest import chunk_text
from ..core.models import Candidate, Filters, PendingChunk, Span, SparseTerms
from . import rows
from .item_tables import filter_parameters
from .tables import UNCOUNTED_MEAN_LENGTH, Tables

if TYPE_CHECKING:
    from ..core.ports import LexicalEncoder
    from .pool import Connection

EXACT_UP_TO = 10_000
"""Chunks in reach up to which every vector is compared (3 ms, and never a lost row); beyond, HNSW."""
_COUNT_ALWAYS_UP_TO = 2_000
_GROWTH = 1.1
_DRIFT = 0.25
_ITEMS_A_BATCH = 50


class SearchTables(Tables):
    """What searching reads, and what keeps it exact."""

    async def candidates(
        self,
        namespace: str,
        *,
        vector: Sequence[float] | None,
        model_id: str,
        terms: SparseTerms,
        filters: Filters,
        limit: int,
    ) -> list[Candidate]:
        """See Store."""
        from pgvector import HalfVector

        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["candidates"],
                namespace,
                None if vector is None else HalfVector(list(vector)),
                model_id,
                list(terms.keys),
                list(terms.indices),
                list(terms.counts),
                *filter_parameters(filters),
                limit,
                EXACT_UP_TO,
            )
        return [rows.candidate(row) for row in found]

    async def pending_chunks(
        self, namespace: str, item_id: str, model_id: str, limit: int
    ) -> tuple[int, Sequence[PendingChunk]]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["pending_chunks"], namespace, parse_item_id(item_id), model_id, limit
            )
        if not found:
            raise ItemNotFoundError(item_id)
        return found[0]["version"], [
            PendingChunk(row["ordinal"], Span(row["start_byte"], row["end_byte"], row["context"]))
            for row in found
            if row["ordinal"] is not None
        ]

    async def put_vectors(
        self, namespace: str, item_id: str, version: int, model_id: str, vectors: Mapping[int, Sequence[float]]
    ) -> None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            await connection.execute(
                self._queries["put_vectors"],
                namespace,
                parse_item_id(item_id),
                version,
                model_id,
                *rows.vector_columns(vectors),
            )

    async def reweigh(self, namespace: str, lexicon: LexicalEncoder) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["measure_corpus"], namespace)
            assert row is not None
            chunks, mean = row["chunks"], row["mean_length"]
            frozen = row["frozen_length"] or UNCOUNTED_MEAN_LENGTH
            other_lexicon = row["lexicon"] not in (None, lexicon.version)
            rewritten = 0
            if chunks and (other_lexicon or abs(mean - frozen) > _DRIFT * frozen):
                frozen = mean
                rewritten = await self._rewrite(connection, namespace, lexicon, mean)
            elif not (chunks <= _COUNT_ALWAYS_UP_TO or chunks > _GROWTH * (row["counted"] or 0)):
                return 0
            if chunks:
                await connection.execute(self._queries["count_terms"], namespace)
                await connection.execute(self._queries["put_statistics"], namespace, chunks, frozen, lexicon.version)
                self._mean_lengths[namespace] = frozen
            return rewritten

    async def _rewrite(
        self, connection: Connection, namespace: str, lexicon: LexicalEncoder, mean_length: float
    ) -> int:
        last, rewritten = 0, 0
        while found := await connection.fetch(self._queries["chunks_to_reweigh"], namespace, last, _ITEMS_A_BATCH):
            places: list[tuple[int, int]] = []
            terms: list[SparseTerms] = []
            for row in found:
                for ordinal, start, end, context in zip(
                    row["ordinals"], row["starts"], row["ends"], row["contexts"], strict=True
                ):
                    places.append((row["item_id"], ordinal))
                    terms.append(
                        lexicon.encode_document(namespace, chunk_text(row["content"], Span(start, end, context)))
                    )
            await connection.execute(
                self._queries["put_terms"],
                namespace,
                [item_id for item_id, _ in places],
                [ordinal for _, ordinal in places],
                *rows.term_columns(terms, mean_length),
            )
            rewritten += len(places)
            last = found[-1]["item_id"]
        return rewritten
