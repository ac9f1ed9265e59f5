"""What candidates have in their favour, family by family."""

import math

import numpy as np
import pytest
from hypothesis import given

from palimpsest.core.models import Candidate, CandidateSet
from palimpsest.core.ranking import FAMILIES, features

from .candidates import CANDIDATE_SETS, ROLES, candidate, feature, found


def chapters(*matches: float, dense: tuple[float | None, ...] | None = None) -> CandidateSet:
    """The chunks of one document, from the first."""
    cosines = dense or (None,) * len(matches)
    return found(
        *(
            candidate("book", cosine, (match,), ordinal=ordinal, chunk_count=len(matches))
            for ordinal, (match, cosine) in enumerate(zip(matches, cosines, strict=True))
        )
    )


def entry(
    position: int, match: float = 0.0, *, thread: str = "main", ordinal: int = 0, chunk_count: int = 1
) -> Candidate:
    """A chunk of what was told as the ``position``-th in a thread."""
    return candidate(
        f"{thread}{position}",
        None,
        (match,),
        ordinal=ordinal,
        chunk_count=chunk_count,
        thread=thread,
        position=position,
        memory_type="episodic",
    )


def marked(*names: str, length: int = 10, **of: object) -> Candidate:
    """A candidate that has the markers named."""
    return candidate(markers=[float(name in names) for name in ROLES], length=length, **of)  # type: ignore[arg-type]


@given(CANDIDATE_SETS)
def test_every_feature_lies_within_zero_and_one(considered: CandidateSet) -> None:
    if not len(considered):
        return
    values = features(considered, ROLES)
    assert values.shape == (len(considered), len(FAMILIES))
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1 + 1e-9


def test_words_are_scaled_by_the_best_candidate() -> None:
    two = found(candidate("a", matches=(3.0, 1.0)), candidate("b", matches=(1.0, 0.0)))
    assert feature("words", two) == pytest.approx([1.0, 0.25])


def test_what_is_covered_counts_by_rarity_and_not_by_how_often() -> None:
    two = found(candidate("a", matches=(0.1, 0.0)), candidate("b", matches=(0.0, 9.0)), weights=(3.0, 1.0))
    assert feature("covered", two) == pytest.approx([0.75, 0.25])


def test_meaning_is_scaled_over_the_candidates_and_likeness_is_not() -> None:
    three = found(candidate("a", 0.3), candidate("b", 0.5), candidate("c", 0.7))
    assert feature("meaning", three) == pytest.approx([0.0, 0.5, 1.0])
    assert feature("likeness", three) == pytest.approx([0.3, 0.5, 0.7])


def test_a_missing_vector_counts_as_the_least_like() -> None:
    three = found(candidate("a", 0.3), candidate("b", None), candidate("c", 0.7), candidate("d", math.nan))
    assert feature("meaning", three) == pytest.approx([0.0, 0.0, 1.0, 0.0])
    assert feature("likeness", three) == pytest.approx([0.3, 0.3, 0.7, 0.3])


def test_what_points_the_other_way_is_not_less_like_than_nothing() -> None:
    assert feature("likeness", found(candidate("a", -0.8), candidate("b", 0.1))) == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize("dense", [None, math.nan])
def test_without_any_vector_meaning_says_nothing(dense: float | None) -> None:
    two = found(candidate("a", dense), candidate("b", dense, (2.0,)))
    for name in (name for name in FAMILIES if "meaning" in name or name == "likeness"):
        assert feature(name, two) == [0.0, 0.0]


def test_without_any_word_words_say_nothing() -> None:
    two = found(candidate("a", 0.2, ()), candidate("b", 0.6, ()))
    for name in (name for name in FAMILIES if "words" in name or "covered" in name or "matches" in name):
        assert feature(name, two) == [0.0, 0.0]


def test_chunks_of_an_item_are_neighbours_by_number() -> None:
    assert feature("covered_near", chapters(0, 0, 5, 0, 0)) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert feature("words_near", chapters(0, 0, 0, 5, 0, 0)) == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_words_nearby_count_once_each_at_their_best() -> None:
    pair = found(
        candidate("a", matches=(2.0, 0.0), ordinal=0, chunk_count=2), candidate("a", matches=(1.0, 3.0), ordinal=1)
    )
    assert feature("words_near", pair) == [1.0, 1.0]
    assert feature("words", pair) == [0.5, 1.0]


def test_a_gap_parts_neighbours() -> None:
    gap = found(candidate("a", matches=(5.0,), chunk_count=3), candidate("a", matches=(0.0,), ordinal=2, chunk_count=3))
    assert feature("covered_near", gap) == [1.0, 0.0]


def test_episodes_are_neighbours_by_their_position_in_the_thread() -> None:
    told = found(entry(3, 5.0), entry(4), entry(6), entry(2))
    assert feature("covered_near", told) == [1.0, 1.0, 0.0, 1.0]


def test_threads_do_not_touch() -> None:
    assert feature("covered_near", found(entry(3, 5.0), entry(4, thread="other"))) == [1.0, 0.0]


def test_documents_do_not_touch_though_one_followed_the_other() -> None:
    two = found(candidate("a", matches=(5.0,), position=1), candidate("b", matches=(0.0,), position=2))
    assert feature("covered_near", two) == [1.0, 0.0]


