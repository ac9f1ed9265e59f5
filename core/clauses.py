"""Telling whether two statements differ in one value of the same thing, by the words around the value.

English phrases, and in any language ``key: value`` and ``key = value``. Only phrases that give a thing one value at a
time count: who likes tea may like coffee as well, but who lives in Rome does not live in Paris.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .wording import MARKS, STOP, Wording

_LONGEST_VALUE = 8
_BEFORE_VALUE = 2
"""So many words of the value may be the same before the first that differs: New York, New Delhi."""

_Strictness = Literal["any", "attribute", "number", "key"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PREPOSITIONS = _set(
    "in on at to for by as with from into onto over under via per of about against between among during after before"
    " until till within without behind above below near around through across toward towards"
)
_ARTICLES = frozenset({"a", "an", "the"})
_FILLERS = _ARTICLES | {"not", "only", "exactly", "about", "around", "approximately", "roughly"}
_COPULAS = frozenset(
    {"is", "are", "was", "were", "isn't", "aren't", "wasn't", "weren't", "equals", "becomes", "became"}
)
_PRONOUNS = _set(
    "i you he she it we they this that these those there here who what which someone everyone nobody something"
    " everything nothing it's that's there's"
)
_CONDITIONS = _set(
    "if when that which who whom whose where unless because while whether why how what although though until"
)
_POSSESSIVES = frozenset({"my", "your", "his", "her", "its", "our", "their"})
# Each needs its preposition: who works on two things at once has two values.
_PHRASES = {
    verb: _set(prepositions)
    for prepositions, verbs in {
        "in at near": "lives live resides located",
        "at for as": "works work",
        "at": "studies stands capped",
        "for": "plays",
        "by": "owned led managed maintained",
        "on": "listens",
        "to": "reports belongs resolves defaults amounts moved switched changed upgraded renamed bumped raised lowered"
        " assigned married limited",
        "to at": "points set pinned",
        "on at": "runs closes opens",
        "on at in": "starts begins ends expires based stored",
        "on at in by": "hosted due",
        "on at in to": "deployed installed",
        "on at for": "scheduled planned",
    }.items()
    for verb in verbs.split()
}
_NAMING = frozenset({"called", "named", "drives", "earns", "weighs", "costs"})
_COUNTING = _set(
    "has have keeps holds allows takes takes lasts contains includes needs requires measures counts serves employs owns"
    " costs weighs earns charges handles accepts supports stores"
)
_NO_KEYS = _set(
    "todo fixme note notes step question answer q a error warning warn info debug user assistant system human ai hint"
    " tip example reply comment re fwd subject message reminder idea bug issue ticket task done"
)
_NUMBER = re.compile(r"[$\u20ac\u00a3~+-]?\.?\d")


@dataclass(frozen=True, slots=True)
class _Cue:
    """Where a phrase that takes a value begins, and how much the thing before it must be known."""

    place: int
    strictness: _Strictness


def one_value_changed(new: Wording, known: Wording) -> bool:
    """Say whether the texts are equal but for one value, which follows a phrase that gives its thing one value."""
    ours, theirs = new.plain, known.plain
    if "?" in ours or "?" in theirs:
        return False
    start = _same_start(ours, theirs)
    same_end = _same_start(ours[start:][::-1], theirs[start:][::-1])
    values = ours[start : len(ours) - same_end], theirs[start : len(theirs) - same_end]
    if not all(values) and same_end:
        # One has a word more: the value is that and the word behind it.
        values = ours[start : len(ours) - same_end + 1], theirs[start : len(theirs) - same_end + 1]
    if not all(values) or max(map(len, values)) > _LONGEST_VALUE or not _same_sort(*values):
        return False
    cue = _cue(ours[:start], numbers=all(_NUMBER.match(value[0]) for value in values))
    return cue is not None and _is_known(new, cue)


def _same_start(ours: Sequence[str], theirs: Sequence[str]) -> int:
    for place, (mine, yours) in enumerate(zip(ours, theirs, strict=False)):
        if mine != yours:
            return place
    return min(len(ours), len(theirs))


def _same_sort(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether the values may be values of one thing: no clause and no place or purpose of their own in them."""
    for value in (ours, theirs):
        if any(word in MARKS or word in _COPULAS or word in _CONDITIONS for word in value):
            return False
        if any(word in _PREPOSITIONS for word in value[1:]):
            return False
    opening = [value[0] if value[0] in _PREPOSITIONS | _ARTICLES else None for value in (ours, theirs)]
    # "to" one and "from" the other are different things said; a definite article may come and go.
    return opening[0] == opening[1] or not any(word in _PREPOSITIONS for word in opening)


