"""The context block: a thread's items as one text, each under a line that names it."""

from collections.abc import Sequence

from .framing import shown, unlike_headers
from .models import BlockEntry, Standing, Trust

SEPARATOR = "\n\n"
UNTRUSTED = " | untrusted"


def header(item_id: str, detail: str, tokens: int, title: str | None, trust: Trust = "normal") -> str:
    """Return the line above an item's text: its id, how much of it follows, its title, and whether not to trust it.

    It depends on nothing that changes while the item stands where it is, so that the block only grows at its end.
    """
    name = f" | {shown(title)}" if title else ""
    much = f"{tokens} tokens" if detail == "full" else f"{detail} of {tokens} tokens"
    return f"[{item_id} | {much}{UNTRUSTED if trust == 'low' else ''}{name}]"


def longest_header(item_id: str, tokens: int, title: str | None, trust: Trust = "normal") -> str:
    """Return the header that is counted for an item, with what parts it from the next: no other is longer."""
    return header(item_id, "excerpts", tokens, title, trust) + "\n" + SEPARATOR


def entry(
    item_id: str, detail: Standing | str, tokens: int, title: str | None, text: str, trust: Trust = "normal"
) -> str:
    """Return an item's part of the block."""
    return f"{header(item_id, detail, tokens, title, trust)}\n{unlike_headers(text)}{SEPARATOR}"


def render(entries: Sequence[BlockEntry]) -> str:
    """Return the block; the empty text for none."""
    return "".join(entry(one.item_id, one.detail, one.tokens, one.title, one.text, one.trust) for one in entries)
