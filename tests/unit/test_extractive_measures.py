"""What the measures of compression count."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from palimpsest.bench import renditions as bench
from palimpsest.bench.evidence import FourBytes
from palimpsest.bench.kept import FACTS, code_names, kept_names
from palimpsest.bench.lexical_baseline import ReferenceBM25
from palimpsest.core.models import Kind, Rendition
from palimpsest.slm.extractive import ExtractiveCompressor


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("numbers", "About 3.5 of 1,200 cases, not x86 or 2024-05-01 or v1.2.", {"3.5", "1,200"}),
        (
            "names",
            "The ship Vasa met Gustav Adolf; PostgreSQL and NATO, too.",
            {"Vasa", "Gustav Adolf", "PostgreSQL", "NATO"},
        ),
        (
            "paths",
            "See https://example.org/a and core/models.py, not a.b.",
            {"https://example.org/a", "core/models.py"},
        ),
        (
            "dates",
            "On 2024-05-01, 3 May 2024, May 4, 2024 and in 1628; not 3000.",
            {"2024-05-01", "3 May 2024", "May 4, 2024", "1628"},
        ),
        ("negations", "It is not safe, never  was, and won't be; nothing else.", {"not safe", "never was", "won't be"}),
    ],
)
def test_facts_are_found_by_their_kind(kind: str, text: str, found: set[str]) -> None:
    counted = FACTS[kind](text)

    assert set(counted) == found
    assert all(count >= 1 for count in counted.values())


def test_a_fact_that_comes_back_is_counted_again() -> None:
    assert FACTS["dates"]("1628 and 1628 and 1961")["1628"] == 2


def test_names_of_code_count_at_any_depth_and_as_whole_words() -> None:
    source = "class A:\n    def b(self):\n        def c(): ...\nasync def long_name(): ...\n"
    names = code_names(source)

    assert names == {"A", "b", "c", "long_name"}
    assert kept_names(names, "class A: b, longer long_name_2") == {"A", "b"}


def test_the_yardstick_ranks_by_rare_words_and_stems() -> None:
    index = ReferenceBM25(["the harbours survey", "the clay survey", "survey of the survey", ""])
    scores = index.scores("What did the Harbour's survey find?")

    assert scores[0] == max(scores)
    assert scores[3] == 0
    assert index.scores("the of and") == [0.0] * 4


def test_the_yardstick_reads_camel_case_and_underscores_as_words() -> None:
    scores = ReferenceBM25(["readTideTable", "write_chart_file", "else"]).scores("table chart")

    assert scores[0] > 0
    assert scores[1] > 0
    assert scores[2] == 0


class Halves:
    """A compressor whose summary is the first half of a text, and which makes no brief of short ones."""

    @property
    def name(self) -> str:
        """Name it."""
        return "halves"

    def compress(self, text: str, kind: Kind, title: str | None, tokens: int) -> tuple[Rendition, ...]:
        """Return halves."""
        summary = Rendition("summary", text[: len(text) // 2], tokens // 2, self.name)
        return (summary,) if len(text) < 50 else (summary, Rendition("brief", text[:8], 2, self.name))


SOURCES = [bench.Source("a", "paper", "harbour " * 20), bench.Source("b", "code", "clay " * 8)]


def test_an_item_without_a_rendition_stands_for_itself() -> None:
    made = bench.render(SOURCES, Halves())

    assert made["brief"]["a"] == "harbour "
    assert made["brief"]["b"] == SOURCES[1].text
    assert made["hint"]["a"] == SOURCES[0].text


def test_ratios_are_of_all_tokens_together() -> None:
    made = bench.render(SOURCES, Halves())

    assert bench.ratio(SOURCES, made["summary"]) == pytest.approx(2.0)
    assert bench.ratio(SOURCES, made["brief"], "paper") == pytest.approx(20.0)
    assert bench.ratio(SOURCES, made["hint"], "code") == pytest.approx(1.0)


def test_accuracy_is_told_by_kind_and_over_all() -> None:
    questions = [
        bench.Question("x", "a", "paper", ""),
        bench.Question("y", "b", "code", ""),
        bench.Question("z", "a", "paper", ""),
    ]
    first, five = bench.accuracies(questions, [0, 4, 5])

    assert first.split() == ["paper", "50.0", "code", "0.0", "all", "33.3"]
    assert five.split() == ["paper", "50.0", "code", "100.0", "all", "66.7"]


def test_an_item_that_shares_no_word_is_not_found() -> None:
    questions = [bench.Question("harbour", "a", "paper", ""), bench.Question("harbour", "b", "code", "")]

    assert bench.reference_places(questions, {"a": "harbour", "b": "clay"}) == [0, 2]


def test_the_corpus_is_read_as_it_lies(tmp_path: Path) -> None:
    item = {"id": "a", "kind": "paper", "text": "harbour"}
    question = {"question": "Where?", "item": "a", "kind": "paper", "answer": "there"}
    with gzip.open(tmp_path / "mix128_items.jsonl.gz", "wt") as lines:
        lines.write(json.dumps(item))
    (tmp_path / "mix128_dev.jsonl").write_text(json.dumps(question))

    assert bench.read_corpus(tmp_path) == (
        [bench.Source("a", "paper", "harbour")],
        [bench.Question("Where?", "a", "paper", "there")],
    )


def test_without_the_corpus_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["renditions", "--data", str(tmp_path)])
    bench.main()

    assert "nothing is measured" in capsys.readouterr().err


def test_what_is_kept_and_how_fast_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    body = "    depth = measure(42) + other_value\n" * 40
    sources = [
        bench.Source("code-x.py", "code", f'"""Keeps tides."""\n\ndef tide_of_day():\n{body}'),
        bench.Source("p", "paper", "In 1628 the Vasa sank and was not raised before 1961 by 40 divers. " * 60),
    ]
    compressor = ExtractiveCompressor(FourBytes())
    questions = [bench.Question("tides", "code-x.py", "code", "tide_of_day")]
    bench.print_kept(sources, questions, bench.render(sources, compressor))
    bench.print_speed(sources, compressor)
    shown = capsys.readouterr().out

    assert "code names 100.0   asked for 100.0" in shown
    assert "numbers " in shown
    assert "dates 100.0 (100.0)" in shown
    assert "tokens/s" in shown
