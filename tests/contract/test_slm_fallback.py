"""A hundred texts whose small model dies in the middle of its work, on a real server that stops listening."""

from __future__ import annotations

from collections import Counter

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.chores import summarize_work
from palimpsest.core.memory import NewMemory
from palimpsest.core.runner import Runner
from palimpsest.core.summaries import Summaries
from palimpsest.slm.language.building import build_summarizer
from palimpsest.slm.language.guarded import Guarded
from palimpsest.slm.language.metered import Member, Metered
from palimpsest.slm.language.openai_chat import OpenAIChat
from palimpsest.slm.language.purse import Purse
from palimpsest.slm.language.vllm import VllmModel
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock, ParagraphChunker, WordCounter
from ..unit.parts import ME, Parts, build_parts
from .text_model_server import Script
from .text_model_server import serve as serve_external
from .vllm_server import Vllm, serve

ITEMS = 100
DIES_AFTER = 40


class Dying(Vllm):
    """Answers until so many summaries were asked for; then every connection ends without an answer."""

    def next_answer(self) -> str:
        with self.lock:
            asked = sum("Hint:" in body["prompt"] for body in self.generations())
        return "good" if asked <= DIES_AFTER else "drop"


def text(number: int) -> str:
    return f"Light {number}. " + "The keeper winds the lamp and signs the book before the storm. " * 12


async def no_wait(seconds: float) -> None:
    """Jobs wait by the hand clock; calls need not."""


def member(provider: str, model: VllmModel | OpenAIChat, clock: HandClock) -> Member:
    purse = Purse(meter=InMemoryStore(clock), price=lambda usage: 0, clock=clock)
    return Member(provider, Guarded(model, seconds=lambda: clock.now().timestamp(), sleep=no_wait), purse)


async def compress_all(parts: Parts, language: Metered, items: int = ITEMS) -> tuple[Counter[str], Counter[str]]:
    """Add the texts, work their jobs to the end, and return by what they are summarised, and how the jobs ended."""
    added = [(await parts.memory.add(ME, NewMemory(text(number)))).item.item_id for number in range(items)]
    for item_id in added:
        await parts.store.enqueue("mine", "summarize", item_id)
    chunker = ParagraphChunker()
    summaries = Summaries(
        store=parts.store,
        summarizer=build_summarizer(language, counter=WordCounter(), chunker=chunker),
        chunker=chunker,
        budgets=fixed_budget(10_000),
    )
    runner = Runner(store=parts.store, works={"summarize": summarize_work(summaries)}, owner="one", max_attempts=3)
    outcomes: Counter[str] = Counter()
    for _ in range(6):
        while (worked := await runner.run_one("mine")) is not None:
            outcomes[worked.outcome] += 1
        parts.clock.advance(3600)
    by: Counter[str] = Counter()
    for item_id in added:
        _, summary = await parts.store.rendition("mine", item_id, "summary")
        by["nothing" if summary is None else summary.compressor] += 1
    await language.aclose()
    return by, outcomes


@pytest.mark.parametrize("external", [False, True])
async def test_every_item_ends_summarised_and_says_by_what(external: bool) -> None:
    parts = build_parts()
    script = Script()
    with serve(Dying()) as address, serve_external(script) as other:
        small = VllmModel(model="slm", window=2048, api_key="k", base_url=f"{address}/v1", style="completions")
        large = OpenAIChat(model="large", window=9000, api_key="k", base_url=f"{other}/v1")
        members = [member("vllm", small, parts.clock)]
        members += [member("openai", large, parts.clock)] if external else []
        by, outcomes = await compress_all(parts, Metered(*members))
    second = "openai:large/summary-1" if external else "first-words"
    assert set(by) == {"vllm:slm/summary-1", second}
    assert sum(by.values()) == ITEMS
    assert by["vllm:slm/summary-1"] == DIES_AFTER
    if external:
        assert outcomes == {"done": ITEMS}
    else:
        assert outcomes["done"] == DIES_AFTER
        assert outcomes["dead"] == ITEMS - DIES_AFTER, "each job says that it was given up, and nothing waits for ever"


async def test_a_job_whose_answers_are_of_no_use_ends_and_says_so() -> None:
    parts = build_parts()
    vllm = Vllm(answers=["blank"])
    with serve(vllm) as address:
        small = VllmModel(model="slm", window=2048, api_key="k", base_url=f"{address}/v1", style="completions")
        by, outcomes = await compress_all(parts, Metered(member("vllm", small, parts.clock)), 5)
    assert by == {"first-words": 5}
    assert outcomes == {"fallback": 5}