def test_an_episodes_last_chunk_is_beside_the_first_of_the_next() -> None:
    last, following = entry(1, 5.0, ordinal=1, chunk_count=2), entry(2)
    assert feature("covered_near", found(last, following)) == [1.0, 1.0]
    first = entry(1, 5.0, ordinal=0, chunk_count=2)
    assert feature("covered_near", found(first, following)) == [1.0, 0.0]
    assert feature("covered_near", found(last, entry(2, ordinal=1, chunk_count=2))) == [1.0, 0.0]


def test_meaning_of_neighbours_and_of_the_next() -> None:
    book = chapters(0, 0, 0, 0, dense=(0.1, 0.9, 0.5, 0.1))
    assert feature("meaning_near", book) == pytest.approx([1.0, 1.0, 1.0, 0.0])
    assert feature("meaning_next", book) == pytest.approx([1.0, 0.5, 0.0, 0.0])


def test_the_answer_stands_behind_a_question() -> None:
    asked = found(
        marked("question", name="a", chunk_count=3),
        marked(name="a", ordinal=1, chunk_count=3),
        marked(name="a", ordinal=2, chunk_count=3),
    )
    assert feature("after_question", asked, ROLES) == [0.0, 1.0, 0.0]
    assert feature("asks", asked, ROLES) == [1.0, 0.0, 0.0]


def test_an_item_is_spoken_for_by_its_three_best_chunks() -> None:
    several = found(
        *(
            candidate("a", None, (size,), ordinal=place, chunk_count=4)
            for place, size in enumerate((6.0, 3.0, 3.0, 1.0))
        ),
        candidate("b", None, (6.0,)),
    )
    assert feature("words_around", several) == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.5])
    assert feature("matches_around", several) == pytest.approx([1.0, 1.0, 1.0, 1.0, 6 / 13])


def test_episodes_are_spoken_for_by_their_thread_and_documents_by_themselves() -> None:
    told = found(entry(1, 3.0), entry(5, 3.0), entry(1, 3.0, thread="other"))
    assert feature("words_around", told) == pytest.approx([1.0, 1.0, 0.5])
    written = found(*(candidate(name, None, (3.0,)) for name in ("a", "b", "c")))
    assert feature("words_around", written) == pytest.approx([1.0, 1.0, 1.0])


def test_meaning_around_is_the_best_three_cosines_of_the_item() -> None:
    several = found(
        candidate("a", 0.9, chunk_count=3), candidate("a", 0.9, ordinal=1, chunk_count=3), candidate("b", 0.9)
    )
    assert feature("meaning_around", several) == pytest.approx([1.0, 1.0, 0.0])


def test_a_speaker_whom_the_query_names() -> None:
    markers = (*ROLES, "said:bob")
    by_bob = candidate("b", markers=(0, 0, 0, 0, 0, 0, 1.5))
    by_ann = candidate("a", markers=(0, 0, 0, 0, 0, 1.5, 0))
    by_user = candidate("u", markers=(0, 1.5, 0, 0, 0, 0, 0))
    assert feature("speaker", found(by_bob, by_ann, by_user), markers) == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("marker", "name"),
    [("question", "asks"), ("time", "tells_time"), ("number", "tells_number"), ("said:user", "user")],
)
def test_a_marker_is_a_feature(marker: str, name: str) -> None:
    two = found(marked(marker, name="a"), marked(name="b"))
    assert feature(name, two, ROLES) == [1.0, 0.0]
    assert feature(name, two) == [0.0, 0.0]


def test_length_counts_up_to_twenty_words_then_to_sixty() -> None:
    some = found(*(candidate(str(length), length=length) for length in (0, 10, 20, 40, 60, 500)))
    assert feature("length_to_20", some) == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0, 1.0])
    assert feature("length_to_60", some) == pytest.approx([0.0, 0.0, 0.0, 0.5, 1.0, 1.0])


def test_where_a_chunk_stands_in_its_item() -> None:
    some = found(candidate("a"), candidate("b", chunk_count=20), candidate("b", ordinal=7, chunk_count=400))
    assert feature("opening", some) == [1.0, 1.0, 0.0]
    assert feature("divided", some) == [0.0, 1.0, 1.0]
    assert feature("parts", some) == pytest.approx([0.0, 1.0, 1.0])
    assert feature("parts", found(candidate("a", chunk_count=0))) == [0.0]


def test_what_a_user_says_has_columns_of_its_own() -> None:
    two = found(
        marked("said:user", "number", name="a", length=10, chunk_count=1),
        marked("said:assistant", "number", name="b", length=240, chunk_count=1),
    )
    assert feature("user_tells_number", two, ROLES) == [1.0, 0.0]
    assert feature("user_length_to_20", two, ROLES) == [0.5, 0.0]
    assert feature("user_words_near", two, ROLES) == [1.0, 0.0]
    assert feature("assistant_covered", two, ROLES) == [0.0, 1.0]
    assert feature("assistant_length", two, ROLES) == pytest.approx([0.0, 1.0])


def test_families_are_few_and_every_column_has_one() -> None:
    assert set(FAMILIES.values()) == {"words", "meaning", "neighbours", "surroundings", "speaker", "form", "role"}
    assert features(found(candidate()), ()).shape == (1, len(FAMILIES))
