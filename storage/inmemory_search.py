"""Scores as they are defined, without any index: cosine, BM25, and which items pass a filter."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.models import Filters, Item, SparseTerms

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


def bm25(query: SparseTerms, document: SparseTerms, corpus: Corpus) -> float:
    """Return the score of a document; a term counts as often as the query has it (Robertson and Zaragoza 2009).

    The inverse document frequency is ``ln(1 + (N - df + 0.5) / (df + 0.5))``, which is never negative.
    """
    occurrences = dict(zip(document.keys, document.counts, strict=True))
    score = 0.0
    for key, times in zip(query.keys, query.counts, strict=True):
        if count := occurrences.get(key, 0):
            holding = corpus.holding[key]
            rarity = math.log(1 + (corpus.chunks - holding + 0.5) / (holding + 0.5))
            # A mean below one word cannot be stored by the other stores either.
            length = document.length / max(corpus.mean_length, 1.0)
            score += times * rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * length))
    return score


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors, NaN when one has no direction."""
    norms = math.hypot(*left) * math.hypot(*right)
    return sum(a * b for a, b in zip(left, right, strict=True)) / norms if norms else math.nan


def passes(item: Item, filters: Filters) -> bool:
    """Say whether an item is within the filters."""
    labels = item.labels
    return (
        filters.thread in (None, item.thread)
        and filters.content_type in (None, labels.content_type)
        and filters.memory_type in (None, labels.memory_type)
        and set(filters.tags) <= set(labels.tags)
        and (filters.min_priority is None or labels.priority >= filters.min_priority)
    )
