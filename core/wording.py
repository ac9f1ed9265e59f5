"""A text as the words that versions are compared by."""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STOP = "."
"""The word for the end of a sentence."""
MARKS = frozenset({STOP, ":", "=", "?"})
# Sentences run over line ends; a paragraph does not, nor does what stands before a line like "key: value".
_PIECE = re.compile(r"\n(?:\s*\n|(?=[^\n:]{1,40}:\s))|\S+")
_EDGE = "\"'`*_()[]{}<>|,;!.:?-#\u2026\u00b7\u2022\u00ab\u00bb\u201c\u201d\u201e"
_TYPED = str.maketrans({"\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2212": "-", "\u2014": " ", "\u00ad": None})
_ARROWS = frozenset({"=", ":=", "->", "=>", "\u2192"})
_SETTING = re.compile(r"([\w.-]+)=(.+)")
_SHINGLE = 4

_MONTHS = (
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
_CALENDAR = frozenset(f"{_MONTHS} {_DAYS}".split())
_DATE = re.compile(
    r"(?:\d{4}-\d\d(?:-\d\d)?(?:t.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|(?:19|20)\d\d|\d{1,2}:\d\d(?::\d\d)?(?:am|pm|z)?"
    r"|q[1-4])\Z"
)
_DAY = re.compile(r"\d{1,2}(st|nd|rd|th)?\Z")
_AS_OF = (("as", "of"), ("since",), ("effective",), ("updated",), ("starting",))
_OPENINGS = frozenset(opening[0] for opening in _AS_OF)
_NOW = frozenset({"now", "currently", "presently", "nowadays", "today", "already", "still"})


@dataclass(frozen=True, slots=True)
class Wording:
    """A text's words, in order.

    ``spelled`` are all of them, folded, without punctuation but question marks: equal where only the typing differs.
    ``plain`` leaves out what dates the text ("as of May 2024", "now") and keeps sentence ends and colons; ``written``
    are the same words with their case.
    """

    spelled: tuple[str, ...]
    plain: tuple[str, ...]
    written: tuple[str, ...]


def worded(text: str) -> Wording:
    """Return a text's words."""
    written = list(_words(unicodedata.normalize("NFKC", text.translate(_TYPED))))
    while written and written[-1] == STOP:
        written.pop()
    folded = [word.casefold() for word in written]
    kept = list(_undated(folded))
    return Wording(
        spelled=tuple(word for word in folded if word not in MARKS or word == "?"),
        plain=tuple(folded[place] for place in kept),
        written=tuple(written[place] for place in kept),
    )


def _words(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if piece.isalnum():
            yield piece
        elif piece.isspace():
            yield STOP
        elif piece in _ARROWS:
            yield "="
        elif (setting := _SETTING.fullmatch(piece)) is not None:
            yield setting.group(1)
            yield "="
            yield from _split(setting.group(2))
        else:
            yield from _split(piece)


def _split(piece: str) -> Iterator[str]:
    """Yield a piece without the punctuation around it, then what of that closes a sentence or opens a value."""
    body = piece.strip(_EDGE)
    start = piece.find(body) if body else 0
    # A sign or a point before a digit is part of the number, a hash before a letter or digit of the name.
    if body and start and (piece[start - 1] == "#" or (body[0].isdigit() and piece[start - 1] in "-.")):
        body, start = piece[start - 1] + body, start - 1
    if body:
        yield body
    end = piece[start + len(body) :]
    for mark, signs in (("?", "?"), (":", ":"), (STOP, ".!;")):
        if any(sign in end for sign in signs):
            yield mark
            return


def _undated(words: Sequence[str]) -> Iterator[int]:
    """Yield the places of the words that do not say as of when the text is."""
    place = _past_date(words, 1 if words[:1] == ["on"] else 0) or 0
    if place and words[place : place + 1] in ([":"], [STOP]):
        place += 1
    while place < len(words):
        past = _past_as_of(words, place) if words[place] in _OPENINGS else None
        if past is not None:
            place = past
        elif words[place] in _NOW:
            place += 1
        else:
            yield place
            place += 1


def _past_as_of(words: Sequence[str], place: int) -> int | None:
    for opening in _AS_OF:
        if tuple(words[place : place + len(opening)]) == opening:
            past = _past_date(words, place + len(opening))
            if past is not None or opening != ("as", "of"):
                return past
            follows = words[place + 2 : place + 3]
            return place + 3 if follows and follows[0] in _NOW else None
    return None


def _past_date(words: Sequence[str], place: int) -> int | None:
    """Return where a date that begins at ``place`` ends, None where none begins."""
    dated, at = False, place
    while at < len(words) and (_is_date(words[at]) or _DAY.match(words[at]) or words[at] == "of"):
        dated = dated or _is_date(words[at])
        at += 1
    return at if dated else None


def _is_date(word: str) -> bool:
    return word in _CALENDAR or _DATE.match(word) is not None


def shingles(words: Sequence[str]) -> frozenset[int]:
    """Return hashes (unsigned 32 bits) of all runs of four words."""
    raw = [word.encode() for word in words]
    runs = max(1, len(raw) - _SHINGLE + 1)
    return frozenset(zlib.crc32(b"\x00".join(raw[at : at + _SHINGLE])) for at in range(runs))
