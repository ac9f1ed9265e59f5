"""What changes an order after the scores: quoted phrases, versions, and repeats."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..models import RankedChunk, ToldFact

PHRASE = 0.25
"""What a passage gains that has a quoted phrase word for word, as a share of the best possible score."""
REPEAT = 0.8
"""Passages that share so much of their runs of three words (Jaccard) say the same twice."""
_RUN = 3
_WORD = re.compile(r"\w+")


def lifted(ranked: Sequence[RankedChunk], said: Sequence[bool]) -> list[RankedChunk]:
    """Return the chunks in the order that follows when the first ones, where ``said``, gain for a quoted phrase.

    Scores stay in 0..1: all are scaled down to make room.
    """
    room = 1 - PHRASE
    changed: list[RankedChunk] = []
    for index, chunk in enumerate(ranked):
        gain = PHRASE if index < len(said) and said[index] else 0.0
        parts = {**{name: part * room for name, part in chunk.parts.items()}, "phrase": gain}
        changed.append(replace(chunk, score=sum(parts.values()), parts=parts))
    changed.sort(key=lambda chunk: -chunk.score)
    return changed


def newest_first(ranked: Sequence[RankedChunk], told: Mapping[str, ToldFact] | None = None) -> list[RankedChunk]:
    """Return the chunks with the items of each lineage in the order newest first, in the places that they have.

    The chunks of a newer version take the best places that any version had; what that changes of a score is its part
    ``version``. An item that ``told`` a fact of a lineage goes with that one, as old as the fact.
    """
    told = told or {}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, chunk in enumerate(ranked):
        fact = told.get(chunk.candidate.item_id)
        lineage = chunk.candidate.lineage if fact is None else fact.lineage
        if lineage is not None:
            places[lineage].append(index)
    ordered = list(ranked)
    for found in places.values():
        # Sorting is stable: chunks of one version keep their order.
        newest = sorted((ranked[index] for index in found), key=lambda chunk: _age(chunk, told))
        for index, chunk in zip(found, newest, strict=True):
            moved = ranked[index].score - chunk.score
            parts = {**chunk.parts, "version": moved} if moved else chunk.parts
            ordered[index] = replace(chunk, score=ranked[index].score, parts=parts)
    return ordered


def _age(chunk: RankedChunk, told: Mapping[str, ToldFact]) -> tuple[float, str]:
    fact = told.get(chunk.candidate.item_id)
    if fact is not None:
        return (-fact.happened_at.timestamp(), _reversed(fact.item_id))
    return (-chunk.candidate.happened_at.timestamp(), _reversed(chunk.candidate.item_id))


def _reversed(text: str) -> str:
    """Return what sorts the other way round."""
    return "".join(chr(0x10FFFF - ord(letter)) for letter in text)


def without_repeats(texts: Sequence[str]) -> list[int]:
    """Return the indices of passages in their order, those that nearly repeat an earlier one behind all others.

    It is maximal marginal relevance (Carbonell and Goldstein 1998) with a penalty that only near-duplicates pay, and
    that nothing outweighs.
    """
    runs = [_runs(text) for text in texts]
    first: list[int] = []
    repeats: list[int] = []
    for index, mine in enumerate(runs):
        repeated = any(_share(mine, runs[other]) >= REPEAT for other in first)
        (repeats if repeated else first).append(index)
    return first + repeats


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) < _RUN:
        return frozenset({tuple(words)})
    return frozenset(zip(*(words[start:] for start in range(_RUN)), strict=False))


def _share(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    if not one or not other or min(len(one), len(other)) < REPEAT * max(len(one), len(other)):
        return 0.0
    common = len(one & other)
    return common / (len(one) + len(other) - common)
