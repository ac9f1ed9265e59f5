"""What a source file defines: Python by its syntax tree, other languages by line patterns and indentation."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import PurePath

from .definitions import Definition
from .patterns import DEFINITION, NOT_NAMES, Line, comment_head, list_lines
from .python_source import python_definitions

_PYTHON_ENDINGS = frozenset({"", ".py", ".pyi", ".pyw", ".txt", ".md"})
_PYTHON_WORDS = re.compile(r"^(?:async def|def|class|import|from|@\w)", re.MULTILINE)
_MAX_LINES = 500_000
_MAX_DEFINITIONS = 50_000


def find_definitions(text: str, title: str | None) -> tuple[Definition, ...]:
    """Return the outermost definitions in order; none for texts too large to be source."""
    ending = PurePath(title).suffix.casefold() if title else ""
    if ending in _PYTHON_ENDINGS and _PYTHON_WORDS.search(text):
        found = python_definitions(text)
        if found is not None:
            return found
    return _by_pattern(text)


@dataclass(slots=True)
class _Open:
    """A definition whose end is not known yet."""

    match: re.Match[str]
    line: int
    indent: int
    start: int
    last: int
    children: list[Definition]


def _by_pattern(text: str) -> tuple[Definition, ...]:
    if text.count("\n") > _MAX_LINES:
        return ()
    lines = list_lines(text)
    starts = [line.start for line in lines]
    heads: dict[int, re.Match[str]] = {}
    for match in DEFINITION.finditer(text):
        if _name(match) not in NOT_NAMES and len(heads) < _MAX_DEFINITIONS:
            heads.setdefault(bisect_right(starts, match.start()) - 1, match)
    outermost: list[Definition] = []
    stack: list[_Open] = []
    for index, line in enumerate(lines):
        if line.first in "#" and index not in heads:
            # Preprocessor lines and comments stand at the margin without ending anything.
            continue
        while stack and line.indent <= stack[-1].indent and not (line.closes and line.indent == stack[-1].indent):
            _close(stack, outermost, text, lines)
        if index in heads:
            stack.append(_Open(heads[index], index, line.indent, _leading(lines, index, text), index, []))
        for opened in stack:
            opened.last = index
    while stack:
        _close(stack, outermost, text, lines)
    return tuple(outermost)


def _leading(lines: list[Line], index: int, text: str) -> int:
    """Return where the comments and attributes directly above a line begin."""
    while index > 0 and lines[index - 1].number == lines[index].number - 1 and lines[index - 1].annotates(text):
        index -= 1
    return lines[index].start


def _close(stack: list[_Open], outermost: list[Definition], text: str, lines: list[Line]) -> None:
    opened = stack.pop()
    match, last = opened.match, lines[opened.last]
    end = text.find("\n", last.start)
    above = text[opened.start : lines[opened.line].start]
    definition = Definition(
        label=_label(match),
        name=_name(match),
        signature=" ".join(match.group().rstrip("{: \t\r\n").split())[:240],
        doc=comment_head(above),
        start=opened.start,
        end=len(text) if end < 0 else end + 1,
        first_line=lines[opened.line].number,
        last_line=last.number,
        children=tuple(opened.children),
    )
    (stack[-1].children if stack else outermost).append(definition)


def _name(match: re.Match[str]) -> str:
    return (match["name"] or match["value"] or match["function"] or match["section"] or "").strip()


def _label(match: re.Match[str]) -> str:
    if match["word"]:
        return f"{' '.join(match['word'].split()).rstrip('*')} {_name(match)}"
    if match["section"]:
        return _name(match)
    return f"function {_name(match)}"
