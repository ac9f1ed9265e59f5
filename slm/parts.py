"""A digest in parts: what a shorter text may hold, and which of it comes first when there is little room."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# What PostgreSQL refuses (NUL), what UTF-8 cannot carry (lone surrogates), and what a terminal would obey.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]+")
_LINE_END = re.compile("\r\n?|\x85|\u2028|\u2029")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a digest.

    Parts of the same ``line`` stand on one line in the order given, after ``head``, with ``glue`` between them.
    The lowest ``rank`` is taken first. ``replaces`` says that the part stands instead of the one before it.
    """

    line: int
    text: str
    rank: float
    head: str = ""
    glue: str = " "
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """What a text comes down to: parts for the two longer renditions and a single line."""

    summary: Sequence[Part]
    brief: Sequence[Part]
    hint: str


def plain(text: str) -> str:
    """Return the text with line feeds as its only control characters, tabs apart."""
    if "\r" in text or not text.isascii():
        text = _LINE_END.sub("\n", text)
    return _UNPRINTABLE.sub(" ", text)


def clip(text: str, characters: int) -> str:
    """Return the text's beginning, cut at a word with an ellipsis when it is longer than ``characters``."""
    if len(text) <= characters:
        return text
    if characters < 2:
        return ""
    kept = text[: characters - 1]
    border = kept.rfind(" ")
    return (kept[:border] if border > characters // 2 else kept).rstrip(" ,;:") + "…"


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


_MAX_MISSES = 400


def fit(parts: Sequence[Part], characters: int) -> str:
    """Return the best parts that ``characters`` have room for, written in the order of the digest."""
    chosen = within(parts, characters)
    if not chosen and parts:
        return clip(min(parts, key=lambda part: part.rank).text, characters)
    return written(chosen)


def within(parts: Sequence[Part], characters: int) -> list[Part]:
    """Return the best parts that ``characters`` have room for, in the order of the digest."""
    chosen: set[int] = set()
    lines: set[int] = set()
    left, misses = characters, 0
    for index in sorted(range(len(parts)), key=lambda index: parts[index].rank):
        part = parts[index]
        if part.replaces and index - 1 not in chosen:
            continue
        cost = len(part.text) + (len(part.glue) if part.line in lines else len(part.head) + 1)
        cost -= len(parts[index - 1].text) if part.replaces else 0
        if cost > left:
            misses += 1
            if misses > _MAX_MISSES:
                break
            continue
        left -= cost
        chosen.add(index)
        lines.add(part.line)
    return [parts[index] for index in sorted(chosen)]


def written(parts: Sequence[Part]) -> str:
    """Return the parts as text, those of one line behind each other."""
    lines: list[list[str]] = []
    line: int | None = None
    for part in parts:
        if part.line != line:
            lines.append([part.head, part.text])
            line = part.line
        elif part.replaces:
            lines[-1][-1] = part.text
        else:
            lines[-1] += [part.glue, part.text]
    return "\n".join("".join(pieces) for pieces in lines)
