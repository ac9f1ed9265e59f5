"""What a store searches, and how its index is brought up to date."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..models import NO_TERMS, CandidateSet, Filters, Item, PendingChunk, Span, SparseTerms
from .parts import LexicalEncoder


class SearchStore(Protocol):
    """What a store searches, and how its index is brought up to date."""

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
        """Return up to ``limit`` chunks by meaning and up to ``limit`` by word, and their neighbours, all scored alike.

        Only active items that pass ``filters``; only vectors of ``model_id``; ``vector`` None leaves meaning out, empty
        ``terms`` leave words out. BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza 2009). ``markers`` are terms that
        neither select a chunk nor count in its score; whether a chunk has them is only told. One statement.

        The neighbours of a chunk are those of its item within ``reach`` ordinals; for episodic items also, past the
        item's ends, chunks of the nearest active items of its thread, by their positions, up to ``reach`` in all each
        way. Neighbours need not pass the filters.

        Scans are exact up to about 10,000 chunks (20,000 by word); beyond, indexes answer nearly as well.
        """
        ...

    async def known_terms(self, namespace: str, keys: Sequence[int]) -> Mapping[int, int]:
        """Return which of the terms active items have, and in about how many chunks, as last counted; at least 1."""
        ...

    async def passages(self, namespace: str, wanted: Sequence[tuple[str, Span]]) -> list[tuple[Item, bytes]]:
        """Return the item and its current content's bytes ``start:end`` for each wanted span, in order; items that
        vanished meanwhile are left out."""
        ...

    async def pending_chunks(
        self, namespace: str, item_id: str, model_id: str, limit: int
    ) -> tuple[int, Sequence[PendingChunk]]:
        """Return the item's current version and its first chunks that have no vector of ``model_id``, in order.

        Raises:
            ItemNotFoundError: the item was purged meanwhile.
        """
        ...

    async def put_vectors(
        self, namespace: str, item_id: str, version: int, model_id: str, vectors: Mapping[int, Sequence[float]]
    ) -> None:
        """Store vectors by chunk ordinal; without effect when the item has another version by now, or is gone."""
        ...

    async def reweigh(self, namespace: str, lexicon: LexicalEncoder) -> int:
        """Refresh the corpus statistics, and the stored impacts when the mean length drifted by over a quarter.

        Returns the number of chunks rewritten."""
        ...
