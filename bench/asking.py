"""What a store is asked in the measurements: candidates by meaning, by word, and under filters of known width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from palimpsest.core.models import Candidate, CandidateSet, Filters, SparseTerms
from palimpsest.storage.search_tables import SearchTables

from .bulk import CALLER
from .stores import Bench

TOP = 100


@dataclass(frozen=True, slots=True)
class Narrow:
    """A filter that leaves about ``share`` of a store, and the condition on ``items`` that says the same."""

    share: float
    filters: Filters
    condition: str


NARROW: Mapping[str, Narrow] = {
    "50 %": Narrow(0.5, Filters(memory_type="document"), "memory_type = 'document'"),
    "10 %": Narrow(0.1, Filters(tags=("tenth",)), "tags @> '{tenth}'"),
    "1 %": Narrow(0.01, Filters(tags=("hundredth",)), "tags @> '{hundredth}'"),
    "0.05 %": Narrow(0.0005, Filters(thread="notes-0007"), "thread = 'notes-0007'"),
}


async def candidates(
    bench: Bench, vector: Sequence[float] | None, terms: SparseTerms, filters: Filters | None = None
) -> Sequence[Candidate]:
    """Return what the store considers for a query, as a search of it would ask."""
    store: SearchTables = bench.store
    answer = await store.candidates(
        CALLER.namespace,
        vector=vector,
        model_id=bench.embedder.model_id,
        terms=terms,
        filters=filters or Filters(),
        limit=TOP,
    )
    return picked(answer)


def picked(answer: CandidateSet) -> Sequence[Candidate]:
    """Return the candidates that an index chose, without the neighbours that came along."""
    return [one for one in answer.candidates if one.picked]


def best_cosines(found: Sequence[Candidate], top: int) -> list[float]:
    """Return the best cosines among candidates."""
    return sorted((one.dense for one in found if one.dense is not None), reverse=True)[:top]


def best_bm25(found: Sequence[Candidate], top: int) -> list[float]:
    """Return the best word scores among candidates."""
    return sorted((one.lexical for one in found if one.lexical > 0), reverse=True)[:top]
