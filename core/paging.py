"""Cutting text into pieces that fit a number of tokens, on character borders, preferably at line ends."""

from . import cursors
from .errors import InvalidInputError
from .models import Detail, Item, Page
from .ports import TokenCounter

_CHARACTERS_PER_TOKEN = 6
"""No text that is worth reading has more characters a token, so a first cut at this many loses nothing."""


def fit(text: str, max_tokens: int, counter: TokenCounter, counted: int | None = None) -> tuple[str, int]:
    """Return the longest found start of ``text`` within ``max_tokens``, and its tokens; empty when nothing fits.

    ``counted`` are the tokens of all of ``text`` where ``counter`` counted them before.
    """
    if max_tokens <= 0:
        return "", 0
    piece = text[: max_tokens * _CHARACTERS_PER_TOKEN]
    tokens = counter.count(piece).tokens if counted is None or len(piece) < len(text) else counted
    while tokens > max_tokens:
        keep = min(len(piece) - 1, int(len(piece) * max_tokens / tokens * 0.97))
        piece = piece[:keep]
        tokens = counter.count(piece).tokens if piece else 0
    if len(piece) < len(text):
        piece = _at_border(piece, text)
        tokens = counter.count(piece).tokens if piece else 0
    return piece, tokens


def _at_border(piece: str, text: str) -> str:
    floor = len(piece) // 2
    for border in ("\n", " "):
        place = piece.rfind(border, floor)
        if place >= 0:
            return piece[: place + 1]
    if piece.endswith("\r") and text.startswith("\n", len(piece)):
        return piece[:-1] or piece
    return piece


def fit_some(text: str, max_tokens: int, counter: TokenCounter) -> tuple[str, int]:
    """Return what ``fit`` does, but at least one character of a text that has any."""
    piece, tokens = fit(text, max_tokens, counter)
    if not piece and text:
        # A single character dearer than the bound still has to be read.
        piece = text[0]
        tokens = counter.count(piece).tokens
    return piece, tokens


def check_offset(content: bytes, offset: int) -> None:
    """Check that a cursor points to a character border inside the content (UTF-8).

    Raises:
        InvalidInputError: it does not.
    """
    if offset > len(content) or (offset < len(content) and content[offset] & 0xC0 == 0x80):
        raise InvalidInputError("The cursor points outside this item's content; leave cursor out to start over.")


def cut(
    item: Item,
    detail: Detail,
    content: bytes,
    digest: str,
    version: int,
    offset: int,
    max_tokens: int,
    counter: TokenCounter,
) -> Page:
    """Return the page of ``content`` (UTF-8) that starts at byte ``offset`` and fits ``max_tokens``.

    Raises:
        InvalidInputError: the offset is not a character border inside the content.
    """
    check_offset(content, offset)
    window = content[offset : offset + max_tokens * _CHARACTERS_PER_TOKEN * 4]
    text, tokens = fit_some(window.decode(errors="ignore"), max_tokens, counter)
    end = offset + len(text.encode())
    total = item.tokens if detail == "full" and version == item.version else counter.count(content.decode()).tokens
    following = None if end >= len(content) else cursors.pack_read(item.item_id, version, detail, end)
    return Page(item, detail, text, offset, end, tokens, total, digest, following, version)
