"""Compression by request, and summaries that a client writes itself."""

import pytest

from palimpsest.core.calls import Caller, Change, NewMemory
from palimpsest.core.errors import ConflictError, InvalidInputError, ItemNotFoundError, NotFoundError

from .parts import ME, Parts, build_parts

LONG = " ".join(f"word{place}" for place in range(200))


async def add(parts: Parts, text: str, **given: object) -> str:
    return (await parts.memory.add(ME, NewMemory(text, **given))).item.item_id  # type: ignore[arg-type]


async def details(parts: Parts, thread: str = "main") -> list[str]:
    return [rung.detail for rung in await parts.context.rungs(ME, thread)]


async def test_without_arguments_a_thread_goes_down_to_its_target() -> None:
    parts = build_parts(window=2000)
    for number in range(6):
        await add(parts, f"{number} {LONG}")
    before = await parts.context.ledger(ME, "main")
    assert before.used > 1200
    done = await parts.compression.compress(ME, "main")
    assert done.ledger.used <= 1200
    assert done.steps
    assert sum(step.freed for step in done.steps) == before.used - done.ledger.used


async def test_named_items_step_down_by_one_also_when_pinned() -> None:
    parts = build_parts()
    first = await add(parts, f"1 {LONG}", pinned=True)
    await add(parts, f"2 {LONG}")
    await parts.compression.compress(ME, "main", item_ids=[first])
    assert await details(parts) == ["summary", "full"]
    await parts.compression.compress(ME, "main", item_ids=[first])
    assert await details(parts) == ["brief", "full"]


async def test_a_detail_is_for_the_named_items_or_all_that_are_not_pinned() -> None:
    parts = build_parts()
    await add(parts, f"1 {LONG}", pinned=True)
    second = await add(parts, f"2 {LONG}")
    await add(parts, f"3 {LONG}")
    await parts.compression.compress(ME, "main", item_ids=[second], detail="archived")
    assert await details(parts) == ["full", "archived", "full"]
    done = await parts.compression.compress(ME, "main", detail="brief")
    assert await details(parts) == ["full", "archived", "brief"], "nothing is raised"
    assert [step.detail for step in done.steps] == ["brief"]


async def test_a_share_is_reached_or_the_answer_says_what_keeps_it() -> None:
    parts = build_parts(window=2000)
    for number in range(6):
        await add(parts, f"{number} {LONG}")
    done = await parts.compression.compress(ME, "main", share=0.1)
    assert done.ledger.used <= 200
    await add(parts, f"pinned {LONG}", pinned=True)
    done = await parts.compression.compress(ME, "main", share=0.05)
    assert "pinned" in done.notes[-1]


async def test_when_nothing_can_step_down_the_answer_says_so() -> None:
    parts = build_parts()
    await add(parts, "short")
    done = await parts.compression.compress(ME, "main")
    assert done.steps == ()
    assert "Nothing stepped down" in done.notes[0]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"share": 0.5, "detail": "brief"}, "either share"),
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 0.9}, "at most 0.75"),
        ({"detail": "tiny"}, "no level of detail"),
        ({"item_ids": ["nonsense"]}, "nonsense"),
        ({"item_ids": ["mem_0000000000001"] * 201}, "too many"),
    ],
)
async def test_bad_input_is_refused_in_words(given: dict[str, object], reason: str) -> None:
    parts = build_parts()
    await add(parts, LONG)
    with pytest.raises(InvalidInputError, match=reason):
        await parts.compression.compress(ME, "main", **given)  # type: ignore[arg-type]
    assert await details(parts) == ["full"]


async def test_items_of_another_thread_or_of_nobody_are_refused_and_nothing_steps_down() -> None:
    parts = build_parts()
    here, there = await add(parts, f"1 {LONG}"), await add(parts, f"2 {LONG}", thread="other")
    with pytest.raises(InvalidInputError, match="in thread 'other'"):
        await parts.compression.compress(ME, "main", item_ids=[here, there])
    with pytest.raises(ItemNotFoundError):
        await parts.compression.compress(ME, "main", item_ids=[here, "mem_0000000000001"])
    assert await details(parts) == ["full"]


