"""Blocks of structure to spans of a good length: small neighbours join, long ones are cut."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .borders import Border, Limits, cut
from .ruler import Ruler

MAX_CONTEXT = 120
_MAX_NAME = 60

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of structure from ``start`` to ``end`` (characters), and the names that lead to it."""

    start: int
    end: int
    path: Path = ()


@dataclass(slots=True)
class Pack:
    """Neighbouring blocks that become one span."""

    start: int
    end: int
    paths: list[Path]

    @property
    def context(self) -> str:
        """Return one line that says where the span stands."""
        return joined(self.paths)


def pack(
    blocks: Iterable[Block], ruler: Ruler, limits: Limits, borders: Sequence[Border], *, enough: int
) -> Iterator[Pack]:
    """Yield spans of the blocks in order; one that holds ``enough`` units takes no further block."""
    current: Pack | None = None
    previous: Pack | None = None
    for piece in _trimmed(_pieces(blocks, ruler, limits, borders), ruler.text):
        if current is None:
            current = Pack(piece.start, piece.end, [piece.path])
            continue
        size, whole = ruler.size(current.start, current.end), ruler.size(current.start, piece.end)
        if (size < enough and whole <= limits.aim) or (size < limits.small and whole <= limits.most):
            _extend(current, piece.end, [piece.path])
            continue
        if previous is not None:
            yield previous
        previous, current = current, Pack(piece.start, piece.end, [piece.path])
    if previous is not None and current is not None:
        scrap = ruler.size(current.start, current.end) < limits.small
        if scrap and ruler.size(previous.start, current.end) <= limits.most:
            _extend(previous, current.end, current.paths)
            current = None
        yield previous
    if current is not None:
        yield current


def _extend(target: Pack, end: int, paths: list[Path]) -> None:
    target.end = end
    target.paths.extend(path for path in paths if path != target.paths[-1])


def _pieces(blocks: Iterable[Block], ruler: Ruler, limits: Limits, borders: Sequence[Border]) -> Iterator[Block]:
    for block in blocks:
        for start, end in cut(ruler, block.start, block.end, limits, borders):
            yield Block(start, end, block.path)


def _trimmed(blocks: Iterable[Block], text: str) -> Iterator[Block]:
    for block in blocks:
        piece = text[block.start : block.end]
        start = block.start + len(piece) - len(piece.lstrip())
        end = block.start + len(piece.rstrip())
        if start < end:
            yield Block(start, end, block.path)


def joined(paths: Sequence[Path]) -> str:
    """Return one line for several paths: what they share, then where they differ; at most 120 characters."""
    shared = paths[0]
    for path in paths:
        while shared != path[: len(shared)]:
            shared = shared[:-1]
    leaves = dict.fromkeys(" > ".join(map(_name, path[len(shared) :])) for path in paths)
    # A name says nothing more beside one that begins with it.
    last = ", ".join(leaf for leaf in leaves if leaf and not any(other.startswith(f"{leaf} > ") for other in leaves))
    names = [*map(_name, shared), *([last] if last else [])]
    while len(names) > 2 and sum(map(len, names)) + 3 * len(names) > MAX_CONTEXT:
        names = ["…", *names[2:]] if names[0] == "…" else ["…", *names[1:]]
    line = " > ".join(names)
    return line if len(line) <= MAX_CONTEXT else line[: MAX_CONTEXT - 1].rstrip() + "…"


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1].rstrip() + "…"
