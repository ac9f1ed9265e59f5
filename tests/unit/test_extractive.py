"""What the extractive compressor says of each kind of text."""

import json
import random

import pytest

from palimpsest.slm.keywords import list_keywords
from palimpsest.slm.parts import Part, clip, fit, plain
from palimpsest.slm.salience import Sentence, rank_sentences
from palimpsest.slm.sentences import split_sentences

from .compressing import renditions

_WORDS = ("harbour", "survey", "layer", "clay", "stone", "water", "vessel", "anchor", "chart", "coast", "tide", "mast")


def running_text(seed: int, sentences: int) -> str:
    """Return made-up prose that is always the same for a seed."""
    chance = random.Random(seed)
    return " ".join(f"The {' '.join(chance.choices(_WORDS, k=9))} was noted." for _ in range(sentences))


def test_prose_keeps_its_lead_its_headings_and_keywords() -> None:
    lead = "The Vasa capsized in 1628 because its ballast was too light for its guns."
    text = f"# The Vasa\n\n{lead} {running_text(1, 40)}\n\n## Salvage\n\n{running_text(2, 40)}\n\n"
    text += f"## Museum\n\n{running_text(3, 40)}"
    made = renditions(text, "prose")

    assert lead in made["summary"]
    assert "Salvage: " in made["summary"]
    assert "Museum: " in made["summary"]
    assert made["brief"].startswith(f"The Vasa. {lead}")
    assert "Keywords: " in made["brief"]
    assert "harbour" in made["brief"]
    assert made["hint"].startswith("The Vasa · ")


def test_repeated_sentences_are_kept_once() -> None:
    text = "The beacon of Skagen burned down in the winter of 1747. " * 40 + running_text(4, 60)

    assert renditions(text, "prose")["summary"].count("Skagen burned down") <= 2


def test_a_conversation_names_speakers_dates_and_what_they_said() -> None:
    turns = [
        f"[2024-05-{n % 28 + 1:02d} 10:00] {'Ann' if n % 2 else 'Bob'}: {running_text(n, 2)} Yeah." for n in range(60)
    ]
    made = renditions("\n".join(turns), "conversation")

    assert made["summary"].startswith("Turns: Bob 30, Ann 30; 2024-05-01 10:00 to 2024-05-04 10:00")
    assert "] Ann: The " in made["summary"]
    assert made["hint"].startswith("Conversation: Bob, Ann")


def test_a_conversation_without_turns_is_read_as_prose() -> None:
    assert "Keywords" in renditions(running_text(5, 60), "conversation")["brief"]


def test_many_speakers_are_counted() -> None:
    text = "\n".join(f"Speaker{chr(65 + n % 20)}: {running_text(n, 3)}" for n in range(60))

    assert "8 more" in renditions(text, "conversation")["summary"]


PYTHON = '''"""Keeps the tide tables. And more."""

import math
from os import path


class Harbour(Base, kind="deep"):
    """A place for vessels."""

    def __init__(self, name: str) -> None:
{body}
    async def open(self, *, hour: int = 6) -> bool:
        """Let vessels in."""
{body}
    def _dredge(self):
{body}

@cached
def tide(day: int) -> float:  # height
    """Return the height in metres."""
    if day:
{body}
'''.replace("{body}", "        depth = math.sqrt(42) + other_value_of_things()\n" * 12)


def test_python_becomes_an_outline_with_line_ranges() -> None:
    made = renditions(PYTHON, "code", "harbour.py")

    assert made["summary"].startswith("Keeps the tide tables")
    assert "L7-51 class Harbour" in made["summary"]
    assert "  L24-37 async def open(self, *, hour: int=6) -> bool" in made["summary"]
    assert "_dredge" in made["summary"]
    assert "tide" in made["brief"]
    assert made["hint"].startswith("Keeps the tide tables")
    assert "5 definitions: Harbour, tide" in made["hint"]


def test_a_crowded_outline_keeps_names_before_words() -> None:
    text = "".join(f"def function_number_{n}(argument_one, argument_two):\n    return {n}\n\n" for n in range(300))
    summary = renditions(text, "code", "x.py")["summary"]

    assert "function_number_0" in summary
    assert "argument_one" not in summary


def test_other_languages_become_an_outline_too() -> None:
    body = "    this.value = this.compute(1, 2, 3);\n" * 30
    head = "// Draws the chart of the coast.\nimport x from 'y';\n\n/** A chart. */\n"
    text = f"{head}class Chart {{\n  draw(scale) {{\n{body}  }}\n}}\n"
    summary = renditions(text, "code", "chart.js")["summary"]

    assert summary.startswith("Draws the chart of the coast.")
    assert "L5-38 class Chart" in summary
    assert "draw(scale)" in summary
    assert "# A chart." in summary


def test_a_script_without_definitions_keeps_its_margin() -> None:
    text = "# Sets the table.\n" + "".join(f"key_{n} = {n}\n    nested_{n}: {'y' * 30}\n" for n in range(100))
    made = renditions(text, "code", "settings.conf")

    assert made["summary"].startswith("Sets the table.")
    assert "key_1 = 1" in made["summary"]
    assert "nested" in made["brief"] or "key" in made["brief"]


