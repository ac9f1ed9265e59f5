"""The reader of words for time: from a query, or a tool's argument, to a window."""

from collections.abc import Sequence
from datetime import datetime

from ...core.models import QueryTime, TimeReading
from .arguments import parse
from .combining import common, distinct, joined, ranged
from .dates import dated_phrases
from .phrases import Phrase, relative_phrases
from .relations import narrowed, related
from .telling import quoted, tell
from .windows import Calendar, Window
from .years import year_phrases

LOOKED_AT = 2_000
"""Characters of a query that are looked at."""


class EnglishTimes:
    """Reads English phrases for time by rules, without any model; see TimeReader."""

    def read(self, query: str, now: datetime) -> TimeReading:
        """See TimeReader."""
        phrases = find_phrases(query, now)
        invalid = [query[phrase.start : phrase.end] for phrase in phrases if phrase.window is None]
        sentences = tuple(f"“{' '.join(words.split())}” is not a date: the search did not use it." for words in invalid)
        agreed = common(phrases)
        return TimeReading(None if agreed is None else _told(query, *agreed), tuple(dict.fromkeys(sentences)))

    def parse(self, text: str, now: datetime, *, end: bool) -> datetime:
        """See TimeReader."""
        return parse(text, now, end=end, find=find_phrases)


def find_phrases(text: str, now: datetime) -> list[Phrase]:
    """Return the phrases for time in a text, in order and without overlap, each with its window."""
    text = text[:LOOKED_AT]
    calendar = Calendar(now)
    found = distinct([*relative_phrases(text, calendar), *dated_phrases(text, calendar), *year_phrases(text, calendar)])
    whole = [narrowed(phrase, text) for phrase in joined(found, text)]
    turned = (related(phrase, text, calendar) for phrase in ranged(whole, text))
    return [phrase for phrase in turned if phrase is not None and phrase.window != Window(None, None)]


def _told(query: str, window: Window, used: Sequence[Phrase]) -> QueryTime:
    narrowest = min(used, key=lambda one: one.window.days if one.window is not None else 0)
    strict = all(phrase.strict for phrase in used)
    remarks = "; ".join(dict.fromkeys(phrase.remark for phrase in used if phrase.remark))
    told = f"{'' if strict else 'about '}{tell(window)}{f' ({remarks})' if remarks else ''}"
    return QueryTime(
        since=window.since,
        until=window.until,
        phrase=query[narrowest.start : narrowest.end],
        start=narrowest.start,
        end=narrowest.end,
        strict=strict,
        sentence=f"{quoted([query[phrase.start : phrase.end] for phrase in used])} read as {told}.",
    )
