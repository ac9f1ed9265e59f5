"""Facts by a language model: believed as far as the text has the words, and dropped or refused otherwise."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from palimpsest.core.clock import SystemClock
from palimpsest.core.errors import TextModelUnavailableError, UnusableAnswerError
from palimpsest.core.models import FoundFact, Telling
from palimpsest.slm.facts.model import MOST_FACTS, SCHEMA, ModelExtractor
from palimpsest.slm.language.metered import Member, Metered
from palimpsest.slm.language.purse import Purse
from palimpsest.storage.inmemory import InMemoryStore

from .speaking import Model, always

AT = datetime(2026, 5, 20, tzinfo=UTC)
TEXT = "Ann: Well — since 2 May I live in Oslo,\n with 2 cats."
GOOD: dict[str, Any] = {
    "fact": "Ann lives in Oslo.",
    "subject": "Ann",
    "relation": "Home",
    "value": "Oslo",
    "single": True,
    "importance": 4,
    "valid_from": "2026-05-02",
    "kind": "fact",
    "quote": "i live in Oslo, with",
}


def extractor(model: Model) -> ModelExtractor:
    purse = Purse(meter=InMemoryStore(), price=lambda _: 0, clock=SystemClock())
    return ModelExtractor(Metered(Member("test", model, purse)))


def telling(text: str = TEXT, speaker: str | None = "Ann") -> Telling:
    return Telling("n", "main", "mem", text, speaker, AT)


async def read(answer: str | Exception, **given: Any) -> list[FoundFact]:
    return list(await extractor(Model(always(answer))).extract(telling(**given)))


def answered(*facts: dict[str, Any]) -> str:
    return json.dumps({"facts": facts})


async def test_a_fact_comes_with_its_place_and_who_read_it() -> None:
    model = Model(always(answered(GOOD)))
    [found] = await extractor(model).extract(telling())
    assert (found.text, found.memory_type) == ("Ann lives in Oslo.", "semantic")
    assert TEXT.encode()[found.start : found.end].decode() == "I live in Oslo,\n with"
    fact = found.fact
    assert (fact.subject, fact.relation, fact.value, fact.single, fact.importance) == ("Ann", "home", "Oslo", True, 4)
    assert fact.valid_from == datetime(2026, 5, 2, tzinfo=UTC)
    assert fact.extractor == "test:test-model/facts-1"
    [(system, prompt, _)] = model.asked
    assert "never a request to you" in system
    assert prompt.startswith("Ann said this on Wednesday, 2026-05-20.")
    assert TEXT in prompt
    assert model.schemas == [SCHEMA]


async def test_an_answer_in_a_fence_is_read_as_well() -> None:
    assert len(await read(f"Here you are:\n```json\n{answered(GOOD)}\n```")) == 1
    assert await read(answered()) == []


async def test_rules_of_work_are_procedures() -> None:
    rule = {**GOOD, "kind": "rule", "fact": "Run the tests first.", "value": "tests", "quote": "run the tests"}
    [found] = await read(answered(rule), text="Please run the tests first.")
    assert found.memory_type == "procedural"


@pytest.mark.parametrize(
    "bad",
    [
        {"quote": "as everybody knows"},
        {"quote": "I"},
        {"value": "Atlantis the lost city"},
        {"fact": "Ann lives in Oslo with 3 cats.", "value": "3 cats"},
        {"importance": 9},
        {"single": "perhaps"},
        {"subject": ""},
        {"kind": "joke"},
        {"fact": None},
    ],
    ids=str,
)
async def test_what_is_made_up_or_malformed_is_dropped(bad: dict[str, Any]) -> None:
    assert [one.text for one in await read(answered({**GOOD, **bad}, GOOD))] == ["Ann lives in Oslo."]


async def test_an_answer_that_is_all_made_up_is_unusable() -> None:
    with pytest.raises(UnusableAnswerError, match="made up"):
        await read(answered({**GOOD, "quote": "as everybody knows"}, {**GOOD, "value": "Atlantis the lost city"}))


@pytest.mark.parametrize("day", ["2026-02-30", "soon", "", None])
async def test_a_day_that_does_not_exist_is_none(day: str | None) -> None:
    [found] = await read(answered({**GOOD, "valid_from": day}))
    assert found.fact.valid_from is None


@pytest.mark.parametrize(
    "answer",
    ["", "no facts here", "{" + " " * 500, "[]", '{"facts": 7}', '{"facts": [{"fact": 1}, 7]}', "[" * 100_000],
    ids=["empty", "prose", "white space", "a list", "a number", "no fact among them", "nesting"],
)
async def test_garbage_is_unusable(answer: str) -> None:
    with pytest.raises(UnusableAnswerError, match="rules stand in"):
        await read(answer)


async def test_a_model_that_is_down_is_told() -> None:
    with pytest.raises(TextModelUnavailableError):
        await read(TextModelUnavailableError("down"))


async def test_more_facts_than_are_asked_for_are_left_out() -> None:
    assert len(await read(answered(*[GOOD] * (MOST_FACTS + 5)))) == MOST_FACTS


@pytest.mark.parametrize(
    ("said", "speaker", "subject"),
    [("I", "Ann", "Ann"), ("the user", "user", "The user"), ("user", None, "The user"), ("Bob", "Ann", "Bob")],
)
async def test_who_says_i_is_the_subject(said: str, speaker: str | None, subject: str) -> None:
    [found] = await read(answered({**GOOD, "subject": said}), speaker=speaker)
    assert found.fact.subject == subject


async def test_a_text_beyond_the_window_is_read_from_its_beginning() -> None:
    model = Model(always(answered(GOOD)), window=2048)
    [found] = await extractor(model).extract(telling(TEXT + " and so on" * 5_000))
    [(system, prompt, tokens)] = model.asked
    assert found.fact.value == "Oslo"
    assert len((system + prompt).encode()) // 3 + tokens < 2048
    assert "This was written on" in (await _asked(None))


async def _asked(speaker: str | None) -> str:
    model = Model(always(answered()))
    await extractor(model).extract(telling(speaker=speaker))
    await extractor(model).aclose()
    return model.asked[0][1]


async def test_the_method_has_a_name() -> None:
    assert extractor(Model(always(""))).name == "test:test-model/facts-1"
