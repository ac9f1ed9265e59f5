"""How candidates are fused, ordered, grouped and judged."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.models import Candidate, Span
from palimpsest.core.ranking import Weights, best_per_item, evidence, fuse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEARCHES_ONLY = Weights(priority=0, recency=0)


def candidate(
    item_id: str = "mem_a",
    dense: float | None = 0.5,
    lexical: float = 1.0,
    *,
    start: int = 0,
    priority: int = 5,
    days_old: float = 0,
) -> Candidate:
    created = NOW - timedelta(days=days_old)
    return Candidate(item_id, 0, Span(start, start + 10), dense, lexical, priority, created, None)


def order(candidates: list[Candidate], weights: Weights | None = None) -> list[str]:
    return [chunk.candidate.item_id for chunk in fuse(candidates, weights)]


def test_nothing_in_gives_nothing_out() -> None:
    assert fuse([]) == []
    assert best_per_item([]) == []
    assert evidence([], query_terms=0) == "none"


def test_scores_are_the_weighted_sum_of_scaled_features() -> None:
    ranked = fuse([candidate("a", 0.8, 2.0), candidate("b", 0.6, 6.0), candidate("c", 0.4, 0.0)], SEARCHES_ONLY)
    scores = {chunk.candidate.item_id: chunk.score for chunk in ranked}
    assert scores == pytest.approx({"b": 0.75, "a": 0.5 + 0.5 / 3, "c": 0.0})
    assert [chunk.candidate.item_id for chunk in ranked] == ["b", "a", "c"]


def test_only_the_ratios_of_weights_matter() -> None:
    found = [candidate("a", 0.8, 2.0), candidate("b", 0.6, 6.0), candidate("c", 0.5, 3.0)]
    single, double = fuse(found, Weights(1, 3, 0, 0)), fuse(found, Weights(2, 6, 0, 0))
    assert [chunk.score for chunk in single] == pytest.approx([chunk.score for chunk in double])


def test_a_missing_vector_scores_zero_when_others_have_one() -> None:
    ranked = fuse([candidate("a", None, 2.0), candidate("b", 0.1, 2.0), candidate("c", 0.9, 2.0)], SEARCHES_ONLY)
    parts = {chunk.candidate.item_id: chunk.parts["dense"] for chunk in ranked}
    assert parts == pytest.approx({"a": 0.0, "b": 0.0, "c": 0.5})


def test_without_any_vector_words_carry_the_whole_weight() -> None:
    ranked = fuse([candidate("a", None, 2.0), candidate("b", None, 4.0)], SEARCHES_ONLY)
    assert [dict(chunk.parts) for chunk in ranked] == [{"lexical": 1.0}, {"lexical": 0.0}]
    assert "dense" not in fuse([candidate(dense=None)])[0].parts


def test_without_any_matching_word_meaning_carries_the_whole_weight() -> None:
    ranked = fuse([candidate("a", 0.2, 0.0), candidate("b", 0.4, 0.0)], SEARCHES_ONLY)
    assert [dict(chunk.parts) for chunk in ranked] == [{"dense": 1.0}, {"dense": 0.0}]


def test_a_vector_without_direction_counts_as_missing() -> None:
    assert order([candidate("a", math.nan, 1.0), candidate("b", 0.3, 1.0), candidate("c", 0.1, 1.0)])[0] == "b"


def test_with_no_search_left_only_the_priors_order() -> None:
    assert order([candidate("a", None, 0.0, priority=2), candidate("b", None, 0.0, priority=9)]) == ["b", "a"]
    assert fuse([candidate()], Weights(0, 0, 0, 0))[0].score == 0


def test_a_single_candidate_scores_full() -> None:
    assert fuse([candidate(dense=0.3, lexical=0.1)], SEARCHES_ONLY)[0].score == 1.0


def test_ties_fall_to_the_smaller_id_then_the_earlier_passage() -> None:
    found = [candidate("b", start=5), candidate("a", start=9), candidate("a", start=3)]
    ranked = fuse(found)
    assert [(chunk.candidate.item_id, chunk.candidate.span.start) for chunk in ranked] == [("a", 3), ("a", 9), ("b", 5)]
    assert fuse(found[::-1]) == ranked


def test_priority_and_recency_decide_between_equals_but_not_against_evidence() -> None:
    assert order([candidate("a", priority=3), candidate("b", priority=8)]) == ["b", "a"]
    assert order([candidate("a", days_old=60), candidate("b")]) == ["b", "a"]
    assert order([candidate("a", 0.9, 4.0, priority=1, days_old=900), candidate("b", 0.8, 3.0, priority=10)])[0] == "a"


def test_recency_halves_in_a_month_and_ignores_how_close_equals_are() -> None:
    ranked = fuse([candidate("a"), candidate("b", days_old=30)], Weights(0, 0, 0, 1))
    assert [chunk.score for chunk in ranked] == pytest.approx([1.0, 0.5])
    near = fuse([candidate("a"), candidate("b", days_old=1 / 86_400)], Weights(0, 0, 0, 1))
    assert near[1].score > 0.999


def test_each_item_keeps_its_best_passage() -> None:
    ranked = fuse([candidate("a", 0.1, 1.0), candidate("a", 0.9, 1.0, start=50), candidate("b", 0.5, 1.0)])
    best = best_per_item(ranked)
    assert [(chunk.candidate.item_id, chunk.candidate.span.start) for chunk in best] == [("a", 50), ("b", 0)]


@pytest.mark.parametrize(
    ("dense", "lexical", "expected"),
    [
        (0.7, 0.0, "strong"),
        (0.2, 12.0, "strong"),
        (0.5, 0.0, "some"),
        (None, 8.0, "some"),
        (0.35, 0.0, "weak"),
        (None, 0.2, "weak"),
        (0.1, 0.0, "none"),
        (None, 0.0, "none"),
        (math.nan, 0.0, "none"),
    ],
)
def test_evidence_is_judged_before_scaling(dense: float | None, lexical: float, expected: str) -> None:
    ranked = fuse([candidate(dense=dense, lexical=lexical)])
    assert evidence(ranked, query_terms=4) == expected


CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.sampled_from(["a", "b", "c", "d"]),
        st.none() | st.floats(-1, 1),
        st.floats(0, 100),
        start=st.integers(0, 1000),
        priority=st.integers(1, 10),
        days_old=st.floats(0, 3000),
    ),
    max_size=30,
)


@given(CANDIDATES, st.builds(Weights, *[st.floats(0, 10)] * 4))
def test_parts_add_up_exactly_and_scores_stay_within_zero_and_one(found: list[Candidate], weights: Weights) -> None:
    ranked = fuse(found, weights)
    assert len(ranked) == len(found)
    assert all(sum(chunk.parts.values()) == chunk.score for chunk in ranked)
    assert all(0 <= chunk.score <= 1 + 1e-9 for chunk in ranked)
    assert [chunk.score for chunk in ranked] == sorted((chunk.score for chunk in ranked), reverse=True)
