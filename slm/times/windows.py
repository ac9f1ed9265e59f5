"""Days, weeks, months and seasons as windows of time, seen from a moment."""

import calendar
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import Literal

Unit = Literal["minute", "hour", "day", "week", "weekend", "month", "quarter", "year"]

DAYS: dict[Unit, float] = {
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1,
    "week": 7,
    "weekend": 7,
    "month": 30.44,
    "quarter": 91.3,
    "year": 365.25,
}
_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12}
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month in which a season of the northern half of the earth begins, as meteorologists count."""


@dataclass(frozen=True, slots=True)
class Window:
    """From ``since`` up to, not including, ``until``; None where it is open."""

    since: datetime | None
    until: datetime | None

    def meet(self, other: "Window") -> "Window | None":
        """Return what both have in common, None when that is nothing."""
        starts = [one for one in (self.since, other.since) if one is not None]
        ends = [one for one in (self.until, other.until) if one is not None]
        both = Window(max(starts, default=None), min(ends, default=None))
        return both if both.since is None or both.until is None or both.since < both.until else None

    @property
    def days(self) -> float:
        """Return its length, infinite when it is open."""
        if self.since is None or self.until is None:
            return float("inf")
        return (self.until - self.since) / timedelta(days=1)


class Calendar:
    """A calendar in the zone of ``now``, whose weeks begin on Monday."""

    def __init__(self, now: datetime) -> None:
        """``now`` is aware."""
        self.now = now
        self.today = now.date()

    def midnight(self, day: date) -> datetime:
        """Return the moment at which a day begins."""
        return datetime.combine(day, time(), self.now.tzinfo)

    def between(self, first: date, last: date) -> Window:
        """Return the days from ``first`` to ``last``, both included."""
        return Window(self.midnight(first), self.midnight(shifted_days(last, 1)))

    def day(self, day: date) -> Window:
        """Return a day."""
        return self.between(day, day)

    def month(self, year: int, month: int, months: int = 1) -> Window:
        """Return a month, or ``months`` from it on."""
        first = date(year, month, 1)
        return Window(self.midnight(first), self.midnight(shifted_months(first, months)))

    def year(self, year: int) -> Window:
        """Return a year."""
        return self.month(year, 1, 12)

    def season(self, year: int, name: str) -> Window:
        """Return a season; winter belongs to the year in which it begins."""
        return self.month(year, SEASONS[name], 3)

    def unit(self, unit: Unit, offset: int) -> Window:
        """Return the calendar's day, week, weekend, month, quarter or year that lies ``offset`` from today's."""
        if unit in _MONTHS:
            length = _MONTHS[unit]
            start = shifted_months(date(self.today.year, (self.today.month - 1) // length * length + 1, 1), 0)
            start = shifted_months(start, offset * length)
            return self.month(start.year, start.month, length)
        monday = shifted_days(self.today, -self.today.weekday() + 7 * offset)
        if unit == "week":
            return self.between(monday, shifted_days(monday, 6))
        if unit == "weekend":
            return self.between(shifted_days(monday, 5), shifted_days(monday, 6))
        return self.day(shifted_days(self.today, offset))

    def moment(self, unit: Unit, count: float) -> datetime:
        """Return the moment ``count`` units from now; whole months keep the day where the month has it."""
        if unit in _MONTHS and count == int(count):
            day = shifted_months(self.today, int(count) * _MONTHS[unit])
            return datetime.combine(day, self.now.timetz())
        return self.now + timedelta(days=count * DAYS[unit])

    def rolling(self, unit: Unit, count: int) -> Window:
        """Return the ``count`` units from today on, or those up to the end of today where ``count`` is negative.

        Hours and minutes are reckoned from now; ``count`` is not 0.
        """
        edge = self.moment(unit, count)
        if DAYS[unit] < 1:
            return Window(min(edge, self.now), max(edge, self.now))
        if count < 0:
            return self.between(min(edge.date(), self.today), self.today)
        return self.between(self.today, edge.date())


def shifted_days(day: date, days: int) -> date:
    """Return the day ``days`` later, held within what a date can be."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal() + 1), date.max.toordinal() - 1))


def shifted_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the month's last where it is shorter; held within what can be."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    year = min(max(year, MINYEAR + 1), MAXYEAR - 1)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
