"""What a search considers, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .drafts import Span
from .items import Item, MemoryType, Trust

Evidence = Literal["strong", "some", "weak", "none"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a search considers, with what ranking needs of it and of its item.

    ``dense`` is the cosine similarity (-1..1) or None when the chunk has no vector of the query's model; ``lexical``
    is the BM25 score (0 when no term matches), and ``matches`` are each query term's share of it, in the order of the
    query's terms. ``picked`` is False for a neighbour that came along with a picked chunk. ``position`` is the item's
    entry number in its ``thread``; ``chunk_count`` counts the item's chunks, ``length`` the chunk's word positions.
    ``lineage`` names the first of the items that tell the same as of different times, of which the ``latest`` is the
    newest. ``markers`` are above 0 for the markers asked for that the chunk has, in the order asked.
    """

    item_id: str
    ordinal: int
    span: Span
    dense: float | None
    lexical: float
    matches: tuple[float, ...]
    picked: bool
    thread: str
    position: int
    chunk_count: int
    length: int
    memory_type: MemoryType
    priority: int
    created_at: datetime
    happened_at: datetime
    title: str | None
    lineage: str | None = None
    latest: bool = True
    markers: tuple[float, ...] = ()
    trust: Trust = "normal"


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """What a store found for a query, and how.

    ``chunks`` are those of the namespace as last counted, 0 when nobody counted yet; ``weights`` are the inverse
    document frequencies of the query's terms, in their order. ``exact`` says that no index could have missed any of
    the best. ``notes`` say what was left out.
    """

    candidates: tuple[Candidate, ...]
    chunks: int
    weights: tuple[float, ...]
    exact: bool
    notes: tuple[str, ...] = ()


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
