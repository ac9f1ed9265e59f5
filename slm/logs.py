"""Digests of logs: first and last line, levels, and the distinct shapes of messages."""

import re
from collections import Counter
from collections.abc import Sequence

from .parts import Digest, Part, clip, one_line

_HALF = 25_000
"""Lines looked at from each end; a longer log's middle is only counted."""
_MAX_SHAPES = 2_000
_LEVEL = re.compile(
    r"\b(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE|PANIC|EXCEPTION)\b", re.IGNORECASE
)
_TROUBLE = re.compile(r"error|fatal|critical|severe|panic|exception|fail|traceback|refused|timed? ?out", re.IGNORECASE)
_VARIES = re.compile(
    r"0x[0-9a-fA-F]{1,16}+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b(?=[a-f]*+\d)[0-9a-f]{8,64}\b"
    r"|\"[^\"\n]{0,80}\"|'[^'\n]{0,80}'|\d++(?:[.:,/T-]\d++)*+Z?"
)


def digest_log(text: str) -> Digest:
    """Return what the log spans, its levels counted, and each shape of message with how often it comes."""
    lines = [line for line in text.split("\n") if line.strip()]
    ends = lines if len(lines) <= 2 * _HALF else lines[:_HALF] + lines[-_HALF:]
    looked_at = [clip(one_line(line[:1_000]), 300) for line in ends]
    levels = Counter(found["level"].upper() for line in looked_at if (found := _LEVEL.search(line[:120])))
    shapes: Counter[str] = Counter()
    example: dict[str, tuple[int, str]] = {}
    for place, line in enumerate(looked_at):
        shape = _VARIES.sub("#", line)[:160]
        if shape in example or len(example) < _MAX_SHAPES:
            shapes[shape] += 1
            example.setdefault(shape, (place, line))
    counted = ", ".join(f"{level} {count:,}" for level, count in levels.most_common())
    title = f"Log of {len(lines):,} lines" + (f": {counted}" if counted else "")
    parts = [Part(-2, title, 0.0), *_ends(looked_at), *_shapes(shapes, example)]
    hint = one_line(f"{clip(title, 80)} · {clip(_telling(looked_at), 70)}")
    return Digest(parts, parts, hint)


def _ends(lines: Sequence[str]) -> list[Part]:
    if not lines:
        return []
    return [Part(-1, clip(lines[0], 160), 0.2, "first: "), Part(1_000_000, clip(lines[-1], 160), 0.3, "last: ")]


def _shapes(shapes: Counter[str], example: dict[str, tuple[int, str]]) -> list[Part]:
    parts: list[Part] = []
    for order, (shape, count) in enumerate(shapes.most_common()):
        place, line = example[shape]
        trouble = _TROUBLE.search(line) is not None
        parts.append(Part(place, clip(line, 200), (1 if trouble else 2) + order / 10_000, f"{count:,}x "))
    return sorted(parts, key=lambda part: part.line)


def _telling(lines: Sequence[str]) -> str:
    """Return the first line of trouble, else the first line."""
    return next((line for line in lines if _TROUBLE.search(line)), lines[0] if lines else "")
