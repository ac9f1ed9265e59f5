"""Finding passages for a query: by meaning and by word, fused, and fitted into a bound."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import paging, ranking, validation
from .errors import EmbedderError
from .models import Evidence, Filters, Hit, RankedChunk, SearchAnswer, SparseTerms
from .ports import Embedder, LexicalEncoder, Store, TokenCounter

CANDIDATES = 100
"""Chunks taken from each of the two searches."""


@dataclass(frozen=True, slots=True)
class Found:
    """Passages for a query, best first, each item as often as it has any; ``notes`` say what did not work."""

    ranked: tuple[RankedChunk, ...]
    evidence: Evidence
    notes: tuple[str, ...]


class Finder:
    """Ranks what a namespace holds by a query."""

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        lexicon: LexicalEncoder,
        counter: TokenCounter,
        weights: ranking.Weights | None = None,
    ) -> None:
        """Take the ports; nothing is loaded here."""
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._counter = counter
        self._weights = weights or ranking.Weights()

    async def find(self, namespace: str, query: str, filters: Filters | None) -> Found:
        """Return the best passages for ``query``, which is checked already.

        Raises:
            InvalidInputError: a filter is not acceptable.
            StoreUnavailableError: the store cannot be asked.
        """
        vector, terms, notes = await self._encode(namespace, query)
        found = await self._store.candidates(
            namespace,
            vector=vector,
            model_id=self._embedder.model_id,
            terms=terms,
            filters=validation.check_filters(filters),
            limit=CANDIDATES,
        )
        if vector is not None and found and all(candidate.dense is None for candidate in found):
            notes = (*notes, "No vectors are ready yet: searched by word only.")
        ranked = ranking.fuse(found, self._weights)
        evidence = ranking.evidence(ranking.best_per_item(ranked), query_terms=len(terms.keys))
        return Found(tuple(ranked), evidence, notes)

    async def search(
        self, namespace: str, query: str, filters: Filters | None, limit: int, max_tokens: int
    ) -> SearchAnswer:
        """Return each item's best passage; see ``Memory.search``."""
        query = validation.check_query(query)
        validation.check_range(limit, 1, 100, "limit")
        validation.check_range(max_tokens, 50, 100_000, "max_tokens")
        found = await self.find(namespace, query, filters)
        ranked = ranking.best_per_item(found.ranked)
        hits, tokens = await self._hits(namespace, ranked[:limit], max_tokens)
        return SearchAnswer(hits, max(0, len(ranked) - len(hits)), tokens, found.evidence, found.notes)

    async def _encode(self, namespace: str, query: str) -> tuple[Sequence[float] | None, SparseTerms, tuple[str, ...]]:
        notes: list[str] = []
        terms = await asyncio.to_thread(self._lexicon.encode_query, namespace, query)
        vector: Sequence[float] | None = None
        try:
            vector = (await self._embedder.embed([query]))[0]
        except EmbedderError as error:
            notes.append(f"Searched by word only: {error}")
        if not terms.keys:
            notes.append("The query has no word that is indexed: searched by meaning only.")
        return vector, terms, tuple(notes)

    async def _hits(
        self, namespace: str, ranked: Sequence[RankedChunk], max_tokens: int
    ) -> tuple[tuple[Hit, ...], int]:
        if not ranked:
            return (), 0
        wanted = [(chunk.candidate.item_id, chunk.candidate.span) for chunk in ranked]
        passages = {item.item_id: (item, text) for item, text in await self._store.passages(namespace, wanted)}
        hits: list[Hit] = []
        spent = 0
        for chunk in ranked:
            if chunk.candidate.item_id not in passages:
                continue
            item, raw = passages[chunk.candidate.item_id]
            passage, tokens = paging.fit(raw.decode(errors="replace"), max_tokens - spent, self._counter)
            if not passage:
                break
            spent += tokens
            span = replace(chunk.candidate.span, end=chunk.candidate.span.start + len(passage.encode()))
            hits.append(Hit(item, chunk.score, chunk.parts, passage, span))
        return tuple(hits), spent
