"""Numbers that are years, and those that only look like one."""

import re
from collections.abc import Iterator

from .names import BESIDE, ENDED, NUMBERED, YEAR, S
from .phrases import Phrase, Reader, found
from .windows import Calendar

_THINGS = frozenset(
    """
    port ticket issue order invoice id user room line lines page step case item number no version release error code
    model chapter section build pr commit figure table row option class form bug task channel pid process route
    highway key part serial about over under than least most exactly nearly only up flight bus suite apartment
    pin plus minus times equals windows area rfc iso
    """.split()  # noqa: SIM905 - a paragraph is read more easily than fifty quoted strings
)
"""What a number behind it counts or names."""
_WORD_BEFORE = re.compile(r"([\w-]+)[ \t]{1,3}\Z")
_WORD_AFTER = re.compile(r"[ \t-]{1,3}([A-Za-z]+)")
_NO_PLURALS = frozenset({"was", "is", "has", "does", "as", "this", "his", "its", "us", "yes", "perhaps", "besides"})
_MEASURES = frozenset(
    {"kb", "mb", "gb", "ms", "bytes", "km", "m", "kg", "g", "usd", "eur", "dollars", "percent", "people", "x"}
)


def counts(text: str, end: int) -> bool:
    """Say whether what follows makes a number a count of things: "in 2000 words"."""
    after = _WORD_AFTER.match(text, end)
    if after is None:
        return False
    word = after.group(1)
    plural = word.islower() and word.endswith("s") and not word.endswith("ss") and word not in _NO_PLURALS
    return plural or word.lower() in _MEASURES


def _year(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    """Read a number as a year where nothing says that it counts or names something else."""
    year = int(match["year"])
    text = match.string
    if counts(text, match.end()) or year > calendar.today.year + 10:
        return None
    before = _WORD_BEFORE.search(text, max(0, match.start() - 24), match.start())
    word = before.group(1) if before is not None else ""
    alone = bool(match["said"]) or not (word[:1].isupper() or word.lower() in _THINGS or word[-1:].isdigit())
    return Phrase(
        *match.span(),
        calendar.year(year),
        alone=alone and year >= 1900,
        bare=not match["said"],
        evidence=BESIDE,
        dated=True,
    )


def _years(match: re.Match[str], calendar: Calendar) -> Phrase | None:
    first, last = int(match["first"]), int(match["year"])
    if last < first or last > calendar.today.year + 10 or counts(match.string, match.end()):
        return None
    return Phrase(*match.span(), calendar.month(first, 1, 12 * (last - first + 1)), dated=True)


_PATTERNS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader)
    for pattern, reader in (
        (
            rf"{NUMBERED}(?P<first>{YEAR})\s?[-\u2013\u2014]\s?(?P<year>{YEAR}){ENDED}",
            _years,
        ),
        (
            rf"{NUMBERED}(?P<said>(?:the{S})?year{S})?(?P<year>{YEAR})(?![\w/:%€]|-\w|[.,]\d|\s?%|\s?\))",
            _year,
        ),
    )
)


def year_phrases(text: str, calendar: Calendar) -> Iterator[Phrase]:
    """Return the years in a text and ranges of them."""
    return found(_PATTERNS, text, calendar)
