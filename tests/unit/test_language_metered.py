"""Models asked in turn: who answers, who pays, and whose failure decides when to ask again."""

from __future__ import annotations

import pytest

from palimpsest.core.errors import SpendingLimitError, TextModelError, TextModelUnavailableError, UnusableAnswerError
from palimpsest.core.models import TextUsage
from palimpsest.slm.language.asking import who_asks
from palimpsest.slm.language.building import build_summarizer
from palimpsest.slm.language.metered import Member, Metered, decisive
from palimpsest.slm.language.purse import Purse
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock, ParagraphChunker, WordCounter
from .speaking import Model, always

START = HandClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
DOWN = TextModelUnavailableError("down")
UNUSABLE = UnusableAnswerError("of no use")
SPENT = SpendingLimitError("spent")
REFUSED = TextModelError("refused")


def cents(usage: TextUsage) -> int:
    return 10_000


def metered(*models: Model, store: InMemoryStore | None = None) -> Metered:
    clock = HandClock()
    purse = Purse(meter=store or InMemoryStore(clock), price=cents, clock=clock)
    return Metered(*(Member("test", one, purse) for one in models))


async def ask(language: Metered, **more: object) -> str:
    answer = await language.ask("mine", "work", "facts", "s", "p", max_tokens=5)
    return f"{answer.by}: {answer.text}"


async def test_the_first_model_that_can_answers_and_is_paid_for() -> None:
    store = InMemoryStore(HandClock())
    first, second, third = Model(always(DOWN)), Model(always("yes"), name="second"), Model(always("no"))
    assert await ask(metered(first, second, third, store=store)) == "test:second: yes"
    assert (len(first.asked), len(second.asked), len(third.asked)) == (1, 1, 0)
    assert await store.spent_micros("mine", START) == 10_000


async def test_a_schema_is_handed_on_and_the_model_learns_who_asks() -> None:
    seen: list[object] = []

    def says(system: str, prompt: str, max_tokens: int) -> str:
        seen.append(who_asks())
        return "{}"

    model = Model(says)
    language = metered(model)
    await language.ask("mine", "work", "facts", "s", "p", max_tokens=5, schema={"type": "object"}, key="mem_1")
    await language.ask("theirs", "work", "facts", "s", "p", max_tokens=5)
    assert model.schemas == [{"type": "object"}, None]
    named = [(getattr(one, "namespace", None), getattr(one, "key", None)) for one in seen]
    assert named[0] == ("mine", "mem_1")
    assert named[1][0] == "theirs"
    assert named[1][1]
    assert who_asks() is None


async def test_names_windows_and_counts_are_of_all_the_models() -> None:
    small = Model(always("x"), 2000, name="small", counts=True)
    large = Model(always("x"), 9000, name="large")
    both = metered(small, large)
    assert both.name == "test:small, then test:large"
    assert both.window == 2000
    assert [one.name for one in both.each()] == ["test:small", "test:large"]
    assert await metered(small).count("three words here") == 6
    assert await metered(small).own_count("three words here") == 6
    assert await both.own_count("three words here") is None
    assert await both.count("three words here") == 6, "a third of the bytes, rounded up"
    await both.aclose()
    assert small.closed
    assert large.closed


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([DOWN], DOWN),
        ([DOWN, UNUSABLE], UNUSABLE),
        ([UNUSABLE, DOWN], DOWN),
        ([DOWN, SPENT], DOWN),
        ([UNUSABLE, SPENT], SPENT),
        ([DOWN, REFUSED], DOWN),
        ([UNUSABLE, REFUSED], REFUSED),
    ],
)
async def test_the_failure_that_passes_soonest_decides_unless_the_last_answer_would_be_paid_again(
    failures: list[TextModelError], expected: TextModelError
) -> None:
    assert decisive(failures) is expected
    with pytest.raises(type(expected)) as caught:
        await ask(metered(*(Model(always(one)) for one in failures)))
    assert caught.value is expected


async def test_each_model_of_a_chain_writes_its_summary_by_its_own_window_and_name() -> None:
    words = " ".join(f"w{place}" for place in range(600))

    def half(system: str, prompt: str, max_tokens: int) -> str:
        return "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11." if "Hint:" not in system else "w0 w1.\nHint: w0."

    small, large = Model(always(DOWN), 800, name="small"), Model(half, 9000, name="large")
    chain = build_summarizer(metered(small, large), counter=WordCounter(), chunker=ParagraphChunker())
    assert chain.name == "test:small, then test:large"
    made = await chain.summarize("mine", "main", words, "prose", None, 600)
    assert {one.compressor.split("/")[0] for one in made} == {"test:large"}
    assert len(small.asked[0][1]) < len(large.asked[0][1]), "the small window gets a part"
    with pytest.raises(TextModelUnavailableError):
        await build_summarizer(metered(small), counter=WordCounter(), chunker=ParagraphChunker()).summarize(
            "mine", "main", words, "prose", None, 600
        )
