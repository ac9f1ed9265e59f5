"""A thread's block: whole, within a bound, and chosen for a question."""

import re
from collections.abc import Awaitable, Callable, Sequence

import pytest

from palimpsest.core.budget import Budget
from palimpsest.core.calls import Change, NewMemory
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.models import ContextAnswer

from ..fakes import WordCounter
from .parts import ME, Parts, build_parts

LONG = "\n\n".join(
    f"paragraph {number} " + " ".join(f"w{number}x{place}" for place in range(20)) for number in range(10)
)


async def block(parts: Parts, **given: object) -> ContextAnswer:
    return await parts.context.get(ME, "main", **given)  # type: ignore[arg-type]


async def add(parts: Parts, text: str, **given: object) -> str:
    return (await parts.memory.add(ME, NewMemory(text, **given))).item.item_id  # type: ignore[arg-type]


async def test_an_unknown_thread_has_an_empty_block() -> None:
    answer = await build_parts().context.get(ME, "nowhere")
    assert (answer.text, answer.tokens, answer.shown, answer.omitted) == ("", 0, 0, 0)


async def test_a_block_names_each_item_above_its_text_in_the_order_in_which_they_came() -> None:
    parts = build_parts()
    first = await add(parts, "the first text", title="One")
    second = await add(parts, LONG)
    await parts.memory.update(ME, second, Change(detail="hint"))
    answer = await block(parts)
    assert answer.text == (
        f"[{first} | 3 tokens | One]\nthe first text\n\n[{second} | hint of 230 tokens]\nparagraph 0 w0x0 w0x1 w0x2\n\n"
    )
    assert (answer.shown, answer.omitted, answer.evidence) == (2, 0, None)
    assert answer.tokens == WordCounter().count(answer.text).tokens <= answer.ledger.used


async def test_over_500_adds_every_block_begins_with_the_one_before_it_until_items_step_down() -> None:
    parts = build_parts(window=20_000)
    before, compressions, grown, shrunk = "", 0, 0, 0
    for number in range(500):
        receipt = await parts.memory.add(ME, NewMemory(f"note {number} " + "word " * 60, title=f"note {number}"))
        answer = await block(parts)
        if answer.ledger.compressions == compressions:
            assert receipt.steps == ()
            assert answer.text.startswith(before)
            assert len(answer.text) > len(before)
            grown += 1
        else:
            assert receipt.steps
            shrunk += 1
        before, compressions = answer.text, answer.ledger.compressions
    assert (grown + shrunk, shrunk > 2) == (500, True)
    assert grown > 480, "one compression must last for many adds"


Act = Callable[[Parts, Sequence[str]], Awaitable[object]]
EDITS: dict[str, tuple[Act, bool]] = {
    "forget": (lambda parts, ids: parts.memory.forget(ME, ids[1]), False),
    "purge": (lambda parts, ids: parts.memory.forget(ME, ids[1], "purge"), False),
    "compress": (lambda parts, ids: parts.compression.compress(ME, "main", item_ids=[ids[1]]), False),
    "new title": (lambda parts, ids: parts.memory.update(ME, ids[1], Change(title="New")), False),
    "move away": (lambda parts, ids: parts.memory.update(ME, ids[1], Change(thread="other")), False),
    "restore a shortened one": (lambda parts, ids: parts.memory.update(ME, ids[2], Change(detail="full")), False),
    "pin": (lambda parts, ids: parts.memory.update(ME, ids[1], Change(pinned=True)), True),
    "unpin": (lambda parts, ids: parts.memory.update(ME, ids[4], Change(pinned=False)), True),
    "priority and tags": (lambda parts, ids: parts.memory.update(ME, ids[1], Change(priority=9, tags=["x"])), True),
    "restore an archived one": (lambda parts, ids: parts.memory.update(ME, ids[3], Change(detail="full")), True),
    "restore a forgotten one": (lambda parts, ids: parts.memory.forget(ME, ids[0], "restore"), False),
    "read": (lambda parts, ids: parts.memory.retrieve(ME, ids[1]), True),
    "search": (lambda parts, ids: parts.memory.search(ME, "paragraph"), True),
    "add": (lambda parts, ids: parts.memory.add(ME, NewMemory("something new")), True),
    "ask": (lambda parts, ids: parts.context.get(ME, "main", query="paragraph", max_tokens=100), True),
}


