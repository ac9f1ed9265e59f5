"""How well the best candidates answer."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.models import Candidate, CandidateSet, Evidence
from palimpsest.core.ranking import fuse, judge
from palimpsest.core.ranking.evidence import SIGNALS, Judgement, signals

from .candidates import CANDIDATE_SETS, candidate, found

LEVELS = get_args(Evidence)[::-1]
"""From none to strong."""
EXAMPLE = Judgement(-2.0, (2.0, 1.0, 3.0, 1.0, 0.5, -1.5), strong=0.8, some=0.5, weak=0.2)
SIGNAL = st.floats(0, 1)


def judged(*candidates: Candidate, weights: tuple[float, ...] | None = None) -> Evidence:
    considered = found(*candidates, weights=weights)
    return judge(fuse(considered))


def seen(*candidates: Candidate, weights: tuple[float, ...] | None = None) -> dict[str, float]:
    considered = found(*candidates, weights=weights)
    return dict(zip(SIGNALS, signals(fuse(considered)), strict=True))


def test_no_candidates_are_no_evidence() -> None:
    assert judge(fuse(found())) == "none"


def test_levels_begin_at_their_probabilities() -> None:
    steps = Judgement(0.0, (1.0,), strong=0.75, some=0.5, weak=0.25)
    logits = [math.log(share / (1 - share)) for share in (0.8, 0.74, 0.51, 0.49, 0.26, 0.24)]
    assert [steps.level([logit]) for logit in logits] == ["strong", "some", "some", "weak", "weak", "none"]
    assert steps.probability([math.log(3)]) == pytest.approx(0.75)


def test_extreme_signals_are_probabilities_too() -> None:
    steps = Judgement(0.0, (1.0,), strong=0.75, some=0.5, weak=0.25)
    assert (steps.level([1e308]), steps.level([-1e308])) == ("strong", "none")
    assert 0 < steps.probability([-1e308]) < steps.probability([1e308]) <= 1


@given(st.lists(SIGNAL, min_size=6, max_size=6), st.integers(0, 5), SIGNAL)
def test_more_of_a_signal_moves_the_level_the_way_of_its_weight(values: list[float], place: int, other: float) -> None:
    changed = [*values]
    changed[place] = other
    weight = EXAMPLE.weights[place]
    less, more = sorted([values, changed], key=lambda made: weight * made[place])
    assert EXAMPLE.probability(less) <= EXAMPLE.probability(more)
    assert LEVELS.index(EXAMPLE.level(less)) <= LEVELS.index(EXAMPLE.level(more))


def test_signals_are_raw_and_not_scaled() -> None:
    both = candidate("a", 0.31, (2.0, 4.0, 0.0)), candidate("b", 0.3, (0.0, 1.0, 0.0))
    assert seen(*both, weights=(1.0, 2.0, 5.0)) == pytest.approx(
        {
            "cosine": 0.31,
            "runner_up": 0.3,
            "covered": 3 / 8,
            "covered_together": 3 / 8,
            "bm25": 6 / 3,
            "missing": 5 / 8,
        }
    )


def test_passages_cover_together_what_none_covers_alone() -> None:
    apart = seen(candidate("a", matches=(2.0, 0.0)), candidate("b", matches=(0.0, 2.0)))
    assert (apart["covered"], apart["covered_together"], apart["missing"]) == pytest.approx((0.5, 1.0, 0.0))


def test_the_runner_up_is_the_fifth_best_cosine() -> None:
    many = [candidate(str(place), place / 10) for place in range(8)]
    assert seen(*many)["runner_up"] == pytest.approx(0.3)


@pytest.mark.parametrize("dense", [None, math.nan])
def test_without_vectors_or_words_signals_are_what_is_known(dense: float | None) -> None:
    assert seen(candidate(dense=dense, matches=())) == {
        "cosine": 0.0,
        "runner_up": 0.0,
        "covered": 0.0,
        "covered_together": 0.0,
        "bm25": 0.0,
        "missing": 1.0,
    }


def test_nothing_in_common_is_not_strong_and_all_in_common_is_not_none() -> None:
    assert judged(candidate(dense=0.0, matches=(0.0, 0.0))) in ("none", "weak")
    assert judged(candidate(dense=0.9, matches=(9.0, 9.0))) in ("some", "strong")


@given(CANDIDATE_SETS)
def test_any_candidates_have_a_level(considered: CandidateSet) -> None:
    assert judge(fuse(considered)) in LEVELS
