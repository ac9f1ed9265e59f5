"""Running text to sentences, wrapped lines joined."""

import re
from collections.abc import Iterator

_PARAGRAPH = re.compile(r"\n[ \t]*+\n\s*+|\n(?=[ \t]*+(?:[-*+•]|\d{1,3}[.)])[ \t])|\n(?=[|>])|\n(?=[ \t]*+```)")
# The ideographic full stop needs no space behind it.
_BORDER = re.compile(r"(?<=[.!?…])[\"”’)\]*_]*\s+(?=[^\sa-z])|(?<=[。！？])[”」』）]*")  # noqa: RUF001
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|al|etc|Dr|Mr|Mrs|Ms|Prof|Fig|Figs|Eq|Sec|No|St|Inc|Ltd|Jr|Sr|Gen|Rep|Sen|approx|resp)"
    r"|(?:^|\s)[A-Z])\.\Z"
)
_HYPHENATED = re.compile("[\u2010\u00ad]\n[ \t]*+")
_PIECE = re.compile(r"\S.{0,299}(?:\s|\Z)|\S.{0,299}", re.DOTALL)
_MARKS = re.compile(r"^(?:[-*+•>|]+[ \t]+|#{1,6}[ \t]+|\d{1,3}[.)][ \t]+)+|^```\w*")
MAX_SENTENCE = 400
_SHORT = 24
"""Shorter ones ("Yes. I see.") say nothing alone: they go with what follows in their paragraph."""


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences in order, each on one line and at most 400 characters long; longer ones come in pieces,
    very short ones together."""
    for paragraph in _PARAGRAPH.split(_HYPHENATED.sub("", text)):
        held = ""
        for piece in _BORDER.split(paragraph):
            sentence = f"{held} {piece}" if held else piece
            if len(sentence) < (_SHORT if sentence.isascii() else _SHORT // 3) or (
                len(sentence) < MAX_SENTENCE and _ABBREVIATED.search(sentence[-12:])
            ):
                held = sentence
                continue
            held = ""
            yield from _cleaned(sentence)
        yield from _cleaned(held)


def _cleaned(raw: str) -> Iterator[str]:
    pieces = [raw] if len(raw) <= MAX_SENTENCE else _PIECE.findall(raw)
    for piece in pieces:
        sentence = _MARKS.sub("", " ".join(piece.split()))
        if sentence and any(letter.isalnum() for letter in sentence):
            yield sentence
