"""What is no time, any text at all, and times as arguments; read on Wednesday 18 November 2026 at 15:30."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.errors import InvalidInputError
from palimpsest.core.ports import TimeReader
from palimpsest.slm.times import EnglishTimes

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
READER: TimeReader = EnglishTimes()


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "You may want to march on second thought",
        "it may 7 times fail",
        "May I ask May about it",
        "May 20 people come?",
        "June said that April left",
        "the march of progress",
        "python 2.0 or v2023.1",
        "Python 2023",
        "RFC 2119",
        "blade runner 2049",
        "windows 2000",
        "in 1000 words",
        "in 2000 words",
        "2023 items",
        "$2023",
        "ticket 2023",
        "line 2019 of file",
        "localhost:2023",
        "port 2023",
        "room 2023",
        "10.0.2023.1",
        "192.168.20.23",
        "CVE-2023-1234",
        "commit 2023abc",
        "2019-nCoV",
        "2019-20",
        "2023-05-07_backup.log",
        "/logs/2023/05/07/x",
        "the 1990s",
        "24/7",
        "12/24",
        "3.14 and 12:30",
        "call me at 555-12-2023",
        "go from 1 to 10",
        "the sun sat on it",
        "the last item",
        "last name",
        "a last minute change",
        "on the last day",
        "what did he do the next day",
        "the last week of school",
        "a week-long trip",
        "in the first quarter of the game",
        "every Friday",
        "closed on Sundays",
        "open Monday to Friday",
        "Black Friday",
        "monday.com",
        "in Spring Boot",
        "next.js",
        "half an hour ago",
        "one second ago",
        "After how many weeks did Tim reconnect?",
        "How many did he read in two weeks",
        "the weekend-edition",
        "0000-00-00",
        "1/1/9999",
        "7.5.98",
        "2025-2020",
        "last 0 days",
        "0 weeks ago",
    ],
)
def test_what_only_looks_like_a_time_is_none(query: str) -> None:
    assert READER.read(query, NOW) == READER.read("", NOW)


PIECES = """
    last week may march 7 7th 2023 2023-05-07 31 February 5/7/2023 since before after until from to between and the of
    in on friday monday 3 two few days ago months year Q3 quarter summer winter early end recently now - , . ? the
    weekend next this 9999 0001 hours and later onwards around first 2024-13-01 25:00 a an couple 1500 2199 0
""".split()  # noqa: SIM905 - a paragraph is read more easily than sixty quoted strings
NOWS = st.datetimes(datetime(1970, 1, 1), datetime(2190, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)), NOWS)
def test_any_text_gives_an_ordered_window_and_a_phrase_of_its_own(query: str, now: datetime) -> None:
    time = READER.read(query, now).time
    if time is not None:
        assert time.since is not None or time.until is not None
        assert time.since is None or time.until is None or time.since < time.until
        assert query[time.start : time.end] == time.phrase != ""
        assert time.sentence.endswith(".")


@pytest.mark.parametrize(
    "unit", ["may ", "1 may 2023 - ", "2023-05-07 ", "last ", "a few ", "5/7/2023 to ", "0", " ", "of the "]
)
def test_only_the_beginning_of_a_long_text_is_looked_at(unit: str) -> None:
    garbage = (unit * 100_000)[:100_000]
    assert READER.read(garbage + " in 2023", NOW) == READER.read(garbage[:2_000], NOW)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2023-05-07", "2023-05-07", "2023-05-08"),
        (" 2023-05-07 ", "2023-05-07", "2023-05-08"),
        ("2023-05", "2023-05-01", "2023-06-01"),
        ("2023", "2023-01-01", "2024-01-01"),
        ("2023-05-07T12:30", "2023-05-07T12:30", "2023-05-07T12:30"),
        ("2023-05-07 12:30:15", "2023-05-07T12:30:15", "2023-05-07T12:30:15"),
        ("2023-05-07t12:30z", "2023-05-07T12:30", "2023-05-07T12:30"),
        ("2023-05-07T12:30:00.5+02:00", "2023-05-07T10:30:00.5", "2023-05-07T10:30:00.5"),
        ("2023-05-07T12:30 -0500", "2023-05-07T17:30", "2023-05-07T17:30"),
        ("7 May 2023", "2023-05-07", "2023-05-08"),
        ("last week", "2026-11-09", "2026-11-16"),
        ("March", "2026-03-01", "2026-04-01"),
        ("friday", "2026-11-13", "2026-11-14"),
        ("may", "2026-05-01", "2026-06-01"),
        ("3 days ago", "2026-11-15", "2026-11-16"),
        ("now", "2026-11-18T15:30", "2026-11-18T15:30"),
    ],
)
def test_an_argument_stands_for_its_beginning_or_its_end(text: str, since: str, until: str) -> None:
    assert READER.parse(text, NOW, end=False) == at(since)
    assert READER.parse(text, NOW, end=True) == at(until)


def test_an_argument_is_told_in_the_zone_of_now() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    now = NOW.astimezone(zone)
    assert READER.parse("2023-05-07", now, end=False) == datetime(2023, 5, 7, tzinfo=zone)
    assert READER.parse("2023-05-07T00:00Z", now, end=False).utcoffset() == timedelta(hours=9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "soon",
        "2023-02-30",
        "2023-13-01",
        "2023-05-07T25:00",
        "31 February 2024",
        "0001-01-01T00:00+14:00",
        "what happened last week",
        "last week in Paris",
        "1683417600",
        "x" * 200,
        "2023-05-07" * 30,
    ],
)
@pytest.mark.parametrize("end", [False, True])
def test_an_argument_that_is_no_date_is_refused_in_one_sentence(text: str, end: bool) -> None:
    with pytest.raises(
        InvalidInputError, match=r"^'.*' is not a date.*: pass a date such as 2023-05-07.*\.$"
    ) as caught:
        READER.parse(text, NOW, end=end)
    assert len(str(caught.value)) < 220


def test_an_open_phrase_lacks_one_bound() -> None:
    assert READER.parse("before March", NOW, end=True) == at("2026-03-01")
    with pytest.raises(InvalidInputError, match="'before March' has no beginning"):
        READER.parse("before March", NOW, end=False)
    with pytest.raises(InvalidInputError, match="'since March' has no end"):
        READER.parse("since March", NOW, end=True)
