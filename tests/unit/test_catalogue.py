"""Models are found by any name that is met, and their cards price what they are used for."""

import math
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.budget import SAFE, TRIGGER, Budget
from palimpsest.core.catalogue import ModelCard, ModelCatalogue, catalogue_budgets, load_catalogue
from palimpsest.core.models import TextUsage

WINDOW = 128_000
CATALOGUE = load_catalogue()
NAMES = [card.name for card in CATALOGUE.cards]
SOLD = ModelCard(
    "sold",
    "maker",
    1000,
    input_usd=Decimal("2.5"),
    cached_usd=Decimal("0.25"),
    output_usd=Decimal(10),
    aliases=("s-1",),
)
PRICES = st.none() | st.decimals(min_value=0, max_value=1000, places=4)
COUNTS = st.integers(min_value=0, max_value=10_000_000)


def used(prompt: int, completion: int, cached: int = 0) -> TextUsage:
    """Return what one call used."""
    return TextUsage("sold", prompt, completion, cached)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("gpt-4o", "gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("  gpt-4o\n", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("openrouter/openai/gpt-4o:extended", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2030-01-31", "gpt-4o"),
        ("azure/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4-turbo-preview", "gpt-4-turbo"),
        ("gpt-5.6", "gpt-5.6-sol"),
        ("claude-3-opus-20240229", "claude-3-opus"),
        ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet"),
        ("claude-3-7-sonnet@20250219", "claude-3-7-sonnet"),
        ("anthropic/claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-opus-5-5-20261231", "claude-opus-5-5"),
        ("us.anthropic.claude-3-opus-20240229-v1:0", "claude-3-opus"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("vertex_ai/claude-opus-4@20250514", "claude-opus-4"),
        ("microsoft/phi-2", "phi-2"),
        ("phi-2:q4_K_M", "phi-2"),
        ("google/gemma-3-4b-it", "gemma-3-4b"),
        ("gemma3:4b", "gemma-3-4b"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b"),
        ("mistral.mistral-7b-instruct-v0:2", "mistral-7b"),
        ("mistral-large-latest", "mistral-large-3"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b"),
        ("Qwen/Qwen3-8B", "qwen3-8b"),
        ("gemini/gemini-2.5-pro-latest", "gemini-2.5-pro"),
    ],
)
def test_a_model_is_found_by_the_names_that_are_met(asked: str, found: str) -> None:
    card = CATALOGUE.find(asked)
    assert card is not None
    assert card.name == found


@pytest.mark.parametrize(
    "asked",
    [
        "",
        " ",
        "/",
        "openai/",
        "gpt",
        "gpt-4p",
        "ft:gpt-4o-mini:acme::1",
        "gemma3:270m",
        "mistral-large-2407",
        "-latest",
    ],
)
def test_a_name_of_no_model_finds_none(asked: str) -> None:
    assert CATALOGUE.find(asked) is None


def test_a_dated_name_of_its_own_wins_over_the_model_that_it_is_a_date_of() -> None:
    dated, current = CATALOGUE.find("openai/gpt-4o-2024-05-13"), CATALOGUE.find("gpt-4o")
    assert dated is not None
    assert current is not None
    assert (dated.input_usd, current.input_usd) == (Decimal(5), Decimal("2.5"))


@given(
    name=st.sampled_from(NAMES),
    prefix=st.sampled_from(["", "openai/", "a/b/", "Some-Gateway/"]),
    suffix=st.sampled_from(["", "-latest", ":free", "@20250101", "-20250101", "-2031-02-03", "-2031-02-03:tag"]),
    upper=st.booleans(),
)
def test_prefixes_dates_tags_and_case_lead_to_the_same_model(name: str, prefix: str, suffix: str, upper: bool) -> None:
    asked = f"{prefix}{name}{suffix}"
    found = CATALOGUE.find(asked.upper() if upper else asked)
    assert found is not None
    # `mistral-medium-latest` and its like may be names of their own.
    assert found.name == name or asked.removeprefix(prefix) in found.aliases


@given(st.text(max_size=200))
def test_any_text_is_looked_up_without_an_error(name: str) -> None:
    choice = CATALOGUE.choose(name, WINDOW)
    found = CATALOGUE.find(name)
    assert (choice.note is None) == (found is not None)
    assert choice.card.window == (found.window if found else WINDOW)
    assert len(CATALOGUE.near(name)) <= 3


def test_near_names_are_models_the_most_like_one_first() -> None:
    assert CATALOGUE.near("gpt-4p") == ("gpt-4", "gpt-4o", "gpt-4.1")
    assert CATALOGUE.near("openai/gpt-4p-2024-08-06") == CATALOGUE.near("gpt-4p")
    assert CATALOGUE.near("claude-3-opius", limit=1) == ("claude-3-opus",)
    assert CATALOGUE.near("zzzzqqqq") == ()
    assert CATALOGUE.near("gpt-4p", limit=0) == ()


def test_an_alias_that_is_near_counts_as_its_model_and_only_once() -> None:
    near = CATALOGUE.near("claude-3-5-sonnet-2024062", limit=5)
    assert near[0] == "claude-3-5-sonnet"
    assert len(set(near)) == len(near)
    assert set(near) <= set(NAMES)


def test_an_unknown_model_gets_the_default_window_and_a_note_that_says_so() -> None:
    choice = CATALOGUE.choose("gpt-4p", WINDOW)
    assert choice.note == (
        "Model 'gpt-4p' is not in the catalogue: its window is taken as 128,000 tokens; "
        "near names: gpt-4, gpt-4o, gpt-4.1."
    )
    card = choice.card
    assert (card.name, card.window, card.trigger, card.safe) == ("gpt-4p", WINDOW, TRIGGER, SAFE)
    assert (card.input_usd, card.cached_usd, card.output_usd, card.max_output) == (None, None, None, None)


def test_a_note_without_near_names_says_that_too_and_a_long_name_is_cut() -> None:
    note = CATALOGUE.choose("z" * 5000, 8192).note
    assert note is not None
    assert note.endswith("…' is not in the catalogue: its window is taken as 8,192 tokens; no name is near.")
    assert len(note) < 200


def test_no_model_gets_the_default_card_without_a_note() -> None:
    choice = CATALOGUE.choose(None, 4096)
    assert choice.note is None
    assert (choice.card.name, choice.card.window, choice.card.input_usd) == ("default", 4096, None)


def test_a_known_model_is_chosen_without_a_note() -> None:
    choice = CATALOGUE.choose("microsoft/phi-2", WINDOW)
    assert (choice.card.window, choice.note) == (2048, None)


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        (used(0, 0), 0),
        (used(1000, 0), 2500),
        (used(1000, 100), 3500),
        (used(1000, 100, cached=1000), 1250),
        (used(1000, 0, cached=400), 1600),
        (used(1, 0), 3),
        (used(1, 0, cached=1), 1),
        (used(10, 0, cached=99), 3),
        (used(-5, -5), 0),
    ],
)
def test_a_call_costs_its_tokens_at_their_prices_rounded_up(usage: TextUsage, micros: int) -> None:
    assert SOLD.cost_micros(usage) == micros


