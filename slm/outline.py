"""Digests of source code: an outline of what it defines, with line ranges."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath

from ..core.chunking.definitions import Definition
from ..core.chunking.patterns import comment_head
from ..core.chunking.python_source import python_definitions
from ..core.chunking.source import find_definitions
from .compose import LAST_LINE, Room
from .keywords import Terms
from .outline_grammar import grammar_definitions
from .parts import Digest, Part, clip, one_line, within, written

_COMMENT_LINES = re.compile(r"(?:[ \t]*#[^\n]*\n|\s)*")
_PYTHON = frozenset({".py", ".pyi", ".pyw"})
_HEAD = 20_000
_PYTHON_DOC = re.compile(r"[rRuU]?(?:\"\"\"|''')(?P<doc>.{1,400}?)(?:\"\"\"|'''|\n[ \t]*+\n|\Z)", re.DOTALL)
_IMPORT = re.compile(
    r"^(?:import|use|using|require|#include|const \w+ = require)\b[ (\"'<]*+"
    r"(?P<module>[\w./:@-]{1,80}+)(?=[ ,;)>\"'\n])"
    r"|^from[ ](?P<source>[\w.]{1,80}+)[ ]import\b",
    re.MULTILINE,
)
_COMMENT_MARKS = ("#", "//", "/*", "*", "--", ";", "<!--")
_LEGAL = re.compile(r"copyright|licen[sc]e|SPDX|rights reserved|-\*-|^author|^written by", re.IGNORECASE)
_MAX_ENTRIES = 20_000
_OUTLINE = 0.92
_BRIEF_OUTLINE = 0.8
"""The parts of a summary and of a brief that the outline takes; the rest are words of the source."""


def digest_code(text: str, title: str | None, room: Room) -> Digest:
    """Return an outline: public names first, then private ones, signatures, and the head of what documents them."""
    definitions = _definitions(text, title)
    purpose = _purpose(text, definitions)
    terms = Terms([text])
    if not definitions:
        return _digest_lines(text, purpose, terms)
    entries = list(islice(_flat(definitions, 0), _MAX_ENTRIES))
    opening = [Part(-2, clip(purpose, 200), 0.0)] if purpose else []
    found = islice(_IMPORT.finditer(text), 60)
    modules = list(dict.fromkeys((match["module"] or match["source"]).rstrip(";") for match in found))
    imports = [Part(-1, module, 4.5 + place / 100, "imports ", ", ") for place, module in enumerate(modules)]
    compact = [*opening, *_compact(definitions, ranges=True)]
    names = sum(len(part.text) + 2 for part in compact)
    tree = [*opening, *imports, *_tree(entries)]
    # An outline that has no room for all names lists them instead of describing some.
    outline = compact if names > room.summary * _OUTLINE else tree
    summary = _with_words(outline, terms, room.summary, _OUTLINE)
    brief = _with_words([*opening, *_compact(definitions, ranges=False)], terms, room.brief, _BRIEF_OUTLINE)
    return Digest(summary, brief, _hint(purpose, definitions, len(entries)))


def _definitions(text: str, title: str | None) -> Sequence[Definition]:
    """Return what is defined: Python by its syntax tree, else by a grammar, else by patterns of lines.

    Sound Python reads the same whether grammars are installed or not. Of broken Python a grammar may lose the end.
    """
    ending = PurePath(title).suffix.casefold() if title else ""
    if ending in _PYTHON and (sound := python_definitions(text)) is not None:
        return sound
    by_grammar = grammar_definitions(text, title)
    if by_grammar and ending not in _PYTHON:
        return by_grammar
    by_pattern = find_definitions(text, title)
    return by_grammar if by_grammar and _count(by_grammar) >= _count(by_pattern) else by_pattern


def _count(definitions: Sequence[Definition]) -> int:
    return sum(1 for _ in islice(_flat(definitions, 0), _MAX_ENTRIES))


def _with_words(outline: Sequence[Part], terms: Terms, room: int, share: float) -> list[Part]:
    """Return the outline in its share of the room, and the words that it does not say."""
    chosen = within(outline, int(room * share))
    told = written(chosen)
    words = terms.choose(terms.total, int((room - len(told)) * 1.1), terms.stems(told))
    card = [Part(LAST_LINE, word, 2.0 + place / 100, "Words: ") for place, (_, word) in enumerate(words)]
    return [*chosen, *card]


def _flat(definitions: Sequence[Definition], depth: int) -> Iterator[tuple[int, Definition]]:
    for definition in definitions:
        yield depth, definition
        yield from _flat(definition.children, depth + 1)


def _lines(definition: Definition) -> str:
    if definition.first_line == definition.last_line:
        return f"L{definition.first_line}"
    return f"L{definition.first_line}-{definition.last_line}"


def _later(definition: Definition) -> float:
    """Return how far private names, and the protocol methods that every class has, stand back."""
    if definition.name.startswith("__") and definition.name != "__init__":
        return 0.8
    return 0.0 if definition.is_public else 1.0


def _tree(entries: Sequence[tuple[int, Definition]]) -> list[Part]:
    parts: list[Part] = []
    for line, (depth, definition) in enumerate(entries):
        later = _later(definition)
        indent = "  " * min(depth, 6)
        parts.append(Part(line, definition.label, 1 + later + min(depth, 9) / 10, f"{indent}{_lines(definition)} "))
        if definition.signature not in ("", definition.label):
            parts.append(Part(line, clip(definition.signature, 160), 3 + later, "", " ", replaces=True))
        if definition.doc:
            parts.append(Part(line, clip(one_line(definition.doc), 120), 3.5 + later, "", "  # "))
    return parts


def _compact(definitions: Sequence[Definition], *, ranges: bool) -> list[Part]:
    """Return a line a container with its members' names, then one with the functions and what they hold."""
    parts: list[Part] = []
    functions = [definition for definition in definitions if not definition.is_container]
    line = 0
    for definition in definitions[:_MAX_ENTRIES]:
        if definition.is_container:
            line += 1
            later = _later(definition)
            parts.append(
                Part(line, f"{definition.label} {_lines(definition)}" if ranges else definition.label, 1 + later)
            )
            parts += _names(definition.children, line, 1.5 + later, "", ": ")
    keyword = functions[0].label.split(" ", 1)[0] if functions else ""
    return [*parts, *_names(functions, line + 1, 1.2, f"{keyword} ", ", ")]


