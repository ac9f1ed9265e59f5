"""The chunker: what a text is, and the spans that it is indexed by."""

from collections.abc import Iterator
from itertools import chain

from ..models import Kind, Span
from .borders import CODE, JSON, LOG, PROSE, TABLE, Border, Limits
from .code import code_blocks
from .conversation import conversation_blocks
from .kinds import tell_kind
from .packing import Block, Pack, pack
from .prose import find_sections
from .rows import header_row, rows_block, with_keys
from .ruler import Ruler

# About 256 WordPieces each, as measured on papers, meetings, Python, and generated records.
_AIMS: dict[Kind, int] = {"prose": 900, "conversation": 900, "code": 800, "json": 600, "table": 500, "log": 650}
_BORDERS: dict[Kind, tuple[Border, ...]] = {
    "prose": PROSE,
    "conversation": PROSE,
    "code": CODE,
    "json": JSON,
    "table": TABLE,
    "log": LOG,
}


class StructureChunker:
    """Splits prose by heading and paragraph, code by definition, conversations by turn, records by row."""

    def kind(self, text: str, content_type: str, title: str | None) -> Kind:
        """Say what the text is: by its content type, else its title's file ending, else its first 8,000 characters."""
        return tell_kind(text, content_type, title)

    def split(self, text: str, kind: Kind, title: str | None) -> tuple[Span, ...]:
        """Return spans of about 256 tokens in order, without overlap; together they hold all but white space.

        ``title`` tells a source file's language. A text of at most 1.4 times the aim is one span.
        """
        ruler = Ruler(text)
        limits = Limits(_AIMS[kind])
        packs = list(_packs(ruler, kind, title, limits))
        offsets = ruler.bytes_at(chain.from_iterable((piece.start, piece.end) for piece in packs))
        return tuple(
            Span(start, end, piece.context)
            for piece, start, end in zip(packs, offsets[::2], offsets[1::2], strict=True)
        )


def _packs(ruler: Ruler, kind: Kind, title: str | None, limits: Limits) -> Iterator[Pack]:
    text = ruler.text
    enough = limits.aim if kind == "conversation" else limits.aim // 2
    if ruler.size(0, len(text)) <= limits.most:
        # One span says all; a context would only repeat it.
        return pack([Block(0, len(text))], ruler, limits, _BORDERS[kind], enough=enough)
    blocks = _blocks(ruler, kind, title, limits)
    packs = pack(blocks, ruler, limits, _BORDERS[kind], enough=enough)
    if kind == "json":
        return with_keys(text, packs)
    if kind == "table" and (header := header_row(text)):
        return (Pack(piece.start, piece.end, [(header,)] if piece.start else [()]) for piece in packs)
    return packs


def _blocks(ruler: Ruler, kind: Kind, title: str | None, limits: Limits) -> Iterator[Block]:
    if kind == "prose":
        return find_sections(ruler.text)
    if kind == "conversation":
        return conversation_blocks(ruler.text)
    if kind == "code":
        return code_blocks(ruler, limits, title)
    return rows_block(ruler.text)
