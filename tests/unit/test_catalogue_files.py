"""A user's model file extends the catalogue or changes parts of it; a wrong one is refused in one sentence."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.budget import SAFE, TRIGGER
from palimpsest.core.catalogue import ModelCard, ModelCatalogue, load_catalogue
from palimpsest.core.catalogue.source import merged
from palimpsest.core.errors import SettingsError

BUILT_IN = load_catalogue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models.json"


def loaded(file: Path, *rows: Any) -> ModelCatalogue:
    """Write a user's file of these rows and load it."""
    file.write_text(json.dumps({"models": rows}), encoding="utf-8")
    return load_catalogue(file)


def card(catalogue: ModelCatalogue, name: str) -> ModelCard:
    """Return a model that is there."""
    found = catalogue.find(name)
    assert found is not None
    return found


def refusal(file: Path, *rows: Any) -> str:
    """Return the sentence with which a file of these rows is refused."""
    with pytest.raises(SettingsError) as refused:
        loaded(file, *rows)
    message = str(refused.value)
    assert message.startswith(str(file))
    assert message.endswith(".")
    assert "\n" not in message
    return message.removeprefix(str(file))


def test_a_new_model_needs_a_name_and_a_window_and_no_more(file: Path) -> None:
    catalogue = loaded(file, {"name": "house-13b", "window": 16384})
    assert card(catalogue, "House-13B") == ModelCard("house-13b", "user", 16384, source="models.json")
    assert len(catalogue.cards) == len(BUILT_IN.cards) + 1
    assert catalogue.cards[-1].name == "house-13b"


def test_a_new_model_keeps_every_field_that_it_is_given(file: Path) -> None:
    row = {
        "name": " house-13b ",
        "provider": "house",
        "window": 16384,
        "max_output": 2048,
        "trigger": 0.5,
        "safe": 1,
        "input_usd": 0.1,
        "cached_usd": 0,
        "output_usd": 2,
        "source": "the contract",
        "as_of": "2026-11-20",
        "aliases": ["house", "House/13B"],
    }
    found = card(loaded(file, row), "house/13b")
    assert found == ModelCard(
        "house-13b", "house", 16384, 2048, 0.5, 1.0, Decimal("0.1"), Decimal(0), Decimal(2),
        "the contract", "2026-11-20", ("house", "House/13B"),
    )  # fmt: skip
    assert found.value_micros(10) == 1


def test_a_row_may_change_some_fields_of_a_known_model(file: Path) -> None:
    before, after = card(BUILT_IN, "gpt-4o"), card(loaded(file, {"name": "GPT-4o", "trigger": 0.5}), "gpt-4o")
    assert after.trigger == 0.5
    assert (after.name, after.window, after.input_usd, after.aliases) == (
        before.name, before.window, before.input_usd, before.aliases,
    )  # fmt: skip
    assert (after.source, after.as_of) == (before.source, before.as_of)


@pytest.mark.parametrize(
    "fact", [{"window": 64_000}, {"max_output": None}, {"input_usd": 1}, {"cached_usd": None}, {"output_usd": 0.5}]
)
def test_a_changed_fact_is_no_longer_said_to_come_from_the_old_source(file: Path, fact: dict[str, Any]) -> None:
    after = card(loaded(file, {"name": "gpt-4o", **fact}), "gpt-4o")
    assert (after.source, after.as_of) == ("models.json", None)
    dated = card(loaded(file, {"name": "gpt-4o", **fact, "source": "our contract", "as_of": "2026-10"}), "gpt-4o")
    assert (dated.source, dated.as_of) == ("our contract", "2026-10")


def test_a_price_can_be_made_unknown_again(file: Path) -> None:
    after = card(loaded(file, {"name": "gpt-4o", "input_usd": None}), "gpt-4o")
    assert after.value_micros(1000) is None


def test_aliases_that_a_row_gives_replace_the_old_ones_and_free_them_for_others(file: Path) -> None:
    catalogue = loaded(
        file, {"name": "gpt-4o", "aliases": ["our-model"]}, {"name": "gpt-4o-2024-08-06", "window": 64_000}
    )
    assert card(catalogue, "our-model").name == "gpt-4o"
    assert card(catalogue, "openai/gpt-4o-2024-08-06").window == 64_000


def test_known_models_stay_where_they_are_and_the_rest_is_untouched(file: Path) -> None:
    catalogue = loaded(file, {"name": "gpt-4o", "window": 64_000}, {"name": "new", "window": 1})
    assert [one.name for one in catalogue.cards] == [*(one.name for one in BUILT_IN.cards), "new"]
    changed = [one.name for one, old in zip(catalogue.cards, BUILT_IN.cards, strict=False) if one != old]
    assert changed == ["gpt-4o"]


