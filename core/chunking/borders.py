"""Where a text that is too long for one span can be cut, best borders first."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .ruler import Ruler

Border = Callable[[str, int, int, int], int | None]
"""Finds a border of one sort: (text, low, goal, high) to a place near ``goal`` where the next span starts, or None."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long spans should be and may be, in units of the ruler; shorter than ``small`` is a scrap."""

    aim: int

    @property
    def most(self) -> int:
        """Return the length that no span exceeds."""
        return self.aim * 7 // 5

    @property
    def small(self) -> int:
        """Return the length below which a span joins its neighbour where it can."""
        return self.aim // 4


def after(pattern: str) -> Border:
    """Return a border that lies where ``pattern`` ends."""
    compiled = re.compile(pattern)

    def find(text: str, low: int, goal: int, high: int) -> int | None:
        ends = (match.end() for match in compiled.finditer(text, low, high))
        return min((end for end in ends if low <= end <= high), key=lambda end: abs(end - goal), default=None)

    return find


_LINE_START = re.compile(r"\n(?P<indent>[ \t]*+)(?=[^\s)\]}])")


def shallowest_line(text: str, low: int, goal: int, high: int) -> int | None:
    """Return the start of the least indented line that closes no bracket; after a blank line, and near, is better."""

    def rank(line: re.Match[str]) -> tuple[int, bool, int]:
        follows_blank = line.start() > 0 and text[line.start() - 1] in "\r\n"
        return len(line["indent"]), not follows_blank, abs(line.start() - goal)

    best = min(_LINE_START.finditer(text, low, high), key=rank, default=None)
    return None if best is None else best.start() + 1


def whole_record(text: str, low: int, goal: int, high: int) -> int | None:
    """Return a line start outside of any quoted field (quotes before it in the window are even), near the goal."""
    ends: list[int] = []
    place, quotes = low, 0
    while (newline := text.find("\n", place, high)) >= 0:
        quotes += text.count('"', place, newline)
        place = newline + 1
        if quotes % 2 == 0:
            ends.append(place)
    return min(ends, key=lambda end: abs(end - goal), default=None)


PARAGRAPH = after(r"\n[ \t\r]*+\n\s*+")
LINE = after(r"\n")
LIST_ENTRY = after(r"\n(?=[ \t]*+(?:[-*+•]|\d{1,3}[.)])[ \t])")
SENTENCE = after(r"[.!?…][\"'”’)\]*_]*+\s++|[。！？][”」』）]*+\s*+")  # noqa: RUF001
CLAUSE = after(r"[,;:]\s++|[、，；：]\s*+")  # noqa: RUF001
WORD = after(r"\s++")
ENTRY = after(r"\n(?=[^\s)\]}])")
VALUE = after(r"[}\]]\s*+,\s*+")
MEMBER = after(r",\s*+(?=\")|,\s++")

PROSE = (PARAGRAPH, LIST_ENTRY, SENTENCE, LINE, CLAUSE, WORD)
CODE = (shallowest_line, LINE, after(r"[;{}]\s*+"), WORD, after(r"[,;]"))
JSON = (shallowest_line, VALUE, MEMBER, LINE, WORD)
TABLE = (whole_record, LINE, WORD)
LOG = (ENTRY, LINE, *PROSE)


def cut(ruler: Ruler, start: int, end: int, limits: Limits, borders: Sequence[Border]) -> Iterator[tuple[int, int]]:
    """Yield pieces from ``start`` to ``end``, about equally long, none longer than ``limits.most``."""
    while (size := ruler.size(start, end)) > limits.most:
        goal = size // max(2, round(size / limits.aim))
        low = ruler.reach(start, goal * 6 // 10)
        high = min(ruler.reach(start, min(goal * 13 // 10, limits.most)), end - 1)
        near = ruler.reach(start, goal)
        found = (border(ruler.text, low, near, high) for border in borders)
        place = next((place for place in found if place is not None), None)
        if place is None:
            place = _hard_place(ruler.text, start, near)
        yield start, place
        start = place
    yield start, end


_JOINERS = "\u200d\ufe0e\ufe0f"


def _hard_place(text: str, start: int, near: int) -> int:
    """Return a place just before ``near`` that splits neither a line end nor a letter from its marks."""
    for place in range(near, max(start, near - 16), -1):
        before, behind = text[place - 1], text[place : place + 1]
        torn = (before == "\r" and behind == "\n") or before == "\u200d" or behind in _JOINERS
        tinted = "\U0001f3fb" <= behind <= "\U0001f3ff"
        if not (behind and (torn or tinted or unicodedata.combining(behind))):
            return place
    return near
