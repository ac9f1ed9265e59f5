"""What a phrase for time is, and the phrases that count from today: "last week", "3 days ago", "recently"."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import names
from .names import DAYS_BESIDE, NUMBER, UNIT, WEEKDAY, S
from .windows import DAYS, Calendar, Window, shifted_days

Again = Callable[[datetime], Window | None]
"""The latest occurrence of something that comes back and begins before a moment."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase at ``text[start:end]``; its window is None where it is a date that does not exist.

    ``alone`` says that it is a time without any word before it that makes it one: "May" and "Friday" need "in", "on"
    or another of ``evidence``. ``bare`` says that without such a word it only leans. ``again`` is given where the
    phrase names no year or week: it comes back every ``cycle`` days. ``dated`` says that it does not depend on today.
    ``remark`` says what was decided about its words.
    """

    start: int
    end: int
    window: Window | None
    strict: bool = True
    alone: bool = True
    bare: bool = False
    evidence: frozenset[str] = frozenset()
    again: Again | None = None
    cycle: int = 0
    dated: bool = False
    remark: str = ""


Reader = Callable[[re.Match[str], Calendar], Phrase | None]


def found(patterns: Sequence[tuple[re.Pattern[str], Reader]], text: str, calendar: Calendar) -> Iterator[Phrase]:
    """Yield what each pattern's reader makes of its matches in a text."""
    for pattern, read in patterns:
        for match in pattern.finditer(text):
            phrase = read(match, calendar)
            if phrase is not None:
                yield phrase


_FLAGS = re.IGNORECASE
_FIXED = {
    "today": 0,
    "tonight": 0,
    "yesterday": -1,
    "last night": -1,
    "the day before yesterday": -2,
    "tomorrow": 1,
    "the day after tomorrow": 2,
}
_LEANING = {
    "recently": 30,
    "lately": 30,
    "of late": 30,
    "these days": 30,
    "nowadays": 90,
    "the other day": 14,
}
"""Days up to today."""
_BACK = frozenset({"last", "past", "previous"})


def _fixed(match: re.Match[str], calendar: Calendar) -> Phrase:
    words = " ".join(match.group().lower().split())
    return Phrase(*match.span(), calendar.unit("day", _FIXED.get(words, 0)))


def _now(match: re.Match[str], calendar: Calendar) -> Phrase:
    evidence = frozenset({"until", "to", "before", "by", "as of"})
    return Phrase(*match.span(), calendar.unit("day", 0), alone=False, evidence=evidence)


def _leaning(match: re.Match[str], calendar: Calendar) -> Phrase:
    days = _LEANING[" ".join(match.group().lower().split())]
    return Phrase(*match.span(), calendar.rolling("day", -days), strict=False)


def _weekend(match: re.Match[str], calendar: Calendar) -> Phrase:
    begun = 0 if calendar.today.weekday() >= 5 else -1
    return Phrase(*match.span(1), calendar.unit("weekend", begun))


def _this(match: re.Match[str], calendar: Calendar) -> Phrase:
    # "The year" is a time only behind "the end of".
    return Phrase(*match.span(1), calendar.unit(names.unit(match["unit"]), 0), alone=False)


def _unit(match: re.Match[str], calendar: Calendar) -> Phrase:
    """Read "last week" as the calendar's, "the last week" and "the past month" as the days up to today."""
    which, unit = match["which"].lower(), names.unit(match["unit"])
    back = which in _BACK
    if back and unit != "weekend" and (which == "past" or match["the"]):
        return Phrase(*match.span(), calendar.rolling(unit, -1))
    ahead = which == "next" or (which == "coming" and (unit != "weekend" or calendar.today.weekday() >= 5))
    return Phrase(*match.span(), calendar.unit(unit, -1 if back else int(ahead)))


