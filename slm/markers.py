"""Markers of a chunk beside its words: who speaks, whether it asks, whether it tells a time or a number."""

import re
from collections.abc import Iterable, Iterator

from ..core.chunking import find_turns
from .lexical_terms import STOP_WORDS, fold

PERSON, FORM = "p", "f"
"""What a marker is, as the first character of its term; see ``lexical_terms``."""

QUESTION, TIME, NUMBER = "question", "time", "number"
_ROLES = ("user", "assistant")
_SAME = {"human": "user", "ai": "assistant", "bot": "assistant", "model": "assistant"}
_MOST_SPEAKERS = 8
_MOST_NAMES = 8
_LABEL_WORDS = 3

_TIME_WORDS = frozenset(
    """
    yesterday today tonight tomorrow ago since recently lately just weekend weekends
    second seconds minute minutes hour hours day days week weeks month months year years decade decades
    summer winter spring autumn january february march april june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday
    """.split()  # noqa: SIM905 - a paragraph is read more easily than fifty quoted strings
)
_NUMBER_WORDS = frozenset(
    """
    two three four five six seven eight nine ten eleven twelve dozen hundred thousand twice couple several first second
    third half
    """.split()  # noqa: SIM905
)
_YEAR = re.compile(r"(?:19|20)\d\d(?!\d)")
_DIGIT = re.compile(r"\d")
_ASKS_TIME = re.compile(
    r"\b(?:when|what (?:time|date|day|month|year)|which (?:date|day|month|year)|how (?:long|recently|often))\b",
    re.IGNORECASE,
)
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|far|often|tall|big)"
    r"|what (?:number|percentage|age|price|cost|size|is the average))\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w’'-]*")  # noqa: RUF001 - both apostrophes
_POSSESSIVE = re.compile(r"'s?\Z")
_CONTEXT_ROLE = re.compile(r"\A(?:[^\n]{0,100} > )?(user|human|assistant|ai|bot|model)\n", re.IGNORECASE)
_LOOKED_AT = 20_000


def markers_of(text: str, words: Iterable[str]) -> Iterator[str]:
    """Yield the markers of a chunk as terms, each once: what it is, then who speaks in it.

    ``text`` is a chunk's context line and its words, ``words`` its tokens as written. A question mark before a last
    remark in brackets counts, too.
    """
    if _asks(text):
        yield FORM + QUESTION
    known = {word.lower() for word in words}
    if not known.isdisjoint(_TIME_WORDS) or any(map(_YEAR.match, known)):
        yield FORM + TIME
    if not known.isdisjoint(_NUMBER_WORDS) or any(map(_DIGIT.search, known)):
        yield FORM + NUMBER
    yield from dict.fromkeys(PERSON + word for speaker in _speakers(text) for word in _words(speaker))


def _asks(text: str) -> bool:
    text = text.rstrip()
    if text.endswith("]"):
        text = text[: text.rfind("[")].rstrip()
    return text.endswith("?")


def wanted_markers(query: str) -> list[tuple[str, str]]:
    """Return (name, term) of the markers to look for with a query.

    Always whether a chunk asks and whether a user or an assistant speaks; a told time or number where the query asks
    for one; and ``said:`` each name in it.
    """
    query = query[:_LOOKED_AT]
    wanted = [(QUESTION, FORM + QUESTION), *((f"said:{role}", PERSON + role) for role in _ROLES)]
    if _ASKS_TIME.search(query):
        wanted.append((TIME, FORM + TIME))
    if _ASKS_NUMBER.search(query):
        wanted.append((NUMBER, FORM + NUMBER))
    names = dict.fromkeys(_POSSESSIVE.sub("", _label(name)) for name in _NAME.findall(query) if name[0].isupper())
    people = [name for name in names if name and name not in STOP_WORDS and name not in _ROLES][:_MOST_NAMES]
    return [*wanted, *((f"said:{name}", PERSON + name) for name in people)]


def _speakers(text: str) -> list[str]:
    text = text[:_LOOKED_AT]
    # A part of a long turn has its speaker in its context line only, and no other speaks in it.
    if (carried := _CONTEXT_ROLE.match(text)) is not None:
        text = f"{carried.group(1)}: {text[carried.end() :]}"
    return list(dict.fromkeys(turn.speaker for turn in find_turns(text)))[:_MOST_SPEAKERS]


def _words(speaker: str) -> list[str]:
    words: list[str] = re.findall(r"[\w'-]+", _label(speaker))[:_LABEL_WORDS]
    return list(dict.fromkeys(_SAME.get(word, word) for word in words))


def _label(name: str) -> str:
    return fold(name).replace("’", "'")  # noqa: RUF001
