"""How candidates become an order: features weighed and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from ..models import Candidate, CandidateSet, QueryTime, RankedChunk
from .features import FAMILIES, features
from .fitted import fitted

if TYPE_CHECKING:
    from .features import Matrix

HALF_LIFE = timedelta(days=30)
"""What happened this much before the newest candidate gets half the recency."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each feature counts; only their ratios matter, since a score is divided by the sum of their sizes.

    ``features`` holds every name of ``FAMILIES``; a negative weight counts what a candidate has not. ``priority`` and
    ``recency`` are chosen, not fitted: they decide between candidates that are otherwise nearly equal; and so is
    ``time``, for what happened at the time that a query names.
    """

    features: Mapping[str, float]
    priority: float
    recency: float
    time: float = 0.0

    def total(self, *, timed: bool) -> float:
        """Return the sum of the sizes of all weights; that of ``time`` counts where a query names one."""
        return sum(map(abs, self.features.values())) + self.priority + self.recency + self.time * timed


@cache
def fitted_weights() -> Weights:
    """Return the weights that ``bench/fit.py`` wrote."""
    data = fitted()
    return Weights({name: data["features"][name] for name in FAMILIES}, data["priority"], data["recency"], data["time"])


def fuse(
    found: CandidateSet, markers: Sequence[str] = (), weights: Weights | None = None, time: QueryTime | None = None
) -> list[RankedChunk]:
    """Return the candidates best first, each with a score in 0..1 and the parts that add up to it exactly.

    A part is the sum of a family of features: a feature adds its share of the weights times its value, or, where its
    weight is negative, times what it lacks of 1. Ties fall to the smaller item id, then to the earlier passage.
    """
    if not found.candidates:
        return []
    weights = weights or fitted_weights()
    parts = _parts(found, markers, weights, time)
    ranked = [
        RankedChunk(candidate, sum(mine.values()), mine)
        for candidate, mine in zip(found.candidates, parts, strict=True)
    ]
    ranked.sort(key=lambda chunk: (-chunk.score, chunk.candidate.item_id, chunk.candidate.span.start))
    return ranked


def _parts(
    found: CandidateSet, markers: Sequence[str], weights: Weights, time: QueryTime | None
) -> list[dict[str, float]]:
    import numpy as np

    total = weights.total(timed=time is not None)
    shares = np.array([weights.features[name] for name in FAMILIES]) / total
    values = features(found, markers)
    added = np.where(shares >= 0, values, 1 - values) * np.abs(shares)
    families = list(dict.fromkeys(FAMILIES.values()))
    member = np.array([[FAMILIES[name] == family for family in families] for name in FAMILIES], dtype=np.float64)
    priors = _priors(found.candidates, time) * [weights.priority, weights.recency, weights.time] / total
    names = (*families, "priority", "recency", "time")
    # Rounded, so that what was added up in another order of candidates still ties.
    sums = np.column_stack([added @ member, priors])[:, : len(names) - (time is None)].round(_DIGITS)
    return [dict(zip(names, row, strict=False)) for row in sums.tolist()]


def _priors(candidates: Sequence[Candidate], time: QueryTime | None) -> Matrix:
    """Return each candidate's priority, recency, and whether it happened at the time asked about."""
    import numpy as np

    happened = np.array([one.happened_at.timestamp() for one in candidates])
    priority = np.array([one.priority for one in candidates]) / 10
    asked = [time is not None and _within(one.happened_at, time) for one in candidates]
    recency = 0.5 ** ((happened.max() - happened) / HALF_LIFE.total_seconds())
    return np.column_stack([np.clip(priority, 0.0, 1.0), recency, np.array(asked, dtype=np.float64)])


def _within(moment: datetime, time: QueryTime) -> bool:
    return (time.since is None or time.since <= moment) and (time.until is None or moment < time.until)


def best_per_item(ranked: Sequence[RankedChunk]) -> list[RankedChunk]:
    """Return each item's first chunk, in the order given."""
    best: dict[str, RankedChunk] = {}
    for chunk in ranked:
        best.setdefault(chunk.candidate.item_id, chunk)
    return list(best.values())
