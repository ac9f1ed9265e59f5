"""Words around a phrase that change its window: "before", "since", "early", "the week after"."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from . import names
from .names import NUMBER, UNIT, S
from .phrases import Phrase
from .windows import Calendar, Unit, Window, shifted_days, shifted_months

_REACH = 48
"""Characters before a phrase in which words that change it stand."""
_FLAGS = re.IGNORECASE
_START = r"(?:(?<=[\s(,;\"'\u201c])|^)"
_PART = re.compile(
    rf"{_START}(?:(?P<part>early|mid|late)(?:-|{S}(?:in{S})?)"
    rf"|(?:the{S})?(?P<of>beginning|start|middle|end|first{S}half|second{S}half){S}of{S})(?:the{S})?\Z",
    _FLAGS,
)
_RELATION = re.compile(
    rf"{_START}(?P<word>before|prior{S}to|earlier{S}than|after|later{S}than|since|until|till?|up{S}to|through|by"
    rf"|no{S}later{S}than|as{S}of|from|starting(?:{S}(?:from|in|on))?|around|circa|in|on|during|throughout|within"
    rf"|over|of|for|to|the){S}(?:the{S}(?:month{S}of{S})?)?\Z",
    _FLAGS,
)
_END = re.compile(rf"(?:the{S})?end{S}of\b", _FLAGS)
_DISTANCE = re.compile(rf"{_START}(?:the|(?P<n>{NUMBER})){S}(?P<unit>{UNIT})s?{S}\Z", _FLAGS)
_WEEK_OF = re.compile(rf"{_START}(?:in{S}|during{S})?(?:the{S})?week{S}(?:of|from){S}(?:the{S})?\Z", _FLAGS)
_ONWARD = re.compile(rf"{S}(?:onwards?|and{S}(?:later|after|onwards?)|or{S}later)\b", _FLAGS)
_FROM_ON = re.compile(rf"{S}on(?=\s{{0,2}}(?:[,.;?!]|\Z))", _FLAGS)
_BACKWARD = re.compile(rf"{S}(?:and|or){S}(?:earlier|before)\b", _FLAGS)
_MEANS = {
    "prior to": "before",
    "earlier than": "before",
    "later than": "after",
    "starting": "since",
    "starting from": "since",
    "starting in": "since",
    "starting on": "since",
    "till": "until",
    "til": "until",
    "up to": "until",
    "through": "until",
    "no later than": "until",
    "circa": "around",
}
_SPOKEN = frozenset({"in", "on", "during", "throughout", "within", "over"})
_PLACING = _SPOKEN | {"of", "from"}


def narrowed(phrase: Phrase, text: str) -> Phrase:
    """Return a phrase with "early", "the end of" and the like before it: half of its window, or a third that leans."""
    match = _PART.search(text, max(0, phrase.start - _REACH), phrase.start)
    if match is None or phrase.window is None or not 2 < phrase.window.days < 4000:
        return phrase
    part = " ".join((match["part"] or match["of"]).lower().split())
    again = phrase.again

    def narrowed_again(limit: datetime) -> Window | None:
        window = again(limit) if again is not None else None
        return None if window is None else _share(window, part)

    return replace(
        phrase,
        start=match.start(),
        window=_share(phrase.window, part),
        strict=phrase.strict and part.endswith("half"),
        alone=True,
        bare=False,
        again=None if again is None else narrowed_again,
    )


def _share(window: Window, part: str) -> Window:
    pieces = 2 if part.endswith("half") else 3
    place = {"mid": 1, "middle": 1, "late": 2, "end": 2, "second half": 1}.get(part, 0)
    since = window.since if place == 0 else _edge(window, place / pieces)
    return Window(since, window.until if place == pieces - 1 else _edge(window, (place + 1) / pieces))


def _edge(window: Window, share: float) -> datetime | None:
    """Return where a share of a window ends: on a month's border in a year, on a day's in a month."""
    since = window.since
    if since is None:
        return None
    if window.days > 80:
        day = shifted_months(since.date(), int(round(window.days / 30.44) * share))
    else:
        day = shifted_days(since.date(), round(window.days * share))
    return datetime.combine(day, since.timetz())


def word_before(phrase: Phrase, text: str) -> tuple[str, int]:
    """Return the word that relates a phrase to what is asked, by its plainest synonym, and where it starts."""
    match = _RELATION.search(text, max(0, phrase.start - _REACH), phrase.start)
    if match is None:
        return "", phrase.start
    word = " ".join(match["word"].lower().split())
    return _MEANS.get(word, word), match.start()


def related(phrase: Phrase, text: str, calendar: Calendar) -> Phrase | None:
    """Return a phrase as the words before and behind it turn it, None where it needed such a word and has none."""
    word, start = word_before(phrase, text)
    continued = _continued(phrase, text, word)
    if continued is not phrase and (phrase.alone or word == "from" or text[phrase.start].isupper()):
        return replace(continued, start=start if word == "from" else phrase.start)
    if not (phrase.alone or word in phrase.evidence):
        return None
    if phrase.window is None:
        return phrase
    if word == "of" and (week := _WEEK_OF.search(text, max(0, phrase.start - _REACH), phrase.start)) is not None:
        return replace(phrase, start=week.start(), window=_week_around(phrase.window, calendar), again=None)
    if word in ("before", "after") and (distance := _DISTANCE.search(text, max(0, start - _REACH), start)) is not None:
        window = _beside(phrase.window, distance, word)
        return replace(phrase, start=distance.start(), window=window, strict=False, again=None)
    if word == "before" and _END.match(text, phrase.start):
        # Before the end of a year is not before its last third.
        word = "until"
    if (turned := _turned(phrase.window, word)) is not None:
        return replace(phrase, start=start, window=turned, strict=word != "around", again=None)
    if word in _PLACING:
        # "In March" and "in the last week" are one phrase, but "involved in recently" is not.
        spoken = word in _SPOKEN and (
            phrase.evidence or phrase.dated or text[phrase.start : phrase.start + 4].lower() == "the "
        )
        return replace(phrase, start=start if spoken else phrase.start)
    return replace(phrase, strict=phrase.strict and not phrase.bare)


def _turned(window: Window, word: str) -> Window | None:
    if word == "before":
        return Window(None, window.since)
    if word == "after":
        return Window(window.until, None)
    if word == "since":
        return Window(window.since, None)
    if word in ("until", "by", "as of"):
        return Window(None, window.until)
    if word == "around" and window.since is not None and window.until is not None:
        slack = timedelta(days=max(round(window.days / 2), 3))
        return Window(window.since - slack, window.until + slack)
    return None


def _continued(phrase: Phrase, text: str, word: str) -> Phrase:
    """Apply words behind a phrase: "2023 and later", "from May on"."""
    window = phrase.window
    if window is None:
        return phrase
    onward = _ONWARD.match(text, phrase.end) or (_FROM_ON.match(text, phrase.end) if word == "from" else None)
    if onward is not None:
        return replace(phrase, end=onward.end(), window=Window(window.since, None), strict=True, again=None)
    if (backward := _BACKWARD.match(text, phrase.end)) is not None:
        return replace(phrase, end=backward.end(), window=Window(None, window.until), strict=True, again=None)
    return phrase


def _week_around(window: Window, calendar: Calendar) -> Window:
    if window.since is None:
        return window
    monday = shifted_days(window.since.date(), -window.since.weekday())
    return calendar.between(monday, shifted_days(monday, 6))


def _beside(window: Window, distance: re.Match[str], word: str) -> Window:
    """Return the units just before or after a window, however many are told: "the week after", "two days before"."""
    count = names.number(distance["n"])[1] if distance["n"] else 1
    unit = names.unit(distance["unit"])
    if word == "before":
        return Window(_moved(window.since, unit, -count), window.since)
    return Window(window.until, _moved(window.until, unit, count))


def _moved(moment: datetime | None, unit: Unit, count: int) -> datetime | None:
    return None if moment is None else Calendar(moment).moment(unit, count)
