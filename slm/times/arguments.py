"""Times as a caller writes them into an argument: ISO dates and moments, or one of the phrases."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from ...core.errors import InvalidInputError
from .phrases import Phrase
from .windows import Calendar

_LONGEST = 100
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?\Z", re.IGNORECASE
)
_YEAR = re.compile(r"[12]\d{3}\Z")
_HOW = "pass a date such as 2023-05-07 or 2023-05-07T12:30Z, or words such as 'last week'."


def parse(text: str, now: datetime, *, end: bool, find: Callable[[str, datetime], Sequence[Phrase]]) -> datetime:
    """Return the moment that a text names; see ``TimeReader.parse``. ``find`` finds the phrases in a text."""
    words = " ".join(text[: _LONGEST + 1].split())
    if not words or len(words) > _LONGEST:
        raise InvalidInputError(f"{words[:60]!r} is not a date: {_HOW}")
    if _MOMENT.match(words):
        return _moment(words, now)
    if words.lower() == "now":
        return now
    if _YEAR.match(words):
        window = Calendar(now).year(int(words))
        return _bound(words, window.since, window.until, end=end)
    # "March" and "Friday" are times here without the word that makes them one in a query.
    for lead in ("", "in ", "on "):
        for phrase in find(lead + words, now):
            if phrase.start <= len(lead) and phrase.end == len(lead + words):
                if phrase.window is None:
                    raise InvalidInputError(f"{words!r} is not a date in any calendar: {_HOW}")
                return _bound(words, phrase.window.since, phrase.window.until, end=end)
    raise InvalidInputError(f"{words[:60]!r} is not a date: {_HOW}")


def _moment(words: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(words.replace(" +", "+").replace(" -", "-").upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"{words!r} is not a date: {_HOW}") from None


def _bound(words: str, since: datetime | None, until: datetime | None, *, end: bool) -> datetime:
    bound = until if end else since
    if bound is None:
        raise InvalidInputError(
            f"{words!r} has no {'end' if end else 'beginning'}: pass the date itself, such as 2023-05-07."
        )
    return bound
