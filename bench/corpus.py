"""Real text to fill a store with: the standard library's sources and the system's documentation, in passages."""

import gzip
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

PASSAGE = 520
"""Characters of a passage: about 130 tokens."""


def _files() -> Iterator[Path]:
    yield from sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    for folder in ("/usr/share/man", "/usr/share/doc", "/usr/share/perl"):
        yield from sorted(path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, ValueError, EOFError):
        return ""


def passages(count: int, seed: int = 7) -> list[str]:
    """Return up to ``count`` distinct passages, the same ones on the same machine."""
    found: dict[str, None] = {}
    for path in _files():
        text = _text(path)
        for start in range(0, len(text) - PASSAGE // 2, PASSAGE):
            piece = text[start : start + PASSAGE].strip()
            if len(piece) > PASSAGE // 2 and "\x00" not in piece:
                found[piece] = None
        if len(found) > 3 * count:
            break
    chosen = list(found)
    random.Random(seed).shuffle(chosen)
    return chosen[:count]


def queries(texts: list[str], count: int, seed: int = 11) -> list[str]:
    """Return queries of six words each, taken out of the texts."""
    source = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        words = [word for word in source.choice(texts).split() if word.isalpha()]
        if len(words) > 8:
            start = source.randrange(len(words) - 6)
            made.append(" ".join(words[start : start + 6]))
    return made