def test_an_empty_list_changes_nothing(file: Path) -> None:
    assert loaded(file).cards == BUILT_IN.cards


def test_a_file_with_a_byte_order_mark_is_read(file: Path) -> None:
    file.write_text('{"models": [{"name": "house", "window": 9}]}', encoding="utf-8-sig")
    assert card(load_catalogue(file), "house").window == 9


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["gpt-4o"], ": it must be an object such as {'name': 'my-model', 'window': 32768}."),
        (None, ": it must be an object such as {'name': 'my-model', 'window': 32768}."),
        ({"window": 5}, ": it needs a 'name', a text that is not empty."),
        ({"name": " ", "window": 5}, ": it needs a 'name', a text that is not empty."),
        ({"name": 7, "window": 5}, ": it needs a 'name', a text that is not empty."),
        ({"name": "x"}, " ('x'): it needs a 'window', a whole number of tokens."),
        ({"name": "gpt-4o", "window": None}, " ('gpt-4o'): it needs a 'window', a whole number of tokens."),
        ({"name": "x", "windw": 5}, " ('x'): 'windw' is no field; the nearest is 'window'."),
        (
            {"name": "x", "qqqqqqq": 5},
            " ('x'): 'qqqqqqq' is no field; the fields are name, provider, window, max_output, trigger, safe, "
            "input_usd, cached_usd, output_usd, source, as_of, aliases.",
        ),
        (
            {"name": "x", "window": -5},
            " ('x'): 'window' must be a whole number of tokens from 1 to 1,000,000,000, not -5.",
        ),
        (
            {"name": "x", "window": 0},
            " ('x'): 'window' must be a whole number of tokens from 1 to 1,000,000,000, not 0.",
        ),
        (
            {"name": "x", "window": "8k"},
            " ('x'): 'window' must be a whole number of tokens from 1 to 1,000,000,000, not '8k'.",
        ),
        (
            {"name": "x", "window": 8192.5},
            " ('x'): 'window' must be a whole number of tokens from 1 to 1,000,000,000, not 8192.5.",
        ),
        (
            {"name": "x", "window": True},
            " ('x'): 'window' must be a whole number of tokens from 1 to 1,000,000,000, not True.",
        ),
        (
            {"name": "x", "window": 5, "max_output": 0},
            " ('x'): 'max_output' must be a whole number of tokens from 1 to 1,000,000,000, not 0.",
        ),
        (
            {"name": "x", "window": 5, "trigger": 1.5},
            " ('x'): 'trigger' must be a share of the window, above 0 and at most 1, not 1.5.",
        ),
        (
            {"name": "x", "window": 5, "safe": 0},
            " ('x'): 'safe' must be a share of the window, above 0 and at most 1, not 0.",
        ),
        (
            {"name": "x", "window": 5, "safe": "85 %"},
            " ('x'): 'safe' must be a share of the window, above 0 and at most 1, not '85 %'.",
        ),
        (
            {"name": "x", "window": 5, "trigger": 0.9},
            " ('x'): its 'trigger' 0.9 must be under 'safe' 0.85; without either they are 0.75 and 0.85.",
        ),
        (
            {"name": "gpt-4o", "safe": 0.75},
            " ('gpt-4o'): its 'trigger' 0.75 must be under 'safe' 0.75; without either they are 0.75 and 0.85.",
        ),
        (
            {"name": "x", "window": 5, "input_usd": -1},
            " ('x'): 'input_usd' must be US dollars for a million tokens, 0 or more, or null, not -1.",
        ),
        (
            {"name": "x", "window": 5, "output_usd": "3"},
            " ('x'): 'output_usd' must be US dollars for a million tokens, 0 or more, or null, not '3'.",
        ),
        (
            {"name": "x", "window": 5, "cached_usd": 10_000_000},
            " ('x'): 'cached_usd' must be US dollars for a million tokens, 0 or more, or null, not 10000000.",
        ),
        ({"name": "x", "window": 5, "provider": None}, " ('x'): 'provider' must be a text."),
        ({"name": "x", "window": 5, "source": ["a"]}, " ('x'): 'source' must be a text."),
        (
            {"name": "x", "window": 5, "as_of": "2026-13"},
            " ('x'): 'as_of' must be a day such as '2026-11-21', a month or null, not '2026-13'.",
        ),
        (
            {"name": "x", "window": 5, "as_of": "yesterday"},
            " ('x'): 'as_of' must be a day such as '2026-11-21', a month or null, not 'yesterday'.",
        ),
        ({"name": "x", "window": 5, "aliases": "y"}, " ('x'): 'aliases' must be a list of texts, not 'y'."),
        ({"name": "x", "window": 5, "aliases": [3]}, " ('x'): 'aliases' must be a list of texts, and 3 is none."),
        ({"name": "x", "window": 5, "aliases": [""]}, " ('x'): 'aliases' must be a list of texts, and '' is none."),
    ],
)
def test_a_wrong_row_is_refused_with_its_place_and_what_to_do(file: Path, row: Any, reason: str) -> None:
    assert refusal(file, {"name": "good", "window": 5}, row) == f", row 2{reason}"


