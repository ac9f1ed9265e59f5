"""Keywords, cards, stretches and the shapes of YAML."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.slm.commonness import rarity
from palimpsest.slm.compose import Composer, Room
from palimpsest.slm.keywords import Terms, list_keywords
from palimpsest.slm.parts import fit, within, written
from palimpsest.slm.salience import Sentence
from palimpsest.slm.yaml_shape import digest_yaml, reads_as_yaml

from .compressing import renditions


def test_a_common_word_is_less_rare_than_an_uncommon_one() -> None:
    assert rarity("the") < rarity("year") < rarity("virus") < rarity("haplotyp")
    assert rarity("the") > 0
    assert rarity("haplotyp") == rarity("never-seen-anywhere")


def test_a_word_that_comes_back_is_worth_more_than_one_said_once() -> None:
    words = list_keywords(["Zebrafish swim. Zebrafish eat. Zebrafish sleep. An axolotl swims."], 3)

    assert words[0] == "Zebrafish"


def test_keywords_are_named_once_by_their_usual_form() -> None:
    words = list_keywords(["Infections infect the infected. An infection! Infection, infection!"], 10)

    assert sum(word.lower().startswith("infect") for word in words) == 1
    assert "infection" in [word.lower() for word in words]


def test_a_compound_stands_for_its_parts() -> None:
    words = list_keywords(["DC-SIGNR binds HIV-1. DC-SIGNR and HIV-1 again, and DC-SIGNR once more."], 10)

    assert "DC-SIGNR" in words
    assert "SIGNR" not in words
    assert "HIV-1" in words


def test_addresses_numbers_and_contractions_are_no_keywords() -> None:
    words = list_keywords(
        ["See https://example.org/deep/path and www.example.com: don't count 1234 5678 harbours."], 20
    )

    assert "harbours" in words
    assert not {"example", "deep", "path", "https", "don", "1234"} & set(words)


def test_scripts_without_spaces_have_keywords_too() -> None:
    assert "世界" in list_keywords(["世界。世界。中文世界很大世界很好世界很美。"], 10)


def test_words_in_the_opening_count_twice() -> None:
    filling = " ".join(f"word{n}" for n in range(100))
    terms = Terms([f"zebrafish. {filling} axolotl."])

    assert terms.worth("zebrafish", 1) == 2 * terms.worth("axolotl", 1)


def test_a_card_leaves_out_what_is_covered_unheard_or_too_long() -> None:
    terms = Terms(["zebrafish axolotl salamander newt zebrafish"], unheard=("newt",))
    words = [word for _, word in terms.choose(terms.total, 100, terms.stems("Two zebrafish"))]

    assert sorted(words) == ["axolotl", "salamander"]
    assert [word for _, word in terms.choose(terms.total, 8, ())] == ["axolotl"]
    assert terms.choose(terms.total, 0, ()) == []


def test_every_stretch_of_a_long_text_is_heard() -> None:
    sentences = [
        Sentence(f"The beacon number{chr(97 + n % 26)}{chr(97 + n // 26)} burned all night.") for n in range(400)
    ]
    composer = Composer(sentences, {}, Room(summary=2_000, brief=300))
    text = fit(composer.stretches(2_000, 0.5, []), 2_000)

    assert "numbera" in text
    assert "numberj" in text.split("Also: ")[-1]
    assert text.count("Also: ") == 3


def test_a_text_of_few_words_is_told_in_sentences() -> None:
    text = " ".join(f"Probe {n} measured a depth of {n * 7 % 1000} metres near island {n % 17}." for n in range(1_000))
    made = renditions(text, "prose")

    assert made["brief"].count("Probe ") > 5
    assert len(made["summary"]) > len(text) / 11


def test_citations_are_left_out_of_what_is_told() -> None:
    sentence = "The reef grows by two metres a year [12, 13] in warm water (Smith et al., 2009) and in cold (Table S1)."
    text = f"{sentence} " + "The survey of the reef was long. " * 100

    assert "The reef grows by two metres a year in warm water and in cold." in renditions(text, "prose")["summary"]


def test_within_and_written_are_what_fit_does() -> None:
    sentences = [Sentence(f"The beacon of harbour number {n} burned down.") for n in range(40)]
    parts = Composer(sentences, dict.fromkeys(range(40), 0.5), Room(800, 200)).stretches(800, 0.5, [])

    assert written(within(parts, 500)) == fit(parts, 500)
    assert len(fit(parts, 500)) <= 500


YAML = """# Compose file
services:
  web:
    image: "nginx:1.25"
    ports:
      - "80:80"
      - "443:443"
    environment:
      LOG_LEVEL: debug
  db:
    image: postgres:17
    command: |
      not: a key
      nor: this
