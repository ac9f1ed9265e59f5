"""What every compressor keeps: budgets, order, determinism, clean text, on any input."""

import json
import time
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
    budgets = {"summary": max(tokens / 9, 40), "brief": max(tokens / 49, 25), "hint": 30}
    shortest = tokens
    for rendition in made:
        assert rendition.text.strip() == rendition.text != ""
        assert rendition.tokens == COUNTER.count(rendition.text).tokens < shortest
        assert rendition.tokens <= 1.05 * budgets[rendition.detail]
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


LONG = {
    "one line without a space": "x" * 1_000_000,
    "one line of words": "harbour survey of the clay " * 40_000,
    "distinct words": " ".join(f"w{n:x}" for n in range(120_000)),
    "emoji": "👩‍👩‍👧‍👦😀" * 30_000,
    "nul": "\x00" * 500_000,
    "lone carriage returns": "harbour\r" * 60_000,
    "bytes read as letters": "".join(chr(n * 7_919 % 256) for n in range(300_000)),
    "deep arrays": "[" * 500_000,
    "deep objects": '{"a":' * 100_000,
    "deep indentation": "".join(f"{' ' * (n % 300)}key{n}:\n" for n in range(2_000)),
    "open brackets": "(See (Smith et al., " * 20_000,
    "cues": "we will decide, can you please agree, I'll send it? " * 10_000,
    "hyphens": "-".join(f"w{n:x}" for n in range(60_000)),
    "apostrophes": "a'" * 150_000,
    "camel case": "aB" * 150_000,
    "addresses": "http://www.doi:" * 20_000,
}
SECONDS = 40
"""Many times what any of them takes; one whose work grew with the square would take hours."""


@compressors
@pytest.mark.parametrize("name", LONG)
def test_no_long_input_raises_or_takes_more_than_linear_time(compressor: Compressor, name: str) -> None:
    text = LONG[name]
    started = time.process_time()
    for kind in ("prose", "conversation", "json", "code"):
        compressor.compress(text, kind, None, COUNTER.count(text).tokens)

    assert time.process_time() - started < SECONDS


@compressors
@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3_000), st.sampled_from(KINDS), st.sampled_from([None, "a.py", "a.go", "a.yaml", "a.rs"]))
def test_bytes_of_any_kind_are_compressed_or_left(
    compressor: Compressor, raw: bytes, kind: Kind, title: str | None
) -> None:
    check_renditions(compressor, raw.decode(errors="replace"), kind, title)
    check_renditions(compressor, raw.decode("latin-1") * 5, kind, title)


_TURNS = st.lists(
    st.tuples(
        st.sampled_from(["Ann", "Bob", "User", "Дима", "李"]),
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=80),
    ),
    max_size=40,
)


@compressors
@settings(max_examples=40, deadline=None)
@given(_TURNS)
def test_a_chat_is_compressed_as_lines_and_as_json(compressor: Compressor, turns: list[tuple[str, str]]) -> None:
    check_renditions(compressor, "\n".join(f"{name}: {said}" for name, said in turns), "conversation")
    messages = [{"role": name, "content": said} for name, said in turns]
    check_renditions(compressor, json.dumps(messages), "json")
    check_renditions(compressor, json.dumps({"messages": messages}, ensure_ascii=False), "conversation")


@compressors
@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_text_never_has_shorter_room(compressor: Compressor, kind: Kind) -> None:
    line = "2024-05-01 10:00 Ann: The survey {} of harbour {} found clay, stone and a wreck."
    sizes = [40, 160, 640]
    lengths: list[int] = []
    for size in sizes:
        text = "\n".join(line.format(n, n * 7 % 100) for n in range(size))
        lengths.append(len(check_renditions(compressor, text, kind).get("summary", "")))

    assert lengths == sorted(lengths)


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
    assert 47 <= len(text) / 4 / made["brief"].tokens <= 60
    assert made["hint"].tokens <= 30


@compressors
def test_a_wrong_token_count_does_no_harm(compressor: Compressor) -> None:
    text = "The survey found forty distinct layers of clay below the old harbour wall. " * 50
    for tokens in (0, 20, 10**9):
        compressor.compress(text, "prose", None, tokens)
