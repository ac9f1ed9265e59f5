"""The gate that an adapter has to pass before it may answer anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ..models import JSON_KINDS, ExampleKind, Split

RESAMPLES = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Loss:
    """What a model made of an example: the sum of its tokens' negative log-likelihoods, and how many those are."""

    kind: ExampleKind
    split: Split
    nll: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of a model: its losses by example, and of its answers by kind which share was valid JSON and
    which share of the facts of the expected answer they kept."""

    losses: Mapping[int, Loss]
    valid: Mapping[ExampleKind, float] = field(default_factory=dict[ExampleKind, float])
    kept: Mapping[ExampleKind, float] = field(default_factory=dict[ExampleKind, float])


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What the gate asks: so many held-out examples of each kind that was learned, no slice worse by more than a share,
    so much valid JSON, and no larger part of the facts lost than before."""

    least_held: int = 50
    most_worse: float = 0.02
    least_valid: float = 0.9
    most_lost: float = 0.02


@dataclass(frozen=True, slots=True)
class Slice:
    """The mean loss a token of one kind and split, by who answered; ``better_by`` bounds the fall from both sides."""

    kind: ExampleKind
    split: Split
    examples: int
    base: float
    active: float | None
    candidate: float
    better_by: tuple[float, float]

    @property
    def before(self) -> float:
        """The loss of who answers now."""
        return self.base if self.active is None else self.active


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an adapter passed, why not, and what that was seen by."""

    reasons: tuple[str, ...]
    slices: tuple[Slice, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge(
    candidate: Measures,
    *,
    base: Measures,
    active: Measures | None,
    learned: frozenset[ExampleKind],
    leaks: int,
    limits: GateLimits,
) -> Verdict:
    """Judge an adapter against the base model and the active adapter.

    Of each kind that it ``learned`` something new of, its loss on held-out examples has to fall for sure: the bound of
    a paired bootstrap lies below zero. No kind and split may be worse by more than ``most_worse``, whatever it learned.
    """
    slices = _slices(candidate, base, active)
    reasons = [
        *_unproven(slices, learned, limits),
        *_worse(slices, limits),
        *_unfit(candidate, base if active is None else active, limits),
    ]
    if leaks:
        reasons.append(f"It gave away {leaks} of the secrets that were planted among its examples.")
    return Verdict(tuple(reasons), slices)


def _slices(candidate: Measures, base: Measures, active: Measures | None) -> tuple[Slice, ...]:
    found_places: set[tuple[ExampleKind, Split]] = {(loss.kind, loss.split) for loss in candidate.losses.values()}
    places: list[tuple[ExampleKind, Split]] = sorted(found_places)
    before = base if active is None else active
    found: list[Slice] = []
    for kind, split in places:
        ids = [key for key, loss in candidate.losses.items() if (loss.kind, loss.split) == (kind, split)]
        found.append(
            Slice(
                kind,
                split,
                len(ids),
                _mean([base.losses[key] for key in ids]),
                None if active is None else _mean([active.losses[key] for key in ids]),
                _mean([candidate.losses[key] for key in ids]),
                bootstrap([(before.losses[key], candidate.losses[key]) for key in ids]),
            )
        )
    return tuple(found)


def _mean(losses: Sequence[Loss]) -> float:
    return sum(loss.nll for loss in losses) / max(1, sum(loss.tokens for loss in losses))


def bootstrap(pairs: Sequence[tuple[Loss, Loss]], *, seed: int = 0) -> tuple[float, float]:
    """Return bounds of the fall of the mean loss a token, from the first of each pair to the second.

    The paired bootstrap of Efron and Tibshirani (An Introduction to the Bootstrap, 1993): examples are drawn again and
    again with replacement, and 95 in a hundred of the falls lie between the bounds.
    """
    # Repeatable, so that the same measures are judged alike.
    random = Random(seed)
    falls: list[float] = []
    for _ in range(RESAMPLES):
        drawn = random.choices(pairs, k=len(pairs))
        tokens = max(1, sum(loss.tokens for loss, _ in drawn))
        falls.append(sum(first.nll - second.nll for first, second in drawn) / tokens)
    falls.sort()
    cut = round(RESAMPLES * (1 - _CONFIDENCE) / 2)
    return falls[cut], falls[-cut - 1]


def _unproven(slices: Sequence[Slice], learned: frozenset[ExampleKind], limits: GateLimits) -> list[str]:
    held = {one.kind: one for one in slices if one.split == "held"}
    reasons: list[str] = []
    for kind in sorted(learned):
        examples = held[kind].examples if kind in held else 0
        if examples < limits.least_held:
            reasons.append(f"There are {examples} held-out examples of {kind}, and {limits.least_held} are needed.")
        elif held[kind].better_by[0] <= 0:
            reasons.append(
                f"On held-out {kind} its loss is {held[kind].candidate:.3f} after {held[kind].before:.3f}: that is not "
                "better for sure."
            )
    return reasons


def _worse(slices: Sequence[Slice], limits: GateLimits) -> list[str]:
    return [
        f"On the {one.split} examples of {one.kind} its loss is {one.candidate:.3f} after {one.before:.3f}, "
        f"{one.candidate / one.before - 1:.0%} worse; {limits.most_worse:.0%} is allowed."
        for one in slices
        if one.candidate > one.before * (1 + limits.most_worse)
    ]


def _unfit(candidate: Measures, before: Measures, limits: GateLimits) -> list[str]:
    reasons: list[str] = []
    for kind, share in sorted(candidate.valid.items()):
        least = max(limits.least_valid, before.valid.get(kind, 0.0) - limits.most_lost)
        if kind in JSON_KINDS and share < least:
            reasons.append(f"Of its answers for {kind} {share:.0%} are valid JSON; {least:.0%} are needed.")
    for kind, share in sorted(candidate.kept.items()):
        if share < before.kept.get(kind, 0.0) - limits.most_lost:
            reasons.append(
                f"Its answers for {kind} keep {share:.0%} of the facts; before it was {before.kept[kind]:.0%}."
            )
    return reasons
