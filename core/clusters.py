"""Clusters of near statements, and which of each may be put together."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from .models import Member, Near

CONSOLIDATION = "consolidation"
"""The actor of what consolidation does."""


def cluster_key(members: Iterable[Member]) -> str:
    """Return a name for some items as they are: 32 hex digits that change with any of them."""
    told = sorted(f"{one.item_id} {one.sha256}" for one in members)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


class SingleLinkage:
    """A Clusterer without a library: whoever is near one of a cluster is of it.

    It is what DBSCAN finds where a point and one neighbour make a core (Ester et al. 1996, with minPts 2).
    """

    @property
    def name(self) -> str:
        """See Clusterer."""
        return "single linkage"

    def clusters(self, pairs: Sequence[Near], distance: float) -> Sequence[Sequence[str]]:
        """See Clusterer."""
        parents: dict[str, str] = {}

        def root(name: str) -> str:
            while (parent := parents.setdefault(name, name)) != name:
                parents[name] = name = parents[parent]
            return name

        for pair in pairs:
            if pair.distance <= distance:
                one, other = sorted((root(pair.item_id), root(pair.other_id)))
                parents[other] = one
        found: dict[str, list[str]] = {}
        for name in sorted(parents):
            found.setdefault(root(name), []).append(name)
        return [members for members in found.values() if len(members) > 1]


def agreeing(members: Sequence[str], agree: Callable[[str, str], bool]) -> Sequence[Sequence[str]]:
    """Part a cluster into groups within which every two agree, in the order given: each joins the first it may."""
    groups: list[list[str]] = []
    for member in members:
        for group in groups:
            if all(agree(member, other) for other in group):
                group.append(member)
                break
        else:
            groups.append([member])
    return groups
