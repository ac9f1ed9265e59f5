"""Paging: pieces that fit, and that join to the content byte for byte."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palimpsest.core import cursors, paging
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.models import Item, ItemState, Labels, Page, TokenCount
from palimpsest.core.ports import TokenCounter

from ..fakes import START, WordCounter


class Measure:
    """A TokenCounter made of a function."""

    name = "measure"

    def __init__(self, tokens: Callable[[str], float]) -> None:
        self._tokens = tokens

    def count(self, text: str) -> TokenCount:
        return TokenCount(math.ceil(self._tokens(text)), self.name)


COUNTERS: dict[str, TokenCounter] = {
    "words": WordCounter(),
    "characters": Measure(len),
    "quarters": Measure(lambda text: len(text) / 4),
    "bytes": Measure(lambda text: len(text.encode())),
    "costly": Measure(lambda text: 7 * len(text)),
    "free": Measure(lambda text: 0),
}
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400),
    st.text("a \n\r\u00e9\u4e2d\U0001f9f5", min_size=1, max_size=2000),
)


def item_of(content: bytes) -> Item:
    return Item(
        item_id="mem_0123456789abc",
        thread="main",
        labels=Labels(),
        state=ItemState.ACTIVE,
        version=3,
        sha256="0" * 64,
        size_bytes=len(content),
        tokens=123,
        token_counter="test",
        source={},
        created_at=START,
        updated_at=START,
        happened_at=START,
    )


def cut(content: bytes, offset: int, max_tokens: int, counter: TokenCounter, *, version: int = 3) -> Page:
    return paging.cut(item_of(content), "full", content, "0" * 64, version, offset, max_tokens, counter)


@pytest.mark.parametrize("counter", COUNTERS.values(), ids=list(COUNTERS))
@settings(max_examples=60, deadline=None)
@given(text=TEXTS, max_tokens=st.integers(1, 300))
@example(text="\r\n" * 50, max_tokens=7)
@example(text="\U0001f9f5" * 300, max_tokens=1)
def test_pages_join_to_the_content_byte_for_byte(counter: TokenCounter, text: str, max_tokens: int) -> None:
    content = text.encode()
    pieces: list[bytes] = []
    offset = 0
    while True:
        page = cut(content, offset, max_tokens, counter)
        piece = page.text.encode()
        assert piece
        assert (page.start, page.end) == (offset, offset + len(piece))
        assert page.tokens == counter.count(page.text).tokens
        assert page.tokens <= max_tokens or len(page.text) == 1
        pieces.append(piece)
        if page.next_cursor is None:
            break
        version, detail, offset = cursors.parse_read(page.next_cursor, page.item.item_id)
        assert (version, detail, offset) == (3, "full", page.end)
    assert b"".join(pieces) == content


def test_a_page_ends_at_a_line_where_it_can_else_at_a_word() -> None:
    lines = "one two three\nfour five six\nseven eight nine"
    assert cut(lines.encode(), 0, 7, COUNTERS["words"]).text == "one two three\nfour five six\n"
    assert cut(b"alpha beta gamma delta", 0, 14, COUNTERS["characters"]).text == "alpha beta "
    assert cut(b"x" * 100, 0, 14, COUNTERS["characters"]).text == "x" * 13


def test_a_line_end_of_two_characters_stays_together() -> None:
    text = "x" * 9 + "\r\n" + "y" * 20
    assert paging.fit(text, 10, Measure(lambda text: len(text))) == ("x" * 9, 9)


def test_all_that_fits_is_one_page() -> None:
    page = cut(b"short", 0, 50, COUNTERS["words"])
    assert (page.text, page.next_cursor, page.total_tokens, page.version) == ("short", None, 123, 3)


def test_an_older_versions_tokens_are_counted_anew() -> None:
    page = cut(b"four words of it", 0, 50, COUNTERS["words"], version=1)
    assert (page.total_tokens, page.version) == (4, 1)


def test_reading_on_at_the_very_end_gives_an_empty_last_page() -> None:
    page = cut(b"abc", 3, 50, COUNTERS["words"])
    assert (page.text, page.start, page.end, page.tokens, page.next_cursor) == ("", 3, 3, 0, None)


@pytest.mark.parametrize("offset", [1, 2, 3, 5, 999])
def test_an_offset_inside_a_character_or_beyond_the_end_is_refused(offset: int) -> None:
    with pytest.raises(InvalidInputError, match="outside"):
        cut("\U0001f9f5".encode(), offset, 50, COUNTERS["words"])


def test_nothing_fits_into_nothing() -> None:
    assert paging.fit("text", 0, WordCounter()) == ("", 0)
    assert paging.fit("", 5, WordCounter()) == ("", 0)
    assert paging.fit("abc", 5, COUNTERS["costly"]) == ("", 0)


def test_a_page_carries_its_item_and_hash_unchanged() -> None:
    content = b"some text"
    page = cut(content, 0, 50, COUNTERS["words"])
    assert page == replace(page, item=item_of(content), sha256="0" * 64, detail="full")
