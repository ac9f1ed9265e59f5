"""What nobody uses steps down and leaves the context; what expired is forgotten; every original stays."""

import hashlib

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Change, NewMemory
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.hygiene import Hygiene, HygieneLimits
from palimpsest.core.models import ItemState

from .parts import ME, Parts, build_parts

DAY = 86_400.0
LONG = " ".join(f"word{place}" for place in range(200))


def hygiene(parts: Parts, limits: HygieneLimits | None = None) -> Hygiene:
    return Hygiene(store=parts.store, clock=parts.clock, budgets=fixed_budget(10_000), limits=limits)


async def add(parts: Parts, text: str, **given: object) -> str:
    return (await parts.memory.add(ME, NewMemory(text, **given))).item.item_id  # type: ignore[arg-type]


async def stands(parts: Parts, item_id: str) -> str:
    return (await parts.memory.get(ME, item_id)).detail


async def test_a_week_without_use_shortens_and_a_month_archives() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    assert (await hygiene(parts).run("mine")).count == 0
    parts.clock.advance(8 * DAY)
    assert [one.item_id for one in (await hygiene(parts).run("mine")).compressed] == [item_id]
    assert await stands(parts, item_id) == "summary"
    parts.clock.advance(23 * DAY)
    assert [one.item_id for one in (await hygiene(parts).run("mine")).archived] == [item_id]
    assert await stands(parts, item_id) == "archived"
    assert (await hygiene(parts).run("mine")).count == 0


async def test_400_days_later_every_original_is_there_byte_for_byte() -> None:
    parts = build_parts(window=100_000)
    texts = [f"{number} {LONG} \x00 \r\n ünï" for number in range(30)]
    ids = [await add(parts, text, priority=number % 11) for number, text in enumerate(texts)]
    parts.clock.advance(400 * DAY)
    report = await hygiene(parts).run("mine")
    assert len(report.archived) == 28, "priority 10 is spared, twice"
    for item_id, text in zip(ids, texts, strict=True):
        page = await parts.memory.retrieve(ME, item_id, max_tokens=1_000_000)
        assert page.text == text
        assert page.sha256 == hashlib.sha256(text.encode()).hexdigest()
    answer = await parts.memory.search(ME, "word7")
    assert answer.hits, "archived items are still found"


async def test_reading_an_item_keeps_it_as_it_is() -> None:
    parts = build_parts()
    read, unread = await add(parts, f"read {LONG}"), await add(parts, f"unread {LONG}")
    parts.clock.advance(6 * DAY)
    await parts.memory.retrieve(ME, read)
    await parts.usage.flush(parts.store)
    parts.clock.advance(2 * DAY)
    await hygiene(parts).run("mine")
    assert (await stands(parts, read), await stands(parts, unread)) == ("full", "summary")


async def test_low_priorities_go_first_and_pinned_items_and_the_top_priority_stay() -> None:
    parts = build_parts()
    named = {
        "usual": await add(parts, f"usual {LONG}"),
        "low": await add(parts, f"low {LONG}", priority=4),
        "top": await add(parts, f"top {LONG}", priority=10),
        "pinned": await add(parts, f"pinned {LONG}", pinned=True),
    }
    parts.clock.advance(8 * DAY)
    report = await hygiene(parts).run("mine")
    assert [one.item_id for one in report.compressed] == [named["low"], named["usual"]]
    assert [await stands(parts, named[name]) for name in ("top", "pinned")] == ["full", "full"]


async def test_a_dry_run_says_what_would_be_done_and_does_nothing() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    parts.clock.advance(8 * DAY)
    events = await parts.memory.events(ME)
    report = await hygiene(parts).run("mine", dry_run=True)
    assert [one.item_id for one in report.compressed] == [item_id]
    assert await stands(parts, item_id) == "full"
    assert await parts.memory.events(ME) == events
    assert await hygiene(parts).run("mine") == report


async def test_an_item_with_a_time_to_live_is_forgotten_after_it_and_can_be_restored() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG, expires_in_days=1.5, pinned=True)
    parts.clock.advance(1.4 * DAY)
    assert (await hygiene(parts).run("mine")).count == 0
    parts.clock.advance(0.2 * DAY)
    assert [one.item_id for one in (await hygiene(parts).run("mine")).forgotten] == [item_id]
    assert (await parts.memory.get(ME, item_id)).state is ItemState.FORGOTTEN
    assert (await parts.memory.retrieve(ME, item_id)).text == LONG
    await parts.memory.forget(ME, item_id, "restore")
    assert (await parts.memory.get(ME, item_id)).state is ItemState.ACTIVE


@pytest.mark.parametrize("days", [0, -1, 40_000, float("nan")])
async def test_a_time_to_live_that_is_none_is_refused(days: float) -> None:
    with pytest.raises(InvalidInputError, match="number of days"):
        await add(build_parts(), LONG, expires_in_days=days)


async def test_limits_are_settings_and_zero_means_never() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    parts.clock.advance(3 * DAY)
    assert (await hygiene(parts, HygieneLimits(compress_days=2, archive_days=0)).run("mine")).count == 1
    assert await stands(parts, item_id) == "summary"
    parts.clock.advance(1000 * DAY)
    assert (await hygiene(parts, HygieneLimits(compress_days=0, archive_days=0)).run("mine")).count == 0
    assert (await hygiene(parts, HygieneLimits(archive_days=999, spared_priority=5)).run("mine")).count == 0


async def test_a_text_too_short_to_be_shortened_waits_until_it_is_archived() -> None:
    parts = build_parts()
    item_id = await add(parts, "short")
    parts.clock.advance(8 * DAY)
    assert (await hygiene(parts).run("mine")).count == 0
    parts.clock.advance(23 * DAY)
    assert (await hygiene(parts).run("mine")).count == 1
    assert await stands(parts, item_id) == "archived"


async def test_an_item_used_between_being_found_and_its_step_stays() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    parts.clock.advance(8 * DAY)
    stale = parts.store.stale

    async def found_then_used(*given: object, **named: object) -> object:
        found = await stale(*given, **named)  # type: ignore[arg-type]
        await parts.store.touch("mine", [item_id], parts.clock.now())
        return found

    parts.store.stale = found_then_used  # type: ignore[method-assign,assignment]
    assert (await hygiene(parts).run("mine")).count == 0
    assert await stands(parts, item_id) == "full"


async def test_many_items_are_worked_in_batches() -> None:
    parts = build_parts(window=10_000_000)
    for number in range(600):
        await add(parts, f"{number} " + "word " * 12)
    parts.clock.advance(31 * DAY)
    assert len((await hygiene(parts).run("mine")).archived) == 600
    assert (await parts.context.get(ME, "main")).text == ""


async def test_a_restored_item_stays_restored_for_another_week() -> None:
    parts = build_parts()
    item_id = await add(parts, LONG)
    parts.clock.advance(31 * DAY)
    await hygiene(parts).run("mine")
    await parts.memory.update(ME, item_id, Change(detail="full"))
    assert (await hygiene(parts).run("mine")).count == 0
    assert await stands(parts, item_id) == "full"
