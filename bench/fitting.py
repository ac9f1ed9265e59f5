"""Fitting weights: a linear model whose softmax over a question's candidates should fall on those that answer it.

The loss is the mean over questions of the cross entropy between the candidates' softmax and an even share for each
that answers (ListNet with one list a question: Cao et al. 2007), plus a ridge. Each set of questions has a
temperature of its own, since only orders are compared. For given temperatures the loss is convex in the weights and
Newton's method finds its one minimum; the two are solved for in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
RIDGE = 0.0001
_TURNS = 5
_NEWTON = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """A question's candidates: features of shape (candidates, features), and how much each answers (0 or more)."""

    features: Matrix
    relevance: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """The questions of a set, and how much they count beside the other sets'."""

    lists: Sequence[Listed]
    weight: float


def fit(shares: Sequence[Share], *, ridge: float = RIDGE) -> NDArray[np.float64]:
    """Return one weight a feature; questions none of whose candidates answers are passed over."""
    packs = [_Pack(share) for share in shares if any(one.relevance.any() for one in share.lists)]
    weights = np.zeros(packs[0].features.shape[1])
    heat = np.ones(len(packs))
    for _ in range(_TURNS):
        weights = _newton(packs, weights, heat, ridge)
        heat = np.array([_warmed(pack, weights, one) for pack, one in zip(packs, heat, strict=True)])
        heat /= np.exp(np.log(heat).mean())
    return weights


class _Pack:
    """A set's candidates in one matrix; ``owner`` numbers the question of each row, rows of a question adjoin."""

    def __init__(self, share: Share) -> None:
        lists = [one for one in share.lists if one.relevance.any()]
        self.features = np.concatenate([one.features for one in lists])
        self.target = np.concatenate([one.relevance / one.relevance.sum() for one in lists])
        self.owner = np.repeat(np.arange(len(lists)), [len(one.relevance) for one in lists])
        self.starts = np.concatenate(([0], np.cumsum([len(one.relevance) for one in lists])[:-1]))
        self.count = len(lists)
        self.weight = share.weight

    def softmax(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        best = np.maximum.reduceat(scores, self.starts)
        raised = np.exp(scores - best[self.owner])
        return raised / np.add.reduceat(raised, self.starts)[self.owner]

    def loss(self, scores: NDArray[np.float64]) -> float:
        return float(-(self.target * np.log(np.maximum(self.softmax(scores), 1e-300))).sum() / self.count)


def _newton(packs: Sequence[_Pack], weights: NDArray[np.float64], heat: NDArray[np.float64], ridge: float) -> Matrix:
    def total(at: NDArray[np.float64]) -> float:
        losses = [p.weight * p.loss(h * (p.features @ at)) for p, h in zip(packs, heat, strict=True)]
        return sum(losses) + ridge * float(at @ at)

    now = total(weights)
    for _ in range(_NEWTON):
        gradient, curvature = 2 * ridge * weights, 2 * ridge * np.eye(len(weights))
        for pack, warm in zip(packs, heat, strict=True):
            share = pack.softmax(warm * (pack.features @ weights))
            weighed = share[:, None] * pack.features
            means = np.add.reduceat(weighed, pack.starts)
            gradient += pack.weight / pack.count * warm * ((share - pack.target) @ pack.features)
            curvature += pack.weight / pack.count * warm**2 * (pack.features.T @ weighed - means.T @ means)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-4 and total(weights - size * step) > now:
            size /= 2
        weights = weights - size * step
        before, now = now, total(weights)
        if before - now < 1e-9:
            break
    return weights


def _warmed(pack: _Pack, weights: NDArray[np.float64], warm: float) -> float:
    """Return the temperature, among some around ``warm``, that suits a set best."""
    scores = pack.features @ weights
    tried = [warm * 2.0 ** (step / 4) for step in range(-4, 5)]
    best: float = min(tried, key=lambda one: pack.loss(one * scores))
    return best
