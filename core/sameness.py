"""Telling whether two short texts say the same, could both be true beside each other, or differ in a fact.

Nothing here asks a model, and every doubt is a no: two texts that share most of their words and have others in the same
place differ in a fact, whatever the words are; so do two that each have a name or a number that the other has not. Only
what says nothing may differ: white space, case, punctuation, accents of typing, courtesies, articles, contractions,
British and American spelling, words for numbers up to twelve, where a part of the sentence stands, and a slip in a long
word that is no word otherwise.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

Sameness = Literal["same", "related", "different"]
"""``same``: neither says more. ``related``: nothing stands against both. ``different``: a fact may differ."""

MOST_WORDS = 400
"""Longer texts are compared with nothing."""
_OVERLAP = 0.5
"""Texts that share so much of the shorter one's words, and differ in some, say the same of other things or values."""
_SLIP_FROM = 6
"""A word of so many letters may have a slip."""

_TYPED = str.maketrans({"\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2212": "-", "\u00ad": None})
_WORD = re.compile(r"[-+.]?[$\u20ac\u00a3#]?\d[\w.,:/%\u00b0-]*|[^\W_]+(?:['.@_/+&-][^\W_]+)*[+#%]*|\?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_COURTESIES = (
    "by the way|just so you know|for your information|please note that|please note|note that|please remember that"
    "|please remember|remember that|keep in mind that|as a reminder|just a reminder|to be clear|as you know"
    "|as mentioned before|as mentioned|as i said before|as i said|again|fyi|btw|note|reminder|also|well|okay|ok"
    "|please|actually|basically|really|just|simply|thanks|thank you"
)
_BY_FIRST: dict[str, list[tuple[str, ...]]] = {}
for _courtesy in sorted((tuple(one.split()) for one in _COURTESIES.split("|")), key=len, reverse=True):
    _BY_FIRST.setdefault(_courtesy[0], []).append(_courtesy)
