"""JSON, tables and logs: by top-level entry, row and line."""

import re
from collections.abc import Iterator

from .packing import MAX_CONTEXT, Block, Pack, Path, joined

_OPENING_KEY = re.compile(r'^(?P<indent>[ \t]{0,80}+)"(?P<key>[^"\n]{1,80}+)"[ \t]*:[ \t]*[\[{][ \t\r]*$', re.MULTILINE)
_INDENT = re.compile(r"[ \t]*+")
_MARKDOWN_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-{2,}")


def rows_block(text: str) -> Iterator[Block]:
    """Yield the whole text as one block: where it is cut is decided by lines alone."""
    yield Block(0, len(text))


def header_row(text: str) -> str:
    """Return a table's header, at most 120 characters; empty when the first row looks like values."""
    line = text.lstrip().split("\n", 1)[0].strip()[: MAX_CONTEXT * 4]
    cells = [cell.strip(" \"'") for cell in re.split(r"[,;\t|]", line)]
    if sum(any(letter.isalpha() for letter in cell) for cell in cells) * 2 < len([cell for cell in cells if cell]):
        return ""
    return joined([(", ".join(cell for cell in cells if cell),)]) if len(line) <= 60 else _clip(line)


def _clip(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= MAX_CONTEXT else line[: MAX_CONTEXT - 1].rstrip() + "…"


def with_keys(text: str, packs: Iterator[Pack]) -> Iterator[Pack]:
    """Name each span of indented JSON by the keys that enclose its start."""
    openings = _OPENING_KEY.finditer(text)
    upcoming = next(openings, None)
    stack: list[tuple[int, str]] = []
    for piece in packs:
        while upcoming is not None and upcoming.end() <= piece.start:
            _enter(stack, len(upcoming["indent"]), upcoming["key"])
            upcoming = next(openings, None)
        line = text.rfind("\n", max(0, piece.start - 200), piece.start) + 1
        indent = piece.start - line if line else 0
        path: Path = tuple(key for depth, key in stack if depth < indent)
        yield Pack(piece.start, piece.end, [path])


def _enter(stack: list[tuple[int, str]], indent: int, key: str) -> None:
    while stack and stack[-1][0] >= indent:
        stack.pop()
    stack.append((indent, key))
