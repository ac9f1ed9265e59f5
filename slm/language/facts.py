"""What a summary may not invent: numbers, identifiers and paths that its source does not have."""

import re
from collections import Counter
from collections.abc import Iterator

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,.'\u00a0\u202f]*")
_PATH = re.compile(r"(?:https?://|[A-Za-z]:\\|~?/|\./)?[\w.@-]+(?:[/\\][\w.@%-]+)+/?")
_IDENTIFIER = re.compile(
    r"\b(?:\w+_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*|[A-Za-z]\w*(?:\.[A-Za-z_]\w+)+|[A-Z]{2,}-?\d[\w-]*|\w+\(\))"
)
_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_SEPARATORS = str.maketrans("", "", ",'\u00a0\u202f")


def sentences(text: str) -> list[str]:
    """Return a text's sentences; a list's marker stays with what follows it."""
    found: list[str] = []
    for line in text.splitlines():
        marker = _MARKER.match(line)
        start = marker.end() if marker else 0
        pieces = [piece.strip() for piece in _SENTENCE.split(line[start:]) if piece.strip()]
        if pieces and marker:
            pieces[0] = marker.group().strip() + " " + pieces[0]
        found += pieces
    return found


def inventions(sentence: str, source: str, numbers: frozenset[str]) -> list[str]:
    """Return what a sentence names that ``source`` does not have; ``numbers`` are the source's."""
    body = _MARKER.sub("", sentence)
    found = [number for number in _numbers(body) if number not in numbers]
    names = [match.group().rstrip(".") for pattern in (_PATH, _IDENTIFIER) for match in pattern.finditer(body)]
    return found + [name for name in names if name.removesuffix("()") not in source]


def checked(summary: str, source: str) -> str:
    """Return the summary without the sentences that name what the source does not have."""
    numbers = frozenset(_numbers(source))
    lines: list[str] = []
    for line in summary.splitlines():
        kept = [one for one in sentences(line) if not inventions(one, source, numbers)]
        if kept or not line.strip():
            lines.append(" ".join(kept))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def carried(source: str, most: int) -> list[str]:
    """Return the identifiers, paths and longer numbers that a source names most, at most so many, by frequency."""
    counts: Counter[str] = Counter()
    for pattern in (_PATH, _IDENTIFIER):
        counts.update(match.group().rstrip(".") for match in pattern.finditer(source))
    counts.update(number for number in _numbers(source) if len(number) > 2)
    return [name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]]


def _numbers(text: str) -> Iterator[str]:
    for match in _NUMBER.finditer(text):
        number = match.group().translate(_SEPARATORS).rstrip(".")
        yield number.rstrip("0").rstrip(".") if "." in number and number.count(".") == 1 else number
