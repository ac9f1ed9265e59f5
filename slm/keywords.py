"""The words that a text is about: frequent in it, rare in English, told by its opening."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache

from .commonness import rarity
from .lexical_terms import STOP_WORDS, Stemmers

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")  # noqa: RUF001
_HUMP = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_ADDRESS = re.compile(r"(?:https?://|www\.|doi:)\S+", re.IGNORECASE)
_OPENING = 300
"""Characters in which what a text is about tends to be said outright; its words count twice."""
_MAX_LOOKED_AT = 4_000_000
_LONGEST = 40
_SHORT_RUN = 6
_MOSTLY = 0.6
"""The share of a word's occurrences inside of one compound ("DC-SIGNR") from which on the compound stands for it."""
# What papers, addresses and transcripts have in every line, and what no one asks for.
_APPARATUS = frozenset(
    """
    al com disfmarker doi et etc eg fig figs figure figures html http https ie net org pdf ref refs table tables
    vocalsound www ok okay yeah um uh hmm mm mmm mm-hmm oh huh uh-huh gonna wanna kinda dunno yep nope hello hi thanks
    don didn doesn isn wasn won ll ve re self none true false def str int bool
    """.split()  # noqa: SIM905 - a paragraph is read more easily than hundreds of quoted strings
)


# What fills speech whatever it is about.
SPOKEN = frozenset(
    """
    absolutely actually agree alright anyway anybody anything basically bit bye cause come coming course cool dear
    definitely different everybody everyone everything exactly fair far feel fine first get getting give go goes going
    good got great guess guy guys happen happy hear interesting kay keep kind know last let like little long look
    looking lot make makes maybe mean mention mentioned moment much need nice obviously one ones people perhaps
    personally point pretty probably put quite really right said say saying says second see seem sense sh sort sorry
    sorta start still stuff suppose supposed sure take talk talking tell terms thank thing things think thinking third
    thought three try trying two understand use used using view wait wanna want way week well whatever whether whole
    wonder wondering word work yes
    """.split()  # noqa: SIM905 - a paragraph is read more easily than hundreds of quoted strings
)


