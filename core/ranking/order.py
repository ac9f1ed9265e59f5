"""What changes an order after the scores: quoted phrases, versions, and repeats."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..ids import parse_item_id
from ..models import ToldFact
from .ranked import Ranking

PHRASE = 0.25
"""What a passage gains that has a quoted phrase word for word, as a share of the best possible score."""
REPEAT = 0.8
"""Passages that share so much of their runs of three words (Jaccard) say the same twice."""
_RUN = 3
_WORD = re.compile(r"\w+")


def lifted(ranked: Ranking, said: Sequence[bool]) -> Ranking:
    """Return the chunks in the order that follows when the first ones, where ``said``, gain for a quoted phrase.

    Scores stay in 0..1: all are scaled down to make room.
    """
    import numpy as np

    gains = np.zeros(len(ranked))
    gains[: len(said)] = np.array(said, dtype=np.float64)[: len(ranked)] * PHRASE
    parts = np.column_stack([ranked.parts * (1 - PHRASE), gains])
    scores = np.array(list(map(sum, np.where(np.isnan(parts), 0.0, parts).tolist())), dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    return Ranking(ranked.found, ranked.order[order], scores[order], (*ranked.names, "phrase"), parts[order])


def newest_first(ranked: Ranking, told: Mapping[str, ToldFact] | None = None) -> Ranking:
    """Return the chunks with the items of each lineage in the order newest first, in the places that they have.

    The chunks of a newer version take the best places that any version had; what that changes of a score is its part
    ``version``. An item that ``told`` a fact of a lineage goes with that one, as old as the fact.
    """
    import numpy as np

    facts = {parse_item_id(item_id): fact for item_id, fact in (told or {}).items()}
    if not facts and not ranked.has_lineages():
        return ranked
    ages: list[tuple[float, int]] = []
    places: defaultdict[int, list[int]] = defaultdict(list)
    of, happened_at = ranked.column(ranked.found.lineages), ranked.column(ranked.found.happened_at)
    for rank, number in enumerate(ranked.column(ranked.found.numbers)):
        fact = facts.get(number)
        if fact is None:
            lineage = of[rank]
            ages.append((-happened_at[rank].timestamp(), -number))
        else:
            lineage = None if fact.lineage is None else parse_item_id(fact.lineage)
            ages.append((-fact.happened_at.timestamp(), -parse_item_id(fact.item_id)))
        if lineage is not None:
            places[lineage].append(rank)
    came_from = np.arange(len(ranked))
    for ranks in places.values():
        # Sorting is stable: chunks of one version keep their order.
        came_from[ranks] = sorted(ranks, key=ages.__getitem__)
    moved = ranked.scores - ranked.scores[came_from]
    parts = np.column_stack([ranked.parts[came_from], np.where(moved == 0, np.nan, moved)])
    return Ranking(ranked.found, ranked.order[came_from], ranked.scores, (*ranked.names, "version"), parts)


def told_apart(texts: Sequence[str], limit: int | None = None) -> tuple[list[int], list[int]]:
    """Return the indices of passages that say something new, and of those that nearly repeat an earlier one of them.

    Shown in this order it is maximal marginal relevance (Carbonell and Goldstein 1998) with a penalty that only
    near-duplicates pay, and that nothing outweighs. No more passages are looked at than ``limit`` new ones take.
    """
    runs: list[frozenset[int]] = []
    known: set[int] = set()
    first: list[int] = []
    repeats: list[int] = []
    for index, text in enumerate(texts):
        if len(first) == limit:
            break
        mine = _runs(text)
        # What one earlier passage has of it, all of them together have: where that is too little, none is compared.
        near = len(mine & known) + 1 > REPEAT * len(mine)
        if near and any(_share(mine, other) >= REPEAT for other in runs):
            repeats.append(index)
            continue
        first.append(index)
        runs.append(mine)
        known |= mine
    return first, repeats


def _runs(text: str) -> frozenset[int]:
    """Return the hashes of a text's runs of three words; of a shorter text that of all its words."""
    words = _WORD.findall(text.casefold())
    if len(words) < _RUN:
        return frozenset({hash(tuple(words))})
    return frozenset(map(hash, zip(*(words[start:] for start in range(_RUN)), strict=False)))


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    if min(len(one), len(other)) < REPEAT * max(len(one), len(other)):
        return 0.0
    common = len(one & other)
    return common / (len(one) + len(other) - common)
