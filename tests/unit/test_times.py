"""Words for time in queries, read on Wednesday 18 November 2026 at 15:30."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from palimpsest.core.models import QueryTime
from palimpsest.core.ports import TimeReader
from palimpsest.slm.times import EnglishTimes

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
READER: TimeReader = EnglishTimes()


def at(text: str | None) -> datetime | None:
    """A moment in UTC."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(query: str) -> QueryTime:
    """The time that a query names."""
    reading = READER.read(query, NOW)
    assert reading.time is not None, query
    return reading.time


@pytest.mark.parametrize(
    ("query", "phrase", "since", "until", "strict"),
    [
        ("what did I do today", "today", "2026-11-18", "2026-11-19", True),
        ("show yesterday's notes", "yesterday", "2026-11-17", "2026-11-18", True),
        ("dinner ideas for tonight", "tonight", "2026-11-18", "2026-11-19", True),
        ("what happened last night", "last night", "2026-11-17", "2026-11-18", True),
        ("what broke this morning", "this morning", "2026-11-18", "2026-11-19", True),
        ("the day before yesterday", "the day before yesterday", "2026-11-16", "2026-11-17", True),
        ("the day after tomorrow", "the day after tomorrow", "2026-11-20", "2026-11-21", True),
        ("what is due tomorrow", "tomorrow", "2026-11-19", "2026-11-20", True),
        ("what did we plan this week", "this week", "2026-11-16", "2026-11-23", True),
        ("What did I do last week in Paris?", "last week", "2026-11-09", "2026-11-16", True),
        ("next week", "next week", "2026-11-23", "2026-11-30", True),
        ("in the last week", "in the last week", "2026-11-11", "2026-11-19", True),
        ("the past month", "the past month", "2026-10-18", "2026-11-19", True),
        ("the past day", "the past day", "2026-11-17", "2026-11-19", True),
        ("last month", "last month", "2026-10-01", "2026-11-01", True),
        ("previous month", "previous month", "2026-10-01", "2026-11-01", True),
        ("last quarter", "last quarter", "2026-07-01", "2026-10-01", True),
        ("next quarter", "next quarter", "2027-01-01", "2027-04-01", True),
        ("this year so far", "this year", "2026-01-01", "2027-01-01", True),
        ("last year's budget", "last year", "2025-01-01", "2026-01-01", True),
        ("current week", "current week", "2026-11-16", "2026-11-23", True),
        ("last weekend", "last weekend", "2026-11-14", "2026-11-16", True),
        ("this weekend", "this weekend", "2026-11-21", "2026-11-23", True),
        ("over the weekend", "over the weekend", "2026-11-14", "2026-11-16", True),
        ("the coming weekend", "the coming weekend", "2026-11-21", "2026-11-23", True),
        ("next weekend", "next weekend", "2026-11-28", "2026-11-30", True),
        ("last 3 days", "last 3 days", "2026-11-15", "2026-11-19", True),
        ("past two weeks", "past two weeks", "2026-11-04", "2026-11-19", True),
        ("last few days", "last few days", "2026-11-13", "2026-11-19", False),
        ("the last couple of months", "the last couple of months", "2026-08-18", "2026-11-19", False),
        ("over the past 2 years", "over the past 2 years", "2024-11-18", "2026-11-19", True),
        ("in the last 24 hours", "in the last 24 hours", "2026-11-17T15:30", "2026-11-18T15:30", True),
        ("next three months", "next three months", "2026-11-18", "2027-02-19", True),
        ("3 days ago", "3 days ago", "2026-11-15", "2026-11-16", True),
        ("10 days ago", "10 days ago", "2026-11-08", "2026-11-09", True),
        ("30 days ago", "30 days ago", "2026-10-16", "2026-10-23", False),
        ("two weeks ago", "two weeks ago", "2026-10-31", "2026-11-09", False),
        ("about two days ago", "about two days ago", "2026-11-16", "2026-11-17", False),
        ("a month ago", "a month ago", "2026-10-03", "2026-11-03", False),
        ("a year ago", "a year ago", "2025-05-19", "2026-05-21", False),
        ("a couple of weeks ago", "a couple of weeks ago", "2026-10-24", "2026-11-09", False),
        ("a few years back", "a few years back", "2021-05-19", "2025-05-21", False),
        ("several months ago", "several months ago", "2026-02-22", "2026-09-12", False),
        ("5 minutes ago", "5 minutes ago", "2026-11-18T15:23:45", "2026-11-18T15:26:15", False),
        ("an hour ago", "an hour ago", "2026-11-18T14:00", "2026-11-18T15:00", False),
        ("what was said on Friday", "on Friday", "2026-11-13", "2026-11-14", True),
        ("last Tuesday", "last Tuesday", "2026-11-17", "2026-11-18", True),
        ("this Monday", "this Monday", "2026-11-16", "2026-11-17", True),
        ("next Friday", "next Friday", "2026-11-20", "2026-11-21", True),
        ("What happened Friday?", "Friday", "2026-11-13", "2026-11-14", True),
        ("on Monday morning", "on Monday", "2026-11-16", "2026-11-17", True),
        ("Friday's standup", "Friday", "2026-11-13", "2026-11-14", True),
        ("on Wednesday", "on Wednesday", "2026-11-18", "2026-11-19", True),
        ("on tue", "on tue", "2026-11-17", "2026-11-18", True),
        ("in March", "in March", "2026-03-01", "2026-04-01", True),
        ("in December", "in December", "2025-12-01", "2026-01-01", True),
        ("in may", "in may", "2026-05-01", "2026-06-01", True),
        ("the November report", "November", "2026-11-01", "2026-12-01", False),
        ("March's budget", "March's", "2026-03-01", "2026-04-01", True),
        ("March 2024", "March 2024", "2024-03-01", "2024-04-01", True),
        ("march of 2024", "march of 2024", "2024-03-01", "2024-04-01", True),
        ("early March", "early March", "2026-03-01", "2026-03-11", False),
        ("mid-August 2023", "mid-August 2023", "2023-08-11", "2023-08-22", False),
        ("late March 2024", "late March 2024", "2024-03-22", "2024-04-01", False),
        ("at the end of March", "the end of March", "2026-03-22", "2026-04-01", False),
        ("in early 2024", "in early 2024", "2024-01-01", "2024-05-01", False),
        ("late 2023", "late 2023", "2023-09-01", "2024-01-01", False),
        ("the beginning of 2023", "the beginning of 2023", "2023-01-01", "2023-05-01", False),
        ("first half of 2023", "first half of 2023", "2023-01-01", "2023-07-01", True),
        ("second half of 2024", "second half of 2024", "2024-07-01", "2025-01-01", True),
        ("early last year", "early last year", "2025-01-01", "2025-05-01", False),
        ("last March", "last March", "2026-03-01", "2026-04-01", True),
        ("this March", "this March", "2026-03-01", "2026-04-01", True),
        ("last November", "last November", "2025-11-01", "2025-12-01", True),
        ("next March", "next March", "2027-03-01", "2027-04-01", True),
        ("7 May 2023", "7 May 2023", "2023-05-07", "2023-05-08", True),
        ("May 7th, 2023", "May 7th, 2023", "2023-05-07", "2023-05-08", True),
        ("Dec 31, 2022", "Dec 31, 2022", "2022-12-31", "2023-01-01", True),
        ("7-May-2023", "7-May-2023", "2023-05-07", "2023-05-08", True),
        ("the 31st of December, 2022", "the 31st of December, 2022", "2022-12-31", "2023-01-01", True),
        ("December 1,2023", "December 1,2023", "2023-12-01", "2023-12-02", True),
        ("May 7", "May 7", "2026-05-07", "2026-05-08", True),
        ("Sept 3rd", "Sept 3rd", "2026-09-03", "2026-09-04", True),
        ("the 7th of May", "the 7th of May", "2026-05-07", "2026-05-08", True),
        ("29 February", "29 February", "2024-02-29", "2024-03-01", True),
        ("2023-05-07", "2023-05-07", "2023-05-07", "2023-05-08", True),
        ("2023/05/07", "2023/05/07", "2023-05-07", "2023-05-08", True),
        ("2023-05", "2023-05", "2023-05-01", "2023-06-01", True),
        ("2023-05-07T12:30:00Z", "2023-05-07T12:30:00Z", "2023-05-07", "2023-05-08", True),
        ("5/7/2023", "5/7/2023", "2023-05-07", "2023-05-08", True),
        ("25/7/2023", "25/7/2023", "2023-07-25", "2023-07-26", True),
        ("7.5.2023", "7.5.2023", "2023-05-07", "2023-05-08", True),
        ("7/5/98", "7/5/98", "1998-07-05", "1998-07-06", True),
        ("in 2023", "in 2023", "2023-01-01", "2024-01-01", True),
        ("the year 2020", "the year 2020", "2020-01-01", "2021-01-01", True),
        ("what happened 2023", "2023", "2023-01-01", "2024-01-01", False),
        ("the 2022 World Cup", "2022", "2022-01-01", "2023-01-01", False),
        ("summer 2023", "summer 2023", "2023-06-01", "2023-09-01", True),
        ("the summer of 2022", "the summer of 2022", "2022-06-01", "2022-09-01", True),
        ("in the summer", "in the summer", "2026-06-01", "2026-09-01", True),
        ("last winter", "last winter", "2025-12-01", "2026-03-01", True),
        ("last summer", "last summer", "2026-06-01", "2026-09-01", True),
        ("last autumn", "last autumn", "2025-09-01", "2025-12-01", True),
        ("this winter", "this winter", "2026-12-01", "2027-03-01", True),
        ("next spring", "next spring", "2027-03-01", "2027-06-01", True),
        ("winter 2023", "winter 2023", "2023-12-01", "2024-03-01", True),
        ("Q3 2024", "Q3 2024", "2024-07-01", "2024-10-01", True),
        ("2024 Q3", "2024 Q3", "2024-07-01", "2024-10-01", True),
        ("2024Q1", "2024Q1", "2024-01-01", "2024-04-01", True),
        ("in Q3", "in Q3", "2026-07-01", "2026-10-01", True),
        ("the third quarter of 2024", "the third quarter of 2024", "2024-07-01", "2024-10-01", True),
        ("the first week of May 2023", "the first week of May 2023", "2023-05-01", "2023-05-08", True),
        ("the last week of March", "the last week of March", "2026-03-25", "2026-04-01", True),
        ("the week of May 7", "the week of May 7", "2026-05-04", "2026-05-11", True),
        ("from 3 May 2023 to 5 June 2023", "from 3 May 2023 to 5 June 2023", "2023-05-03", "2023-06-06", True),
        ("1 March to 3 April 2022", "1 March to 3 April 2022", "2022-03-01", "2022-04-04", True),
        ("May 2023 - July 2023", "May 2023 - July 2023", "2023-05-01", "2023-08-01", True),
        ("from 10 to 12 May", "from 10 to 12 May", "2026-05-10", "2026-05-13", True),
        ("between 3 and 7 May 2023", "between 3 and 7 May 2023", "2023-05-03", "2023-05-08", True),
        ("3-5 May 2023", "3-5 May 2023", "2023-05-03", "2023-05-06", True),
        ("May 7\u20139, 2023", "May 7\u20139, 2023", "2023-05-07", "2023-05-10", True),
        ("from March to May", "from March to May", "2026-03-01", "2026-06-01", True),
        ("between March and May 2023", "between March and May 2023", "2023-03-01", "2023-06-01", True),
        ("from early March to May 2023", "from early March to May 2023", "2023-03-01", "2023-06-01", True),
        ("from October to February", "from October to February", "2025-10-01", "2026-03-01", True),
        ("from December 2023 to February", "from December 2023 to February", "2023-12-01", "2024-03-01", True),
        ("from March 2024 until last month", "from March 2024 until last month", "2024-03-01", "2026-11-01", True),
        ("between 2019 and 2021", "between 2019 and 2021", "2019-01-01", "2022-01-01", True),
        ("2019-2021", "2019-2021", "2019-01-01", "2022-01-01", True),
        ("2020 to 2022", "2020 to 2022", "2020-01-01", "2023-01-01", True),
        ("from 2022 to 2019", "from 2022 to 2019", "2019-01-01", "2023-01-01", True),
        ("from Monday to Friday", "from Monday to Friday", "2026-11-09", "2026-11-14", True),
        ("from last Monday to Wednesday", "from last Monday to Wednesday", "2026-11-16", "2026-11-19", True),
        ("from 2023 to now", "from 2023 to now", "2023-01-01", "2026-11-19", True),
        ("between last week and today", "between last week and today", "2026-11-09", "2026-11-19", True),
        ("during April and May", "during April and May", "2026-04-01", "2026-06-01", True),
        ("2022 or 2023", "2022 or 2023", "2022-01-01", "2024-01-01", False),
        ("before March", "before March", None, "2026-03-01", True),
        ("prior to 2020", "prior to 2020", None, "2020-01-01", True),
        ("earlier than 7 May 2023", "earlier than 7 May 2023", None, "2023-05-07", True),
        ("after 7 May 2023", "after 7 May 2023", "2023-05-08", None, True),
        ("later than Q2 2024", "later than Q2 2024", "2024-07-01", None, True),
        ("since 2023", "since 2023", "2023-01-01", None, True),
        ("since last week", "since last week", "2026-11-09", None, True),
        ("since Monday", "since Monday", "2026-11-16", None, True),
        ("starting from March 2024", "starting from March 2024", "2024-03-01", None, True),
        ("until Friday", "until Friday", None, "2026-11-14", True),
        ("up to last month", "up to last month", None, "2026-11-01", True),
        ("by 7 May", "by 7 May", None, "2026-05-08", True),
        ("by the end of March", "by the end of March", None, "2026-04-01", True),
        ("before the end of the year", "before the end of the year", None, "2027-01-01", True),
        ("no later than 3 June 2024", "no later than 3 June 2024", None, "2024-06-04", True),
        ("as of 27 March, 2022", "as of 27 March, 2022", None, "2022-03-28", True),
        ("until now", "until now", None, "2026-11-19", True),
        ("2023 and later", "2023 and later", "2023-01-01", None, True),
        ("March onwards", "March onwards", "2026-03-01", None, True),
        ("from May on", "from May on", "2026-05-01", None, True),
        ("2023 or earlier", "2023 or earlier", None, "2024-01-01", True),
        ("around March", "around March", "2026-02-13", "2026-04-17", False),
        ("circa 7 May 2023", "circa 7 May 2023", "2023-05-04", "2023-05-11", False),
        ("around 2020", "around 2020", "2019-07-02", "2021-07-03", False),
        ("the week after 7 May 2023", "the week after 7 May 2023", "2023-05-08", "2023-05-15", False),
        ("two days before May 7, 2023", "two days before May 7, 2023", "2023-05-05", "2023-05-07", False),
        ("recently", "recently", "2026-10-19", "2026-11-19", False),
        ("what has she done lately", "lately", "2026-10-19", "2026-11-19", False),
        ("these days", "these days", "2026-10-19", "2026-11-19", False),
        ("nowadays", "nowadays", "2026-08-20", "2026-11-19", False),
        ("the other day we met", "the other day", "2026-11-04", "2026-11-19", False),
        ("of late", "of late", "2026-10-19", "2026-11-19", False),
        ("March last year", "March last year", "2025-03-01", "2025-04-01", True),
        ("in March of last year", "in March of last year", "2025-03-01", "2025-04-01", True),
        ("on Friday last week", "on Friday last week", "2026-11-13", "2026-11-14", True),
        ("Friday, 8 May 2026", "Friday, 8 May 2026", "2026-05-08", "2026-05-09", True),
        ("7 May last year", "7 May last year", "2025-05-07", "2025-05-08", True),
    ],
)
def test_a_phrase_is_read_as_its_window(
    query: str, phrase: str, since: str | None, until: str | None, strict: bool
) -> None:
    time = read(query)
    assert (time.since, time.until) == (at(since), at(until))
    assert (time.phrase, time.strict) == (phrase, strict)
    assert query[time.start : time.end] == phrase


