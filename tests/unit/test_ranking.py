"""How features are weighed and added up to an order."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.ids import format_item_id
from palimpsest.core.models import Candidate, CandidateSet, QueryTime, RankedChunk
from palimpsest.core.ranking import FAMILIES, Weights, fitted_weights, fuse

from ..fakes import START
from .candidates import ANY_WEIGHTS, CANDIDATE_SETS, ROLES, candidate, found, name_of, only


def order(*candidates: Candidate, weights: Weights | None = None) -> list[str]:
    return [name_of(chunk.candidate.item_id) for chunk in fuse(found(*candidates), weights=weights)]


def scores(ranked: Iterable[RankedChunk]) -> dict[str, float]:
    return {name_of(chunk.candidate.item_id): chunk.score for chunk in ranked}


def places(ranked: Iterable[RankedChunk]) -> list[tuple[str, int]]:
    return [(name_of(chunk.candidate.item_id), chunk.candidate.span.start) for chunk in ranked]


def test_nothing_in_gives_nothing_out() -> None:
    assert list(fuse(found())) == []
    assert list(fuse(found()).best_per_item()) == []


def test_a_score_is_the_weighted_mean_of_features() -> None:
    three = found(candidate("a", 0.8, (2.0,)), candidate("b", 0.6, (6.0,)), candidate("c", 0.4, (0.0,)))
    ranked = fuse(three, weights=only(words=1, meaning=3))
    assert scores(ranked) == pytest.approx({"a": 0.25 / 3 + 0.75, "b": 0.25 + 0.375, "c": 0.0})
    assert [name for name, _ in places(ranked)] == ["a", "b", "c"]
    best = {name: part for name, part in ranked[0].parts.items() if part}
    assert best == pytest.approx({"words": 0.25 / 3, "meaning": 0.75})


def test_parts_are_the_families_and_what_decides_between_equals() -> None:
    [only_one] = fuse(found(candidate()))
    assert list(only_one.parts) == [*dict.fromkeys(FAMILIES.values()), "priority", "recency"]


def test_only_the_ratios_of_weights_matter() -> None:
    three = found(candidate("a", 0.8, (2.0,)), candidate("b", 0.6, (6.0,)), candidate("c", 0.5, (3.0,)))
    single = fuse(three, weights=only(words=1, meaning=-3, priority=1))
    double = fuse(three, weights=only(words=2, meaning=-6, priority=2))
    assert scores(single) == pytest.approx(scores(double))
    assert len(set(scores(single).values())) == 3


def test_a_negative_weight_counts_what_is_lacking() -> None:
    two = found(candidate("a", matches=(2.0,)), candidate("b", matches=(8.0,)))
    assert scores(fuse(two, weights=only(words=-1))) == pytest.approx({"a": 0.75, "b": 0.0})
    assert scores(fuse(two, weights=only(words=-1, meaning=1))) == pytest.approx({"a": 0.375, "b": 0.0})


def test_candidates_without_vectors_or_words_are_ranked_by_the_rest() -> None:
    by_both = only(words=1, meaning=1)
    assert order(candidate("a", None, (2.0,)), candidate("b", None, (4.0,)), weights=by_both) == ["b", "a"]
    assert order(candidate("a", 0.2, (0.0,)), candidate("b", 0.4, (0.0,)), weights=by_both) == ["b", "a"]
    assert order(candidate("a", 0.2, ()), candidate("b", 0.4, ()), weights=by_both) == ["b", "a"]
    assert order(candidate("a", math.nan), candidate("b", 0.3), candidate("c", 0.1), weights=by_both)[0] == "b"
    assert order(candidate("a", None, (), priority=2), candidate("b", None, (), priority=9)) == ["b", "a"]


def test_a_single_candidate_is_ranked() -> None:
    [alone] = fuse(found(candidate(dense=0.3, matches=(0.1,))))
    assert 0 < alone.score < 1
    assert sum(alone.parts.values()) == alone.score


def test_ties_fall_to_the_smaller_id_then_the_earlier_passage() -> None:
    tied = [
        candidate("b", None, ()),
        candidate("a", None, (), ordinal=5, start=9, chunk_count=9),
        candidate("a", None, (), ordinal=3, start=3, chunk_count=9),
    ]
    ranked = fuse(found(*tied), weights=only(words=1))
    assert places(ranked) == [("a", 3), ("a", 9), ("b", 0)]
    assert list(fuse(found(*tied[::-1]), weights=only(words=1))) == list(ranked)


def test_what_adds_up_to_the_same_in_another_order_ties() -> None:
    shares = (0.1, 0.2, 0.3)
    rising = [candidate("b", None, (share,), ordinal=place, chunk_count=3) for place, share in enumerate(shares)]
    falling = [candidate("a", None, (share,), ordinal=place, chunk_count=3) for place, share in enumerate(shares)][::-1]
    assert sum(shares) != sum(shares[::-1])
    assert order(*rising, *falling, weights=only(matches_around=1)) == ["a"] * 3 + ["b"] * 3


def test_priority_and_recency_decide_between_equals_but_not_against_evidence() -> None:
    assert order(candidate("a", priority=3), candidate("b", priority=8)) == ["b", "a"]
    assert order(candidate("a", days_old=60), candidate("b")) == ["b", "a"]
    old, new = candidate("a", 0.9, (4.0,), priority=1, days_old=900), candidate("b", 0.2, (1.0,), priority=10)
    assert order(old, new) == ["a", "b"]


def test_priority_is_its_tenth_and_never_beyond_one() -> None:
    ranked = fuse(found(*(candidate(str(size), priority=size) for size in (0, 3, 10, 40))), weights=only(priority=2))
    assert scores(ranked) == pytest.approx({"0": 0.0, "3": 0.3, "10": 1.0, "40": 1.0})


def test_recency_halves_in_a_month_and_ignores_how_close_equals_are() -> None:
    ranked = fuse(found(candidate("a"), candidate("b", days_old=30)), weights=only(recency=1))
    assert [chunk.score for chunk in ranked] == pytest.approx([1.0, 0.5])
    near = fuse(found(candidate("a"), candidate("b", days_old=1 / 86_400)), weights=only(recency=1))
    assert near[1].score > 0.999


def test_what_happened_at_the_time_asked_about_gains_and_others_make_room() -> None:
    five = found(*(candidate(str(days), days_old=days) for days in (0, 1, 2, 3, 4)))
    weights = replace(only(priority=1), time=3)
    assert {chunk.score for chunk in fuse(five, weights=weights)} == {0.5}
    assert all("time" not in chunk.parts for chunk in fuse(five, weights=weights))
    begin, end = START - timedelta(days=3), START - timedelta(days=1)

    def at(since: datetime | None, until: datetime | None) -> dict[str, float]:
        asked = QueryTime(since, until, "then", 0, 4, strict=True, sentence="Then.")
        ranked = fuse(five, weights=weights, time=asked)
        assert scores(ranked) == pytest.approx(
            {name_of(one.candidate.item_id): 0.125 + one.parts["time"] for one in ranked}
        )
        return {name_of(one.candidate.item_id): one.parts["time"] for one in ranked if one.parts["time"]}

    assert at(begin, end) == {"3": 0.75, "2": 0.75}
    assert at(begin, None) == {"0": 0.75, "1": 0.75, "2": 0.75, "3": 0.75}
    assert at(None, end) == {"2": 0.75, "3": 0.75, "4": 0.75}


def test_the_shipped_weights_are_complete_and_put_evidence_first() -> None:
    shipped = fitted_weights()
    assert list(shipped.features) == list(FAMILIES)
    assert all(map(math.isfinite, shipped.features.values()))
    assert 0 < shipped.recency + shipped.priority < 0.1 * shipped.total(timed=False)


def test_by_the_shipped_weights_more_of_the_words_and_more_of_the_meaning_rank_higher() -> None:
    plain = {"weights": None}
    assert order(candidate("a", 0.5, (1.0, 0.0)), candidate("b", 0.5, (1.0, 3.0)), **plain) == ["b", "a"]
    assert order(candidate("a", 0.2, (1.0,)), candidate("b", 0.7, (1.0,)), **plain) == ["b", "a"]


def test_each_item_keeps_its_best_passage() -> None:
    ranked = fuse(
        found(candidate("a", 0.1, chunk_count=2), candidate("a", 0.9, ordinal=1, start=50), candidate("b", 0.5)),
        weights=only(meaning=1),
    )
    assert places(ranked.best_per_item()) == [("a", 50), ("b", 0)]
    assert places(ranked.best_per_item(1)) == [("a", 50)]


def test_a_ranking_is_a_sequence_whose_chunks_are_made_when_asked_for() -> None:
    three = found(candidate("a", 0.1, picked=False), candidate("b", 0.9), candidate("c", 0.5, lineage="c"))
    ranked = fuse(three, weights=only(meaning=1))
    assert places(ranked) == [("b", 0), ("c", 0), ("a", 0)]
    assert [ranked[0], ranked[1], ranked[-1]] == list(ranked)
    assert places(ranked[1:]) == [("c", 0), ("a", 0)]
    assert places(ranked.picked()) == [("b", 0), ("c", 0)]
    assert {name_of(format_item_id(number)) for number in ranked.picked_items()} == {"b", "c"}
    assert [part.has_lineages() for part in (ranked, ranked[:1], ranked[1:2])] == [True, False, True]
    with pytest.raises(IndexError):
        ranked[3]


@given(CANDIDATE_SETS, st.none() | ANY_WEIGHTS)
def test_parts_add_up_exactly_and_scores_stay_within_zero_and_one(
    considered: CandidateSet, weights: Weights | None
) -> None:
    ranked = fuse(considered, ROLES, weights)
    assert len(ranked) == len(considered)
    assert all(sum(chunk.parts.values()) == chunk.score for chunk in ranked)
    assert all(-1e-12 <= part <= 1 + 1e-9 for chunk in ranked for part in chunk.parts.values())
    assert all(-1e-12 <= chunk.score <= 1 + 1e-9 for chunk in ranked)
    assert [chunk.score for chunk in ranked] == sorted((chunk.score for chunk in ranked), reverse=True)


@given(CANDIDATE_SETS, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(considered: CandidateSet, random: Random) -> None:
    shuffled = considered.only(random.sample(range(len(considered)), len(considered)))
    ranked = fuse(considered, ROLES)
    again = fuse(shuffled, ROLES)
    keys = [(chunk.candidate.item_id, chunk.candidate.ordinal) for chunk in ranked]
    assert [(chunk.candidate.item_id, chunk.candidate.ordinal) for chunk in again] == keys
    assert [chunk.score for chunk in again] == pytest.approx([chunk.score for chunk in ranked])
