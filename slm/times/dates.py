"""Phrases that name a day, a month, a season or a year by the calendar: "7 May 2023", "Q3 2024", "last summer"."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, datetime

from . import names
from .names import BESIDE, BREAK, DOUBTFUL, ENDED, MONTH, NUMBERED, PLACED, YEAR, S
from .phrases import Phrase, Reader, found
from .windows import Calendar, Window, shifted_days
from .years import counts

_FLAGS = re.IGNORECASE
_ORDINAL = r"(?:st|nd|rd|th)"
_TO = r"\s?(?:-|\u2013|\u2014|to|through|until|till|and)\s?"
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"

_AGAIN_YEARS = 9
"""A leap day comes back after four years, or eight around 1900 and 2100."""


def _yearly(make: Callable[[int], Window | None]) -> Callable[[datetime], Window | None]:
    """Return the latest of what comes every year and begins before a moment."""

    def again(limit: datetime) -> Window | None:
        for year in range(limit.year, max(limit.year - _AGAIN_YEARS, 1), -1):
            window = make(year)
            if window is not None and window.since is not None and window.since < limit:
                return window
        return None

    return again


def _floating(
    match: re.Match[str],
    calendar: Calendar,
    make: Callable[[int], Window | None],
    *,
    alone: bool,
    bare: bool = False,
    evidence: frozenset[str] = PLACED,
) -> Phrase:
    again = _yearly(make)
    window = again(calendar.midnight(shifted_days(calendar.today, 1)))
    return Phrase(
        *match.span(),
        window,
        alone=alone,
        bare=bare,
        evidence=evidence,
        again=None if window is None else again,
        cycle=365,
    )


def _days(calendar: Calendar, year: int, month: int, first: int, last: int) -> Window | None:
    try:
        return calendar.between(date(year, month, first), date(year, month, last))
    except ValueError:
        return None


def _dated(match: re.Match[str], window: Window | None, remark: str = "") -> Phrase:
    return Phrase(*match.span(), window, dated=True, remark=remark)


def _iso(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    year, month = int(match["year"]), int(match["month"])
    if match["day"]:
        return _dated(match, _days(calendar, year, month, int(match["day"]), int(match["day"])))
    # 2019-20 is a season or a number of something, and no month either.
    return _dated(match, calendar.month(year, month)) if 1 <= month <= 12 else None


def _slashed(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    if len(match["year"]) == 2:
        if match["sep"] != "/":
            return None
        year += 2000 if year < 70 else 1900
    if not 1000 <= year < 3000:
        return None
    day_first = match["sep"] == "." or first > 12
    day, month = (first, second) if day_first else (second, first)
    ambiguous = match["sep"] != "." and first != second and first <= 12 and second <= 12
    return _dated(match, _days(calendar, year, month, day, day), "the month first" if ambiguous else "")


def _month_day(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    """Read a day of a month, or some days of one."""
    groups = match.groupdict()
    name, first = match["name"].lower(), int(match["first"])
    last = int(groups.get("last") or first)
    month = names.MONTHS[name]
    if match["year"]:
        return _dated(match, _days(calendar, int(match["year"]), month, first, last) if first <= last else None)
    if max(first, last) > 31 or first > last:
        return None
    # "It may 7 times" is no day, "May 7" and "the 7th of may" are.
    ordinal = groups["ordinal"]
    verb = name in names.VERBS and not ordinal and (match["name"].islower() or counts(match.string, match.end()))
    # 2024 has every day that any year has.
    if _days(calendar, 2024, month, first, last) is None:
        return None if verb else _dated(match, None)
    return _floating(
        match,
        calendar,
        lambda year: _days(calendar, year, month, first, last),
        alone=not verb,
        evidence=PLACED | {"on"},
    )


def _month_year(match: re.Match[str], calendar: Calendar) -> Phrase:
    return _dated(match, calendar.month(int(match["year"]), names.MONTHS[match["name"].lower()]))


def _month(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    name, which = match["name"].lower(), (match["which"] or "").lower()
    month = names.MONTHS[name]
    if which:
        year = calendar.today.year
        if which in ("last", "past", "previous"):
            year -= month >= calendar.today.month
        elif which in ("next", "coming"):
            year += month <= calendar.today.month
        return Phrase(*match.span(), calendar.month(year, month))
    doubtful = name in names.PEOPLE or name in names.VERBS
    alone = not doubtful and len(name) > 3 and not match["name"][0].islower()
    return _floating(
        match,
        calendar,
        lambda year: calendar.month(year, month),
        alone=alone or bool(match["possessive"]),
        evidence=DOUBTFUL if doubtful else BESIDE,
        bare=not match["possessive"],
    )


def _season(match: re.Match[str], calendar: Calendar) -> Phrase:
    name, which = match["name"].lower(), (match["which"] or "").lower()
    if match["year"]:
        return _dated(match, calendar.season(int(match["year"]), name))
    again = _yearly(lambda year: calendar.season(year, name))
    begun = again(calendar.midnight(shifted_days(calendar.today, 1)))
    running = begun is not None and begun.until is not None and begun.until > calendar.now
    if which in ("next", "coming"):
        return Phrase(*match.span(), again(calendar.moment("year", 1)))
    if which == "this":
        return Phrase(*match.span(), begun if running else calendar.season(calendar.today.year, name))
    if which:
        return Phrase(*match.span(), again(begun.since) if running and begun and begun.since else begun)
    evidence = DOUBTFUL if match["the"] or name != "fall" else frozenset({"during", "since", "until"})
    return _floating(
        match, calendar, lambda year: calendar.season(year, name), alone=False, evidence=evidence | {"over"}
    )


def _quarter(match: re.Match[str], calendar: Calendar) -> Phrase:
    ordinal = match["ordinal"]
    quarter = names.ORDINALS[ordinal.lower()] if ordinal else int(match["short"] or match["behind"])
    year = match["year"] or match["before"]

    def make(year: int) -> Window:
        return calendar.month(year, quarter * 3 - 2, 3)

    if year:
        return _dated(match, make(int(year)))
    return _floating(match, calendar, make, alone=False, evidence=BESIDE)


def _week_of_month(match: re.Match[str], calendar: Calendar) -> Phrase:
    """Read "the first week of May 2023" as days 1 to 7, the last week as the last seven."""
    month, which = names.MONTHS[match["name"].lower()], match["part"].lower()

    def make(year: int) -> Window | None:
        last = monthrange(year, month)[1] if which == "last" else 7 * names.ORDINALS[which]
        return _days(calendar, year, month, last - 6, last)

    if match["year"]:
        return _dated(match, make(int(match["year"])))
    return _floating(match, calendar, make, alone=True)


_OF_YEAR = rf"(?:,?{S}(?:of{S}|in{S})?(?P<year>{YEAR})(?![\w%]|[.:,]\d))"
_OF_A_YEAR = _OF_YEAR.replace("?P<year>", "?:")
_OF_MONTH = rf"(?:{S}(?:of{S})?|-)(?P<name>{MONTH})\.?"
_YEAR_BEHIND = rf"(?:(?:,\s{{0,2}}|{S}|-|,?{S}(?:of|in){S})(?P<year>{YEAR}))?(?![\w%]|[.:,]\d|-\w)"

_PATTERNS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, _FLAGS), reader)
    for pattern, reader in (
        (
            rf"{NUMBERED}(?P<year>(?:1[5-9]|2[01])\d\d)(?P<sep>[-/])(?P<month>\d{{1,2}})"
            rf"(?:(?P=sep)(?P<day>\d{{1,2}}){_CLOCK})?{ENDED}",
            _iso,
        ),
        (
            rf"{NUMBERED}(?P<first>\d{{1,2}})(?P<sep>[-/.])(?P<second>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d\d){ENDED}",
            _slashed,
        ),
        (
            rf"{NUMBERED}(?:the{S})?(?P<first>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_OF_MONTH}{_YEAR_BEHIND}",
            _month_day,
        ),
        (
            rf"{NUMBERED}(?:(?:from|between){S})?(?:the{S})?(?P<first>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_TO}"
            rf"(?:the{S})?(?P<last>\d{{1,2}}){_ORDINAL}?{_OF_MONTH}{_YEAR_BEHIND}",
            _month_day,
        ),
        (
            rf"{BREAK}(?P<name>{MONTH})\.?{S}(?:the{S})?(?P<first>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_YEAR_BEHIND}",
            _month_day,
        ),
        (
            rf"{BREAK}(?P<name>{MONTH})\.?{S}(?P<first>\d{{1,2}})(?P<ordinal>{_ORDINAL})?{_TO}"
            rf"(?P<last>\d{{1,2}}){_ORDINAL}?{_YEAR_BEHIND}",
            _month_day,
        ),
        (rf"{BREAK}(?P<name>{MONTH})\.?{_OF_YEAR}", _month_year),
        (
            rf"{BREAK}(?:(?P<which>last|past|previous|next|coming|this){S})?(?P<name>{MONTH})"
            rf"(?P<possessive>['\u2019]s\b)?(?![\w/@]|-\w|{_OF_A_YEAR})",
            _month,
        ),
        (
            rf"{BREAK}(?:(?P<which>last|past|previous|next|coming|this){S})?(?P<the>the{S})?"
            rf"(?P<name>spring|summer|autumn|fall|winter){_OF_YEAR}?(?![\w/@]|-\w|{S}(?:boot|framework|of)\b)",
            _season,
        ),
        (
            rf"{BREAK}(?:the{S})?(?:q(?P<short>[1-4])"
            rf"|(?P<ordinal>first|second|third|fourth|[1-4](?:st|nd|rd|th)){S}quarter"
            rf"|(?P<before>{YEAR})[ -]?q(?P<behind>[1-4]))"
            rf"(?:(?:,?{S}(?:of{S})?|/)(?P<year>{YEAR}))?(?![\w/:@]|-\w|{S}of\b)",
            _quarter,
        ),
        (
            rf"{BREAK}(?:the{S})?(?P<part>first|second|third|fourth|last){S}week{S}(?:of|in){S}(?P<name>{MONTH})"
            rf"{_OF_YEAR}?",
            _week_of_month,
        ),
    )
)


def dated_phrases(text: str, calendar: Calendar) -> Iterator[Phrase]:
    """Return the phrases of a text that name a place in the calendar, in no order; they may overlap."""
    return found(_PATTERNS, text, calendar)
