"""A budget spent on at most one choice of each group: the multiple-choice knapsack, by marginal value."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a group: what it costs (positive) and what it is worth."""

    cost: int
    value: float


def choose(groups: Sequence[Sequence[Option]], budget: int) -> list[int | None]:
    """Return which option each group gets, None for none of them; together they cost at most ``budget``.

    Each group's options are reduced to those on its efficient frontier (no other is worth as much for less, and value
    per further token only falls: Sinha and Zoltners 1979). The steps along all frontiers are taken by value per
    token, greatest first, and those that do not fit are passed over; what is left is spent on whatever still fits.
    Where the most valuable option alone (and what fits beside it) is worth more, it is taken instead: with that, the
    result is worth at least half the optimum. Ties fall to the earlier group.
    """
    by_density = _climb(groups, budget)
    by_value = _fill(groups, _most_valuable(groups, budget), budget)
    return max(by_density, by_value, key=lambda chosen: _totals(groups, chosen)[1])


def _climb(groups: Sequence[Sequence[Option]], budget: int) -> list[int | None]:
    chosen: list[int | None] = [None] * len(groups)
    frontiers = [_frontier(options) for options in groups]
    heap = [(-_slope(frontier, 0), group, 0) for group, frontier in enumerate(frontiers) if frontier]
    heapq.heapify(heap)
    left = budget
    while heap:
        _, group, place = heapq.heappop(heap)
        frontier, now = frontiers[group], chosen[group]
        index, option = frontier[place]
        extra = option.cost - (0 if now is None else groups[group][now].cost)
        if extra <= left:
            left -= extra
            chosen[group] = index
        if place + 1 < len(frontier):
            heapq.heappush(heap, (-_slope(frontier, place + 1), group, place + 1))
    return _fill(groups, chosen, budget)


def _most_valuable(groups: Sequence[Sequence[Option]], budget: int) -> list[int | None]:
    chosen: list[int | None] = [None] * len(groups)
    fitting = [
        (-option.value, group, index)
        for group, options in enumerate(groups)
        for index, option in enumerate(options)
        if option.cost <= budget
    ]
    if fitting:
        _, group, index = min(fitting)
        chosen[group] = index
    return chosen


def _totals(groups: Sequence[Sequence[Option]], chosen: Sequence[int | None]) -> tuple[int, float]:
    held = [options[index] for options, index in zip(groups, chosen, strict=True) if index is not None]
    return sum(option.cost for option in held), sum(option.value for option in held)


def _fill(groups: Sequence[Sequence[Option]], chosen: list[int | None], budget: int) -> list[int | None]:
    """Spend what is left on the best improvement that fits, frontier or not, until there is none."""
    left = budget - _totals(groups, chosen)[0]
    while True:
        best: tuple[float, int, int, int] | None = None
        for group, options in enumerate(groups):
            now = chosen[group]
            held = Option(0, 0.0) if now is None else options[now]
            for index, option in enumerate(options):
                extra, gain = option.cost - held.cost, option.value - held.value
                if extra <= left and gain > 0 and (best is None or gain > best[0]):
                    best = gain, group, index, extra
        if best is None:
            return chosen
        _, group, index, extra = best
        chosen[group] = index
        left -= extra


def _frontier(options: Sequence[Option]) -> list[tuple[int, Option]]:
    """Return the options on the upper convex hull of value over cost, from (0, 0), cheapest first."""
    hull: list[tuple[int, Option]] = []
    for index, option in sorted(enumerate(options), key=lambda pair: (pair[1].cost, -pair[1].value)):
        if option.value <= (hull[-1][1].value if hull else 0.0):
            continue
        while hull and _slope(hull, len(hull) - 1) <= _rise(hull[-2][1] if len(hull) > 1 else Option(0, 0.0), option):
            hull.pop()
        hull.append((index, option))
    return hull


def _slope(hull: Sequence[tuple[int, Option]], place: int) -> float:
    before = hull[place - 1][1] if place else Option(0, 0.0)
    return _rise(before, hull[place][1])


def _rise(before: Option, after: Option) -> float:
    return (after.value - before.value) / max(1, after.cost - before.cost)
