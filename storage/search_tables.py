"""Search candidates, vectors, and the statistics of word search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.errors import ItemNotFoundError
from ..core.ids import parse_item_id
from ..core.ingest import chunk_text
from ..core.models import NO_TERMS, CandidateSet, Filters, PendingChunk, Span, SparseTerms
from . import rows
from .item_tables import filter_parameters
from .tables import UNCOUNTED_MEAN_LENGTH, Tables

if TYPE_CHECKING:
    from ..core.ports import LexicalEncoder
    from .pool import Connection

EXACT_UP_TO = 10_000
"""Chunks in reach up to which every vector is compared (3 ms, and never a lost row); beyond, HNSW."""
EVERY_WORD_UP_TO = 20_000
"""Chunks of a namespace up to which every chunk with any of the words is scored."""
_ACCOMPANIED = 30
"""Of a larger namespace, the best so many by meaning and by word come with their neighbours."""
FREQUENT_FROM = 3_000
"""Chunks beyond which a term's occurrences are too many to go through; see ``storage/functions/word_plan.sql``."""
_CHAMPIONS = 200
"""Of such a term, this many chunks in which it weighs most are remembered."""
_COUNT_ALWAYS_UP_TO = 2_000
_GROWTH = 1.1
_DRIFT = 0.25
_ITEMS_A_BATCH = 50
_TERMS_A_BATCH = 20
_COUNTING_SECONDS = 600.0
"""A statement's time for a count, in the background."""


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
        reach: int = 2,
        markers: SparseTerms = NO_TERMS,
    ) -> CandidateSet:
        """See Store."""
        from pgvector import HalfVector

        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["candidates"],
                namespace,
                None if vector is None else HalfVector(list(vector)),
                model_id,
                list(terms.keys),
                list(terms.counts),
                list(markers.keys),
                *filter_parameters(filters),
                limit,
                reach,
                EXACT_UP_TO,
                EVERY_WORD_UP_TO,
                _ACCOMPANIED,
            )
        return rows.candidate_set(found, terms.counts)

    async def known_terms(self, namespace: str, keys: Sequence[int]) -> Mapping[int, int]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["known_terms"], namespace, list(keys))
        return {row["key"]: row["chunks"] for row in found}

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
            other_lexicon = row["lexicon"] not in (None, lexicon.version)
            if not (other_lexicon or _count_is_due(row["chunks"], row["counted"] or 0)):
                return 0
            measured = await connection.fetchrow(self._queries["measure_length"], namespace)
            assert measured is not None
            chunks, mean = measured["chunks"], measured["mean_length"]
            if not chunks:
                return 0
            frozen = row["mean_length"] or UNCOUNTED_MEAN_LENGTH
            rewritten = 0
            if other_lexicon or abs(mean - frozen) > _DRIFT * frozen:
                frozen = mean
                rewritten = await self._rewrite(connection, namespace, lexicon, mean)
            await connection.execute(self._queries["count_terms"], namespace, chunks, timeout=_COUNTING_SECONDS)
            await connection.execute(self._queries["put_statistics"], namespace, chunks, frozen, lexicon.version)
            self._mean_lengths[namespace] = frozen
            least = FREQUENT_FROM if chunks > EVERY_WORD_UP_TO else chunks
            frequent = await connection.fetch(self._queries["frequent_terms"], namespace, least)
        # Half a minute's work among 500,000 chunks: each batch is a transaction of its own.
        keys = [row["key"] for row in frequent]
        for at in range(0, len(keys), _TERMS_A_BATCH):
            await self._choose_champions(namespace, keys[at : at + _TERMS_A_BATCH])
        return rewritten

    async def _choose_champions(self, namespace: str, keys: Sequence[int]) -> None:
        async with self._pool.transaction(namespace) as connection:
            await connection.execute(
                self._queries["put_champions"], namespace, keys, _CHAMPIONS, timeout=_COUNTING_SECONDS
            )

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


def _count_is_due(chunks: int, counted: int) -> bool:
    """Say whether statistics of ``counted`` chunks are too old for ``chunks``."""
    return chunks <= _COUNT_ALWAYS_UP_TO or not counted / _GROWTH <= chunks <= counted * _GROWTH