volumes:
  pg: {}
"""


def test_yaml_becomes_its_keys_with_their_values() -> None:
    made = renditions(YAML * 12, "code", "compose.yaml")

    assert made["summary"].startswith("YAML: ")
    assert "2 keys: services, volumes" in made["summary"]
    assert "services: (x12)" in made["summary"]
    assert "\n  web:" in made["summary"]
    assert "not: a key" not in made["summary"]


def test_yaml_keeps_depth_values_and_counts_of_entries() -> None:
    digest = digest_yaml(YAML)
    assert digest is not None
    text = fit(digest.summary, 10_000)

    assert '\n    image: "nginx:1.25"' in text
    assert '\n      -: (x2) "80:80", "443:443"' in text
    assert "\n      LOG_LEVEL: debug" in text
    assert "\n  pg: {}" in text
    assert digest.hint.startswith("YAML: ")


def test_lists_of_records_are_merged() -> None:
    digest = digest_yaml("people:\n" + "".join(f"- name: person {n}\n  age: {n}\n" for n in range(30)))
    assert digest is not None

    assert "name: (x30) person 0, person 1" in fit(digest.summary, 10_000)


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        (YAML, None, True),
        (YAML, "compose.yml", True),
        (YAML, "compose.txt", False),
        ("# Title\n\nSome prose: with a colon.\n\nMore prose here.\n", None, False),
        ("def f(x):\n    return x\n\nclass A:\n    pass\n", None, False),
        ("a: 1\nb: 2\n", None, False),
        ("Name: Ann\nAge: 4\nCity: Oslo\nNote: none\n", None, False),
    ],
)
def test_yaml_is_told_by_its_ending_or_its_lines(text: str, title: str | None, expected: bool) -> None:
    assert reads_as_yaml(text, title) is expected


def test_what_has_no_keys_is_no_yaml() -> None:
    assert digest_yaml("just words\nand more words\n") is None
    assert digest_yaml("") is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["a: 1\n", "  b:\n", "- ", "x: |\n", "   text\n", "'k': v\n", "\t", "#", ": ", "- - c: d\n", "{", "é: ü\n"]
        )
    ).map("".join)
)
def test_any_lines_have_a_yaml_digest_or_none(text: str) -> None:
    digest = digest_yaml(text)

    assert digest is None or fit(digest.summary, 500)


_PROGRAM = """
import hashlib, sys
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.slm.tokens import choose_counter
text = sys.stdin.read()
counter = choose_counter("estimate")
for kind in ("prose", "conversation", "code"):
    for made in ExtractiveCompressor(counter).compress(text, kind, "x.py", counter.count(text).tokens):
        print(made.detail, made.tokens, hashlib.sha256(made.text.encode()).hexdigest())
"""


def test_renditions_do_not_hang_on_the_seed_of_hashes() -> None:
    text = "\n".join(
        f"Ann: We agreed to survey harbour {n} and its clay, tide and mast number {n % 7}." for n in range(200)
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=text,
            text=True,
            capture_output=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(made) == 1
    assert next(iter(made)).count("\n") >= 6
