"""What every compressor keeps: budgets, order, determinism, clean text, on any input."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.models import Kind, TokenCount
from palimpsest.core.ports import Compressor
from palimpsest.slm.extractive import ExtractiveCompressor

KINDS: tuple[Kind, ...] = get_args(Kind)


class FourLetters:
    """A counter for which four characters are a token."""

    @property
    def name(self) -> str:
        """Name the estimate."""
        return "four letters"

    def count(self, text: str) -> TokenCount:
        """Count a quarter of the characters."""
        return TokenCount(len(text) // 4, self.name)


COUNTER = FourLetters()
COMPRESSORS: list[Compressor] = [ExtractiveCompressor(COUNTER)]
compressors = pytest.mark.parametrize("compressor", COMPRESSORS, ids=lambda compressor: compressor.name)

_SCRAPS = st.sampled_from(
    [
        *(
            "# Guide\n",
            "## Install\n\n",
            "Title\n=====\n",
            "```\n",
            "\n\n",
            "\r\n",
            "\x00",
            "\x1b[31m",
            "\u2028",
            "\ufeff",
        ),
        *(
            "def f(x):\n    return x\n",
            "class A:\n",
            "    def g(self): pass\n",
            "function h() {\n}\n",
            "import os\n",
            '"""Doc',
        ),
        *("Ann: hello there, how are you?\n", "[2024-01-05 10:00] Bob: hi\n", "**User:** why?\n", "5 May 2024\n"),
        *(
            '{"a": [1, {"b": null}]}\n',
            '{"a"',
            "[",
            "1e999",
            "a,b,c\n",
            '"x\n',
            "2024-01-01 10:00:00 ERROR x\n",
            "|a|b|\n|--|\n",
        ),
        *(
            "The mitochondria of cell 7 make energy. " * 3,
            "x" * 700,
            "Это предложение. ",
            "中文是世界。",
            "👩‍👩‍👧‍👦",
            " ",
        ),
    ]
)
TEXTS = st.lists(st.one_of(_SCRAPS, st.text(max_size=60)), max_size=120).map("".join)


def check_renditions(compressor: Compressor, text: str, kind: Kind, title: str | None = None) -> dict[str, str]:
    """Hold the renditions against the contract and return their texts by detail."""
    tokens = COUNTER.count(text).tokens
    made = compressor.compress(text, kind, title, tokens)
    assert made == compressor.compress(text, kind, title, tokens)
    details = [rendition.detail for rendition in made]
    assert details == [detail for detail in ("summary", "brief", "hint") if detail in details]
    budgets = {"summary": max(tokens / 10, 40), "brief": max(tokens / 50, 25), "hint": 30}
    shortest = tokens
    for rendition in made:
        assert rendition.text.strip() == rendition.text != ""
        assert rendition.tokens == COUNTER.count(rendition.text).tokens < shortest
        assert rendition.tokens <= 1.15 * budgets[rendition.detail]
        assert rendition.compressor == compressor.name
        assert all(letter >= " " or letter in "\n\t" for letter in rendition.text)
        rendition.text.encode()
        shortest = rendition.tokens
        if rendition.detail == "hint":
            assert "\n" not in rendition.text
    return {rendition.detail: rendition.text for rendition in made}


@compressors
@settings(max_examples=50, deadline=None)
@given(TEXTS, st.sampled_from(KINDS), st.sampled_from([None, "a.py", "a.js", "x"]))
def test_any_text_of_any_kind_is_compressed_within_its_budgets(
    compressor: Compressor, text: str, kind: Kind, title: str | None
) -> None:
    check_renditions(compressor, text, kind, title)


@compressors
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "x",
            "word ",
            "a\n",
            "a\n\n",
            "😀",
            "中文是世界。",
            "Al: a\n",
            "# a\n",
            "function a(){}\n",
            "a,b,c\n",
            '{"a":1}\n',
            '"',
        ),
        *('\\"', "{", "[", "(", ". A", "A. ", "\x00", "\r", "- a\n", "|a|b|\n", "2024-01-01 12:00:00 ERROR x\n"),
    ],
)
def test_much_of_one_thing_is_compressed_with_bounded_work(compressor: Compressor, kind: Kind, unit: str) -> None:
    check_renditions(compressor, unit * (40_000 // len(unit)), kind)


@compressors
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_short_already_has_no_rendition(compressor: Compressor, kind: Kind) -> None:
    assert compressor.compress("", kind, None, 0) == ()
    assert compressor.compress(" \n\x00 ", kind, None, 1) == ()
    assert compressor.compress("Ok.", kind, None, 1) == ()


@compressors
def test_a_long_text_has_all_three_near_their_ratios(compressor: Compressor) -> None:
    text = " ".join(f"Probe {n} measured a depth of {n * 7 % 1000} metres near island {n % 17}." for n in range(2_000))
    made = {rendition.detail: rendition for rendition in compressor.compress(text, "prose", None, len(text) // 4)}

    assert 9 <= len(text) / 4 / made["summary"].tokens <= 12
    assert 42 <= len(text) / 4 / made["brief"].tokens <= 60
    assert made["hint"].tokens <= 30


@compressors
def test_a_wrong_token_count_does_no_harm(compressor: Compressor) -> None:
    text = "The survey found forty distinct layers of clay below the old harbour wall. " * 50
    for tokens in (0, 20, 10**9):
        compressor.compress(text, "prose", None, tokens)
