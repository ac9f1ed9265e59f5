"""Which language models a server asks, in which order, by its settings."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from palimpsest.core.catalogue import load_catalogue
from palimpsest.core.errors import SettingsError
from palimpsest.server.language import (
    MOST_LANES,
    choose_admin,
    choose_language,
    choose_probe,
    choose_summarizer,
    summarizing_lanes,
)
from palimpsest.server.settings import Settings, load_settings
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock, ParagraphChunker, WordCounter
from .parts import ME, build_parts

SMALL = {"slm_base_url": "http://127.0.0.1:1/v1"}
LARGE = {"summarizer": "openai", "summarizer_model": "gpt-4o-mini", "summarizer_api_key": SecretStr("k")}


def named(**given: object) -> str | None:
    settings = Settings.model_validate(given)
    language = choose_language(settings, load_catalogue(None), InMemoryStore(HandClock()))
    summarizer = choose_summarizer(language, WordCounter(), ParagraphChunker())
    assert (language is None) is (summarizer is None)
    return None if language is None else language.name


def test_the_small_model_is_asked_before_the_providers_and_nothing_where_none_is_set() -> None:
    assert named() is None
    assert named(slm_model="other") is None, "nothing is asked without an address"
    assert named(**SMALL) == "vllm:microsoft/phi-2"
    assert named(**LARGE) == "openai:gpt-4o-mini"
    assert named(**SMALL, **LARGE) == "vllm:microsoft/phi-2, then openai:gpt-4o-mini"


def test_a_provider_without_key_or_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="PALIMPSEST_SUMMARIZER_API_KEY"):
        named(summarizer="anthropic", summarizer_model="claude-3-5-haiku")


def test_without_a_small_model_there_is_none_to_look_at_and_one_lane() -> None:
    assert choose_admin(Settings()) is None
    assert choose_probe(Settings()) is None
    assert summarizing_lanes(Settings()) == 1
    assert summarizing_lanes(Settings.model_validate({**SMALL, "slm_concurrency": 2})) == 2
    assert summarizing_lanes(Settings.model_validate({**SMALL, "slm_concurrency": 64})) == MOST_LANES


async def test_a_style_that_is_set_is_not_asked_for() -> None:
    model = choose_probe(Settings.model_validate({**SMALL, "slm_prompt_style": "chat"}))
    assert model is not None
    assert await model.style() == "chat"


def test_an_address_without_a_scheme_and_a_window_too_small_for_an_instruction_are_refused() -> None:
    for name, value in (("PALIMPSEST_SLM_BASE_URL", "localhost:8100/v1"), ("PALIMPSEST_SLM_WINDOW", "512")):
        with pytest.raises(SettingsError, match=name):
            load_settings({name: value})


class Watch:
    """A server that does well."""

    async def notes(self) -> tuple[str, ...]:
        return ("Small model slm: 0 running.",)


async def test_the_state_says_how_the_small_model_does() -> None:
    assert (await build_parts(watch=Watch()).memory.state(ME)).notes == ("Small model slm: 0 running.",)
    assert (await build_parts().memory.state(ME)).notes == ()
