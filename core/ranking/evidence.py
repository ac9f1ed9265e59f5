"""How well the best candidates answer: a calibrated judgement, from raw scores and never from scaled ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..models import Evidence
from .fitted import fitted
from .ranked import Ranking

SIGNALS = ("cosine", "runner_up", "covered", "covered_together", "bm25", "missing")
"""The best cosine and the fifth best; how much of the query's words, by inverse document frequency, one passage has,
and the first five have together; the best BM25 a query word; the share of the words that nothing found has."""
_FIRST = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    """A logistic model of whether a query has its answer among the candidates, and where its levels begin.

    ``strong``, ``some`` and ``weak`` are the least probabilities of those levels.
    """

    bias: float
    weights: tuple[float, ...]
    strong: float
    some: float
    weak: float

    def probability(self, signals: Sequence[float]) -> float:
        """Return the probability that the query is answered, from its signals."""
        logit = self.bias + sum(weight * value for weight, value in zip(self.weights, signals, strict=True))
        return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))

    def level(self, signals: Sequence[float]) -> Evidence:
        """Return the level of evidence."""
        probability = self.probability(signals)
        if probability >= self.strong:
            return "strong"
        if probability >= self.some:
            return "some"
        return "weak" if probability >= self.weak else "none"


def judge(ranked: Ranking) -> Evidence:
    """Say how well the best of ``ranked`` answer. The model fits the bundled embedding model; see docs/search.md."""
    if not ranked:
        return "none"
    return _judgement().level(signals(ranked))


def signals(ranked: Ranking) -> tuple[float, ...]:
    """Return what the judgement is made from, as in ``SIGNALS``; without vectors the cosines are 0."""
    import numpy as np

    weights = ranked.found.weights
    dense = np.array(ranked.column(ranked.found.dense), dtype=np.float64)
    # None becomes NaN. A zero vector has no direction: pgvector answers NaN for its cosine.
    cosines: list[float] = np.sort(np.where(np.isfinite(dense), dense, 0.0))[::-1].tolist()
    matches = ranked.found.matches[ranked.order]
    has = matches > 0
    total = max(sum(weights), 1e-9)
    return (
        cosines[0],
        cosines[min(_FIRST, len(cosines)) - 1],
        max(_weight(weights, one) for one in has[:_FIRST].tolist()) / total,
        _weight(weights, np.logical_or.reduce(has[:_FIRST]).tolist()) / total,
        max(map(sum, matches.tolist())) / max(1, len(weights)),
        1 - _weight(weights, np.logical_or.reduce(has).tolist()) / total,
    )


@cache
def _judgement() -> Judgement:
    data = fitted()["evidence"]
    weights = tuple(data["weights"][name] for name in SIGNALS)
    return Judgement(data["bias"], weights, data["strong"], data["some"], data["weak"])


def _weight(weights: Sequence[float], has: Sequence[bool]) -> float:
    """Return the sum of the weights of the query's words that are there."""
    return sum(weight for weight, there in zip(weights, has, strict=True) if there)
