"""Real text to fill a store with: the standard library's sources and the system's documentation, in passages."""

import gzip
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import platformdirs

PASSAGE = 520
"""Characters of a passage: about 130 tokens."""
SEED = 7
KEPT = 600_000
"""Passages of the shuffled order that are kept in a file: those of the largest store, and others to ask for."""


def cache_folder() -> Path:
    """Return the folder, outside the repository, where the benchmarks keep what is dear to make."""
    return Path(platformdirs.user_cache_dir("palimpsest-bench"))


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


def cut(text: str) -> Iterator[str]:
    """Yield a text's passages, without the short rest at its end."""
    for start in range(0, len(text) - PASSAGE // 2, PASSAGE):
        piece = text[start : start + PASSAGE].strip()
        if len(piece) > PASSAGE // 2 and "\x00" not in piece:
            yield piece


def drawn(pieces: Iterator[str]) -> list[tuple[int, str]]:
    """Return the distinct pieces in the one shuffled order of which every store takes the first, with their places."""
    chosen = list(enumerate(dict.fromkeys(pieces)))
    random.Random(SEED).shuffle(chosen)
    return chosen


def passages(count: int, seed: int = SEED) -> list[str]:
    """Return up to ``count`` distinct passages, the same ones on the same machine.

    They are the first of one shuffled order, so that a smaller list is the beginning of every larger one; another
    ``seed`` draws from that order. The order is kept in the cache folder, for reading all files takes a while.
    """
    ordered = [text for _, text in _kept()]
    return ordered[:count] if seed == SEED else random.Random(seed).sample(ordered, min(count, len(ordered)))


def by_document(count: int) -> list[str]:
    """Return what ``passages`` does, file by file and from the beginning of each to its end: so a memory is filled."""
    return [text for _, text in sorted(_kept()[:count])]


def _kept() -> list[tuple[int, str]]:
    file = cache_folder() / f"passages-{SEED}-placed.txt"
    if not file.exists():
        kept = drawn(piece for path in _files() for piece in cut(_text(path)))[:KEPT]
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_bytes("\x00".join(f"{place} {text}" for place, text in kept).encode())
        fresh.replace(file)
    rows = (row.split(" ", 1) for row in file.read_bytes().decode().split("\x00"))
    return [(int(place), text) for place, text in rows]


def fragment(passage: str, source: random.Random) -> str | None:
    """Return six words in a row of a passage, None where it has too few."""
    words = [word for word in passage.split() if word.isalpha()]
    if len(words) <= 8:
        return None
    start = source.randrange(len(words) - 6)
    return " ".join(words[start : start + 6])


def queries(texts: list[str], count: int, seed: int = 11) -> list[str]:
    """Return queries of six words each, taken out of the texts."""
    source = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        query = fragment(source.choice(texts), source)
        if query is not None:
            made.append(query)
    return made
