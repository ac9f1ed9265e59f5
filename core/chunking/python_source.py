"""Python source by its syntax tree."""

import ast
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import cast

from .definitions import Definition
from .patterns import comment_head

# The tree of a megabyte takes about half a second and 100 MB.
_MAX_CHARACTERS = 1_000_000
_LINE_END = re.compile(r"\r\n?|\n")
_parsing = threading.Lock()

_Defining = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def parse(text: str) -> ast.Module | None:
    """Return the syntax tree, None when the text is no Python of this interpreter's version or too long."""
    if len(text) > _MAX_CHARACTERS:
        return None
    # The filters of warnings belong to the whole process: one thread at a time may set them aside.
    with _parsing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def python_definitions(text: str) -> tuple[Definition, ...] | None:
    """Return the outermost definitions, None when the text does not parse."""
    tree = parse(text)
    if tree is None:
        return None
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    return tuple(_Reader(text, starts).definitions(tree.body))


class _Reader:
    """Turns nodes of one text into definitions."""

    def __init__(self, text: str, starts: list[int]) -> None:
        self._text = text
        self._starts = starts
        self._done = 0

    def definitions(self, body: Sequence[ast.stmt]) -> Iterator[Definition]:
        """Yield the definitions of a body, those under ``if``, ``try`` and ``with`` too."""
        for node in body:
            if isinstance(node, _Defining):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                start = self._leading(first)
                # Statements that share a line share its span: the first of them has it.
                if start >= self._done:
                    yield self._definition(node, start)
                continue
            for _, inner in ast.iter_fields(node):
                parts = cast(list[object], inner) if isinstance(inner, list) else []
                yield from self.definitions([part for part in parts if isinstance(part, ast.stmt)])
                for part in parts:
                    if isinstance(part, ast.ExceptHandler | ast.match_case):
                        yield from self.definitions(part.body)

    def _definition(self, node: _Defining, start: int) -> Definition:
        last = node.end_lineno or node.lineno
        self._done = self._line_start(node.lineno) if node.lineno < node.body[0].lineno else self._line_start(last + 1)
        children = tuple(self.definitions(node.body))
        self._done = end = self._line_start(last + 1)
        keyword = "class" if isinstance(node, ast.ClassDef) else "def"
        doc = (ast.get_docstring(node, clean=False) or "").strip().split("\n", 1)[0].strip()
        return Definition(
            label=f"{keyword} {node.name}",
            name=node.name,
            signature=signature(node),
            doc=doc or comment_head(self._text[start : self._line_start(node.lineno)]),
            start=start,
            end=end,
            first_line=node.lineno,
            last_line=last,
            children=children,
        )

    def _line_start(self, number: int) -> int:
        return self._starts[number - 1] if number <= len(self._starts) else len(self._text)

    def _leading(self, number: int) -> int:
        while number > 1 and self._text[self._line_start(number - 1) : self._line_start(number)].lstrip().startswith(
            "#"
        ):
            number -= 1
        return max(self._line_start(number), 0)


def signature(node: _Defining) -> str:
    """Return the defining line: names, annotations and bases, no body; at most 240 characters."""
    if isinstance(node, ast.ClassDef):
        bases = [*map(_source, node.bases), *(f"{word.arg}={_source(word.value)}" for word in node.keywords)]
        line = f"class {node.name}({', '.join(bases)})" if bases else f"class {node.name}"
    else:
        prefix = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {_source(node.returns)}" if node.returns else ""
        line = f"{prefix} {node.name}({_source(node.args)}){returns}"
    return line[:240]


def _source(node: ast.AST) -> str:
    try:
        return " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        return "…"