async def test_the_client_gets_the_text_that_most_needs_a_better_summary_and_its_own_replaces_it() -> None:
    parts = build_parts()
    longer, shown = await add(parts, f"longer {LONG} {LONG}x"), await add(parts, f"shown {LONG}")
    await add(parts, "too short for a summary")
    await parts.memory.update(ME, shown, Change(detail="summary"))
    offer = await parts.compression.hand_out(ME, "main")
    assert (offer.page.item.item_id, offer.page.text, offer.left) == (shown, f"shown {LONG}", 1)
    assert offer.max_tokens == 40
    receipt = await parts.compression.submit(ME, shown, offer.page.sha256, "in my own words")
    assert receipt.item.item_id == shown
    page = await parts.memory.retrieve(ME, shown, detail="summary")
    assert page.text == "in my own words"
    assert "in my own words" in (await parts.context.get(ME, "main")).text
    assert (await parts.compression.hand_out(ME, "main")).page.item.item_id == longer
    assert (await parts.memory.retrieve(ME, shown)).text == f"shown {LONG}"


async def test_when_every_summary_is_somebodys_own_nothing_is_handed_out() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    offer = await parts.compression.hand_out(ME, "main")
    await parts.compression.submit(ME, item_id, offer.page.sha256, "mine", "summary")
    with pytest.raises(NotFoundError, match="waits for a better summary"):
        await parts.compression.hand_out(ME, "main")


async def test_a_long_text_is_handed_out_in_pages() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    offer = await parts.compression.hand_out(ME, "main", max_tokens=50)
    rest = await parts.memory.retrieve(ME, item_id, cursor=offer.page.next_cursor, max_tokens=1000)
    assert offer.page.text + rest.text == LONG


async def test_a_summary_of_another_item_or_of_an_older_text_is_refused() -> None:
    parts = build_parts()
    first, second = await add(parts, f"1 {LONG}"), await add(parts, f"2 {LONG}")
    offer = await parts.compression.hand_out(ME, "main")
    other = second if offer.page.item.item_id == first else first
    with pytest.raises(ConflictError):
        await parts.compression.submit(ME, other, offer.page.sha256, "of the wrong text")
    item = await parts.memory.get(ME, first)
    await parts.memory.update(ME, first, Change(content=f"changed {LONG}", expected_sha256=item.sha256))
    with pytest.raises(ConflictError):
        await parts.compression.submit(ME, first, item.sha256, "of the text before")
    assert "wrong" not in (await parts.memory.retrieve(ME, other, detail="summary")).text


@pytest.mark.parametrize(
    ("summary", "sha256", "detail", "reason"),
    [
        ("", "0" * 64, None, "empty"),
        (" \x00 ", "0" * 64, None, "empty"),
        ("fine", None, None, "needs sha256"),
        ("fine", "", None, "needs sha256"),
        ("fine", "0" * 64, "full", "no full text"),
        ("fine", "0" * 64, "archived", "no level of detail"),
        (LONG, "0" * 64, None, "shorten it to 80"),
        ("word " * 90, "0" * 64, "hint", "shorten it to 80"),
    ],
)
async def test_an_unusable_summary_is_refused_in_words(
    summary: str, sha256: str | None, detail: str | None, reason: str
) -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    before = await parts.memory.retrieve(ME, item_id, detail="summary")
    with pytest.raises(InvalidInputError, match=reason):
        await parts.compression.submit(ME, item_id, sha256, summary, detail)
    assert await parts.memory.retrieve(ME, item_id, detail="summary") == before


async def test_another_namespace_can_neither_compress_nor_submit() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    them = Caller("theirs", "them")
    with pytest.raises(ItemNotFoundError):
        await parts.compression.compress(them, "main", item_ids=[item_id])
    with pytest.raises(ItemNotFoundError):
        await parts.compression.submit(them, item_id, "0" * 64, "stolen")
    assert await details(parts) == ["full"]
