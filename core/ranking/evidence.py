"""How well the best candidates answer: a calibrated judgement, from raw scores and never from scaled ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..models import Candidate, CandidateSet, Evidence, RankedChunk
from .fitted import fitted

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


def judge(found: CandidateSet, ranked: Sequence[RankedChunk]) -> Evidence:
    """Say how well the best of ``ranked`` answer. The model fits the bundled embedding model; see docs/search.md."""
    if not ranked:
        return "none"
    return _judgement().level(signals(found, ranked))


def signals(found: CandidateSet, ranked: Sequence[RankedChunk]) -> tuple[float, ...]:
    """Return what the judgement is made from, as in ``SIGNALS``; without vectors the cosines are 0."""
    cosines = sorted((_cosine(chunk.candidate) for chunk in ranked), reverse=True)
    total = max(sum(found.weights), 1e-9)
    first = [chunk.candidate for chunk in ranked[:_FIRST]]
    return (
        cosines[0],
        cosines[min(_FIRST, len(cosines)) - 1],
        max(_covered(found, [one]) for one in first) / total,
        _covered(found, first) / total,
        max(chunk.candidate.lexical for chunk in ranked) / max(1, len(found.weights)),
        1 - _covered(found, [chunk.candidate for chunk in ranked]) / total,
    )


@cache
def _judgement() -> Judgement:
    data = fitted()["evidence"]
    weights = tuple(data["weights"][name] for name in SIGNALS)
    return Judgement(data["bias"], weights, data["strong"], data["some"], data["weak"])


def _cosine(candidate: Candidate) -> float:
    # A zero vector has no direction: pgvector answers NaN for its cosine.
    return candidate.dense if candidate.dense is not None and math.isfinite(candidate.dense) else 0.0


def _covered(found: CandidateSet, candidates: Sequence[Candidate]) -> float:
    """Return the sum of the weights of the query's words that any of the candidates has."""
    return sum(
        weight for place, weight in enumerate(found.weights) if any(one.matches[place] > 0 for one in candidates)
    )
