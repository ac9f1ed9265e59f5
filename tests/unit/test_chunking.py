"""The chunker's promises on any text: coverage, order, borders of characters, bounded size."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.chunking import StructureChunker
from palimpsest.core.chunking.chunker import _AIMS  # pyright: ignore[reportPrivateUsage]
from palimpsest.core.chunking.ruler import Ruler
from palimpsest.core.models import Kind, Span

KINDS: tuple[Kind, ...] = get_args(Kind)
CHUNKER = StructureChunker()

_SCRAPS = st.sampled_from(
    [
        *(
            "# Guide\n",
            "## Install\n\n",
            "Title\n=====\n",
            "NAME\n",
            "```\n",
            "---\n",
            "1.2 Scope\n\n",
            "\n\n",
            "\r\n",
            "\r",
        ),
        *(
            "def f(x):\n    return x\n",
            "class A:\n",
            "    def g(self): pass\n",
            "@wraps\n",
            "function h() {\n}\n",
            "}\n",
        ),
        *("Ann: hello there\n", "[2024-01-05 10:00] Bob: hi\n", "**User:** why?\n", "5 May 2024\n", "<nick> ok\n"),
        *(
            '{"a": [1, 2]}\n',
            '  "key": {\n',
            "a,b,c\n",
            '"x, ""y""\nz",2\n',
            "2024-01-01 10:00:00 INFO up\n",
            "|a|b|\n",
        ),
        *(
            "word " * 60,
            "x" * 900,
            "Это предложение. ",
            "中文是世界。",
            "한국어 ",
            "👩‍👩‍👧‍👦👍🏽",
            "é\u0301",
            "\x00",
            "   ",
            "\t",
        ),
    ]
)
TEXTS = st.lists(st.one_of(_SCRAPS, st.text(max_size=40)), max_size=80).map("".join)


def check_spans(text: str, spans: tuple[Span, ...], kind: Kind) -> None:
    """Hold the spans against the contract of the port."""
    content = text.encode()
    place = 0
    ruler = Ruler(text)
    for span in spans:
        assert place <= span.start < span.end <= len(content)
        assert not content[place : span.start].decode().strip()
        piece = content[span.start : span.end].decode()
        assert piece == piece.strip()
        start = len(content[: span.start].decode())
        assert ruler.size(start, start + len(piece)) <= _AIMS[kind] * 7 // 5
        assert len(span.context) <= 120
        assert "\n" not in span.context
        place = span.end
    assert not content[place:].decode().strip()


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.sampled_from(KINDS), st.sampled_from([None, "a.py", "a.js", "notes.md"]))
def test_spans_cover_any_text_in_order_on_character_borders(text: str, kind: Kind, title: str | None) -> None:
    spans = CHUNKER.split(text, kind, title)

    check_spans(text, spans, kind)
    assert spans == CHUNKER.split(text, kind, title)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.text(max_size=20), st.one_of(st.none(), st.text(max_size=20)))
def test_any_text_has_a_kind(text: str, content_type: str, title: str | None) -> None:
    assert CHUNKER.kind(text, content_type, title) in KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "word ",
        "a\n",
        "a\n\n",
        "😀",
        "中文是世界。",
        "Al: a\n",
        "# a\n",
        '"',
        '\\"',
        "{",
        "(",
        "\x00",
        "\r\n",
        "a,b\n",
    ],
)
def test_megabytes_of_one_thing_are_cut_without_quadratic_work(unit: str, kind: Kind) -> None:
    text = unit * (60_000 // len(unit))

    check_spans(text, CHUNKER.split(text, kind, None), kind)


def test_a_small_item_is_one_span_without_context() -> None:
    text = "  # Title\n\nA short note.\n"

    assert CHUNKER.split(text, "prose", None) == (Span(2, len(text) - 1),)


def test_white_space_alone_has_no_span() -> None:
    assert CHUNKER.split(" \n\t\r\n", "prose", None) == ()
    assert CHUNKER.split("", "code", None) == ()


def test_no_tiny_tail_is_left() -> None:
    sentence = "The quick brown fox jumps over the lazy dog near the river bank today. "
    for count in range(15, 60):
        spans = CHUNKER.split(sentence * count, "prose", None)
        assert min(span.end - span.start for span in spans) >= 225


def test_sentences_stay_whole_where_they_can() -> None:
    text = " ".join(f"Sentence number {n} speaks of matters {'x' * (n % 30)} at length." for n in range(200))

    content = text.encode()
    for span in CHUNKER.split(text, "prose", None):
        assert content[span.start : span.end].decode().endswith(".")


@pytest.mark.parametrize(
    ("unit", "least", "most"), [("中", 200, 350), ("한", 100, 180), ("ж", 280, 480), ("e", 700, 1260)]
)
def test_a_span_of_a_costly_script_has_fewer_characters(unit: str, least: int, most: int) -> None:
    text = unit * 5_000

    sizes = [len(text.encode()[span.start : span.end].decode()) for span in CHUNKER.split(text, "prose", None)]
    assert least <= min(sizes)
    assert max(sizes) <= most


def test_a_hard_cut_keeps_marks_and_line_ends_together() -> None:
    for unit in ("e\u0301", "👍🏽", "👩\u200d👧", "a\r\n"):
        text = "x" * 3 + unit * 3_000
        content = text.encode()
        for span in CHUNKER.split(text, "code", None)[1:]:
            first = content[span.start : span.end].decode()[0]
            assert first not in "\u0301🏽\u200d\n"


def test_a_letter_under_endless_marks_is_cut_all_the_same() -> None:
    text = "e" + "\u0301" * 5_000

    check_spans(text, CHUNKER.split(text, "prose", None), "prose")
