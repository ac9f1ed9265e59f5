"""Prose by its headings: Markdown, underlined (setext, reStructuredText), numbered and manual-page style."""

import re
from collections.abc import Iterator

from .packing import Block, Path

_HEADING = re.compile(
    r"""
    ^(?:
    \ {0,3}(?P<marks>\#{1,6})[ \t]+(?P<marked>\S[^\n]{0,200}+)$
    |(?P<underlined>\S[^\n]{0,150}+)\n(?P<line>={3,}+|-{3,}+|~{3,}+|\^{3,}+|\*{3,}+|\+{3,}+)[ \t\r]*+$
    |(?:(?<=\n\n)|(?<=\n\r\n)|\A)(?P<numbers>\d{1,3}(?:\.\d{1,3}){0,5}+)\.?[ \t]+
        (?P<numbered>[A-Z][^\n.!?;]{2,90}+)$(?=\r?\n\r?\n)
    |(?P<capitals>[A-Z][A-Z0-9][A-Z0-9 ,/&()'’-]{1,60}+)\r?$(?=\n[ \t\r]*+[^\s=\-~^*+])
    )
    """,  # noqa: RUF001 - both apostrophes
    re.MULTILINE | re.VERBOSE,
)
_FENCE = re.compile(r"^ {0,3}(?P<fence>```+|~~~+)[^\n]*+$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\r?\n.{0,5000}?\n---[ \t\r]*$", re.DOTALL | re.MULTILINE)
_UNDERLINES = "=-~^*+"


def find_sections(text: str) -> Iterator[Block]:
    """Yield the sections in order, each from its heading to the next, with the headings that lead to it."""
    start, path, levels = 0, Path(), list[tuple[int, str]]()
    for place, level, title in _headings(text):
        if place > start:
            yield Block(start, place, path)
        while levels and levels[-1][0] >= level:
            levels.pop()
        levels.append((level, title))
        start, path = place, tuple(name for _, name in levels)
    yield Block(start, len(text), path)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    verbatim = _verbatim(text)
    closed, skipped = verbatim[0] if verbatim else (len(text), 0), 0
    for match in _HEADING.finditer(text):
        while closed[1] <= match.start() and skipped + 1 < len(verbatim):
            skipped += 1
            closed = verbatim[skipped]
        if closed[0] <= match.start() < closed[1]:
            continue
        if (found := _heading(match)) is not None:
            yield match.start(), *found


def _heading(match: re.Match[str]) -> tuple[int, str] | None:
    if match["marks"]:
        return len(match["marks"]), match["marked"].rstrip(" \t\r#") or match["marked"].strip()
    if match["underlined"]:
        title = match["underlined"].strip()
        # A rule of dashes under a line of text, or under a table's row, is no heading.
        if "|" in title or len(match["line"]) * 2 < len(title) or title[0] in "-=~*+>":
            return None
        return 1 + _UNDERLINES.index(match["line"][0]), title
    if match["numbers"]:
        return 1 + match["numbers"].count("."), f"{match['numbers']} {match['numbered'].strip()}"
    return 1, match["capitals"].strip()


def _verbatim(text: str) -> list[tuple[int, int]]:
    """Return the ranges of front matter and fenced code, where a leading # is no heading."""
    front = _FRONT_MATTER.match(text)
    ranges = [(0, front.end())] if front else []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence["fence"].startswith(opened["fence"]):
            ranges.append((opened.start(), fence.end()))
            opened = None
    return ranges
