"""Times that the words of a query name."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class QueryTime:
    """The time a query is about: from ``since`` up to, not including, ``until``; None where it is open, never both.

    ``phrase`` is the words that said it, ``query[start:end]``. ``strict`` is true where they limit ("before March",
    "last week"), false where they only lean ("recently", "around March"). ``sentence`` tells a reader how they were
    understood.
    """

    since: datetime | None
    until: datetime | None
    phrase: str
    start: int
    end: int
    strict: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class TimeReading:
    """What was read of a query's words for time; ``invalid`` has a sentence for each date that does not exist."""

    time: QueryTime | None = None
    invalid: tuple[str, ...] = ()
