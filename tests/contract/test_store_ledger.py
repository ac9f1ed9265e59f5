"""What every store promises of threads' accounts, of steps on the ladder, and of blocks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core import ladder
from palimpsest.core.budget import Budget, fixed_budget
from palimpsest.core.errors import ConflictError, ItemNotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import ItemState, Labels, Rendition, Rung, Stale, Step, TextUsage
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, draft

LONG = " ".join(f"word{place}" for place in range(100))
SMALL = fixed_budget(200)


async def added(store: Store, namespace: str, text: str, **given: object) -> str:
    made = draft(namespace, text, **given)  # type: ignore[arg-type]
    return (await store.add(namespace, made, budgets=BUDGETS)).item.item_id


async def test_an_added_item_stands_in_full_at_the_end_of_its_block(store: Store, mine: str) -> None:
    ids = [await added(store, mine, f"{name} text") for name in ("first", "second", "third")]
    ledger, rungs = await store.rungs(mine, "main", budgets=BUDGETS)
    assert [rung.item_id for rung in rungs] == ids
    assert [rung.position for rung in rungs] == sorted(rung.position for rung in rungs)
    assert all((rung.detail, rung.cost) == ("full", 2) for rung in rungs)
    assert (ledger.items, ledger.tokens, ledger.used, ledger.saved, ledger.compressions) == (3, 6, 6, 0, 0)


async def test_a_rung_knows_what_its_item_costs_at_each_detail_that_it_has(store: Store, mine: str) -> None:
    labels = Labels(title="T", priority=9, pinned=True)
    item_id = await added(store, mine, LONG, labels=labels)
    short = await added(store, mine, "short")
    _, rungs = await store.rungs(mine, "main", budgets=BUDGETS, item_ids=[item_id])
    assert [(one.item_id, one.priority, one.pinned, one.title) for one in rungs] == [(item_id, 9, True, "T")]
    assert dict(rungs[0].costs) == {"full": 100, "summary": 10, "brief": 2, "hint": 5}
    assert rungs[0].summarized_by == "first-words"
    _, rungs = await store.rungs(mine, "main", budgets=BUDGETS, item_ids=[short])
    assert dict(rungs[0].costs) == {"full": 1}
    assert rungs[0].summarized_by is None


async def test_an_add_that_crosses_the_trigger_lets_items_step_down_before_it_is_acknowledged(
    store: Store, mine: str
) -> None:
    first = await store.add(mine, draft(mine, LONG), budgets=SMALL)
    assert first.steps == ()
    assert first.ledger.pressure == "low"
    second = await store.add(mine, draft(mine, f"{LONG} again"), budgets=SMALL)
    assert [(step.item_id, step.before, step.detail, step.cost, step.freed) for step in second.steps] == [
        (first.item.item_id, "full", "summary", 10, 90)
    ]
    assert second.ledger.used == 10 + second.item.tokens
    assert second.ledger.saved == 90
    assert second.ledger.compressions == 1
    assert (await store.get(mine, first.item.item_id)).detail == "summary"
    assert (await store.read(mine, first.item.item_id))[1].decode() == LONG


async def test_a_receipt_says_how_its_own_item_stands(store: Store, mine: str) -> None:
    receipt = await store.add(mine, draft(mine, LONG), budgets=fixed_budget(100))
    assert (receipt.item.detail, receipt.item.cost) == ("summary", 10)
    assert await store.get(mine, receipt.item.item_id) == receipt.item


async def test_a_block_over_its_trigger_with_pinned_items_alone_says_so(store: Store, mine: str) -> None:
    pinned = Labels(pinned=True)
    receipt = await store.add(mine, draft(mine, LONG, labels=pinned), budgets=fixed_budget(100))
    assert receipt.steps == ()
    assert receipt.ledger.over is not None
    assert "pinned" in receipt.ledger.over
    assert receipt.ledger.pressure == "unsafe"


async def test_a_threads_model_is_remembered_and_gives_it_its_window(store: Store, mine: str) -> None:
    def budgets(model: str | None) -> Budget:
        return Budget(100 if model == "small" else 10_000, model=model)

    item_id = (await store.add(mine, draft(mine, LONG), budgets=budgets)).item.item_id
    ledger = await store.use_model(mine, "main", "small", actor="m", budgets=budgets)
    assert (ledger.model, ledger.window, ledger.used) == ("small", 100, 10)
    assert (await store.get(mine, item_id)).detail == "summary"
    larger = await store.use_model(mine, "main", "large", actor="m", budgets=budgets)
    assert (larger.window, larger.used) == (10_000, 10), "nothing steps up by itself"
    fresh = await store.use_model(mine, "never used", "small", actor="m", budgets=budgets)
    assert (fresh.model, fresh.items, fresh.used) == ("small", 0, 0)


async def test_an_unknown_thread_has_an_empty_ledger_and_is_not_made(store: Store, mine: str) -> None:
    ledger, rungs = await store.rungs(mine, "nowhere", budgets=BUDGETS)
    assert (ledger.thread, ledger.items, ledger.used, list(rungs)) == ("nowhere", 0, 0, [])
    block = await store.block(mine, "nowhere", budgets=BUDGETS)
    assert block.entries == ()
    taken, steps = await store.step(mine, "nowhere", lambda rungs, budget: [], actor="a", budgets=BUDGETS)
    assert (taken.used, list(steps)) == (0, [])


def every(detail: str) -> ladder.Choose:
    def choose(rungs: Sequence[Rung], budget: Budget) -> Sequence[Step]:
        return ladder.to_detail(rungs, detail)  # type: ignore[arg-type]

    return choose


async def test_steps_move_items_and_the_account_together(store: Store, mine: str) -> None:
    ids = [await added(store, mine, f"{LONG} {number}") for number in range(3)]
    ledger, steps = await store.step(mine, "main", every("brief"), actor="me", budgets=BUDGETS)
    assert {step.item_id for step in steps} == set(ids)
    assert (ledger.used, ledger.compressions) == (6, 1)
    assert [event.action for event in await store.events(mine, 3)] == ["to brief"] * 3
    again, none = await store.step(mine, "main", every("brief"), actor="me", budgets=BUDGETS)
    assert (again.compressions, list(none)) == (1, [])


async def test_a_block_has_each_items_text_where_it_stands_and_no_archived_item(store: Store, mine: str) -> None:
    full, brief, archived = [await added(store, mine, f"{name} {LONG}") for name in ("full", "brief", "gone")]
    await store.place(mine, brief, "brief", actor="a", budgets=BUDGETS)
    await store.place(mine, archived, "archived", actor="a", budgets=BUDGETS)
    block = await store.block(mine, "main", budgets=BUDGETS)
    assert [(one.item_id, one.detail) for one in block.entries] == [(full, "full"), (brief, "brief")]
    assert block.entries[0].text == f"full {LONG}"
    assert block.entries[1].text == "brief word0"
    assert block.ledger.used == sum(one.cost for one in block.entries)


async def test_an_archived_item_comes_back_at_the_end_of_the_block(store: Store, mine: str) -> None:
    ids = [await added(store, mine, f"{name} {LONG}") for name in ("a", "b")]
    await store.place(mine, ids[0], "archived", actor="a", budgets=BUDGETS)
    receipt = await store.place(mine, ids[0], "full", actor="a", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.detail) == ("updated", "full")
    block = await store.block(mine, "main", budgets=BUDGETS)
    assert [one.item_id for one in block.entries] == [ids[1], ids[0]]


async def test_placing_an_item_where_it_stands_changes_nothing(store: Store, mine: str) -> None:
    item_id = await added(store, mine, "too short to be shortened")
    receipt = await store.place(mine, item_id, "summary", actor="a", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.detail) == ("unchanged", "full")
    assert [event.action for event in await store.events(mine, 5)] == ["add"]


async def test_a_forgotten_item_stands_nowhere_and_cannot_be_placed(store: Store, mine: str) -> None:
    item_id = await added(store, mine, LONG)
    await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    ledger, rungs = await store.rungs(mine, "main", budgets=BUDGETS)
    assert (ledger.used, list(rungs)) == (0, [])
    with pytest.raises(ConflictError, match="forgotten"):
        await store.place(mine, item_id, "brief", actor="a", budgets=BUDGETS)
    with pytest.raises(ItemNotFoundError):
        await store.place(mine, new_item_id(), "brief", actor="a", budgets=BUDGETS)


async def test_a_placed_item_returns_to_where_it_stood_by_undo(store: Store, mine: str) -> None:
    item_id = await added(store, mine, LONG)
    await store.place(mine, item_id, "hint", actor="a", budgets=BUDGETS)
    event, receipt = await store.undo(mine, None, actor="a", budgets=BUDGETS, redraft=None)  # type: ignore[arg-type]
    assert receipt is not None
    assert (event.action, receipt.item.detail, receipt.ledger.used) == ("to hint", "full", 100)


async def test_a_new_title_changes_what_the_items_line_costs(store: Store, mine: str) -> None:
    item_id = await added(store, mine, LONG)
    receipt = await store.relabel(
        mine, item_id, Labels(title="named"), thread="main", header_tokens=7, actor="a", budgets=BUDGETS
    )
    assert (receipt.ledger.used, receipt.item.cost, receipt.ledger.tokens) == (107, 107, 100)
    event, undone = await store.undo(mine, None, actor="a", budgets=BUDGETS, redraft=None)  # type: ignore[arg-type]
    assert undone is not None
    assert (event.action, undone.ledger.used) == ("relabel", 100)


async def test_texts_are_given_at_the_details_asked(store: Store, mine: str) -> None:
    item_id, gone = await added(store, mine, LONG), await added(store, mine, f"gone {LONG}")
    await store.set_state(mine, gone, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    texts = await store.texts(mine, [(item_id, "full"), (item_id, "brief"), (gone, "full"), (new_item_id(), "full")])
    assert dict(texts) == {(item_id, "full"): LONG, (item_id, "brief"): "word0 word1"}


async def test_a_better_rendition_replaces_the_first_and_its_cost_is_counted(store: Store, mine: str) -> None:
    made = draft(mine, LONG)
    await store.add(mine, made, budgets=BUDGETS)
    await store.place(mine, made.item_id, "summary", actor="a", budgets=BUDGETS)
    better = Rendition("summary", "a better one", 3, "client:me")
    receipt = await store.put_renditions(mine, made.item_id, made.sha256, [better], actor="me", budgets=BUDGETS)
    assert (receipt.ledger.used, receipt.item.cost) == (3, 3)
    assert (await store.rendition(mine, made.item_id, "summary"))[1] == better
    assert (await store.block(mine, "main", budgets=BUDGETS)).entries[0].text == "a better one"
    _, rungs = await store.rungs(mine, "main", budgets=BUDGETS)
    assert rungs[0].summarized_by == "client:me"


async def test_a_rendition_of_another_content_is_a_conflict_and_changes_nothing(store: Store, mine: str) -> None:
    made = draft(mine, LONG)
    await store.add(mine, made, budgets=BUDGETS)
    other = Rendition("summary", "of something else", 3, "client:me")
    with pytest.raises(ConflictError, match="SHA-256"):
        await store.put_renditions(mine, made.item_id, "0" * 64, [other], actor="me", budgets=BUDGETS)
    assert (await store.rendition(mine, made.item_id, "summary"))[1] == made.renditions[0]


async def test_a_longer_rendition_may_push_the_block_over_its_trigger_and_then_items_step_down(
    store: Store, mine: str
) -> None:
    first, second = draft(mine, LONG), draft(mine, f"{LONG} 2")
    budgets = fixed_budget(250)
    await store.add(mine, first, budgets=budgets)
    await store.add(mine, second, budgets=budgets)
    assert (await store.get(mine, first.item_id)).detail == "summary"
    long = Rendition("summary", "long", 100, "client:me")
    receipt = await store.put_renditions(mine, first.item_id, first.sha256, [long], actor="me", budgets=budgets)
    assert receipt.ledger.used <= 250 * 0.75
    assert receipt.steps


async def test_what_is_stale_is_found_expired_items_first_then_by_priority_and_last_use(
    store: Store, mine: str
) -> None:
    start = (await store.get(mine, await added(store, mine, "short", labels=Labels(pinned=True)))).created_at
    expiring = replace(draft(mine, "expires"), expires_at=start + timedelta(days=1))
    await store.add(mine, expiring, budgets=BUDGETS)
    ids = {
        name: await added(store, mine, f"{name} {LONG}", labels=Labels(priority=priority, pinned=name == "pinned"))
        for name, priority in (("low", 2), ("usual", 5), ("top", 10), ("pinned", 5))
    }
    now = (await store.get(mine, ids["pinned"])).created_at + timedelta(days=10)
    limits = Stale(now - timedelta(days=7), now - timedelta(days=30))
    found = await store.stale(mine, limits, now=now, limit=10)
    assert [(one.item_id, one.to) for one in found] == [
        (expiring.item_id, "forgotten"),
        (ids["low"], "summary"),
        (ids["usual"], "summary"),
    ]
    later = now + timedelta(days=30)
    limits = Stale(later - timedelta(days=7), later - timedelta(days=30))
    found = await store.stale(mine, limits, now=later, limit=10)
    assert [(one.item_id, one.to) for one in found[1:]] == [(ids["low"], "archived"), (ids["usual"], "archived")]
    await store.touch(mine, [ids["low"]], later)
    assert ids["low"] not in [one.item_id for one in await store.stale(mine, limits, now=later, limit=10)]
    assert len(await store.stale(mine, limits, now=later, limit=1)) == 1


async def test_money_is_added_up_by_namespace_and_thread(store: Store, mine: str, theirs: str) -> None:
    await added(store, mine, "text")
    usage = TextUsage("gpt-x", 100, 20, 10)
    before = datetime(2020, 1, 1, tzinfo=UTC)
    await store.note_usage(mine, usage, micros=250, purpose="summary", thread="main")
    await store.note_usage(mine, usage, micros=None, purpose="summary", thread="main")
    await store.note_usage(mine, usage, micros=50, purpose="summary")
    await store.note_usage(theirs, usage, micros=999, purpose="summary", thread="main")
    assert await store.spent_micros(mine, before) == 300
    assert await store.spent_micros(mine, datetime.now(UTC) + timedelta(days=1)) == 0
    counts = await store.state(mine, "test-model/1", budgets=BUDGETS)
    assert [thread.spent_micros for thread in counts.threads] == [250]


async def test_what_compression_saves_is_worth_the_models_price(store: Store, mine: str) -> None:
    def budgets(model: str | None) -> Budget:
        return Budget(10_000, model=model, micros_per_million=2_000_000)

    await added(store, mine, LONG)
    ledger, _ = await store.step(mine, "main", every("summary"), actor="a", budgets=budgets)
    assert (ledger.saved, ledger.saved_micros) == (90, 180)


async def test_ledgers_of_other_namespaces_are_out_of_reach(store: Store, mine: str, theirs: str) -> None:
    item_id = await added(store, theirs, LONG)
    with pytest.raises(ItemNotFoundError):
        await store.place(mine, item_id, "hint", actor="a", budgets=BUDGETS)
    with pytest.raises(ItemNotFoundError):
        await store.put_renditions(mine, item_id, "0" * 64, [], actor="a", budgets=BUDGETS)
    _, steps = await store.step(mine, "main", every("hint"), actor="a", budgets=BUDGETS)
    assert list(steps) == []
    assert await store.texts(mine, [(item_id, "full")]) == {}
    assert (await store.rungs(mine, "main", budgets=BUDGETS, item_ids=[item_id]))[1] in ([], ())
    assert (await store.get(theirs, item_id)).detail == "full"
