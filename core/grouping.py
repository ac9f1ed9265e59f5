"""Which statements say the same, and which belong together, among those that are near each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import ladder
from .clusters import SingleLinkage, agreeing
from .models import Item, Near, Statement
from .ports import Clusterer
from .sameness import Judge, Sameness, said

MERGED_WITHIN = 0.25
"""Cosine distance up to which statements belong together, if nothing that one says stands against another."""
FEWEST = 3
"""Two statements that say different things are left as they are."""
MOST = 100
"""Statements of one step."""
_SAME_EVENT = timedelta(days=1)
"""What happened later in the same words happened again."""
_RELATIVE_WORDS = "today yesterday tomorrow tonight now currently recently lately last next ago this later soon earlier"
_RELATIVE = frozenset(_RELATIVE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Fold:
    """Statements that say the same: the newest, and the others."""

    keeper: Statement
    others: tuple[Statement, ...]


class Grouping:
    """Finds groups in a region of statements."""

    def __init__(self, judge: Judge, clusterer: Clusterer) -> None:
        """``judge`` compares texts, ``clusterer`` finds clusters."""
        self._judge = judge
        self._clusterer = clusterer

    def folds(self, known: Mapping[str, Statement], pairs: Sequence[Near]) -> Sequence[Fold]:
        """Return who may be folded into whom."""
        same = [
            pair for pair in pairs if (both := _both(known, pair)) and _alike(*both) and self._compare(*both) == "same"
        ]
        found: list[Fold] = []
        for names in SingleLinkage().clusters(same, 2.0):
            keeper, *others = sorted((known[name] for name in names), key=age, reverse=True)
            kept = [one for one in others if _gives_way(one, keeper) and self._compare(one, keeper) == "same"]
            found += [Fold(keeper, tuple(kept[at : at + MOST])) for at in range(0, len(kept), MOST)]
        return found

    def merges(self, known: Mapping[str, Statement], pairs: Sequence[Near]) -> Sequence[Sequence[Statement]]:
        """Return the groups of statements that belong together, each in the order in which they came to be so."""

        def agree(one: str, other: str) -> bool:
            return _joins(known[one], known[other]) and self._compare(known[one], known[other]) == "related"

        near = [pair for pair in pairs if _both(known, pair) and agree(pair.item_id, pair.other_id)]
        groups: list[Sequence[Statement]] = []
        for names in self._clusterer.clusters(near, MERGED_WITHIN):
            ordered = sorted(names, key=lambda name: age(known[name]))[:MOST]
            groups += [[known[name] for name in group] for group in agreeing(ordered, agree) if len(group) >= FEWEST]
        return groups

    def _compare(self, one: Statement, other: Statement) -> Sameness:
        return self._judge.compare(one.text, other.text)


def age(statement: Statement) -> tuple[datetime, str]:
    """Return what statements are ordered by: of two at once the one with the larger id is the later."""
    return statement.item.happened_at, statement.item.item_id


def _both(known: Mapping[str, Statement], pair: Near) -> tuple[Statement, Statement] | None:
    one, other = known.get(pair.item_id), known.get(pair.other_id)
    return None if one is None or other is None else (one, other)


def _alike(one: Statement, other: Statement) -> bool:
    """Say whether who told the statements, and of what, speaks against their being one."""
    ours, theirs = one.item, other.item
    if ours.thread != theirs.thread or ours.labels.memory_type != theirs.labels.memory_type:
        return False
    if ours.labels.content_type != theirs.labels.content_type or ours.labels.trust != theirs.labels.trust:
        return False
    if set(ours.labels.tags) != set(theirs.labels.tags) or ours.labels.title != theirs.labels.title:
        return False
    return not _dated(one) or abs(ours.happened_at - theirs.happened_at) < _SAME_EVENT


def _dated(statement: Statement) -> bool:
    """Say whether a statement means another thing at another time."""
    return statement.item.labels.memory_type == "episodic" or not _RELATIVE.isdisjoint(said(statement.text).words)


def _joins(one: Statement, other: Statement) -> bool:
    return one.item.labels.memory_type != "procedural" and _alike(one, other)


def _gives_way(one: Statement, keeper: Statement) -> bool:
    """Say whether nothing is lost from the block when a statement leaves it for the keeper."""
    return _stands(one.item) >= _stands(keeper.item) and one.item.labels.priority <= keeper.item.labels.priority


def _stands(item: Item) -> int:
    return ladder.LADDER.index(item.detail)
