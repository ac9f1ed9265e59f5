"""What was told once and is no longer so: a text must not stand before the fact that replaced what it tells."""

from collections import defaultdict
from collections.abc import Mapping

from .ids import format_item_id, parse_item_id
from .models import ToldFact
from .ports import Store
from .ranking import Ranking

_LOOKED_AT = 60
"""Chunks at the head of a ranking whose items are looked at."""
_NEAR = 0.02
"""A fact with versions that scores so much less than the best one of its source still speaks for it."""


async def told_first(store: Store, namespace: str, ranked: Ranking) -> Mapping[str, ToldFact]:
    """Return of each item at the head that told facts the one that a query is about, where that has other versions.

    It is the fact that itself, or another version of which, ranks best, or nearly so: of a text that tells two things,
    the one that may be over decides. A version ranks as high as any other text that tells one. Nothing is asked where
    no fact with versions is among the candidates.
    """
    if not ranked.has_lineages():
        return {}
    numbers, kinds = ranked.column(ranked.found.numbers), ranked.column(ranked.found.memory_types)
    lineages, all_scores = ranked.column(ranked.found.lineages), ranked.scores.tolist()
    scores: dict[int, float] = {}
    for number, kind, lineage, score in zip(numbers, kinds, lineages, all_scores, strict=True):
        if kind in ("semantic", "procedural"):
            scores.setdefault(number, score)
            if lineage is not None:
                scores.setdefault(lineage, score)
    happened: dict[str, float] = {}
    for number, kind, score in zip(numbers[:_LOOKED_AT], kinds, all_scores, strict=False):
        if kind == "episodic":
            happened.setdefault(format_item_id(number), score)
    if not happened or not any(lineage in scores for lineage in lineages):
        return {}
    facts = await store.told_facts(namespace, sorted(happened))
    tellers: defaultdict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.lineage is not None:
            tellers[fact.lineage].add(fact.source_id)
    told: dict[str, ToldFact] = {}
    best: dict[str, float] = {}
    for fact in facts:
        others = tellers[fact.lineage] - {fact.source_id} if fact.lineage is not None else set[str]()
        known = [scores[number] for number in _numbers(fact) if number in scores]
        known += [happened[source] for source in others]
        if not known:
            continue
        score = max(known) + _NEAR * (fact.lineage is not None)
        if score > best.get(fact.source_id, -1.0):
            best[fact.source_id] = score
            told[fact.source_id] = fact
    return {source: fact for source, fact in told.items() if fact.lineage is not None}


def _numbers(fact: ToldFact) -> list[int]:
    return [parse_item_id(name) for name in (fact.item_id, fact.lineage) if name is not None]