def _several(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    low, high = names.number(match["n"])
    unit = names.unit(match["unit"])
    if high == 0:
        return None
    back = match["which"].lower() in _BACK
    # A window of a few weeks must hold whatever the speaker calls a few.
    return Phrase(*match.span(), calendar.rolling(unit, -high if back else high), strict=low == high)


def _ago(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    """Read "3 days ago" as that day; longer ago as a stretch around it, since nobody counts that exactly."""
    low, high = names.number(match["n"])
    unit = names.unit(match["unit"])
    if high == 0:
        return None
    if unit == "day" and low == high <= 10:
        return Phrase(*match.span(), calendar.unit("day", -low), strict=not match["about"])
    first, last = calendar.moment(unit, -high), calendar.moment(unit, -low)
    if DAYS[unit] < 1:
        slack = timedelta(days=max(high / 4, 0.5) * DAYS[unit])
        return Phrase(*match.span(), Window(first - slack, last + slack), strict=False)
    days = max(round(max(0.5, min(high, 20) / 10) * DAYS[unit]), 3)
    window = calendar.between(shifted_days(first.date(), -days), shifted_days(last.date(), days))
    return Phrase(*match.span(), window, strict=False)


def _weekday(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    which = (match["which"] or "").lower()
    short = len(match["day"]) < 6
    if which in ("every", "each", "any") or match["many"]:
        return None
    weekday = names.WEEKDAYS[match["day"].lower()]

    def again(limit: datetime) -> Window:
        last = (limit - timedelta(microseconds=1)).date()
        return calendar.day(shifted_days(last, -((last.weekday() - weekday) % 7)))

    today = calendar.today
    if which in ("this", "next", "coming"):
        ahead = weekday - today.weekday() if which == "this" else (weekday - today.weekday() - 1) % 7 + 1
        return Phrase(*match.span(1), calendar.day(shifted_days(today, ahead)))
    if which:
        return Phrase(*match.span(1), again(calendar.midnight(today)))
    window = again(calendar.midnight(shifted_days(today, 1)))
    alone = not short and bool(match["possessive"] or match["last"])
    return Phrase(*match.span(1), window, alone=alone, evidence=DAYS_BESIDE, again=again, cycle=7)


_PATTERNS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, _FLAGS), reader)
    for pattern, reader in (
        (rf"\bthe{S}day{S}(?:before{S}yesterday|after{S}tomorrow)\b", _fixed),
        (rf"\b(?:today|tonight|yesterday|tomorrow|last{S}night|this{S}(?:morning|afternoon|evening))\b", _fixed),
        (r"\b(?:now|present)\b(?!\s*[-'\u2019])", _now),
        (rf"\b(?:recently|lately|of{S}late|these{S}days|nowadays|the{S}other{S}day)\b(?!-)", _leaning),
        (rf"\bof{S}(the{S}(?P<unit>week|month|quarter|year))\b(?!-|{S}of\b)", _this),
        (rf"\b(?:over|on|at|during|since){S}(the{S}weekend)\b(?!-)", _weekend),
        (
            rf"(?<![-\w])(?P<the>the{S})?(?P<which>this|last|past|previous|next|coming|current){S}"
            rf"(?P<unit>hour|week|weekend|month|quarter|year|(?<=past\s)day)\b(?!-|{S}of\b)",
            _unit,
        ),
        (
            rf"(?<![-\w])(?:the{S})?(?P<which>last|past|previous|next|coming){S}"
            rf"(?P<n>{NUMBER}){S}(?P<unit>{UNIT})s?\b(?!-)",
            _several,
        ),
        (
            rf"(?<![-\w])(?<!half )(?P<about>(?:about|around|roughly|almost|nearly|some|over){S})?"
            rf"(?P<n>{NUMBER})(?:{S}|-)(?P<unit>{UNIT})s?{S}(?:ago|back)\b(?!-)",
            _ago,
        ),
        (
            rf"(?<![-\w.@/])(?<!black )(?<!good )(?<!cyber )"
            rf"((?:(?P<which>last|this|past|previous|next|coming|every|each|any){S})?(?P<day>{WEEKDAY}))"
            r"(?:(?P<possessive>['\u2019]s?\b)|(?P<many>s\b)|\b)(?![-\w@/])"
            r"(?P<last>\s{0,3}(?:[?!.,;](?!\w)|\Z)|\s{1,3}(?:morning|afternoon|evening|night)\b)?",
            _weekday,
        ),
    )
)


def relative_phrases(text: str, calendar: Calendar) -> Iterator[Phrase]:
    """Return the phrases of a text that count from today, in no order; they may overlap."""
    return found(_PATTERNS, text, calendar)