class Terms:
    """The stems of a text in stretches, how often each occurs, and how it is spelled there."""

    def __init__(self, stretches: Iterable[str], unheard: Collection[str] = ()) -> None:
        """Count the words of each stretch, but those in ``unheard`` (lower case).

        What lies behind four million characters is not looked at.
        """
        self._unheard = unheard
        self._stems: dict[str, tuple[str, ...]] = {}
        self._single: dict[str, str] = {}
        self._compound: dict[str, tuple[str, int]] = {}
        self._opening: frozenset[str] = frozenset()
        counted: list[Counter[str]] = []
        left = _MAX_LOOKED_AT
        for stretch in stretches:
            words = _words(stretch[: max(left, 0)])
            if not counted:
                self._opening = frozenset(stem for word in _words(stretch[:_OPENING]) for stem in self._of(word))
            left -= len(stretch)
            counted.append(words)
        everything: Counter[str] = Counter()
        for words in counted:
            everything.update(words)
        self.total: Mapping[str, int] = self._counts(everything)
        self.stretches: Sequence[Mapping[str, int]] = (
            [self.total] if len(counted) == 1 else [self._counts(words) for words in counted]
        )
        for word, count in everything.most_common():
            self._spell(word, count)
        self._shown = {stem: self._spelling(stem) for stem in self.total}
        self._units = {stem: self.worth(stem, 1) / math.sqrt(len(spelled) + 1) for stem, spelled in self._shown.items()}

    def stems(self, text: str) -> set[str]:
        """Return the stems of a text, in whatever form it has them."""
        return {stem for word in _words(text) for stem in self._of(word)}

    def worth(self, stem: str, count: int) -> float:
        """Return what a stem that occurs ``count`` times tells about the text."""
        return count * rarity(stem) * (2.0 if stem in self._opening else 1.0)

    def choose(self, counts: Mapping[str, int], room: int, covered: Collection[str]) -> list[tuple[int, str]]:
        """Return the best words that ``room`` characters hold with a space behind each, as (place, spelling).

        They come best first; ``place`` is where a word stands in ``counts``. Worth is weighed against the root of
        length, and no stem in ``covered`` is named again.
        """
        units = self._units
        scored = [
            (-count * units[stem], place, stem)
            for place, (stem, count) in enumerate(counts.items())
            if stem not in covered
        ]
        scored.sort()
        named: set[str] = set()
        chosen: list[tuple[int, str]] = []
        for _, place, stem in scored:
            spelled = self._shown[stem]
            if stem in named or len(spelled) + 1 > room or not spelled:
                continue
            room -= len(spelled) + 1
            named.update(self._of(spelled))
            chosen.append((place, spelled))
            if room < 3:
                break
        return chosen

    def _counts(self, words: Mapping[str, int]) -> dict[str, int]:
        counts: dict[str, int] = {}
        known = self._stems
        for word, count in words.items():
            for stem in known[word] if word in known else self._of(word):
                counts[stem] = counts.get(stem, 0) + count
        return counts

    def _of(self, word: str) -> tuple[str, ...]:
        """Return the stems of a word as written, none for one that says nothing."""
        known = self._stems.get(word)
        if known is None:
            known = () if word.lower() in self._unheard else _stems_of(word)
            self._stems[word] = known
        return known

    def _spell(self, word: str, count: int) -> None:
        stems = self._of(word)
        if not stems:
            return
        if word.isalnum() and len(stems) == 1 and not _CAMEL.search(word):
            self._single.setdefault(stems[0], word)
            return
        for stem in stems:
            self._compound.setdefault(stem, (word, count))
        for part in _parts(word):
            if _tells(part.lower()):
                self._single.setdefault(_stemmers().stem(part.lower()), part)

    def _spelling(self, stem: str) -> str:
        compound, count = self._compound.get(stem, ("", 0))
        if compound and count >= _MOSTLY * self.total[stem]:
            return compound
        return self._single.get(stem, "")


def list_keywords(texts: Iterable[str], limit: int) -> list[str]:
    """Return up to ``limit`` keywords in their usual spelling, best first."""
    terms = Terms(["\n".join(texts)])
    return [word for _, word in terms.choose(terms.total, limit * _LONGEST, ())][:limit]


@cache
def _stemmers() -> Stemmers:
    return Stemmers()


@lru_cache(maxsize=50_000)
def _stems_of(word: str) -> tuple[str, ...]:
    return tuple(_stemmers().stem(part.lower()) for part in _parts(word) if _tells(part.lower()))


def _words(text: str) -> Counter[str]:
    if "://" in text or "www." in text or "doi:" in text.lower():
        text = _ADDRESS.sub(" ", text)
    return Counter(_WORD.findall(text))


def _parts(word: str) -> list[str]:
    """Return a compound's parts, a camel-case name's humps, and pairs of a run of a script without spaces."""
    if len(word) > _LONGEST:
        return []
    if word.isascii() and word.isalnum():
        return _HUMP.findall(word) if _CAMEL.search(word) else [word]
    word = word.replace("\u2019", "'")
    if "'" in word:
        word, _, ending = word.partition("'")
        if ending.lower() not in ("s", "") and len(ending) <= 2:
            return []
    if _UNSPACED.search(word):
        return [word] if len(word) <= _SHORT_RUN else [word[at : at + 2] for at in range(len(word) - 1)]
    return [part for part in word.split("-") if part]


def _tells(lower: str) -> bool:
    if lower in STOP_WORDS or lower in _APPARATUS:
        return False
    if lower.isdigit():
        # Of figures alone, years are asked for; the others mean nothing without their sentence.
        return len(lower) == 4 and "1500" < lower < "2100"
    return len(lower) > 1 or _UNSPACED.match(lower) is not None