def test_cached_tokens_cost_the_input_price_where_no_other_is_known() -> None:
    card = replace(SOLD, cached_usd=None)
    assert card.cost_micros(used(1000, 0, cached=600)) == 2500


def test_only_a_price_that_is_needed_has_to_be_known() -> None:
    assert replace(SOLD, output_usd=None).cost_micros(used(1000, 0)) == 2500
    assert replace(SOLD, output_usd=None).cost_micros(used(1000, 1)) is None
    assert replace(SOLD, input_usd=None).cost_micros(used(1000, 1)) is None
    assert replace(SOLD, input_usd=None).cost_micros(used(1000, 0, cached=1000)) == 250
    assert replace(SOLD, input_usd=None, cached_usd=None).cost_micros(used(10, 0, cached=10)) is None


@given(input_usd=PRICES, cached_usd=PRICES, output_usd=PRICES, prompt=COUNTS, completion=COUNTS, cached=COUNTS)
def test_a_cost_is_the_exact_one_rounded_up_once(
    input_usd: Decimal | None,
    cached_usd: Decimal | None,
    output_usd: Decimal | None,
    prompt: int,
    completion: int,
    cached: int,
) -> None:
    card = replace(SOLD, input_usd=input_usd, cached_usd=cached_usd, output_usd=output_usd)
    from_cache = min(cached, prompt)
    cached_price = input_usd if cached_usd is None else cached_usd
    parts = [(prompt - from_cache, input_usd), (from_cache, cached_price), (completion, output_usd)]
    cost = card.cost_micros(used(prompt, completion, cached))
    if any(tokens and price is None for tokens, price in parts):
        assert cost is None
    else:
        assert cost == math.ceil(sum(tokens * Fraction(price or 0) for tokens, price in parts))


