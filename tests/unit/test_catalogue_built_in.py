"""The catalogue that comes with the package: complete, in order, without clashes, and as docs/models.md says."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from palimpsest.core.catalogue import ModelCard, load_catalogue
from palimpsest.core.catalogue.names import folded, forms

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "models.md"
ROWS: list[dict[str, Any]] = json.loads(
    (ROOT / "core" / "catalogue" / "catalogue.json").read_text(encoding="utf-8"), parse_float=Decimal
)["models"]
CATALOGUE = load_catalogue()

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "name", "provider", "window", "max_output", "input_usd", "cached_usd", "output_usd", "source", "as_of",
    ],
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]+$"},
        "provider": {"enum": ["anthropic", "google", "meta", "microsoft", "mistral", "openai", "qwen"]},
        "aliases": {"type": "array", "items": {"type": "string", "pattern": r"^[\w./:-]+$"}, "minItems": 1},
        "window": {"type": "integer", "minimum": 1},
        "max_output": {"type": ["integer", "null"], "minimum": 1},
        "trigger": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "safe": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "input_usd": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "cached_usd": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "output_usd": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "source": {"type": "string", "minLength": 1},
        "as_of": {"type": ["string", "null"], "pattern": r"^20\d\d-[01]\d(-[0-3]\d)?$"},
    },
}  # fmt: skip


def card(name: str) -> ModelCard:
    """Return a model that is there."""
    found = CATALOGUE.find(name)
    assert found is not None
    return found


def test_every_row_is_of_the_schema() -> None:
    checked = [
        {key: float(value) if isinstance(value, Decimal) else value for key, value in row.items()} for row in ROWS
    ]
    jsonschema.validate(checked, {"type": "array", "minItems": 100, "items": SCHEMA})


def test_every_row_becomes_a_card() -> None:
    assert [one.name for one in CATALOGUE.cards] == [row["name"] for row in ROWS]
    for one, row in zip(CATALOGUE.cards, ROWS, strict=True):
        prices = (one.input_usd, one.cached_usd, one.output_usd)
        assert prices == (row["input_usd"], row["cached_usd"], row["output_usd"])
        assert (one.window, one.max_output, one.as_of) == (row["window"], row["max_output"], row["as_of"])
        assert 0 < one.trigger < one.safe <= 1


def test_the_rows_are_sorted_by_provider_and_name() -> None:
    order = [(row["provider"], row["name"]) for row in ROWS]
    assert order == sorted(order)


def test_no_two_models_share_a_name_in_any_case() -> None:
    names = [folded(name) for row in ROWS for name in (row["name"], *row.get("aliases", []))]
    assert sorted(names) == sorted(set(names))


def test_no_shorter_form_of_a_name_leads_to_another_model_unless_it_is_a_dated_row() -> None:
    astray = {
        (name, other.name)
        for one in CATALOGUE.cards
        for name in (one.name, *one.aliases)
        for form in forms(name)
        if (other := CATALOGUE.find(form)) is not None and other != one
    }
    assert astray == {("gpt-4o-2024-05-13", "gpt-4o")}


@pytest.mark.parametrize(
    ("name", "provider", "window", "max_output"),
    [
        ("gpt-4o", "openai", 128_000, 16_384),
        ("gpt-4o-mini", "openai", 128_000, 16_384),
        ("gpt-4-turbo", "openai", 128_000, 4096),
        ("gpt-4", "openai", 8192, 4096),
        ("claude-3-opus", "anthropic", 200_000, 4096),
        ("claude-3-sonnet", "anthropic", 200_000, 4096),
        ("claude-3-haiku", "anthropic", 200_000, 4096),
        ("claude-3-5-sonnet", "anthropic", 200_000, 8192),
        ("claude-3-5-haiku", "anthropic", 200_000, 8192),
        ("claude-3-7-sonnet", "anthropic", 200_000, 64_000),
        ("claude-opus-5-5", "anthropic", 1_000_000, 128_000),
        ("phi-2", "microsoft", 2048, None),
        ("gemma-3-4b", "google", 131_072, 8192),
        ("mistral-7b", "mistral", 32_768, None),
    ],
)
def test_models_that_must_be_there_have_their_windows(name: str, provider: str, window: int, max_output: int) -> None:
    found = card(name)
    assert (found.provider, found.window, found.max_output) == (provider, window, max_output)


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("gpt-4o", ("2.5", "1.25", "10")),
        ("gpt-4o-mini", ("0.15", "0.075", "0.6")),
        ("gpt-4-turbo", ("10", None, "30")),
        ("claude-3-opus", ("15", "1.5", "75")),
        ("claude-3-haiku", ("0.25", "0.03", "1.25")),
        ("phi-2", (None, None, None)),
        ("gemma-3-4b", (None, None, None)),
        ("mistral-7b", (None, None, None)),
    ],
)
def test_models_that_must_be_there_have_their_prices(name: str, prices: tuple[str | None, ...]) -> None:
    found = card(name)
    assert (found.input_usd, found.cached_usd, found.output_usd) == tuple(
        None if price is None else Decimal(price) for price in prices
    )


def test_each_provider_that_is_promised_has_models() -> None:
    providers = [one.provider for one in CATALOGUE.cards]
    assert {name: providers.count(name) > 2 for name in set(providers)} == dict.fromkeys(
        ["anthropic", "google", "meta", "microsoft", "mistral", "openai", "qwen"], True
    )


def test_a_model_is_priced_for_input_and_output_or_for_neither_and_its_cache_is_never_dearer() -> None:
    for one in CATALOGUE.cards:
        assert (one.input_usd is None) == (one.output_usd is None), one.name
        if one.cached_usd is not None:
            assert one.input_usd is not None
            assert one.cached_usd <= one.input_usd, one.name


def test_a_model_without_a_price_says_why() -> None:
    for one in CATALOGUE.cards:
        if one.input_usd is None:
            assert re.search(r"not sold by its maker|no longer sold by its maker", one.source), one.name


def test_what_is_not_confirmed_says_so_and_what_is_has_a_date() -> None:
    undated = [one.name for one in CATALOGUE.cards if one.as_of is None]
    assert undated == ["phi-2"]
    doubted = [one.name for one in CATALOGUE.cards if "not confirmed" in one.source]
    assert doubted == ["claude-3-7-sonnet", "mistral-7b"]


def test_the_shares_of_models_with_less_input_than_window_keep_within_their_input() -> None:
    narrow = [one for one in CATALOGUE.cards if (one.provider, one.window) == ("openai", 400_000)]
    assert len(narrow) == 9
    assert all(one.window * one.safe <= 272_000 for one in narrow)


@pytest.mark.parametrize("name", ["gpt-5.4", "gpt-5.6-sol", "gpt-6-astra", "gpt-6.2-sol"])
def test_the_usual_shares_of_the_largest_windows_keep_within_their_input_too(name: str) -> None:
    assert card(name).window * card(name).safe <= 922_000


def table() -> str:
    """Return the models as the page's table."""

    def usd(price: Decimal | None) -> str:
        return "" if price is None else str(price)

    lines = ["| model | maker | window | most output | input | cached | output |", "|---|---|--:|--:|--:|--:|--:|"]
    for one in CATALOGUE.cards:
        most = "" if one.max_output is None else f"{one.max_output:,}"
        prices = f"{usd(one.input_usd)} | {usd(one.cached_usd)} | {usd(one.output_usd)}"
        lines.append(re.sub(" +", " ", f"| `{one.name}` | {one.provider} | {one.window:,} | {most} | {prices} |"))
    return "\n".join(lines)


def test_the_pages_table_is_the_catalogue() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- models -->\n")
    found, closed, _ = rest.partition("\n<!-- end -->")
    assert closed
    # When this fails, `table()` is what belongs between the two marks.
    assert found == table()


def test_the_pages_example_is_a_file_that_is_taken(tmp_path: Path) -> None:
    example = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    file = tmp_path / "models.json"
    file.write_text(example[1], encoding="utf-8")
    catalogue = load_catalogue(file)
    for row in json.loads(example[1])["models"]:
        found = catalogue.find(row["name"])
        assert found is not None
        assert all(getattr(found, field) == row[field] for field in ("window", "trigger") if field in row)
