"""Clusters by scikit-learn's DBSCAN over a sparse graph of neighbours."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from ...core.models import Near


def is_installed() -> bool:
    """Say whether the library is here, without importing it."""
    return find_spec("sklearn") is not None


class DensityClusterer:
    """A Clusterer over ``sklearn.cluster.DBSCAN`` with pairs as its precomputed distances.

    Only pairs are handed over, never all distances. ``fewest`` near ones, itself included, make a core (Ester et al.
    1996); with 3 it finds what single linkage does, but for pairs: in a connected graph of three or more, whoever has
    two neighbours is a core, and these are connected.
    """

    def __init__(self, fewest: int = 3) -> None:
        """Nothing is imported before the first cluster."""
        self._fewest = fewest

    @property
    def name(self) -> str:
        """See Clusterer."""
        return "DBSCAN"

    def clusters(self, pairs: Sequence[Near], distance: float) -> Sequence[Sequence[str]]:
        """See Clusterer."""
        near = {tuple(sorted((one.item_id, one.other_id))): one.distance for one in pairs if one.distance <= distance}
        names = sorted({name for pair in near for name in pair})
        if not names:
            return []
        place = {name: index for index, name in enumerate(names)}
        graph = _graph([(place[one], place[other]) for one, other in near], list(near.values()), len(names))
        dbscan: Any = importlib.import_module("sklearn.cluster").DBSCAN
        labels = dbscan(eps=distance, min_samples=self._fewest, metric="precomputed").fit(graph).labels_
        found: dict[int, list[str]] = {}
        for name, label in zip(names, labels.tolist(), strict=True):
            # Nobody's neighbours are labelled -1.
            if label >= 0:
                found.setdefault(label, []).append(name)
        return [members for _, members in sorted(found.items())]


def _graph(pairs: Sequence[tuple[int, int]], distances: Sequence[float], size: int) -> Any:
    """Return the sparse matrix (size, size) of distances, both ways."""
    import numpy as np

    one, other = np.array(pairs).T
    # A distance of zero would be taken for none at all.
    apart = np.maximum(np.array(distances), 1e-9)
    csr_array: Any = importlib.import_module("scipy.sparse").csr_array
    places = np.concatenate([one, other]), np.concatenate([other, one])
    return csr_array((np.concatenate([apart, apart]), places), shape=(size, size))
