"""Which sentences say most: TF-IDF against the text's centroid, with maximal marginal relevance.

Carbonell and Goldstein 1998 for the relevance, Radev et al. 2004 for the centroid.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lexical_terms import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]{2,}+")
_DIGIT = re.compile(r"\d")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_WINDOW = 128
"""Sentences that are compared with each other: more would cost the square and gain little."""
_FULL_SENTENCE = 8
_REDUNDANCY = 0.7
"""How much of its worth a sentence loses when it repeats a chosen one word for word."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as a digest shows it: what stands before it (speaker or heading), and whether it opens its section."""

    text: str
    label: str = ""
    opens: bool = False
    section: int = 0


def words_of(text: str) -> list[str]:
    """Return the words that carry meaning, in lower case; scripts without spaces by pairs of characters."""
    words: list[str] = []
    for word in _WORD.findall(text.lower()):
        if word.isascii() or not _UNSPACED.search(word):
            if word not in STOP_WORDS:
                words.append(word.removesuffix("s") if len(word) > 4 and not word.endswith("ss") else word)
        else:
            words.extend(word[place : place + 2] for place in range(len(word) - 1))
    return words


def rank_sentences(sentences: Sequence[Sentence], share: float) -> dict[int, float]:
    """Return ranks (lower is better, from 0 to 1) of the sentences to choose from, by index.

    ``share`` is the part of the characters that the longest digest keeps; about twice that is ranked, in windows of
    128 sentences, so that the work grows with the text's length and every part of it is heard.
    """
    if not sentences:
        return {}
    import numpy as np

    rows, columns, weights = _matrix(sentences)
    relevance = _relevance(sentences, rows, columns, weights)
    borders = np.searchsorted(rows, np.arange(0, len(sentences) + _WINDOW, _WINDOW))
    lengths = np.array([len(sentence.text) for sentence in sentences])
    ranks: dict[int, float] = {}
    for window in range(math.ceil(len(sentences) / _WINDOW)):
        first, last = borders[window], borders[window + 1]
        base = window * _WINDOW
        size = min(_WINDOW, len(sentences) - base)
        terms = _Terms(rows[first:last] - base, columns[first:last], weights[first:last], size)
        room = max(int(lengths[base : base + size].sum() * share * 1.6), 400)
        gains = _marginal(relevance[base : base + size], terms, lengths[base : base + size], room)
        ranks.update((base + index, 1.0 - gain) for index, gain in gains)
    return ranks


def _matrix(sentences: Sequence[Sentence]) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]":
    import numpy as np

    vocabulary: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, sentence in enumerate(sentences):
        ids = {vocabulary.setdefault(word, len(vocabulary)) for word in words_of(sentence.text)}
        columns.extend(sorted(ids))
        rows.extend([row] * len(ids))
    row_array, column_array = np.array(rows, np.int64), np.array(columns, np.int64)
    frequency = np.bincount(column_array, minlength=max(len(vocabulary), 1))
    inverse = np.log1p(len(sentences) / np.maximum(frequency, 1))
    weights = inverse[column_array]
    norms = np.sqrt(np.bincount(row_array, weights=weights**2, minlength=len(sentences)))
    return row_array, column_array, weights / np.maximum(norms, 1e-9)[row_array]


def _relevance(
    sentences: Sequence[Sentence],
    rows: "NDArray[np.int64]",
    columns: "NDArray[np.int64]",
    weights: "NDArray[np.float64]",
) -> "NDArray[np.float64]":
    import numpy as np

    if not len(columns):
        return np.zeros(len(sentences))
    centroid = np.bincount(columns, weights=weights)
    scores = np.bincount(rows, weights=weights * centroid[columns], minlength=len(sentences))
    # A remark of a few words says little, however typical they are.
    scores *= np.minimum(np.bincount(rows, minlength=len(sentences)) / _FULL_SENTENCE, 1.0)
    bearing = np.array([_bearing(sentence) for sentence in sentences])
    return np.asarray(scores / max(float(scores.max()), 1e-9) * bearing, np.float64)


def _bearing(sentence: Sentence) -> float:
    """Return what a sentence's form says of its worth: openings and figures count, fragments and questions do not."""
    text = sentence.text
    worth = 1.3 if sentence.opens else 1.0
    if _DIGIT.search(text):
        worth *= 1.1
    if text.endswith(("?", "：", ":")):  # noqa: RUF001
        worth *= 0.7
    return worth * (0.5 if len(text) < 25 else 1.0)


class _Terms:
    """The weighted words of one window's sentences, row by row."""

    def __init__(
        self, rows: "NDArray[np.int64]", columns: "NDArray[np.int64]", weights: "NDArray[np.float64]", size: int
    ) -> None:
        import numpy as np

        distinct, self._places = np.unique(columns, return_inverse=True)
        self._rows, self._weights, self._size = rows, weights, size
        self._borders = np.searchsorted(rows, np.arange(size + 1))
        self._wanted = np.zeros(len(distinct))

    def likeness(self, sentence: int) -> "NDArray[np.float64]":
        """Return the cosine of one sentence to each of the window."""
        import numpy as np

        own = slice(self._borders[sentence], self._borders[sentence + 1])
        self._wanted[self._places[own]] = self._weights[own]
        products = self._weights * self._wanted[self._places]
        self._wanted[self._places[own]] = 0.0
        return np.bincount(self._rows, weights=products, minlength=self._size).astype(np.float64)


def _marginal(
    relevance: "NDArray[np.float64]", terms: _Terms, lengths: "NDArray[np.int64]", room: int
) -> list[tuple[int, float]]:
    import numpy as np

    left = np.ones(len(relevance), bool)
    nearest = np.zeros(len(relevance))
    gains: list[tuple[int, float]] = []
    while room > 0 and left.any():
        # Rounded, so that the order does not hang on how a processor sums.
        gain = np.round(relevance * (1 - _REDUNDANCY * nearest), 5)
        best = int(np.where(left, gain, -1.0).argmax())
        left[best] = False
        room -= int(lengths[best])
        gains.append((best, float(gain[best])))
        nearest = np.maximum(nearest, terms.likeness(best))
    return gains
