"""Where candidates stand: which of them are neighbours, and which belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models import CandidateSet

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


def lay_out(found: CandidateSet) -> Layout:
    """Find neighbours and groups: chunks of an item by ordinal, episodic items by their position in the thread."""
    import numpy as np

    groups: dict[int | str, int] = {}
    several = zip(found.memory_types, found.threads, found.numbers, strict=True)
    named = (thread if memory_type == "episodic" else number for memory_type, thread, number in several)
    group = np.array([groups.setdefault(name, len(groups)) for name in named], dtype=np.intp)
    position = np.array(found.positions, dtype=np.int64)
    ordinal = np.array(found.ordinals, dtype=np.int64)
    count = np.array(found.chunk_counts, dtype=np.int64)
    order = np.lexsort((ordinal, position, group))
    one, other = order[:-1], order[1:]
    # Within a group, only chunks of one item share its position.
    apart = position[other] - position[one]
    continued = (apart == 0) & (ordinal[other] == ordinal[one] + 1)
    begun = (apart == 1) & (ordinal[other] == 0) & (ordinal[one] == count[one] - 1)
    adjacent = (group[one] == group[other]) & (continued | begun)
    previous, following = np.full(len(found), -1), np.full(len(found), -1)
    following[one[adjacent]], previous[other[adjacent]] = other[adjacent], one[adjacent]
    return Layout(previous, following, group, len(groups))


def _taken(values: Values, neighbours: Indices, steps: int, missing: float) -> Values:
    import numpy as np

    found = neighbours
    for _ in range(steps - 1):
        found = np.where(found >= 0, neighbours[found], -1)
    taken: Values = np.full(values.shape, missing, dtype=np.float64)
    taken[found >= 0] = values[found[found >= 0]]
    return taken
