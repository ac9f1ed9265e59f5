"""Plain BM25 over stems and whole texts: the yardstick beside our own search."""

import importlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_HUMP = re.compile(r"([a-z])([A-Z])")
_STOP_WORDS = frozenset(
    """
    a an and are as at be but by for if in into is it its no not of on or such that the their then there these they
    this to was will with i you he she we me my your his her our us am been being do does did doing have has had having
    what when where who whom which why how would could should can may might s t re ve ll d m about from up out so than
    too very just
    """.split()  # noqa: SIM905 - a paragraph is read more easily than a hundred quoted strings
)


class ReferenceBM25:
    """An index of texts, each one document."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index the texts in order."""
        # PyStemmer ships no types; importing it by name keeps both type checkers content.
        self._stemmer: Any = importlib.import_module("Stemmer").Stemmer("english")
        documents = [Counter(self._terms(text)) for text in texts]
        lengths = [sum(counts.values()) for counts in documents]
        mean = sum(lengths) / max(len(lengths), 1)
        self._size = len(texts)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, counts in enumerate(documents):
            norm = _K1 * (1 - _B + _B * lengths[place] / max(mean, 1))
            for term, count in counts.items():
                self._postings[term].append((place, count * (_K1 + 1) / (count + norm)))

    def scores(self, query: str) -> list[float]:
        """Return a score for each text."""
        scores = [0.0] * self._size
        for term in self._terms(query):
            found = self._postings.get(term, [])
            rarity = math.log(1 + (self._size - len(found) + 0.5) / (len(found) + 0.5))
            for place, weight in found:
                scores[place] += rarity * weight
        return scores

    def _terms(self, text: str) -> Iterator[str]:
        words = _WORD.findall(_HUMP.sub(r"\1 \2", text).lower().replace("_", " "))
        bare = (word.removesuffix("'s") for word in words)
        return iter(self._stemmer.stemWords([word for word in bare if word not in _STOP_WORDS]))
