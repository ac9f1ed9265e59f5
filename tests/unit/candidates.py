"""Makers of candidates for the tests of ranking."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from palimpsest.core.ids import format_item_id, parse_item_id
from palimpsest.core.models import Candidate, CandidateSet, MemoryType, RankedChunk, Span
from palimpsest.core.ranking import FAMILIES, Ranking, Weights, features

from ..fakes import START

ROLES = ("question", "said:user", "said:assistant", "time", "number", "said:ann")
"""Every marker that ranking knows, and a name that a query might have."""


_LETTERS = 7


def id_of(name: str) -> str:
    """The item id that stands for a name of up to seven letters; ids sort as their names do."""
    return format_item_id(int.from_bytes(name.encode().ljust(_LETTERS, b"\0")))


def name_of(item_id: str) -> str:
    """The name that an item id stands for."""
    return parse_item_id(item_id).to_bytes(_LETTERS).rstrip(b"\0").decode()


def candidate(
    name: str = "a",
    dense: float | None = 0.5,
    matches: Sequence[float] = (1.0,),
    *,
    ordinal: int = 0,
    start: int | None = None,
    picked: bool = True,
    thread: str = "main",
    position: int = 1,
    chunk_count: int | None = None,
    length: int = 10,
    memory_type: MemoryType = "document",
    priority: int = 5,
    days_old: float = 0,
    lineage: str | None = None,
    markers: Sequence[float] = (),
) -> Candidate:
    """A chunk of a document that fits into one chunk, unless told otherwise; its item's id stands for ``name``."""
    happened = START - timedelta(days=days_old)
    start = 100 * ordinal if start is None else start
    return Candidate(
        item_id=id_of(name),
        ordinal=ordinal,
        span=Span(start, start + 10),
        dense=dense,
        lexical=sum(matches),
        matches=tuple(matches),
        picked=picked,
        thread=thread,
        position=position,
        chunk_count=ordinal + 1 if chunk_count is None else chunk_count,
        length=length,
        memory_type=memory_type,
        priority=priority,
        happened_at=happened,
        lineage=None if lineage is None else id_of(lineage),
        markers=tuple(markers),
    )


def found(*candidates: Candidate, weights: Sequence[float] | None = None) -> CandidateSet:
    """What a store would return; the query's words weigh the same unless ``weights`` are given."""
    count = len(candidates[0].matches) if candidates else 0
    return CandidateSet.of(candidates, chunks=1000, weights=(1.0,) * count if weights is None else weights, exact=True)


def only(*, priority: float = 0.0, recency: float = 0.0, **named: float) -> Weights:
    """Weights of 0 but for those named."""
    return Weights(dict.fromkeys(FAMILIES, 0.0) | named, priority, recency)


def feature(name: str, considered: CandidateSet, markers: Sequence[str] = ()) -> list[float]:
    """One column of the features."""
    column: list[float] = features(considered, markers)[:, list(FAMILIES).index(name)].tolist()
    return column


def ranked(name: str = "a", score: float = 0.5, **of: Any) -> RankedChunk:
    """A ranked chunk, whose score is all words."""
    return RankedChunk(candidate(name, **of), score, {"words": score})


def ranking_of(*chunks: RankedChunk) -> Ranking:
    """A ranking of such chunks, in their order."""
    scores = np.array([chunk.score for chunk in chunks], np.float64)
    order = np.arange(len(chunks))
    return Ranking(found(*(chunk.candidate for chunk in chunks)), order, scores, ("words",), scores[:, None])


_ITEMS: st.SearchStrategy[dict[str, dict[str, Any]]] = st.permutations([1, 2, 3, 4]).flatmap(
    lambda positions: st.fixed_dictionaries(
        {
            # No two items of a thread share a position.
            name: st.fixed_dictionaries(
                {
                    "thread": st.sampled_from(["main", "other"]),
                    "position": st.just(position),
                    "chunk_count": st.integers(5, 60),
                    "memory_type": st.sampled_from(["document", "episodic"]),
                    "priority": st.integers(1, 10),
                    "days_old": st.floats(0, 3000),
                }
            )
            for name, position in zip("abcd", positions, strict=True)
        }
    )
)


def _candidates(words: int) -> st.SearchStrategy[list[Candidate]]:
    """Chunks of up to four items; what is the item's is the same for all of its chunks."""

    def chunks(items: dict[str, dict[str, Any]]) -> st.SearchStrategy[list[Candidate]]:
        one = st.sampled_from(sorted(items)).flatmap(
            lambda name: st.builds(
                partial(candidate, name, **items[name]),
                st.none() | st.just(float("nan")) | st.floats(-1, 1),
                st.lists(st.just(0.0) | st.floats(0, 30), min_size=words, max_size=words),
                ordinal=st.integers(0, 4),
                length=st.integers(0, 700),
                markers=st.lists(st.sampled_from([0.0, 1.7]), min_size=len(ROLES), max_size=len(ROLES)),
            )
        )
        return st.lists(one, max_size=15, unique_by=lambda made: (made.item_id, made.ordinal))

    return _ITEMS.flatmap(chunks)


def _set_of(made: list[Candidate], weights: list[float]) -> CandidateSet:
    return found(*made, weights=weights)


CANDIDATE_SETS: st.SearchStrategy[CandidateSet] = st.integers(0, 3).flatmap(
    lambda words: st.builds(
        _set_of,
        _candidates(words),
        st.lists(st.floats(0.01, 12), min_size=words, max_size=words),
    )
)
"""Sets of candidates with markers in the order of ``ROLES``, some of them without words or vectors."""

ANY_WEIGHTS: st.SearchStrategy[Weights] = st.builds(
    Weights,
    st.fixed_dictionaries({name: st.floats(-2, 2).filter(lambda weight: abs(weight) > 1e-3) for name in FAMILIES}),
    st.floats(0, 1),
    st.floats(0, 1),
)