@pytest.mark.parametrize(
    ("query", "phrase"),
    [
        ("31 February 2024", "31 February 2024"),
        ("what happened on February 29, 2023", "February 29, 2023"),
        ("30 February", "30 February"),
        ("99 May 2023", "99 May 2023"),
        ("2023-13-40", "2023-13-40"),
        ("2023-02-30", "2023-02-30"),
        ("13/13/2023", "13/13/2023"),
        ("31.6.2023", "31.6.2023"),
        ("from 1 May 2023 to 31 June 2023", "31 June 2023"),
        ("between 31 April 2023 and 7 May 2023", "31 April 2023"),
        ("before 31 April 2023", "31 April 2023"),
        ("early on 31 April 2023", "31 April 2023"),
        ("from 5 to 32 May 2023", "from 5 to 32 May 2023"),
    ],
)
def test_a_date_that_does_not_exist_is_reported_and_not_used(query: str, phrase: str) -> None:
    reading = READER.read(query, NOW)
    assert reading.time is None
    assert reading.invalid == (f"“{phrase}” is not a date: the search did not use it.",)


def test_what_else_is_said_counts_beside_a_date_that_does_not_exist() -> None:
    reading = READER.read("on 2024-02-30 and last week, not on 2024-02-30", NOW)
    assert reading.time is not None
    assert reading.time.phrase == "last week"
    assert len(reading.invalid) == 1


