"""Candidates as columns, and as the objects that they stand for."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from palimpsest.core.ids import parse_item_id
from palimpsest.core.models import CandidateSet
from palimpsest.storage.rows import candidate_set

from ..fakes import START
from .candidates import CANDIDATE_SETS, candidate, found, id_of

ABOUT = {"chunks": 7, "weights": [2.0, 0.5], "exact": False}


def row(name: str, dense: float | None, impacts: list[float] | None, marks: list[float] | None = None) -> Any:
    """A row of the query: what the set says of the search comes last, and only in the first row."""
    number, happened = parse_item_id(id_of(name)), START - timedelta(days=1)
    chunk = (number, 3, 30, 40, dense, impacts, marks, True)
    item = ("main", 2, 4, None, "episodic", 6, happened, None, 2)
    return (*chunk, *item, None, None, None)


@given(CANDIDATE_SETS)
def test_columns_and_objects_are_the_same_candidates(considered: CandidateSet) -> None:
    again = found(*considered.candidates, weights=considered.weights)
    assert len(again) == len(considered) == len(considered.candidates)
    # A NaN is not equal to itself, a text of it is.
    assert repr(again.candidates) == repr(considered.candidates)


def test_candidates_are_taken_by_their_places() -> None:
    three = found(candidate("a"), candidate("b", None, (0.0,), lineage="a"), candidate("c", 0.1, (2.0,), picked=False))
    some = three.only([2, 0])
    assert some.candidates == (three.candidates[2], three.candidates[0])
    assert (some.chunks, some.weights, some.exact) == (three.chunks, three.weights, three.exact)
    assert three.only([]).candidates == ()


def test_a_term_is_matched_where_any_candidate_has_it() -> None:
    two = found(candidate("a", matches=(0.0, 1.0, 0.0)), candidate("b", matches=(0.0, 0.0, 0.1)))
    assert two.matched() == [False, True, True]
    assert found(weights=(1.0, 1.0)).matched() == [False, False]


def test_rows_become_columns() -> None:
    made: Any = [ABOUT, row("a", 0.5, [1.0, 4.0], [0.0, 1.5]), row("b", None, None, [0.0, 0.0]), row("c", math.nan, [])]
    two = candidate_set(made[:3], [1, 3])
    assert (len(two), two.chunks, two.weights, two.exact) == (2, 7, (2.0, 0.5), False)
    first, second = two.candidates
    assert (first.matches, first.lexical, first.markers) == ((2.0, 6.0), 8.0, (0.0, 1.5))
    assert (second.matches, second.lexical, second.dense) == ((0.0, 0.0), 0.0, None)
    assert (first.item_id, first.ordinal, first.span.start, first.span.end) == (id_of("a"), 3, 30, 40)
    assert (first.thread, first.position, first.chunk_count, first.length) == ("main", 2, 4, 0)
    assert (first.memory_type, first.priority, first.trust, first.lineage) == ("episodic", 6, "high", None)
    assert first.happened_at == START - timedelta(days=1)
    [alone] = candidate_set([made[0], made[3]], [1, 3]).candidates
    assert (alone.matches, alone.markers) == ((0.0, 0.0), ())


@pytest.mark.parametrize("weights", [[], [1.0, 2.0]])
def test_a_search_without_candidates_has_columns_without_entries(weights: list[float]) -> None:
    made: Any = [{**ABOUT, "weights": weights}]
    nothing = candidate_set(made, [1] * len(weights))
    assert (len(nothing), nothing.candidates, nothing.matched()) == (0, (), [False] * len(weights))
