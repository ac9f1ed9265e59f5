"""A long text as stretches: of each, its best sentences and the words that those do not say."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from .keywords import Terms
from .parts import Part
from .salience import Sentence

_STRETCH = 760
"""Characters of a summary about one stretch: of rare words, about the 256 tokens that an embedding model reads."""
_SPARE = 1.12
"""Parts are offered for a little more than the room, so that a rendition comes close to it."""
_IDLE = 60
"""Characters that words may leave over before sentences take them."""
_MAX_SENTENCES = 50_000
_LINES = 100_000
"""Lines of one stretch at most, its words on the last of them."""
LAST_LINE = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Room:
    """How many characters the renditions may have."""

    summary: int
    brief: int


def thinned(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return at most 50,000 sentences: of neighbours, the longest, which bounds the work on any text."""
    step = -(-len(sentences) // _MAX_SENTENCES)
    if step <= 1:
        return sentences
    groups = (sentences[place : place + step] for place in range(0, len(sentences), step))
    return [max(group, key=lambda sentence: len(sentence.text)) for group in groups]


class Composer:
    """Fills a room with a text's sentences and with cards of its words."""

    def __init__(
        self, sentences: Sequence[Sentence], ranks: dict[int, float], room: Room, unheard: Collection[str] = ()
    ) -> None:
        """Cut the text into stretches of equal length, as many as the summary has passages.

        No card has the words in ``unheard``.
        """
        self._sentences = sentences
        self._ranks = ranks
        total = self._length = sum(len(sentence.text) for sentence in sentences)
        wanted = max(1, round(room.summary / _STRETCH))
        self._stretches: list[range] = []
        first = passed = 0
        for index, sentence in enumerate(sentences):
            passed += len(sentence.text)
            if passed * wanted >= total * (len(self._stretches) + 1) or index == len(sentences) - 1:
                self._stretches.append(range(first, index + 1))
                first = index + 1
        self.terms = Terms(
            ("\n".join(sentences[index].text for index in stretch) for stretch in self._stretches), unheard
        )

    def stretches(self, room: int, share: float, told: Sequence[int]) -> list[Part]:
        """Return parts for ``room`` characters: of each stretch its best sentences, then its words.

        ``share`` of the room is for the sentences; those in ``told`` are left out, and their words are not repeated.
        """
        parts: list[Part] = []
        for number, stretch in enumerate(self._stretches):
            quota = self._quota(stretch, room)
            chosen = self._best(stretch, int(quota * share), told)
            said = "\n".join(self._sentences[index].text for index in (*chosen, *told) if index in stretch)
            parts += self._lines(chosen, number)
            quota -= sum(len(self._sentences[index].text) + 1 for index in chosen)
            words = self._words(number, quota, said)
            parts += words
            # A text of few distinct words has more to say in sentences.
            left = quota - sum(len(word.text) + 1 for word in words)
            if left > _IDLE:
                parts += self._more(self._best(stretch, left, [*told, *chosen]), number)
        return parts

    def told_stretches(self, room: int, told: Mapping[int, str]) -> list[Part]:
        """Return parts for ``room`` characters: of each stretch the sentences of ``told``, then its words.

        ``told`` has what to write before each of these sentences, by index.
        """
        room -= sum(len(self._sentences[index].text) + len(head) + 1 for index, head in told.items())
        parts: list[Part] = []
        for number, stretch in enumerate(self._stretches):
            chosen = sorted(index for index in told if index in stretch)
            first = number * _LINES
            parts += [Part(first + place, self._sentences[at].text, -1.0, told[at]) for place, at in enumerate(chosen)]
            said = "\n".join(told[index] + self._sentences[index].text for index in chosen)
            words = self._words(number, self._quota(stretch, room), said)
            parts += words
            left = self._quota(stretch, room) - sum(len(word.text) + 1 for word in words)
            if left > _IDLE:
                parts += self._more(self._next(stretch, left, told), number)
        return parts

    def _more(self, chosen: Sequence[int], number: int) -> list[Part]:
        """Return sentences for room that words left over, taken only when all else has been."""
        line = number * _LINES + _LINES // 2
        return [
            Part(line + place, self._sentences[at].text, 2.0 + place / _LINES, _head(self._sentences[at].label))
            for place, at in enumerate(chosen)
        ]

    def _next(self, stretch: range, room: int, told: Collection[int]) -> list[int]:
        """Return a stretch's first sentences that ``room`` holds."""
        chosen: list[int] = []
        for index in stretch:
            length = len(self._sentences[index].text) + len(self._sentences[index].label) + 3
            if index not in told and length <= room:
                room -= length
                chosen.append(index)
        return chosen

    def _quota(self, stretch: range, room: int) -> int:
        length = sum(len(self._sentences[index].text) for index in stretch)
        return int(room * _SPARE * length / max(self._length, 1))

    def _words(self, number: int, room: int, said: str) -> list[Part]:
        words = self.terms.choose(self.terms.stretches[number], room, self.terms.stems(said))
        ranks = {place: order / len(words) for order, (place, _) in enumerate(words)}
        line = (number + 1) * _LINES - 1
        return [Part(line, word, ranks[place], "Also: ") for place, word in sorted(words)]

    def card(self, room: int, told: str) -> list[Part]:
        """Return the words of the whole text that ``room`` characters hold and ``told`` does not say.

        Where they do not fill it, sentences do.
        """
        words = self.terms.choose(self.terms.total, int(room * _SPARE), self.terms.stems(told))
        parts = [Part(LAST_LINE, word, order / 1_000, "Keywords: ") for order, (_, word) in enumerate(words)]
        left = room - sum(len(word) + 1 for _, word in words)
        if left <= _IDLE:
            return parts
        everything = range(len(self._sentences))
        more = self._best(everything, left, ()) if self._ranks else self._next(everything, left, ())
        return parts + self._more([index for index in more if self._sentences[index].text not in told], 0)

    def _best(self, stretch: range, room: int, told: Sequence[int]) -> list[int]:
        chosen: list[int] = []
        ranked = (index for index in stretch if index in self._ranks and index not in told)
        for index in sorted(ranked, key=lambda index: (self._ranks[index], index)):
            length = len(self._sentences[index].text) + 1
            if length <= room:
                room -= length
                chosen.append(index)
        return sorted(chosen)

    def _lines(self, chosen: Sequence[int], number: int) -> Iterator[Part]:
        """Yield the sentences in their order, those under one label on one line behind it."""
        line = number * _LINES

        def place_of(index: int) -> tuple[int, str]:
            label = self._sentences[index].label
            return self._sentences[index].section if label else -1, label

        for (_, label), indices in groupby(chosen, key=place_of):
            for index in indices:
                line += 1 if not label else 0
                yield Part(line, self._sentences[index].text, self._ranks[index], _head(label))
            line += 1


def _head(label: str) -> str:
    return f"{label}: " if label else ""
