"""Digests of YAML, read by its lines and indentation: its keys with their values, lists counted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from .parts import Digest, Part, clip, one_line

_LINE = re.compile(
    r"^(?P<indent> *+)(?P<dash>(?:- +)*+)"
    r"(?:(?P<key>\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'|[\w.$/@%*+-][^:#\n\"'{}\[\],]{0,79}?)"
    r" *:(?: +(?P<value>\S[^\n]*+))?|(?P<entry>\S[^\n]*+))?$"
)
_ENDINGS = frozenset({".yaml", ".yml"})
_MAX_LINES = 50_000
_MOSTLY = 0.9
_MIN_LINES = 4
_BLOCK = re.compile(r"[|>][+-]?\d?(?: +#.*)?$")


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that stands at a depth of keys and lists; ``count`` is how often its list repeats it."""

    depth: int
    name: str
    value: str
    count: int


def reads_as_yaml(text: str, title: str | None) -> bool:
    """Whether the title ends as YAML does, or nearly all lines are keys and entries and some are nested."""
    if title is not None and PurePath(title).suffix:
        return PurePath(title).suffix.casefold() in _ENDINGS
    lines = [line for line in text[:8_000].split("\n") if line.strip() and not line.lstrip().startswith("#")]
    matches = [_LINE.match(line) for line in lines]
    keyed = sum(1 for match in matches if match and (match["key"] or match["dash"]))
    nested = sum(1 for match in matches if match and match["key"] and (match["indent"] or match["dash"]))
    return len(lines) >= _MIN_LINES and keyed >= _MOSTLY * len(lines) and nested >= 0.2 * len(lines)


def digest_yaml(text: str) -> Digest | None:
    """Return keys by depth, the entries of lists merged; None when too few lines are keys or entries."""
    lines = [line for line in islice(text.split("\n"), _MAX_LINES) if line.strip()]
    keys = _merged(_keys(lines))
    if sum(key.count for key in keys) < 2:
        return None
    top = [key.name for key in keys if key.depth == 0]
    title = f"YAML: {len(lines):,} lines, {len(top):,} keys: "
    opening = Part(-1, clip(title + ", ".join(top), 300), 0.0)
    parts = [
        Part(place, _shown(key), 1 + key.depth + place / 100_000, "  " * min(key.depth, 8))
        for place, key in enumerate(keys)
    ]
    brief = [opening, *parts]
    return Digest(brief, brief, clip(one_line(title + ", ".join(top)), 120))


def _shown(key: _Key) -> str:
    times = f" (x{key.count})" if key.count > 1 else ""
    return clip(f"{key.name}:{times} {clip(key.value, 80)}".rstrip(), 140)


def _keys(lines: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path of every key, with its value; comments and the inside of block texts are passed over."""
    stack: list[tuple[int, str]] = []
    block = -1
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        if 0 <= block < indent or line.lstrip().startswith(("#", "---", "...", "%")):
            continue
        block = -1
        match = _LINE.match(line)
        if match is None:
            continue
        column = indent + len(match["dash"])
        while stack and stack[-1][0] >= column:
            stack.pop()
        if match["key"] is None:
            if match["dash"] and stack:
                yield (*(name for _, name in stack), "-"), match["entry"] or ""
            continue
        name, value = match["key"].strip("\"'"), match["value"] or ""
        stack.append((column, name))
        if len(stack) <= 12:
            yield tuple(name for _, name in stack), value
        if _BLOCK.match(value):
            block = indent


def _merged(keys: Iterator[tuple[tuple[str, ...], str]]) -> list[_Key]:
    values: dict[tuple[str, ...], list[str]] = {}
    for path, value in keys:
        values.setdefault(path, []).append(value)
    return [
        _Key(
            len(path) - 1,
            path[-1],
            ", ".join(dict.fromkeys(one_line(value) for value in found[:6] if value)),
            len(found),
        )
        for path, found in values.items()
    ]
