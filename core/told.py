"""What was told once and is no longer so: a text must not stand before the fact that replaced what it tells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .models import RankedChunk, ToldFact
from .ports import Store

_LOOKED_AT = 60
"""Chunks at the head of a ranking whose items are looked at."""
_NEAR = 0.02
"""A fact with versions that scores so much less than the best one of its source still speaks for it."""


async def told_first(store: Store, namespace: str, ranked: Sequence[RankedChunk]) -> Mapping[str, ToldFact]:
    """Return of each item at the head that told facts the one that a query is about, where that has other versions.

    It is the fact that itself, or another version of which, ranks best, or nearly so: of a text that tells two things,
    the one that may be over decides. A version ranks as high as any other text that tells one. Nothing is asked where
    no fact with versions is among the candidates.
    """
    scores: dict[str, float] = {}
    for chunk in ranked:
        one = chunk.candidate
        if one.memory_type in ("semantic", "procedural"):
            scores.setdefault(one.item_id, chunk.score)
            if one.lineage is not None:
                scores.setdefault(one.lineage, chunk.score)
    happened: dict[str, float] = {}
    for chunk in ranked[:_LOOKED_AT]:
        if chunk.candidate.memory_type == "episodic":
            happened.setdefault(chunk.candidate.item_id, chunk.score)
    if not happened or not any(chunk.candidate.lineage in scores for chunk in ranked):
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
        known = [scores[name] for name in (fact.item_id, fact.lineage) if name in scores]
        known += [happened[source] for source in others]
        if not known:
            continue
        score = max(known) + _NEAR * (fact.lineage is not None)
        if score > best.get(fact.source_id, -1.0):
            best[fact.source_id] = score
            told[fact.source_id] = fact
    return {source: fact for source, fact in told.items() if fact.lineage is not None}
