"""Comparing a fact with what is known of its subject: is it new, said again, an update, or does it contradict?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .models import Fact, KnownFact, Verdict, folded


@dataclass(frozen=True, slots=True)
class Compared:
    """What a fact is to what is known, and to which item."""

    verdict: Verdict
    of: KnownFact | None = None


def compare(fact: Fact, since: datetime, known: Sequence[KnownFact]) -> Compared:
    """Compare a fact that is so since a moment with those that its slot has around it.

    ``known`` is in the order newest first, as ``FactStore.known_facts`` has them. A value that came back after another
    one is no repeat. Where two values are so since the very same moment, nothing tells which of them is right.
    """
    if not fact.single:
        return Compared("repeat", known[0]) if known else Compared("new")
    before = [one for one in known if one.item.happened_at <= since]
    after = [one for one in known if one.item.happened_at > since]
    value = folded(fact.value)
    at_once = [one for one in before if one.item.happened_at == since]
    for one in at_once or before[:1]:
        if folded(one.fact.value) == value:
            return Compared("repeat", one)
    if at_once:
        return Compared("contradiction", at_once[0])
    if not before and after and folded(after[-1].fact.value) == value:
        return Compared("repeat", after[-1])
    if after:
        return Compared("older", after[-1])
    return Compared("update", before[0]) if before else Compared("new")
