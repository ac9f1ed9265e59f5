"""Windows of time in words."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from .windows import Window, shifted_days, shifted_months


def tell(window: Window) -> str:
    """Return a window as a reader says it: "9 to 15 November 2026", "March 2026", "up to 28 February 2026"."""
    if window.since is None:
        return f"any time up to {_until(window.until)}" if window.until else "any time"
    if window.until is None:
        return f"{_moment(window.since)} and later"
    if _clock(window.since) or _clock(window.until):
        same = window.since.date() == window.until.date()
        return f"{_moment(window.since)} to {f'{window.until:%H:%M}' if same else _moment(window.until)}"
    return _days(window.since.date(), (window.until - timedelta(days=1)).date())


def quoted(phrases: Sequence[str]) -> str:
    """Return phrases in quotation marks with their verb: ``“in May” and “last year” were``."""
    marked = [f"“{' '.join(phrase.split())}”" for phrase in phrases]
    return f"{marked[0]} was" if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]} were"


def _until(moment: datetime | None) -> str:
    if moment is None or _clock(moment):
        return "" if moment is None else _moment(moment)
    return _day(shifted_days(moment.date(), -1))


def _clock(moment: datetime) -> bool:
    return moment.time() != time()


def _moment(moment: datetime) -> str:
    return f"{_day(moment.date())}, {moment:%H:%M}" if _clock(moment) else _day(moment.date())


def _day(day: date, parts: str = "dmy") -> str:
    words = {"d": str(day.day), "m": _MONTHS[day.month - 1], "y": str(day.year)}
    return " ".join(words[part] for part in parts)


def _days(first: date, last: date) -> str:
    if first == last:
        return _day(first)
    after = shifted_days(last, 1)
    if first.day == 1 and after.day == 1:
        return _months(first, last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {_day(last)}"
    return f"{_day(first, 'dm' if first.year == last.year else 'dmy')} to {_day(last)}"


def _months(first: date, last: date) -> str:
    if first.month == 1 and last.month == 12:
        return str(first.year) if first.year == last.year else f"{first.year} to {last.year}"
    if shifted_months(first, 1) > last:
        return _day(first, "my")
    return f"{_day(first, 'm' if first.year == last.year else 'my')} to {_day(last, 'my')}"


_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
"""Written out, since strftime's names follow the locale."""
