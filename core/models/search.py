"""What a search considers, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from ..ids import format_item_id, parse_item_id
from .drafts import Span
from .items import Item, MemoryType, Trust

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_Entry = TypeVar("_Entry")

Evidence = Literal["strong", "some", "weak", "none"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a search considers, with what ranking needs of it and of its item.

    ``span`` is its place, without context. ``dense`` is the cosine similarity (-1..1) or None when the chunk has no
    vector of the query's model; ``lexical`` is the BM25 score (0 when no term matches), and ``matches`` are each query
    term's share of it, in the order of the query's terms. ``picked`` is False for a neighbour that came along with a
    picked chunk. ``position`` is the item's entry number in its ``thread``; ``chunk_count`` counts the item's chunks,
    ``length`` the chunk's word positions. ``lineage`` names the first of the items that tell the same as of different
    times. ``markers`` are above 0 for the markers asked for that the chunk has, in the order asked.
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
    happened_at: datetime
    lineage: str | None = None
    markers: tuple[float, ...] = ()
    trust: Trust = "normal"


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """What a store found for a query, and how: a column for each property of ``Candidate``, an entry a candidate.

    A search considers hundreds of chunks and shows ten: columns are compared, and a ``Candidate`` is made only where
    one is asked for. ``numbers`` and ``lineages`` are items' ids as numbers; ``starts`` and ``ends`` are in bytes of
    UTF-8; ``matches`` has the shape (candidates, terms of the query), ``markers`` (candidates, markers asked for).

    ``chunks`` are those of the namespace as last counted, 0 when nobody counted yet; ``weights`` are the inverse
    document frequencies of the query's terms, in their order. ``exact`` says that no index could have missed any of
    the best. ``notes`` say what was left out.
    """

    numbers: Sequence[int]
    ordinals: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    dense: Sequence[float | None]
    matches: Matrix
    picked: Sequence[bool]
    threads: Sequence[str]
    positions: Sequence[int]
    chunk_counts: Sequence[int]
    lengths: Sequence[int]
    memory_types: Sequence[MemoryType]
    priorities: Sequence[int]
    happened_at: Sequence[datetime]
    lineages: Sequence[int | None]
    markers: Matrix
    trusts: Sequence[Trust]
    chunks: int
    weights: tuple[float, ...]
    exact: bool
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        *,
        chunks: int,
        weights: Sequence[float],
        exact: bool,
        notes: tuple[str, ...] = (),
    ) -> CandidateSet:
        """Return the set of these candidates, in their order; all have as many markers."""
        import numpy as np

        count = len(candidates)
        marked = len(candidates[0].markers) if candidates else 0
        return cls(
            numbers=[parse_item_id(one.item_id) for one in candidates],
            ordinals=[one.ordinal for one in candidates],
            starts=[one.span.start for one in candidates],
            ends=[one.span.end for one in candidates],
            dense=[one.dense for one in candidates],
            matches=np.array([one.matches for one in candidates], np.float64).reshape(count, len(weights)),
            picked=[one.picked for one in candidates],
            threads=[one.thread for one in candidates],
            positions=[one.position for one in candidates],
            chunk_counts=[one.chunk_count for one in candidates],
            lengths=[one.length for one in candidates],
            memory_types=[one.memory_type for one in candidates],
            priorities=[one.priority for one in candidates],
            happened_at=[one.happened_at for one in candidates],
            lineages=[None if one.lineage is None else parse_item_id(one.lineage) for one in candidates],
            markers=np.array([one.markers for one in candidates], np.float64).reshape(count, marked),
            trusts=[one.trust for one in candidates],
            chunks=chunks,
            weights=tuple(weights),
            exact=exact,
            notes=notes,
        )

    def __len__(self) -> int:
        """Count the candidates."""
        return len(self.numbers)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return all candidates as objects, in their order."""
        return tuple(map(self.candidate, range(len(self))))

    def candidate(self, place: int) -> Candidate:
        """Return the candidate at a place."""
        lineage = self.lineages[place]
        matches = tuple(self.matches[place].tolist())
        return Candidate(
            item_id=format_item_id(self.numbers[place]),
            ordinal=self.ordinals[place],
            span=Span(self.starts[place], self.ends[place]),
            dense=self.dense[place],
            lexical=sum(matches),
            matches=matches,
            picked=self.picked[place],
            thread=self.threads[place],
            position=self.positions[place],
            chunk_count=self.chunk_counts[place],
            length=self.lengths[place],
            memory_type=self.memory_types[place],
            priority=self.priorities[place],
            happened_at=self.happened_at[place],
            lineage=None if lineage is None else format_item_id(lineage),
            markers=tuple(self.markers[place].tolist()),
            trust=self.trusts[place],
        )

    def matched(self) -> list[bool]:
        """Say of each of the query's terms whether any candidate has it."""
        import numpy as np

        matched: list[bool] = np.logical_or.reduce(self.matches > 0).tolist()
        return matched

    def only(self, places: Sequence[int]) -> CandidateSet:
        """Return the set with only the candidates at these places, in this order."""

        def taken(column: Sequence[_Entry]) -> list[_Entry]:
            return [column[place] for place in places]

        return replace(
            self,
            numbers=taken(self.numbers),
            ordinals=taken(self.ordinals),
            starts=taken(self.starts),
            ends=taken(self.ends),
            dense=taken(self.dense),
            matches=self.matches[list(places)],
            picked=taken(self.picked),
            threads=taken(self.threads),
            positions=taken(self.positions),
            chunk_counts=taken(self.chunk_counts),
            lengths=taken(self.lengths),
            memory_types=taken(self.memory_types),
            priorities=taken(self.priorities),
            happened_at=taken(self.happened_at),
            lineages=taken(self.lineages),
            markers=self.markers[list(places)],
            trusts=taken(self.trusts),
        )


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