def _names(definitions: Sequence[Definition], line: int, rank: float, head: str, glue: str) -> list[Part]:
    """Return each name once, outer and public ones first; ``glue`` stands before the first."""
    parts: dict[str, Part] = {}
    for place, (depth, member) in enumerate(islice(_flat(definitions, 0), _MAX_ENTRIES)):
        own = rank + _later(member) + min(place, 999) / 10_000 + min(depth, 9) / 3
        parts.setdefault(member.name, Part(line, member.name, own, head, ", " if parts else glue))
    return list(parts.values())


def _purpose(text: str, definitions: Sequence[Definition]) -> str:
    """Return the first line of what documents the whole file."""
    head = text[:_HEAD]
    if (found := _PYTHON_DOC.match(head, _after_comments(head))) is not None:
        return one_line(found["doc"]).split(". ", 1)[0]
    opening = head[: min(definitions[0].start, 3000)] if definitions else head[:3000]
    comments = (comment_head(line) for line in opening.split("\n")[:40] if line.lstrip().startswith(_COMMENT_MARKS))
    return next((line for line in comments if len(line) > 8 and not _LEGAL.search(line)), "")


def _after_comments(head: str) -> int:
    found = _COMMENT_LINES.match(head)
    return found.end() if found else 0


def _digest_lines(text: str, purpose: str, terms: Terms) -> Digest:
    """Return the least indented lines of a source that defines nothing: scripts, queries, configuration."""
    lines = [line.rstrip() for line in islice(text.split("\n"), _MAX_ENTRIES) if line.strip()]
    parts = [Part(-1, purpose, 0.0)] if purpose else []
    for place, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        parts.append(Part(place, clip(line, 160), 1 + min(depth, 40) + place / len(lines)))
    words = [word for _, word in terms.choose(terms.total, 400, ())]
    keywords = [Part(-1, word, 0.5 + place / 100, "Words: ") for place, word in enumerate(words)]
    brief = [Part(-2, clip(purpose, 160), 0.0)] if purpose else []
    first = one_line(lines[0]) if lines else ""
    hint = " · ".join(piece for piece in (clip(purpose or first, 70), " ".join(words[:10])) if piece)
    return Digest(parts, [*brief, *keywords, *parts[len(brief) :]], hint)


def _hint(purpose: str, definitions: Sequence[Definition], count: int) -> str:
    ordered = sorted(definitions, key=lambda definition: (not definition.is_public, not definition.is_container))
    names = ", ".join(definition.name for definition in ordered[:8])
    counted = f"{count} definitions: {names}"
    return one_line(f"{clip(purpose, 60)} · {counted}" if purpose else counted)
