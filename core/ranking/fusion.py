"""How candidates become an order: features weighed and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from ..models import CandidateSet, QueryTime
from .features import FAMILIES, features
from .fitted import fitted
from .ranked import Ranking

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
) -> Ranking:
    """Return the candidates best first, each with a score in 0..1 and the parts that add up to it exactly.

    A part is the sum of a family of features: a feature adds its share of the weights times its value, or, where its
    weight is negative, times what it lacks of 1. Ties fall to the smaller item id, then to the earlier passage.
    """
    import numpy as np

    names = tuple(dict.fromkeys((*FAMILIES.values(), "priority", "recency", *(() if time is None else ("time",)))))
    if not len(found):
        return Ranking(found, np.zeros(0, np.intp), np.zeros(0), names, np.zeros((0, len(names))))
    parts = _parts(found, markers, weights or fitted_weights(), time)
    # Added up as whoever checks a score adds its parts up: one after another.
    scores = np.array(list(map(sum, parts.tolist())))
    order = np.lexsort((np.array(found.starts), np.array(found.numbers), -scores))
    return Ranking(found, order, scores[order], names, parts[order])


def _parts(found: CandidateSet, markers: Sequence[str], weights: Weights, time: QueryTime | None) -> Matrix:
    """Return the parts of each candidate's score: shape (candidates, parts)."""
    import numpy as np

    total = weights.total(timed=time is not None)
    shares = np.array([weights.features[name] for name in FAMILIES]) / total
    values = features(found, markers)
    added = np.where(shares >= 0, values, 1 - values) * np.abs(shares)
    priors = _priors(found, time) * [weights.priority, weights.recency, weights.time] / total
    # Rounded, so that what was added up in another order of candidates still ties.
    sums = np.column_stack([added @ _members(), priors]).round(_DIGITS)
    return sums[:, :-1] if time is None else sums


@cache
def _members() -> Matrix:
    """Return 1 where a feature belongs to a family: shape (features, families)."""
    import numpy as np

    families = dict.fromkeys(FAMILIES.values())
    return np.array([[FAMILIES[name] == family for family in families] for name in FAMILIES], dtype=np.float64)


def _priors(found: CandidateSet, time: QueryTime | None) -> Matrix:
    """Return each candidate's priority, recency, and whether it happened at the time asked about."""
    import numpy as np

    happened = np.array([moment.timestamp() for moment in found.happened_at])
    priority = np.array(found.priorities) / 10
    asked = np.zeros(len(found)) if time is None else [float(_within(moment, time)) for moment in found.happened_at]
    recency = 0.5 ** ((happened.max() - happened) / HALF_LIFE.total_seconds())
    return np.column_stack([np.clip(priority, 0.0, 1.0), recency, asked])


def _within(moment: datetime, time: QueryTime) -> bool:
    return (time.since is None or time.since <= moment) and (time.until is None or moment < time.until)