def test_a_model_that_is_there_twice_is_refused(file: Path) -> None:
    twice = refusal(file, {"name": "Mine", "window": 5}, {"name": "mine", "window": 6})
    assert twice == ", row 2 ('mine') is there twice; keep one of its rows."


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [{"name": "a", "window": 5, "aliases": ["c"]}, {"name": "b", "window": 5, "aliases": ["C"]}],
            ", row 2 ('b'): 'C' is a name of 'a' and of 'b'; take it out of the 'aliases' of one.",
        ),
        (
            [{"name": "a", "window": 5, "aliases": ["GPT-4o"]}],
            ", row 1 ('a'): 'GPT-4o' is a name of 'gpt-4o' and of 'a'; take it out of the 'aliases' of one.",
        ),
        (
            [{"name": "microsoft/phi-2", "window": 5}],
            ", row 1 ('microsoft/phi-2'): 'microsoft/phi-2' is a name of 'phi-2' and of 'microsoft/phi-2'; "
            "take it out of the 'aliases' of one.",
        ),
        (
            [{"name": "claude-3-opus", "aliases": ["gpt-4"]}],
            ", row 1 ('claude-3-opus'): 'gpt-4' is a name of 'claude-3-opus' and of 'gpt-4'; "
            "take it out of the 'aliases' of one.",
        ),
        (
            [{"name": "a", "window": 5, "aliases": ["b", "B"]}],
            ", row 1 ('a'): 'B' is there twice; take it out of the 'aliases' of one.",
        ),
    ],
)
def test_a_name_of_two_models_is_refused(file: Path, rows: list[Any], reason: str) -> None:
    assert refusal(file, *rows) == reason


@pytest.mark.parametrize(
    "content", ["[]", "{}", "3", "null", '{"models": {}}', '{"models": [], "more": 1}', '{"model": []}', '"models"']
)
def test_a_file_that_is_no_object_with_models_alone_is_refused(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"must be an object with one field, the list 'models'"):
        load_catalogue(file)


@pytest.mark.parametrize("content", ["", "{", "models:", '{"models": [{"name": "x", "window": NaN}]}', "[" * 100_000])
def test_a_file_that_is_no_json_is_refused(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"is no JSON|is nested too deeply") as refused:
        load_catalogue(file)
    assert str(refused.value).startswith(str(file))


def test_a_file_that_is_not_there_or_not_readable_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist; correct the path or unset it"):
        load_catalogue(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_catalogue(tmp_path)
    file.write_bytes(b'{"models": "\xff"}')
    with pytest.raises(SettingsError, match="cannot be read"):
        load_catalogue(file)


def test_a_huge_price_is_refused_before_it_is_reckoned_with(file: Path) -> None:
    file.write_text('{"models": [{"name": "x", "window": 5, "input_usd": 1e999999}]}', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"'input_usd' must be US dollars"):
        load_catalogue(file)


ROWS = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=12).filter(str.strip), "window": st.integers(1, 10_000_000)},
    optional={
        "provider": st.text(min_size=1, max_size=9).filter(str.strip),
        "max_output": st.none() | st.integers(1, 1_000_000),
        "input_usd": st.none() | st.decimals(0, 1000, places=3),
        "as_of": st.none() | st.dates().map(str),
    },
)


@given(ROWS)
def test_a_row_that_is_right_becomes_a_card_that_says_the_same(row: dict[str, Any]) -> None:
    (made,) = merged((), "file.json", [row])
    assert (made.name, made.window) == (row["name"].strip(), row["window"])
    assert made.provider == row.get("provider", "user")
    assert made.max_output == row.get("max_output")
    assert made.input_usd == row.get("input_usd")
    assert made.as_of == row.get("as_of")
    assert (made.trigger, made.safe, made.source) == (TRIGGER, SAFE, "file.json")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "window", "x"]), inner),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "window", "safe", "aliases", "as_of"]), JSON_VALUES)))
def test_any_rows_are_taken_or_refused_in_one_sentence(rows: list[dict[str, Any]]) -> None:
    refused, cards = "", tuple[ModelCard, ...]()
    try:
        cards = merged((), "file.json", rows)
    except SettingsError as error:
        refused = str(error)
    assert refused.startswith("file.json, row ") or len(cards) == len(rows)
    assert "\n" not in refused