@pytest.mark.parametrize(
    ("query", "since", "until", "phrase"),
    [
        ("in 2023 what did I do in March", "2023-03-01", "2023-04-01", "in March"),
        ("since 2022 but before March 2024", "2022-01-01", "2024-03-01", "since 2022"),
        ("last month, on the 3rd of October", "2026-10-03", "2026-10-04", "last month, on the 3rd of October"),
        ("recently, I mean last week", "2026-11-09", "2026-11-16", "last week"),
        ("last week and two years ago in 2019", "2019-01-01", "2020-01-01", "in 2019"),
        ("last week, as mentioned on November 6, 2023", "2023-11-06", "2023-11-07", "on November 6, 2023"),
        ("yesterday, not tomorrow", "2026-11-17", "2026-11-18", "yesterday"),
        ("on Friday in March", "2026-03-01", "2026-04-01", "in March"),
        ("Friday, 7 May 2023", "2023-05-07", "2023-05-08", "7 May 2023"),
        ("you may last week", "2026-11-09", "2026-11-16", "last week"),
    ],
)
def test_of_several_phrases_the_tightest_agreement_counts(query: str, since: str, until: str, phrase: str) -> None:
    time = read(query)
    assert (time.since, time.until, time.phrase) == (at(since), at(until), phrase)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("last week", "“last week” was read as 9 to 15 November 2026."),
        ("5/7/2023", "“5/7/2023” was read as 7 May 2023 (the month first)."),
        ("5/5/2023", "“5/5/2023” was read as 5 May 2023."),
        ("in 2023, in March", "“in 2023, in March” was read as March 2023."),
        ("in 2023 I did what in March?", "“in 2023” and “in March” were read as March 2023."),
        ("recently", "“recently” was read as about 19 October to 18 November 2026."),
        ("in the last  week", "“in the last week” was read as 11 to 18 November 2026."),
        ("last weekend and this month", "“last weekend” was read as 14 to 15 November 2026."),
        ("from 28 December 2025 to 3 January 2026", "28 December 2025 to 3 January 2026."),
        ("between 2019 and 2021", "was read as 2019 to 2021."),
        ("last quarter", "was read as July to September 2026."),
        ("last winter", "was read as December 2025 to February 2026."),
        ("before March", "was read as any time up to 28 February 2026."),
        ("since 2023", "was read as 1 January 2023 and later."),
        ("an hour ago", "was read as about 18 November 2026, 14:00 to 15:00."),
        ("last 24 hours", "was read as 17 November 2026, 15:30 to 18 November 2026, 15:30."),
        ("since the last 2 hours", "was read as 18 November 2026, 13:30 and later."),
        ("before the last 2 hours", "was read as any time up to 18 November 2026, 13:30."),
    ],
)
def test_a_sentence_tells_how_it_was_read(query: str, sentence: str) -> None:
    assert read(query).sentence.endswith(sentence)


