"""Texts longer than a small window: what each call holds by the model's own count, and what is left of every part."""

from __future__ import annotations

import pytest

from palimpsest.core.errors import UnusableAnswerError
from palimpsest.core.models import Rendition
from palimpsest.slm.language.metered import Member, Metered
from palimpsest.slm.language.purse import Purse
from palimpsest.slm.language.summarizer import ModelSummarizer
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock, ParagraphChunker, WordCounter
from .speaking import Model, always
from .test_language import between_marks

WINDOW = 2048
PLACES = ("harbour", "mountain", "island", "river", "desert", "forest", "valley", "castle")


def paragraph(number: int) -> str:
    words = [f"{PLACES[(number + place) % len(PLACES)]}" for place in range(60)]
    return f"Keeper{number} writes this part. " + " ".join(words) + "."


TEXT = "\n\n".join(paragraph(number) for number in range(100))


def first_sentence(system: str, prompt: str, bound: int) -> str:
    marked = between_marks(prompt)
    return (
        f"{marked.split('.')[0]}.\nHint: {marked.split('.')[0]}." if "Hint:" in system else marked.split(".")[0] + "."
    )


async def summarized(model: Model, text: str) -> dict[str, Rendition]:
    clock = HandClock()
    purse = Purse(meter=InMemoryStore(clock), price=lambda usage: 0, clock=clock)
    summarizer = ModelSummarizer(
        model=Metered(Member("test", model, purse)), counter=WordCounter(), chunker=ParagraphChunker()
    )
    made = await summarizer.summarize("mine", "main", text, "prose", None, WordCounter().count(text).tokens)
    return {one.detail: one for one in made}


async def own(model: Model, system: str, prompt: str, bound: int) -> int:
    read = [await model.count(text) for text in (system, prompt)]
    return sum(count or 0 for count in read) + bound


async def test_every_call_stays_within_the_window_by_the_models_own_count() -> None:
    model = Model(first_sentence, WINDOW, counts=True)
    made = await summarized(model, TEXT)
    assert len(model.asked) > 5
    sizes = [await own(model, *asked) for asked in model.asked]
    assert max(sizes) <= WINDOW
    assert max(sizes) > 0.7 * WINDOW, "and uses it"
    firsts = [between_marks(prompt).split(".")[0] for system, prompt, _ in model.asked if "Hint:" not in system]
    assert made["summary"].text.count("writes this part") == len(firsts), "the parts stand side by side"
    assert made["summary"].tokens < WordCounter().count(TEXT).tokens / 8


async def test_a_part_denser_than_the_rest_is_cut_further() -> None:
    dense = Model(first_sentence, WINDOW, counts=True)
    heavy = "\n\n".join(f"Keeper{n} counts. " + "1 2 3 4 5 6 7 8 9 " * 8 for n in range(40))

    async def count(text: str) -> int:
        return sum(8 if word.isdigit() else 1 for word in text.split())

    dense.count = count  # type: ignore[method-assign]
    await summarized(dense, TEXT + "\n\n" + heavy)
    for system, prompt, bound in dense.asked:
        assert await own(dense, system, prompt, bound) <= WINDOW


async def test_of_parts_that_are_too_long_together_each_keeps_its_beginning() -> None:
    def wordy(system: str, prompt: str, bound: int) -> str:
        return "Begun here. " + " ".join(between_marks(prompt).split()[:-10]) + "."

    model = Model(wordy, WINDOW, counts=True)
    made = await summarized(model, TEXT)
    assert made["summary"].tokens <= WordCounter().count(TEXT).tokens / 10 * 1.3
    parts = [prompt for system, prompt, _ in model.asked if "Hint:" not in system]
    assert made["summary"].text.count("Begun here.") == len(parts), "what did not shrink is not shortened again"


async def test_a_summary_of_something_else_is_refused() -> None:
    other = "Bananas grow quickly under tropical sunshine; farmers harvest clusters before ripening begins."
    with pytest.raises(UnusableAnswerError, match="names what its text does not have"):
        await summarized(Model(always(other), WINDOW), TEXT)
