"""What changes an order after the scores: quoted phrases, versions, and repeats."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.models import RankedChunk, ToldFact
from palimpsest.core.ranking import Ranking, lifted, newest_first, told_apart

from ..fakes import START
from .candidates import id_of, name_of, ranked, ranking_of

PHRASE = "The lighthouse on the northern rock was painted red and white in the spring of that year"


def names(chunks: Iterable[RankedChunk]) -> list[str]:
    return [name_of(chunk.candidate.item_id) for chunk in chunks]


def test_a_quoted_phrase_lifts_and_scores_stay_in_bounds() -> None:
    before = ranking_of(ranked("a", 1.0), ranked("b", 0.9), ranked("c", 0.5))
    after = lifted(before, [False, False, True])
    assert names(after) == ["a", "b", "c"]
    assert [chunk.score for chunk in after] == pytest.approx([0.75, 0.675, 0.625])
    assert names(lifted(before, [False, True, False])) == ["b", "a", "c"]
    assert dict(lifted(before, [True, False, False])[0].parts) == pytest.approx({"words": 0.75, "phrase": 0.25})
    assert lifted(before, [True, False, False])[0].score == pytest.approx(1.0)


def test_chunks_that_were_not_read_for_a_phrase_are_scaled_alike() -> None:
    after = lifted(ranking_of(ranked("a", 0.8), ranked("b", 0.4)), [True])
    assert [chunk.score for chunk in after] == pytest.approx([0.85, 0.3])
    assert [chunk.parts["phrase"] for chunk in after] == [0.25, 0.0]


def test_lifting_nothing_changes_no_order() -> None:
    before = ranking_of(ranked("b", 0.5), ranked("a", 0.5), ranked("c", 0.1))
    assert names(lifted(before, [False] * 3)) == names(lifted(before, [True] * 3)) == ["b", "a", "c"]
    assert list(lifted(ranking_of(), [])) == []


def test_a_newer_version_takes_the_older_ones_place() -> None:
    before = ranking_of(
        ranked("old", 0.9, lineage="old", days_old=10),
        ranked("else", 0.6),
        ranked("new", 0.4, lineage="old", days_old=1),
    )
    after = newest_first(before)
    assert names(after) == ["new", "else", "old"]
    assert [chunk.score for chunk in after] == [0.9, 0.6, 0.4]
    assert dict(after[0].parts) == pytest.approx({"words": 0.4, "version": 0.5})
    assert dict(after[2].parts) == pytest.approx({"words": 0.9, "version": -0.5})


def test_versions_in_their_order_keep_their_scores_and_parts() -> None:
    before = ranking_of(
        ranked("new", 0.9, lineage="x"), ranked("old", 0.4, lineage="x", days_old=3), ranked("else", 0.1)
    )
    assert list(newest_first(before)) == list(before)


def test_where_nothing_has_versions_the_ranking_stays_the_same_object() -> None:
    before = ranking_of(ranked("b", 0.9), ranked("a", 0.4))
    assert newest_first(before) is before


def test_what_told_a_fact_goes_with_it_as_old_as_the_fact() -> None:
    before = ranking_of(ranked("told", 0.9), ranked("else", 0.8), ranked("new", 0.7, lineage="old"))
    fact = ToldFact(id_of("told"), id_of("old"), id_of("old"), START - timedelta(days=3))
    after = newest_first(before, {id_of("told"): fact})
    assert names(after) == ["new", "else", "told"]
    assert [chunk.score for chunk in after] == [0.9, 0.8, 0.7]
    of_no_lineage = replace(fact, lineage=None)
    assert names(newest_first(before, {id_of("told"): of_no_lineage})) == names(before)


def test_chunks_of_one_version_keep_their_order() -> None:
    before = ranking_of(
        ranked("old", 0.9, lineage="x", days_old=3),
        ranked("new", 0.8, lineage="x", ordinal=4),
        ranked("new", 0.7, lineage="x", ordinal=2),
    )
    after = newest_first(before)
    assert names(after) == ["new", "new", "old"]
    assert [chunk.candidate.ordinal for chunk in after] == [4, 2, 0]


def test_of_versions_of_the_same_instant_the_one_added_later_is_newer() -> None:
    before = ranking_of(ranked("1", 0.9, lineage="1"), ranked("2", 0.8, lineage="1"))
    assert names(newest_first(before)) == ["2", "1"]


def test_lineages_do_not_mix() -> None:
    before = ranking_of(
        ranked("a1", 0.9, lineage="a1", days_old=9),
        ranked("b1", 0.8, lineage="b1", days_old=9),
        ranked("b2", 0.7, lineage="b1"),
        ranked("a2", 0.6, lineage="a1"),
    )
    assert names(newest_first(before)) == ["a2", "b2", "b1", "a1"]


VERSIONS = st.lists(
    st.builds(
        ranked,
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.floats(0, 1),
        lineage=st.none() | st.sampled_from(["a", "b"]),
        days_old=st.floats(0, 500),
    ),
    max_size=12,
).map(lambda chunks: ranking_of(*sorted(chunks, key=lambda chunk: -chunk.score)))


@given(VERSIONS)
def test_newest_first_only_exchanges_versions(before: Ranking) -> None:
    after = newest_first(before)
    assert [chunk.score for chunk in after] == [chunk.score for chunk in before]
    assert sorted(names(after)) == sorted(names(before))
    for old, new in zip(before, after, strict=True):
        assert old.candidate.lineage == new.candidate.lineage
        assert sum(new.parts.values()) == pytest.approx(new.score)
    for lineage in ("a", "b"):
        told = [chunk.candidate.happened_at for chunk in after if chunk.candidate.lineage == id_of(lineage)]
        assert all(one >= other for one, other in pairwise(told))
    assert list(newest_first(after)) == list(after)


@given(VERSIONS, st.lists(st.booleans(), max_size=12))
def test_lifting_keeps_chunks_scores_in_bounds_and_parts_adding_up(before: Ranking, said: list[bool]) -> None:
    after = lifted(before, said)
    assert sorted(names(after)) == sorted(names(before))
    assert all(sum(chunk.parts.values()) == chunk.score for chunk in after)
    assert all(0 <= chunk.score <= 1 for chunk in after)
    assert [chunk.score for chunk in after] == sorted((chunk.score for chunk in after), reverse=True)


def test_no_more_passages_are_looked_at_than_are_wanted() -> None:
    texts = [PHRASE, PHRASE.upper(), "something else", "and another", PHRASE]
    assert told_apart(texts, 3) == ([0, 2, 3], [1])
    assert told_apart(texts, 4) == ([0, 2, 3], [1, 4])
    assert told_apart(texts) == ([0, 2, 3], [1, 4])
    assert told_apart(texts, 0) == ([], [])


def test_near_duplicates_are_told_apart() -> None:
    texts = [PHRASE, PHRASE.upper() + "!", "something else entirely", PHRASE + ".", "and another thing"]
    assert told_apart(texts) == ([0, 2, 4], [1, 3])


def test_a_word_more_is_a_repeat_and_a_changed_middle_is_not() -> None:
    assert told_apart([PHRASE, PHRASE + " again", "other"]) == ([0, 2], [1])
    changed = PHRASE.replace("painted red", "rebuilt taller").replace("spring", "autumn")
    assert told_apart([PHRASE, changed, "other"]) == ([0, 1, 2], [])


def test_common_words_in_another_order_are_no_repeat() -> None:
    words = PHRASE.split()
    assert told_apart([PHRASE, " ".join(reversed(words)), "other"]) == ([0, 1, 2], [])


def test_a_passage_inside_a_longer_one_is_no_repeat() -> None:
    longer = f"{PHRASE} and then {' '.join(map(str, range(30)))}"
    assert told_apart([PHRASE, longer, "other"]) == ([0, 1, 2], [])


def test_short_and_empty_passages_repeat_only_themselves() -> None:
    assert told_apart(["yes", "no", "Yes.", "yes no"]) == ([0, 1, 3], [2])
    assert told_apart(["", "?!", "yes"]) == ([0, 2], [1])
    assert told_apart([]) == ([], [])


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6).map(" ".join), max_size=10), st.integers(0, 10))
def test_leaving_repeats_for_last_loses_nothing(texts: list[str], limit: int) -> None:
    new, repeats = told_apart(texts)
    order = new + repeats
    shown, seen_again = told_apart(texts, limit)
    assert (shown + seen_again)[:limit] == order[:limit]
    assert sorted(order) == list(range(len(texts)))
    assert order[:1] == [0][: len(texts)]
