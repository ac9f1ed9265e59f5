"""What a mistyped word may have meant: words a few slips away, and which of those that occur is likeliest."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ..core.models import Spelling
from .commonness import is_word
from .lexical import WordEncoder
from .lexical_terms import Stemmers, fold

SHORTEST, LONGEST = 4, 20
"""Letters of a word that is corrected: a shorter one is a slip away from too many others."""
TWO_SLIPS = 8
"""Letters of a word that may have two slips."""
MOST = 2_000
"""Words with two slips that are tried."""
CHOSEN = 2

_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω")
_VOWELS = frozenset("aeiouy")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYS = {key: row[max(0, at - 1) : at + 2] for row in _ROWS for at, key in enumerate(row)}
"""A letter's neighbours in its row."""

# What a slip costs. Doubled and swapped letters are the commonest ones.
_DOUBLED, _SWAPPED, _VOWEL, _NEIGHBOUR, _OTHER = 0.5, 0.5, 0.7, 0.9, 1.2
_MISSING = 0.9
_FIRST = 0.8
_NO_WORD, _NO_FORM = 0.4, 1.2
_WEIGHT = 8.0
"""How many doublings of the chunks outweigh one unit of cost. Names are often one slip apart, and frequent words are
one slip from many others: what was typed says more."""
_FAR = {4: 0.7, 5: 0.9}
"""The highest cost at which a word of so few letters is corrected: nearly every one is a slip away from another."""
_ENDINGS = ("s", "es", "ed", "ing", "ings", "er", "ers", "est", "ly", "ness", "less", "able")


def variants(word: str, slips: int = 1) -> list[str]:
    """Return the words that are one slip (a letter left out, added, replaced or swapped with the next) from ``word``.

    About 54 for each letter; none for words of under 4 or over 20 letters, or with anything but letters. With two
    ``slips`` the words that two of the commonest slips lead to (a letter left out, doubled, swapped, or one vowel for
    another), at most 2,000, for words of at least 8 letters.
    """
    word = fold(word)
    if not word.isalpha() or not SHORTEST <= len(word) <= LONGEST or slips > 2:
        return []
    if slips == 1:
        return list(dict.fromkeys(one for one in (*_common(word), *_any(word)) if one != word))
    if len(word) < TWO_SLIPS:
        return []
    far = (two for one in dict.fromkeys(_common(word)) for two in _common(one) if two != word)
    return list(dict.fromkeys(islice(far, MOST)))


def _common(word: str) -> Iterator[str]:
    """Yield the words that the commonest slips lead to, those with doubled and swapped letters first."""
    for at in range(len(word) - 1):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(len(word)):
        yield word[:at] + word[at] + word[at:]
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
    for at in range(len(word)):
        if word[at] in _VOWELS:
            yield from (word[:at] + vowel + word[at + 1 :] for vowel in "aeiou" if vowel != word[at])


def _any(word: str) -> Iterator[str]:
    letters = next((alphabet for alphabet in _ALPHABETS if word[0] in alphabet or word[-1] in alphabet), "")
    for at in range(len(word) + 1):
        for letter in letters:
            yield word[:at] + letter + word[at:]
            if at < len(word):
                yield word[:at] + letter + word[at + 1 :]


def cost(typed: str, meant: str) -> float:
    """Return how unlikely it is that ``meant`` was mistyped as ``typed``: a weighted edit distance.

    The optimal string alignment (Damerau 1964, each letter edited at most once), whose weights favour the commonest
    slips.
    """
    width = len(meant) + 1
    costs = [[0.0] * width for _ in range(len(typed) + 1)]
    for one in range(len(typed) + 1):
        for two in range(width):
            if one or two:
                costs[one][two] = min(_steps(costs, typed, meant, one, two))
    return costs[-1][-1] + (_FIRST if typed[:1] != meant[:1] else 0.0)


def _steps(costs: list[list[float]], typed: str, meant: str, one: int, two: int) -> Iterator[float]:
    if one:
        yield costs[one - 1][two] + _single(typed, one - 1)
    if two:
        yield costs[one][two - 1] + _single(meant, two - 1)
    if one and two:
        yield costs[one - 1][two - 1] + _replaced(typed[one - 1], meant[two - 1])
    if one > 1 and two > 1 and typed[one - 2 : one] == meant[two - 1] + meant[two - 2]:
        yield costs[one - 2][two - 2] + _SWAPPED


def _single(word: str, at: int) -> float:
    """Return the cost of a letter that only one of the words has."""
    return _DOUBLED if word[at] in (word[at - 1 : at] or "-", word[at + 1 : at + 2] or "-") else _MISSING


def _replaced(left: str, right: str) -> float:
    if left == right:
        return 0.0
    if left in _VOWELS and right in _VOWELS:
        return _VOWEL
    return _NEIGHBOUR if right in _KEYS.get(left, "") else _OTHER


def is_spelled(word: str) -> bool:
    """Say whether a folded word is a common one of English or a regular form of such.

    Where no chunk has it, it is far more often absent than mistyped.
    """
    return is_word(word) or any(map(is_word, _bases(word)))


def _bases(word: str) -> Iterator[str]:
    """Yield what a word may be a regular form of: of "making" and "running" "make" and "run"."""
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest in ("", word):
            continue
        yield rest
        if rest[-1] == "i":
            yield rest[:-1] + "y"
        if ending[0] in _VOWELS:
            yield rest + "e"
            if rest[-2:-1] == rest[-1]:
                yield rest[:-1]


class TypoSpeller:
    """Corrects words by the slips of a keyboard, with the terms of a word encoder; see Speller."""

    def __init__(self, encoder: WordEncoder) -> None:
        """``encoder`` is the one whose terms the store holds."""
        self._encoder = encoder
        self._stemmers = Stemmers()

    def words(self, namespace: str, query: str) -> tuple[Spelling, ...]:
        """See Speller."""
        words = self._encoder.encode_words(namespace, query)
        return tuple(one for one in words if SHORTEST <= len(one.word) <= LONGEST and not is_spelled(one.word))

    def variants(self, namespace: str, word: str, *, slips: int = 1) -> tuple[Spelling, ...]:
        """See Speller."""
        return self._encoder.encode_variants(namespace, variants(word, slips))

    def choose(self, word: str, variants: Sequence[Spelling], chunks: Mapping[int, int]) -> tuple[Spelling, ...]:
        """See Speller."""
        typed = fold(word)
        scores: dict[int, tuple[float, str, Spelling]] = {}
        for one in variants:
            if chunks.get(one.key, 0) < 1:
                continue
            away = cost(typed, one.word)
            if away <= _FAR.get(len(typed), math.inf):
                score = _WEIGHT * (away + self._doubt(one.word)) - math.log2(1 + chunks[one.key])
                scores[one.key] = min(scores.get(one.key, (math.inf, "", one)), (score, one.word, one), key=_rank)
        return tuple(one for _, _, one in sorted(scores.values(), key=_rank)[:CHOSEN])

    def _doubt(self, word: str) -> float:
        """Return a cost for what may be no word: "overment" shares its stem with "over", which occurs."""
        if is_spelled(word):
            return 0.0
        return _NO_WORD if len(word) - len(self._stemmers.stem(word)) < 3 else _NO_FORM


def _rank(score: tuple[float, str, Spelling]) -> tuple[float, str]:
    return score[:2]
