"""Source code by definition."""

from collections.abc import Iterator, Sequence

from .borders import Limits
from .definitions import Definition, path_of
from .packing import Block, Path
from .ruler import Ruler
from .source import find_definitions


def code_blocks(ruler: Ruler, limits: Limits, title: str | None) -> Iterator[Block]:
    """Yield a block a definition, and one for what stands between them; long ones by their own definitions."""
    definitions = find_definitions(ruler.text, title)
    return _blocks(definitions, 0, len(ruler.text), (), ruler, limits)


def _blocks(
    definitions: Sequence[Definition], start: int, end: int, path: Path, ruler: Ruler, limits: Limits
) -> Iterator[Block]:
    for definition in definitions:
        if definition.start > start:
            yield Block(start, definition.start, path)
        inner = path_of(definition, path)
        if definition.children and ruler.size(definition.start, definition.end) > limits.most:
            yield from _blocks(definition.children, definition.start, definition.end, inner, ruler, limits)
        else:
            yield Block(definition.start, definition.end, inner)
        start = definition.end
    if start < end:
        yield Block(start, end, path)