def test_days_are_those_of_the_zone_of_now() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    time = READER.read("yesterday", datetime(2026, 11, 18, 15, 30, tzinfo=UTC).astimezone(zone)).time
    assert time is not None
    assert time.since == datetime(2026, 11, 18, tzinfo=zone)
    assert time.until == datetime(2026, 11, 19, tzinfo=zone)


@pytest.mark.parametrize(
    ("today", "query", "since", "until"),
    [
        ("2026-11-22", "this weekend", "2026-11-21", "2026-11-23"),
        ("2026-11-22", "over the weekend", "2026-11-21", "2026-11-23"),
        ("2026-11-22", "the coming weekend", "2026-11-28", "2026-11-30"),
        ("2026-11-22", "last week", "2026-11-09", "2026-11-16"),
        ("2026-01-15", "this winter", "2025-12-01", "2026-03-01"),
        ("2026-01-15", "last winter", "2024-12-01", "2025-03-01"),
        ("2026-01-15", "in December", "2025-12-01", "2026-01-01"),
        ("2026-01-31", "last month", "2025-12-01", "2026-01-01"),
        ("2026-03-31", "the past month", "2026-02-28", "2026-04-01"),
        ("2024-02-29", "29 February", "2024-02-29", "2024-03-01"),
        ("2026-07-01", "last summer", "2025-06-01", "2025-09-01"),
        ("2026-07-01", "this summer", "2026-06-01", "2026-09-01"),
        ("2026-02-01", "last quarter", "2025-10-01", "2026-01-01"),
    ],
)
def test_borders_of_the_calendar(today: str, query: str, since: str, until: str) -> None:
    time = READER.read(query, datetime.fromisoformat(today).replace(hour=9, tzinfo=UTC)).time
    assert time is not None
    assert (time.since, time.until) == (at(since), at(until))