_SILENT = frozenset({"a", "an", "the", "that"})
_CONTRACTED = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "let's": "let us",
    "it's": "it is",
    "that's": "that is",
    "there's": "there is",
    "here's": "here is",
    "i'm": "i am",
}
_ENDINGS = (("n't", "not"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"))
_NUMBERED = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: str(value) for value, word in enumerate(_NUMBERED.split())}
_SPELLINGS = (("isation", "ization"), ("ising", "izing"), ("ised", "ized"), ("ise", "ize"), ("tre", "ter"))
_BRITISH = re.compile(r"(av|col|hon|ab|um|hb|vi|rb|ig)our")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says: its words that say something, folded, and which of them were written in lower case."""

    words: tuple[str, ...]
    plain: tuple[bool, ...]


def said(text: str) -> Said:
    """Return what a text says."""
    return _said(text)


@lru_cache(maxsize=4096)
def _said(text: str) -> Said:
    written = [
        word.rstrip(".,:/-") or word
        for word in _WORD.findall(unicodedata.normalize("NFKC", text.translate(_TYPED)))
        if word != "?" or "?" in text
    ]
    pairs = [(part, word.islower()) for word in written for part in _expanded(_THOUSANDS.sub("", word).casefold())]
    kept = _without_courtesies(pairs)
    return Said(tuple(word for word, _ in kept), tuple(plain for _, plain in kept))


def _expanded(word: str) -> list[str]:
    """Return the words that a written one stands for."""
    if word in _CONTRACTED:
        return _CONTRACTED[word].split()
    for ending, full in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            return [word.removesuffix(ending), full]
    if word in _NUMBERS:
        return [_NUMBERS[word]]
    if len(word) > 5:
        word = _BRITISH.sub(r"\1or", word)
        for british, american in _SPELLINGS:
            if word.endswith(british):
                return [word.removesuffix(british) + american]
    return [word]


def _without_courtesies(pairs: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    words = [word for word, _ in pairs]
    kept: list[tuple[str, bool]] = []
    place = 0
    while place < len(words):
        found = next(
            (one for one in _BY_FIRST.get(words[place], ()) if tuple(words[place : place + len(one)]) == one), None
        )
        if found is not None:
            place += len(found)
        else:
            if words[place] not in _SILENT:
                kept.append(pairs[place])
            place += 1
    # A text of nothing but courtesies says that.
    return kept or list(pairs)


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares texts; ``is_word`` says whether a folded word is one, so that slips are told from other words."""

    is_word: Callable[[str], bool]

    def compare(self, one: str, other: str) -> Sameness:
        """Say how two texts stand to each other."""
        return self.weigh(said(one), said(other))

    def weigh(self, one: Said, other: Said) -> Sameness:
        """Say how what two texts say stands to each other."""
        if not one.words or not other.words or max(len(one.words), len(other.words)) > MOST_WORDS:
            return "different"
        mended = self._mended(one, other)
        ours, theirs = Counter(mended), Counter(other.words)
        if _negations(ours) != _negations(theirs) or ours["?"] != theirs["?"]:
            return "different"
        left, right = ours - theirs, theirs - ours
        if not left and not right:
            return "same" if _is_turned(mended, other.words) else "different"
        if left and right:
            if _told(one, left) and _told(other, right):
                return "different"
            shared = (ours & theirs).total()
            alike = shared >= _OVERLAP * min(ours.total(), theirs.total())
            return "different" if alike and _replaced(mended, other.words) else "related"
        longer, shorter = (mended, other.words) if left else (other.words, mended)
        return "related" if _holds(longer, shorter) else "different"

    def _mended(self, one: Said, other: Said) -> tuple[str, ...]:
        """Return the words of one with those that are only slips of the other's words put right."""
        mine, theirs = set(one.words), set(other.words)
        loose = [word for word in other.words if word not in mine]
        plain = {word for word, lower in zip(other.words, other.plain, strict=True) if lower}
        mended: list[str] = []
        for word, lower in zip(one.words, one.plain, strict=True):
            if lower and word not in theirs and len(word) >= _SLIP_FROM and word.isalpha():
                meant = next((it for it in loose if it in plain and self._is_slip(word, it)), None)
                word = word if meant is None else meant
            mended.append(word)
        return tuple(mended)

    def _is_slip(self, word: str, other: str) -> bool:
        if len(other) < _SLIP_FROM or not other.isalpha() or self.is_word(word) == self.is_word(other):
            return False
        return _one_slip(word, other)


def _negations(words: Counter[str]) -> int:
    return sum(words[word] for word in _NEGATING)


_NEGATIVE = "not no never none nobody nothing neither nor without hardly barely unless except nowhere"
_NEGATING = tuple(_NEGATIVE.split())


def _told(text: Said, words: Counter[str]) -> bool:
    """Say whether one of a text's words is a number, or written as a name where no sentence begins."""
    pairs = list(zip(text.words, text.plain, strict=True))
    return any(
        word in words and (any(sign.isdigit() for sign in word) or (place > 0 and not plain))
        for place, (word, plain) in enumerate(pairs)
    )


def _replaced(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether some words stand in the place of others."""
    return any(step == "replace" for step, *_ in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes())


def _is_turned(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether the words have one order, but for a part that stands at the other end."""
    if len(ours) != len(theirs):
        return False
    doubled = (*theirs, *theirs)
    return any(doubled[at : at + len(ours)] == tuple(ours) for at in range(len(theirs)))


def _holds(longer: Sequence[str], shorter: Sequence[str]) -> bool:
    """Say whether the longer text has the shorter one's words in a row."""
    size = len(shorter)
    return any(tuple(longer[at : at + size]) == tuple(shorter) for at in range(len(longer) - size + 1))


def _one_slip(one: str, other: str) -> bool:
    """Say whether a letter was left out, added, changed or exchanged with the next; the first one never is."""
    if one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if len(one) == len(other):
        if one[start + 1 :] == other[start + 1 :]:
            return True
        return one[start : start + 2] == other[start : start + 2][::-1] and one[start + 2 :] == other[start + 2 :]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[start + 1 :] == shorter[start:]
