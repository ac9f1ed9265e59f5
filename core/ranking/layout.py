"""Where candidates stand: which of them are neighbours, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models import Candidate

    Indices = NDArray[np.intp]
    Values = NDArray[np.float64]

AROUND = 3
"""The best so many of an item's, or a thread's, chunks speak for it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Candidates' neighbours by index, -1 for none, and the number of the group that each belongs to.

    A group is the item that a chunk is of; where items tell what happened one after another, it is their thread.
    """

    previous: Indices
    following: Indices
    group: Indices
    groups: int

    def before(self, values: Values, steps: int = 1, *, missing: float = 0.0) -> Values:
        """Return each candidate's predecessor's values, ``missing`` where there is none among the candidates."""
        return _taken(values, self.previous, steps, missing)

    def after(self, values: Values, steps: int = 1, *, missing: float = 0.0) -> Values:
        """Return each candidate's successor's values, ``missing`` where there is none among the candidates."""
        return _taken(values, self.following, steps, missing)

    def around_sum(self, values: Values) -> Values:
        """Return, for each candidate, the sum over its group."""
        import numpy as np

        sums = np.bincount(self.group, values, self.groups).astype(np.float64)
        return sums[self.group]

    def around_best(self, values: Values) -> Values:
        """Return, for each candidate, a third of the sum of its group's three best values."""
        import numpy as np

        order = np.lexsort((-values, self.group))
        members = np.bincount(self.group, minlength=self.groups)
        first = np.concatenate(([0], np.cumsum(members)[:-1]))
        best = order[np.arange(len(order)) - first[self.group[order]] < AROUND]
        sums = np.bincount(self.group[best], values[best], self.groups).astype(np.float64)
        return sums[self.group] / AROUND


def lay_out(candidates: Sequence[Candidate]) -> Layout:
    """Find neighbours and groups: chunks of an item by ordinal, episodic items by their position in the thread."""
    import numpy as np

    count = len(candidates)
    previous, following = np.full(count, -1), np.full(count, -1)
    places = sorted(range(count), key=lambda index: _place(candidates[index]))
    groups: dict[tuple[str, str], int] = {}
    for one, other in pairwise(places):
        if _adjacent(candidates[one], candidates[other]):
            following[one], previous[other] = other, one
    group = np.array([groups.setdefault(_group(candidate), len(groups)) for candidate in candidates], dtype=np.intp)
    return Layout(previous, following, group, len(groups))


def _group(candidate: Candidate) -> tuple[str, str]:
    if candidate.memory_type == "episodic":
        return ("thread", candidate.thread)
    return ("item", candidate.item_id)


def _place(candidate: Candidate) -> tuple[str, str, int, str, int]:
    kind, name = _group(candidate)
    return (kind, name, candidate.position, candidate.item_id, candidate.ordinal)


def _adjacent(one: Candidate, other: Candidate) -> bool:
    """Whether ``other``, which comes after ``one`` among the candidates, also comes next in its group."""
    if _group(one) != _group(other):
        return False
    if one.item_id == other.item_id:
        return other.ordinal == one.ordinal + 1
    return other.position == one.position + 1 and other.ordinal == 0 and one.ordinal == one.chunk_count - 1


def _taken(values: Values, neighbours: Indices, steps: int, missing: float) -> Values:
    import numpy as np

    found = neighbours
    for _ in range(steps - 1):
        found = np.where(found >= 0, neighbours[found], -1)
    taken: Values = np.full(values.shape, missing, dtype=np.float64)
    taken[found >= 0] = values[found[found >= 0]]
    return taken
