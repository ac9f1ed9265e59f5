"""Ranked candidates as columns: an order, scores and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, overload

from ..models import CandidateSet, RankedChunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Indices = NDArray[np.intp]
    Values = NDArray[np.float64]

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True, eq=False)
class Ranking(Sequence[RankedChunk]):
    """Candidates best first; an element is made when it is asked for.

    ``order`` holds places in ``found``, ``scores`` is parallel to it, and ``parts`` has the shape (ranked, ``names``):
    NaN stands for a part that a chunk has not.
    """

    found: CandidateSet
    order: Indices
    scores: Values
    names: tuple[str, ...]
    parts: Values

    def __len__(self) -> int:
        """Count the chunks."""
        return len(self.order)

    @overload
    def __getitem__(self, at: int, /) -> RankedChunk: ...

    @overload
    def __getitem__(self, at: slice, /) -> Ranking: ...

    def __getitem__(self, at: int | slice, /) -> RankedChunk | Ranking:
        """Return the chunk at a rank, or the ranking of some."""
        if isinstance(at, slice):
            return self._only(at)
        values: list[float] = self.parts[at].tolist()
        parts = {name: part for name, part in zip(self.names, values, strict=True) if part == part}
        return RankedChunk(self.found.candidate(int(self.order[at])), float(self.scores[at]), parts)

    def column(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """Return a column of ``found`` in the order of the ranking."""
        return [entries[place] for place in self.order.tolist()]

    def picked(self) -> Ranking:
        """Return the ranking without neighbours that came along."""
        import numpy as np

        return self._only(np.flatnonzero(np.array(self.column(self.found.picked), dtype=np.bool_)))

    def best_per_item(self, limit: int | None = None) -> Ranking:
        """Return the ranking with each item's first chunk only: of the first ``limit`` items, or of all."""
        import numpy as np

        first: dict[int, int] = {}
        for rank, number in enumerate(self.column(self.found.numbers)):
            if len(first) == limit:
                break
            first.setdefault(number, rank)
        return self._only(np.array(list(first.values()), dtype=np.intp))

    def picked_items(self) -> set[int]:
        """Return the numbers of the items of which a chunk was picked."""
        both = zip(self.column(self.found.numbers), self.column(self.found.picked), strict=True)
        return {number for number, picked in both if picked}

    def has_lineages(self) -> bool:
        """Say whether any chunk is of an item that has versions."""
        return any(lineage is not None for lineage in self.column(self.found.lineages))

    def _only(self, ranks: slice | Indices) -> Ranking:
        return Ranking(self.found, self.order[ranks], self.scores[ranks], self.names, self.parts[ranks])
