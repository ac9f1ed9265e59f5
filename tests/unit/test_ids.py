"""Ids: short texts that sort by time."""

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core import ids
from palimpsest.core.errors import InvalidInputError


@settings(deadline=None)
@given(st.integers(0, ids.LARGEST))
def test_a_number_round_trips_through_its_text(number: int) -> None:
    text = ids.format_item_id(number)
    assert len(text) == len("mem_0123456789abc")
    assert ids.parse_item_id(text) == number


@settings(deadline=None)
@given(st.integers(0, ids.LARGEST), st.integers(0, ids.LARGEST))
def test_texts_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (ids.format_item_id(one) < ids.format_item_id(other)) == (one < other)


def test_new_ids_rise_and_leave_the_next_number_free() -> None:
    made = [ids.new_number() for _ in range(1000)]
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(made))
    assert 0 < made[0] < made[-1] <= ids.LARGEST
    assert ids.new_item_id() < ids.new_item_id()


def test_ids_of_a_later_time_are_larger_whatever_process_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    earlier = ids.Numbers().new()
    monkeypatch.setattr(time, "time_ns", lambda: now + 60_000_000_000)
    assert ids.Numbers().new() > earlier


def test_ids_rise_also_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = ids.Numbers()
    now = time.time_ns()
    earlier = numbers.new()
    monkeypatch.setattr(time, "time_ns", lambda: now - 60_000_000_000)
    assert numbers.new() > earlier


def test_threads_never_get_the_same_id() -> None:
    numbers = ids.Numbers()
    made: list[int] = []
    workers = [threading.Thread(target=lambda: made.extend(numbers.new() for _ in range(500))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert len(set(made)) == 2000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mem_",
        "0123456789abc",
        "mem_0123456789ab",
        "mem_0123456789abcd",
        "MEM_0123456789abc",
        "mem_0123456789ABC",
        "mem_0123456789abi",
        "mem_zzzzzzzzzzzzz",
        "mem_\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
        "mem_0123456789ab\n",
        "x" * 100_000,
        "\x00",
        "\ud800",
    ],
)
def test_what_is_no_id_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(InvalidInputError, match="ids look like mem_") as refused:
        ids.parse_item_id(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("subject", "prefix"), [("item", "mem_"), ("task", "task_"), ("agent", "agent_"), ("request", "ask_")]
)
def test_every_subject_has_ids_of_its_own(subject: ids.Subject, prefix: str) -> None:
    number = ids.new_number()
    text = ids.public_id(subject, number)
    assert text.startswith(prefix)
    assert ids.parse_id(subject, text) == number
    for other in ids.PREFIXES.keys() - {subject}:
        with pytest.raises(InvalidInputError, match=f"is not an? {other} id; ids look like {ids.PREFIXES[other]}"):
            ids.parse_id(other, text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    try:
        number = ids.parse_item_id(text)
    except InvalidInputError:
        return
    assert ids.format_item_id(number) == text