def _cue(before: Sequence[str], *, numbers: bool) -> _Cue | None:
    """Return the phrase that the value follows, with at most two words of the value between."""
    last = len(before)
    for place in range(last - 1, max(-1, last - 2 - _BEFORE_VALUE - 3), -1):
        between = before[place + 1 :]
        if not _may_stand_between(between):
            return None
        if (cue := _cue_at(before, place, between, numbers=numbers)) is not None:
            return cue
    return None


def _may_stand_between(between: Sequence[str]) -> bool:
    """Say whether the words are fillers, then the beginning of the value: no preposition may follow a word of it."""
    own = 0
    for word in between:
        if word in MARKS or (own and word in _PREPOSITIONS):
            return False
        own += word not in _FILLERS and word not in _PREPOSITIONS
    return own <= _BEFORE_VALUE


def _cue_at(before: Sequence[str], place: int, between: Sequence[str], *, numbers: bool) -> _Cue | None:
    word = before[place]
    if word in (":", "="):
        return _Cue(place, "key") if not between else None
    if word in _PHRASES:
        return _Cue(place, "any") if between and between[0] in _PHRASES[word] else None
    if word in _NAMING and (numbers or word in ("called", "named", "drives")):
        return _Cue(place, "any")
    if word in _COUNTING:
        return _Cue(place, "number") if numbers and all(one in _FILLERS for one in between) else None
    if word in _COPULAS:
        if numbers and all(one in _FILLERS or one in _PREPOSITIONS for one in between):
            return _Cue(place, "number")
        return _Cue(place, "attribute")
    return None


def _is_known(text: Wording, cue: _Cue) -> bool:
    """Say whether the words before the phrase name the thing that has the value."""
    first = max((place + 1 for place in range(cue.place) if text.plain[place] == STOP), default=0)
    subject, written = text.plain[first : cue.place], text.written[first : cue.place]
    if not subject or any(word in _CONDITIONS for word in subject):
        return False
    if cue.strictness == "key":
        return _is_key(subject, written, text.plain[cue.place + 1 :], alone=first == 0)
    if cue.strictness == "any":
        return subject[0] not in _PRONOUNS - {"i", "we"}
    if subject[0] in _PRONOUNS:
        return False
    return cue.strictness == "number" or _is_attribute(subject, written)


def _is_attribute(subject: Sequence[str], written: Sequence[str]) -> bool:
    """Say whether the thing has one value of this sort: an attribute of something, not just someone."""
    if any(word.endswith(("'s", "s'")) or word in _POSSESSIVES or word in ("of", "for") for word in subject):
        return True
    named = [word for word, own in zip(written, subject, strict=True) if own not in _ARTICLES]
    return len(named) >= 2 and any(word.islower() for word in named)


def _is_key(subject: Sequence[str], written: Sequence[str], value: Sequence[str], *, alone: bool) -> bool:
    """Say whether the words before a colon are a setting, rather than a speaker, a heading or an entry of a list."""
    inner = list(_after_mark(subject))
    if not inner or inner[0] in _NO_KEYS or any(word in _COPULAS for word in inner) or len(value) > 4 * _LONGEST_VALUE:
        return False
    if any(_NUMBER.match(word) for word in inner):
        return False
    if len(inner) == 1:
        # A word alone is as likely a speaker as a field of the record that the lines before it began.
        return "_" in inner[0] or "." in inner[0] or (not alone and written[-1].islower())
    return any(word.islower() for word in written) or bool(value and _NUMBER.match(value[0]))


def _after_mark(words: Sequence[str]) -> Iterator[str]:
    last = max((place for place, word in enumerate(words) if word in MARKS), default=-1)
    yield from words[last + 1 :]