def test_json_becomes_its_shape_with_samples() -> None:
    value = {
        "users": [
            {
                "id": n,
                "name": f"user {n}",
                "on": n % 2 == 0,
                "tags": ["a"],
                "at": {"city": "Oslo"},
                "x": None if n % 2 else "y",
            }
            for n in range(90)
        ],
        "total": 90,
        "ratio": 0.5,
    }
    summary = renditions(json.dumps(value), "json")["summary"]

    assert summary.startswith("JSON: object of 3 keys")
    assert "users: array of 90 objects" in summary
    assert "id: number 0 to 89" in summary
    assert 'city: string "Oslo"' in summary
    assert "on: boolean" in summary


def test_lines_of_json_and_wide_objects_are_described() -> None:
    lines = "\n".join(json.dumps({"n": n, "text": running_text(n, 1)}) for n in range(50)) + "\n{broken"
    made = renditions(lines, "json")
    assert made["summary"].startswith("51 lines of JSON: array of 50 objects")
    assert "e.g. {" in made["summary"]

    wide = renditions(json.dumps({f"key{n}": "some words " * 60 for n in range(200)}), "json")
    assert "… 140 more keys" in wide["summary"]


@pytest.mark.parametrize("text", ["{broken " * 200, '{"a": 1,\n' * 100, '"only a string, no record of anything" ' * 20])
def test_broken_json_is_read_as_lines_or_prose(text: str) -> None:
    assert renditions(text, "json")["summary"]


def test_a_table_names_columns_ranges_and_rows() -> None:
    text = "id,city,price\n" + "".join(f'{n},"{"Oslo" if n % 2 else "Rome"}, x",{n * 1.5}\n' for n in range(400))
    made = renditions(text, "table")

    assert made["summary"].startswith("Table of 400 rows: id, city, price\nid: 0 to 399\ncity: 2 distinct, ")
    assert "\n0," in made["summary"]
    assert "\n399," in made["summary"]
    assert made["hint"] == "Table of 400 rows: id, city, price"


def test_a_markdown_table_is_a_table() -> None:
    text = "| id | city |\n|----|------|\n" + "".join(f"| {n} | Oslo number {n} |\n" for n in range(100))

    assert renditions(text, "table")["summary"].startswith("Table of 100 rows: id, city")


def test_a_log_counts_levels_and_shapes_of_messages() -> None:
    lines = [f"2024-01-01 10:{n % 60:02d}:00 INFO request {n} took {n % 9} ms" for n in range(300)]
    lines[120] = "2024-01-01 12:00:00 ERROR database refused connection 7"
    made = renditions("\n".join(lines), "log")

    assert made["summary"].startswith("Log of 300 lines: INFO 299, ERROR 1\nfirst: 2024-01-01 10:00:00")
    assert "299x " in made["summary"]
    assert "1x 2024-01-01 12:00:00 ERROR database refused connection 7" in made["summary"]
    assert "ERROR database" in made["hint"]


def test_a_very_long_log_is_looked_at_from_both_ends() -> None:
    text = "INFO steady\n" * 60_000

    assert renditions(text, "log")["summary"].startswith("Log of 60,000 lines: INFO 50,000")


def test_sentences_survive_abbreviations_wrapping_and_lists() -> None:
    text = (
        "Dr. Lee wrote e.g. about the old\nharbour walls. It is done now, she said! "
        "一个句子在这里结束了它有二十多个字那么长。另一个。\n\n"
        "- first item of the list here\n- second item of the list here"
    )

    assert list(split_sentences(text)) == [
        "Dr. Lee wrote e.g. about the old harbour walls.",
        "It is done now, she said!",
        "一个句子在这里结束了它有二十多个字那么长。",
        "另一个。",
        "first item of the list here",
        "second item of the list here",
    ]


def test_a_sentence_without_end_comes_in_pieces() -> None:
    assert all(len(piece) <= 400 for piece in split_sentences("word " * 2_000 + "x" * 3_000))


def test_nothing_to_rank_ranks_nothing() -> None:
    assert rank_sentences([], 0.1) == {}
    assert set(rank_sentences([Sentence("..."), Sentence("of the and")], 0.1)) <= {0, 1}


def test_keywords_are_what_a_text_is_about_in_its_own_spelling() -> None:
    found = list_keywords(["PostgreSQL keeps the tables. The table of PostgreSQL was thing and don't."], 10)

    assert found[0] == "PostgreSQL"
    assert found[-1] == "thing"
    assert "don" not in found
    assert len({word.lower().rstrip("s") for word in found}) == len(found)


def test_fit_takes_the_best_ranks_and_keeps_the_order() -> None:
    parts = [
        Part(0, "aaa", 3.0),
        Part(1, "bb", 1.0, "h: "),
        Part(1, "cc", 2.0, "h: ", ", "),
        Part(1, "cccc", 4.0, replaces=True),
    ]

    assert fit(parts, 100) == "aaa\nh: bb, cccc"
    assert fit(parts, 10) == "h: bb, cc"
    assert fit(parts, 1) == ""
    assert fit([], 5) == ""


def test_clip_ends_at_a_word() -> None:
    assert clip("one two three", 9) == "one two…"
    assert clip("short", 9) == "short"
    assert clip("anything", 1) == ""


def test_plain_text_has_no_control_characters() -> None:
    assert plain("a\x00b\r\nc\rd\x1b[0m\u2028e\tf\ud800") == "a b\nc\nd [0m\ne\tf "
