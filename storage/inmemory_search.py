"""Search as it is defined, without any index: cosine, BM25, neighbours, and which items pass a filter."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..core.models import Candidate, CandidateSet, Filters, SparseTerms
from .inmemory_item import Record
from .inmemory_shelf import Shelf

K1 = 1.2
B = 0.75


@dataclass(frozen=True, slots=True)
class Corpus:
    """What BM25 needs to know of all chunks: how many there are, how long on average, and how many hold a term."""

    chunks: int
    mean_length: float
    holding: Counter[int]


def measure(documents: Sequence[SparseTerms]) -> Corpus:
    """Return the statistics of the documents."""
    holding = Counter(key for terms in documents for key in terms.keys)
    total = sum(terms.length for terms in documents)
    return Corpus(len(documents), total / len(documents) if documents else 0.0, holding)


def rarity(holding: int, chunks: int) -> float:
    """Return the inverse document frequency, ``ln(1 + (N - df + 0.5) / (df + 0.5))``, which is never negative."""
    return math.log(1 + (chunks - holding + 0.5) / (holding + 0.5))


def shares(query: SparseTerms, document: SparseTerms, corpus: Corpus) -> tuple[float, ...]:
    """Return each query term's share of a document's BM25, in the query's order (Robertson and Zaragoza 2009).

    A term counts as often as the query has it.
    """
    return tuple(
        times * rarity(corpus.holding[key], corpus.chunks) * impact
        for key, times, impact in zip(query.keys, query.counts, impacts(query.keys, document, corpus), strict=True)
    )


def impacts(keys: Sequence[int], document: SparseTerms, corpus: Corpus) -> tuple[float, ...]:
    """Return the factor of BM25 that does not depend on the query, for each key; 0 where the document lacks it."""
    occurrences = dict(zip(document.keys, document.counts, strict=True))
    # A mean below one word cannot be stored by the other stores either.
    norm = K1 * (1 - B + B * document.length / max(corpus.mean_length, 1.0))
    counts = [occurrences.get(key, 0) for key in keys]
    return tuple(count * (K1 + 1) / (count + norm) if count else 0.0 for count in counts)


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors, NaN when one has no direction."""
    norms = math.hypot(*left) * math.hypot(*right)
    return sum(a * b for a, b in zip(left, right, strict=True)) / norms if norms else math.nan


def passes(record: Record, filters: Filters, shelf: Shelf) -> bool:
    """Say whether an item is within the filters."""
    labels = record.item.labels
    return (
        filters.thread in (None, record.item.thread)
        and filters.content_type in (None, labels.content_type)
        and filters.memory_type in (None, labels.memory_type)
        and set(filters.tags) <= set(labels.tags)
        and (filters.min_priority is None or labels.priority >= filters.min_priority)
        and (filters.since is None or filters.since <= _when(record))
        and (filters.until is None or _when(record) < filters.until)
        and (filters.as_of is None or _valid(record, filters.as_of, shelf))
    )


def _when(record: Record) -> datetime:
    return record.happened_at or record.item.created_at


def _valid(record: Record, at: datetime, shelf: Shelf) -> bool:
    mine = (_when(record), record.item.item_id)
    return mine[0] <= at and (
        record.lineage is None
        or not any(
            other.lineage == record.lineage and _when(other) <= at and (_when(other), other.item.item_id) > mine
            for other in shelf.active()
        )
    )


Place = tuple[str, int]
"""A chunk's item and ordinal."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a search asks for; see ``SearchStore.candidates``."""

    vector: Sequence[float] | None
    model_id: str
    terms: SparseTerms
    markers: SparseTerms
    filters: Filters
    limit: int
    reach: int


def find(shelf: Shelf, query: Query) -> CandidateSet:
    """Return the candidates by looking at every chunk."""
    corpus = measure([chunk.terms for record in shelf.active() for chunk in record.chunks])
    found: list[Candidate] = []
    for record in shelf.active():
        if passes(record, query.filters, shelf):
            found += [_candidate(record, ordinal, query, corpus) for ordinal in range(len(record.chunks))]
    by_meaning = [(one.dense, one) for one in found if one.dense is not None]
    by_word = [(one.lexical, one) for one in found if one.lexical > 0]
    picked = dict.fromkeys((*_best(by_meaning, query.limit), *_best(by_word, query.limit)))
    around = {place: None for one in picked for place in _around(shelf, one, query.reach)}
    places = {(one.item_id, one.ordinal) for one in picked}
    beside = [
        replace(_candidate(shelf.records[item_id], ordinal, query, corpus), picked=False)
        for item_id, ordinal in around
        if (item_id, ordinal) not in places
    ]
    weights = tuple(rarity(corpus.holding[key], corpus.chunks) for key in query.terms.keys)
    return CandidateSet.of((*picked, *beside), chunks=corpus.chunks, weights=weights, exact=True)


def _around(shelf: Shelf, one: Candidate, reach: int) -> Iterator[Place]:
    """Go through the places of a chunk's neighbours, and of itself."""
    low, high = max(0, one.ordinal - reach), min(one.chunk_count - 1, one.ordinal + reach)
    yield from ((one.item_id, ordinal) for ordinal in range(low, high + 1))
    if one.memory_type == "episodic":
        thread = shelf.standing(one.thread)
        before = [record for record in thread if record.position < one.position][-reach:] if reach else []
        after = [record for record in thread if record.position > one.position][:reach]
        yield from _places(before)[::-1][: max(0, reach - one.ordinal)]
        yield from _places(after)[: max(0, reach - (one.chunk_count - 1 - one.ordinal))]


def _places(records: Sequence[Record]) -> list[Place]:
    return [(record.item.item_id, ordinal) for record in records for ordinal in range(len(record.chunks))]


def _candidate(record: Record, ordinal: int, query: Query, corpus: Corpus) -> Candidate:
    item, chunk = record.item, record.chunks[ordinal]
    known = chunk.vectors.get(query.model_id)
    matches = shares(query.terms, chunk.terms, corpus)
    return Candidate(
        item_id=item.item_id,
        ordinal=ordinal,
        span=replace(chunk.span, context=""),
        dense=None if query.vector is None or known is None else cosine(query.vector, known),
        lexical=sum(matches),
        matches=matches,
        picked=True,
        thread=item.thread,
        position=record.position,
        chunk_count=len(record.chunks),
        length=chunk.terms.length,
        memory_type=item.labels.memory_type,
        priority=item.labels.priority,
        happened_at=_when(record),
        lineage=record.lineage,
        markers=impacts(query.markers.keys, chunk.terms, corpus),
        trust=item.labels.trust,
    )


def _best(scored: list[tuple[float, Candidate]], limit: int) -> list[Candidate]:
    return [candidate for _, candidate in sorted(scored, key=lambda pair: -pair[0])[:limit]]
