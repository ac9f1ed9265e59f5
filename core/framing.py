"""What keeps stored text recognisable as stored: no title and no content can pass for a frame around another text."""

import re
import unicodedata

_ZERO_WIDTH_JOINERS = "\u200c\u200d"
"""Some scripts and emoji need them; they hide nothing of a frame."""
_BRACKETS = str.maketrans("[]|", "()/")
_LIKE_A_HEADER = re.compile(r"^\[(?=mem_[0-9a-z]{13} \| )", re.MULTILINE)


def shown(title: str) -> str:
    """Return a title as frames show it: without control and format characters, and without a frame's own signs."""
    kept = (
        letter
        for letter in title
        if letter in _ZERO_WIDTH_JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Zl", "Zp")
    )
    return "".join(kept).translate(_BRACKETS)


def unlike_headers(text: str) -> str:
    """Return a text in which no line begins as the line above an item does; it keeps its length."""
    return _LIKE_A_HEADER.sub("(", text)