def test_a_value_is_what_the_tokens_cost_as_input_once() -> None:
    assert SOLD.value_micros(1_000_000) == 2_500_000
    assert SOLD.value_micros(1) == 3
    assert SOLD.value_micros(0) == 0
    assert SOLD.value_micros(-1) == 0
    assert replace(SOLD, input_usd=None).value_micros(1000) is None


def test_the_cards_are_asked_for_once_and_not_before_they_are_needed() -> None:
    asked: list[str] = []

    def cards() -> list[ModelCard]:
        asked.append("cards")
        return [SOLD]

    catalogue = ModelCatalogue(cards)
    assert asked == []
    assert catalogue.find("S-1") == SOLD
    assert catalogue.choose("sold", 1).card == SOLD
    assert catalogue.cards == (SOLD,)
    assert asked == ["cards"]


def test_importing_and_loading_the_catalogue_reads_no_file() -> None:
    script = (
        "import sys, palimpsest.core.models, importlib.resources, difflib\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from palimpsest.core.catalogue import load_catalogue\n"
        "catalogue = load_catalogue()\n"
        "print(sum(name.endswith('.json') for name in opened))\n"
        "assert catalogue.find('gpt-4o')\n"
        "print(sum(name.endswith('.json') for name in opened))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["0", "1"]


def test_a_budget_has_its_models_window_shares_and_price() -> None:
    budgets = catalogue_budgets(CATALOGUE, default_model=None, default_window=WINDOW)
    assert budgets("openai/gpt-4o") == Budget(128_000, TRIGGER, SAFE, model="gpt-4o", micros_per_million=2_500_000)
    assert budgets("phi-2") == Budget(2048, TRIGGER, SAFE, model="phi-2")
    assert budgets("gpt-5").trigger == 0.6


def test_a_thread_without_a_model_has_the_default_model_or_else_the_default_window() -> None:
    assert catalogue_budgets(CATALOGUE, default_model="phi-2", default_window=WINDOW)(None).window == 2048
    assert catalogue_budgets(CATALOGUE, default_model="phi-2", default_window=WINDOW)("gpt-4").window == 8192
    assert catalogue_budgets(CATALOGUE, default_model=None, default_window=WINDOW)(None) == Budget(WINDOW)


def test_an_unknown_models_budget_is_the_default_one_with_the_note() -> None:
    budget = catalogue_budgets(CATALOGUE, default_model=None, default_window=4096)("gpt-4p")
    assert budget == Budget(4096, note=CATALOGUE.choose("gpt-4p", 4096).note)
    assert budget.note is not None


def test_a_budgets_price_agrees_with_the_cards_to_a_millionth_of_a_dollar() -> None:
    budgets = catalogue_budgets(CATALOGUE, default_model=None, default_window=WINDOW)
    for card in CATALOGUE.cards:
        value = budgets(card.name).micros(123_457)
        told = card.value_micros(123_457)
        assert (value is None) == (told is None)
        assert abs((value or 0) - (told or 0)) <= 1
