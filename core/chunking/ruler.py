"""Lengths of text in the units that an embedding model pays for, and places in UTF-8 bytes."""

import re
from bisect import bisect_right
from collections.abc import Iterable

# English prose has about four letters to a WordPiece, so a letter is one unit. Other scripts fall apart into single
# letters in the English vocabulary (measured: Russian 1.2, Arabic 1.2, Hindi 1.5, Chinese 1.0 characters a piece), and
# Hangul syllables into about two pieces each.
_COSTLY = re.compile(
    "(?P<hangul>[\u1100-\u11ff\uac00-\ud7af]+)|"
    "(?P<unspaced>[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u30ff\u3100-\ua4cf\uf900-\ufaff"
    "\U00020000-\U0003ffff]+)|"
    "[\u0370-\u0dff\u0f00-\u0fff\u10a0-\u10ff\u1200-\u177f\u1800-\u1d7f\u1f00-\u1fff\u2c00-\u2dff\ua4d0-\uabff]+"
)


class Ruler:
    """Measures spans of one text; places are offsets in characters unless they say bytes."""

    def __init__(self, text: str) -> None:
        """Note where letters cost more than one unit: one pass over the text."""
        self.text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._rates: list[int] = []
        self._before: list[int] = []
        extra = 0
        for run in () if text.isascii() else _COSTLY.finditer(text):
            rate = 7 if run["hangul"] else 3 if run["unspaced"] else 2
            self._starts.append(run.start())
            self._ends.append(run.end())
            self._rates.append(rate)
            self._before.append(extra)
            extra += rate * (run.end() - run.start())

    def size(self, start: int, end: int) -> int:
        """Return the units from ``start`` to ``end``."""
        return end - start + self._extra(end) - self._extra(start)

    def _extra(self, place: int) -> int:
        index = bisect_right(self._starts, place) - 1
        if index < 0:
            return 0
        return self._before[index] + self._rates[index] * (min(place, self._ends[index]) - self._starts[index])

    def reach(self, start: int, units: int) -> int:
        """Return the furthest place that is at most ``units`` away, at least one character on."""
        furthest = min(len(self.text), start + units)
        if self._starts:
            places = range(furthest + 1)
            furthest = bisect_right(places, units, start, key=lambda place: self.size(start, place)) - 1
        return max(furthest, start + 1)

    def bytes_at(self, places: Iterable[int]) -> list[int]:
        """Return the byte offsets of ascending places: one pass over the text."""
        if self.text.isascii():
            return list(places)
        offsets: list[int] = []
        done, offset = 0, 0
        for place in places:
            # surrogatepass: validation refuses lone surrogates, yet measuring must not be what fails on one.
            offset += len(self.text[done:place].encode("utf-8", "surrogatepass"))
            done = place
            offsets.append(offset)
        return offsets