@pytest.mark.parametrize("name", list(EDITS))
async def test_only_what_changes_an_items_place_or_text_changes_what_was_rendered_before(name: str) -> None:
    act, keeps = EDITS[name]
    parts = build_parts()
    ids = [await add(parts, f"{number} {LONG}", pinned=number == 4) for number in range(5)]
    await parts.memory.forget(ME, ids[0])
    await parts.memory.update(ME, ids[2], Change(detail="summary"))
    await parts.memory.update(ME, ids[3], Change(detail="archived"))
    before = (await block(parts)).text
    await act(parts, ids)
    after = (await block(parts)).text
    assert after.startswith(before) is keeps


async def test_a_bound_below_the_block_shortens_the_answer_and_nothing_else() -> None:
    parts = build_parts()
    ids = [await add(parts, f"{number} {LONG}") for number in range(5)]
    await parts.memory.update(ME, ids[0], Change(pinned=True))
    whole = await block(parts)
    answer = await block(parts, max_tokens=400)
    assert answer.tokens <= 400
    assert f"[{ids[0]} | 231 tokens]" in answer.text
    assert "summary of" in answer.text or "brief of" in answer.text
    assert any("raise max_tokens" in note for note in answer.notes)
    assert await block(parts) == whole
    smallest = await block(parts, max_tokens=60)
    assert smallest.tokens <= 60
    assert smallest.shown >= 1
    assert smallest.shown + smallest.omitted == 5


async def test_a_question_is_answered_with_the_passages_that_bear_on_it() -> None:
    parts = build_parts()
    ids = [await add(parts, f"{LONG}\n\nthe harbour of town {number} is deep") for number in range(4)]
    other = await add(parts, "nothing to do with it", thread="other")
    answer = await block(parts, query="harbour town 2 deep", max_tokens=120)
    assert answer.tokens <= 120
    assert answer.text.startswith(f"[{ids[2]} | excerpts of ")
    assert "the harbour of town 2 is deep" in answer.text
    assert other not in answer.text
    assert answer.evidence is not None
    assert answer.shown + answer.omitted == 4


async def test_neighbouring_passages_read_on_as_in_the_original_and_gaps_are_shown() -> None:
    parts = build_parts()
    text = "\n\n".join(["alpha one", "alpha two", "beta nothing " * 40, "alpha three"])
    item_id = await add(parts, text)
    answer = await block(parts, query="alpha", max_tokens=60)
    assert answer.text == f"[{item_id} | excerpts of 126 tokens]\nalpha one\n\nalpha two\n…\nalpha three\n\n"


async def test_a_short_item_that_bears_on_the_question_is_given_whole() -> None:
    parts = build_parts()
    item_id = await add(parts, "the key is under the mat")
    answer = await block(parts, query="where is the key")
    assert answer.text == f"[{item_id} | 6 tokens]\nthe key is under the mat\n\n"


async def test_a_question_finds_the_same_originals_however_the_thread_is_compressed() -> None:
    parts = build_parts()
    ids = [await add(parts, f"{LONG}\n\nfact {number} about whales") for number in range(6)]
    query = "fact 3 about whales"
    whole = await block(parts, query=query, max_tokens=200)
    await parts.compression.compress(ME, "main", detail="hint")
    await parts.memory.update(ME, ids[3], Change(detail="archived"))
    assert (await block(parts, query=query, max_tokens=200)).text == whole.text


async def test_a_block_for_a_question_leaves_forgotten_items_out() -> None:
    parts = build_parts()
    item_id = await add(parts, "the key is under the mat")
    await parts.memory.forget(ME, item_id)
    answer = await block(parts, query="where is the key")
    assert (answer.text, answer.shown) == ("", 0)


async def test_a_model_given_with_the_question_is_the_threads_from_then_on() -> None:
    def budgets(model: str | None) -> Budget:
        return Budget({"small": 100}.get(model or "", 10_000), model=model)

    parts = build_parts(budgets=budgets)
    await add(parts, LONG)
    answer = await block(parts, model="small")
    assert (answer.ledger.window, answer.ledger.model) == (100, "small")
    assert "summary of 230 tokens" in answer.text
    assert (await block(parts)).ledger.window == 100


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"query": " "}, "query is empty"),
        ({"max_tokens": 10}, "max_tokens"),
        ({"model": "m" * 201}, "model"),
    ],
)
async def test_bad_input_is_refused_in_words(given: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        await block(build_parts(), **given)


async def test_headers_depend_on_nothing_that_others_change() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG, title="A | B] C")
    answer = await block(parts)
    assert re.match(rf"\[{item_id} \| 230 tokens \| A / B\) C\]\n", answer.text)
