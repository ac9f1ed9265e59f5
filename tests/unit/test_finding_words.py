"""Finding by words that are no plain terms: times, dates of arguments, and typos."""

import pytest

from palimpsest.core.calls import Period
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.memory import NewMemory
from palimpsest.core.models import Filters, SearchAnswer

from ..fakes import START
from .parts import ME, Parts, build_parts

HARBOUR = {
    "2025-12-29": "the harbour gate was painted green",
    "2025-12-10": "the harbour gate was painted white",
    "2025-06-01": "the harbour gate was painted black",
}


async def harbour(*, corrects: bool = False) -> Parts:
    """A memory of one gate on three days; the clock stands at the first of January 2026."""
    parts = build_parts(corrects=corrects)
    assert START.isoformat().startswith("2026-01-01")
    for date, text in HARBOUR.items():
        await parts.memory.add(ME, NewMemory(text, title=date, date=date, thread=date))
    return parts


def titles(answer: SearchAnswer) -> list[str | None]:
    return [hit.item.labels.title for hit in answer.hits]


async def test_words_for_a_time_lift_what_happened_then_and_leave_nothing_out() -> None:
    parts = await harbour()
    answer = await parts.memory.search(ME, "harbour gate painted in June 2025")
    assert titles(answer)[0] == "2025-06-01"
    assert sorted(map(str, titles(answer))) == sorted(HARBOUR)
    lifted = {hit.item.labels.title: hit.parts["time"] for hit in answer.hits}
    assert lifted["2025-06-01"] > 0 == lifted["2025-12-29"] == lifted["2025-12-10"]
    for hit in answer.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score)
        assert 0 <= hit.score <= 1
    assert any("June 2025" in note and "ranks higher" in note for note in answer.notes)


async def test_a_query_without_a_time_has_no_such_part() -> None:
    answer = await (await harbour()).memory.search(ME, "harbour gate painted")
    assert len(answer.hits) == 3
    assert all("time" not in hit.parts for hit in answer.hits)
    assert not answer.notes


async def test_a_date_that_does_not_exist_is_told_and_not_used() -> None:
    answer = await (await harbour()).memory.search(ME, "harbour gate on 31 February 2025")
    assert len(answer.hits) == 3
    assert any("31 February 2025" in note and "not a date" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period(since="2025-12-10"), {"2025-12-10", "2025-12-29"}),
        (Period(until="2025-12-10"), {"2025-06-01", "2025-12-10"}),
        (Period(since="2025-12-10", until="2025-12-10"), {"2025-12-10"}),
        (Period(since="last month"), {"2025-12-10", "2025-12-29"}),
        (Period(until="2025-06-01T00:00:00Z"), set[str]()),
        (Period(as_of="2025-12-10"), {"2025-06-01", "2025-12-10"}),
        (Period(as_of="2025-12-09T23:59:59Z"), {"2025-06-01"}),
        (Period(), set(HARBOUR)),
    ],
    ids=lambda value: str(value) if isinstance(value, Period) else None,
)
async def test_arguments_for_a_time_leave_the_rest_out(period: Period, expected: set[str]) -> None:
    parts = await harbour()
    answer = await parts.memory.search(ME, "harbour gate painted", period=period)
    assert set(map(str, titles(answer))) == expected


async def test_a_period_narrows_other_filters_further() -> None:
    parts = await harbour()
    filters = Filters(thread="2025-12-29")
    assert titles(await parts.memory.search(ME, "gate", filters=filters, period=Period(since="2025"))) == ["2025-12-29"]
    assert not (await parts.memory.search(ME, "gate", filters=filters, period=Period(until="2024"))).hits


@pytest.mark.parametrize(
    ("period", "told"),
    [
        (Period(since="2025-02-30"), "2025-02-30"),
        (Period(until="soonish"), "soonish"),
        (Period(as_of="before March"), "before March"),
        (Period(since="2025-12-11", until="2025-12-10"), "lies before"),
    ],
    ids=str,
)
async def test_what_is_no_time_is_refused_in_one_sentence(period: Period, told: str) -> None:
    parts = await harbour()
    with pytest.raises(InvalidInputError, match=told):
        await parts.memory.search(ME, "gate", period=period)


async def test_a_mistyped_word_finds_what_was_meant_and_says_so() -> None:
    parts = await harbour(corrects=True)
    parts.embedder.failure = "no model"
    answer = await parts.memory.search(ME, "the habrour")
    assert len(answer.hits) == 3
    assert any("habrour" in note and "harbour" in note for note in answer.notes)


async def test_two_slips_in_a_long_word_are_looked_for_when_one_is_not_enough() -> None:
    parts = await harbour(corrects=True)
    parts.embedder.failure = "no model"
    await parts.memory.add(ME, NewMemory("our accommodation was by the sea", title="sea"))
    answer = await parts.memory.search(ME, "acomodation")
    assert titles(answer) == ["sea"]
    assert any("accommodation" in note for note in answer.notes)


@pytest.mark.parametrize("query", ["harbour", "zzyzxqq", "of", "???", "h4rb0ur"])
async def test_words_that_occur_or_resemble_nothing_are_left_alone(query: str) -> None:
    answer = await (await harbour(corrects=True)).memory.search(ME, query)
    assert not any("searched for" in note for note in answer.notes)


async def test_a_word_that_only_a_filter_hides_is_not_corrected() -> None:
    parts = await harbour(corrects=True)
    answer = await parts.memory.search(ME, "green", filters=Filters(thread="2025-12-10"))
    assert not any("searched for" in note for note in answer.notes)
