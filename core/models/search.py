"""What a search considers, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .drafts import Span
from .items import Item

Evidence = Literal["strong", "some", "weak", "none"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a search considers, with what ranking needs.

    ``dense`` is the cosine similarity (-1..1) or None when the chunk has no vector of the query's model; ``lexical``
    is the BM25 score (0 when no term matches).
    """

    item_id: str
    ordinal: int
    span: Span
    dense: float | None
    lexical: float
    priority: int
    created_at: datetime
    title: str | None


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A candidate with its fused score (0..1) and the parts that add up to it."""

    candidate: Candidate
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: an item, and its best passage with byte offsets."""

    item: Item
    score: float
    parts: Mapping[str, float]
    passage: str
    span: Span


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Hits, best first, and what the reader must know of how they were found.

    ``omitted`` counts matching items that were cut by ``limit`` or ``max_tokens``; ``tokens`` is what the passages
    cost; ``notes`` say what did not work (no vectors yet, no searchable word).
    """

    hits: tuple[Hit, ...]
    omitted: int
    tokens: int
    evidence: Evidence
    notes: tuple[str, ...] = ()
