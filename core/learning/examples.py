"""What may be learned from, and which part of it is kept for judging."""

from collections.abc import Sequence

from ..models import Example, ExampleKind, Split

TRAINED_PER_CENT = 80
HELD_PER_CENT = 10
TEACHERS = ("openai:", "anthropic:", "client:")
"""Compressors' names begin so that are better than the small model: larger models, and clients with their people."""
LEAST_REPLAY = 0.25


def split_of(source_sha256: str) -> Split:
    """Return the split of all examples about a text: for ever the same, so that what is judged by was never seen."""
    place = int(source_sha256[:12], 16) % 100
    if place < TRAINED_PER_CENT:
        return "train"
    return "held" if place < TRAINED_PER_CENT + HELD_PER_CENT else "golden"


def chosen(
    examples: Sequence[Example], *, seen: frozenset[int], replay: float | None = None, most: int = 20_000
) -> tuple[Sequence[Example], frozenset[ExampleKind]]:
    """Return what to train on, and the kinds of which some is new.

    All that is new, and of what the active adapter has ``seen`` so much, from each kind alike, that it makes up the
    share ``replay`` of the whole. By default that is all of it up to three times the new, which is more than
    LEAST_REPLAY wherever there is so much; without anything new it is everything. Of more than ``most`` the newest are
    taken.
    """
    usable = [one for one in examples if one.split == "train"]
    fresh = [one for one in usable if one.example_id not in seen]
    old = [one for one in usable if one.example_id in seen]
    kinds = _kinds(fresh)
    if not fresh:
        return old[-most:], _kinds(old)
    fresh = fresh[-most:]
    wanted = 3 * len(fresh) if replay is None else round(len(fresh) * replay / (1 - replay))
    again = _stratified(old, min(wanted, most - len(fresh)))
    return sorted([*fresh, *again], key=lambda one: one.example_id), kinds


def _kinds(examples: Sequence[Example]) -> frozenset[ExampleKind]:
    kinds: set[ExampleKind] = {one.kind for one in examples}
    return frozenset(kinds)


def _stratified(examples: Sequence[Example], count: int) -> list[Example]:
    """Return so many examples, by turns of each kind, the newest first."""
    by_kind: dict[str, list[Example]] = {}
    for one in examples:
        by_kind.setdefault(one.kind, []).append(one)
    found: list[Example] = []
    while len(found) < count and any(by_kind.values()):
        for held in by_kind.values():
            if held and len(found) < count:
                found.append(held.pop())
    return found
