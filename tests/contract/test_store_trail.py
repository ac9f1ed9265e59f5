"""What every store promises of what follows from a change: it is undone with it, unless something changed it since."""

from dataclasses import replace

import pytest

from palimpsest.core.budget import Budget, fixed_budget
from palimpsest.core.errors import ConflictError, ItemNotFoundError, NotFoundError
from palimpsest.core.ids import parse_any_id, public_id, thread_number
from palimpsest.core.ladder import one_down
from palimpsest.core.models import Event, Item, ItemDraft, ItemState, Labels, Receipt, Rendition
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_hash

from ..fakes import BUDGETS, draft
from .test_store_undo import edit, redraft_for, undo

SMALL = fixed_budget(200)
RED, BLUE, GREEN = (f"Bob's favourite colour is {colour}." for colour in ("red", "blue", "green"))


def words(name: str, count: int) -> str:
    return " ".join(f"{name}{number}" for number in range(count))


async def add(store: Store, namespace: str, text: str, *, versioned: bool = False) -> Item:
    made = draft(namespace, text, versioned=versioned)
    return (await store.add(namespace, made, budgets=SMALL)).item


async def take_back(store: Store, namespace: str, event_id: int | None = None) -> tuple[Event, Receipt | None]:
    return await store.undo(namespace, event_id, actor="u", budgets=SMALL, redraft=redraft_for(namespace))


async def event_of(store: Store, namespace: str, item_id: str) -> int:
    """Return the newest event of an item that can be undone."""
    events = await store.events(namespace, 20, about=parse_any_id(item_id))
    return next(event.event_id for event in events if event.undoable)


async def test_what_stepped_down_for_an_add_stands_again_where_it_stood(store: Store, mine: str) -> None:
    first = await add(store, mine, words("a", 100))
    before = await state_hash(store, mine)
    await add(store, mine, words("b", 90))
    assert (await store.get(mine, first.item_id)).detail != "full"
    _, receipt = await take_back(store, mine)
    assert receipt is not None
    assert (receipt.ledger.used, receipt.steps) == (100, ())
    assert await store.get(mine, first.item_id) == first
    assert await state_hash(store, mine) == before


async def test_what_was_moved_since_stays_where_it_is(store: Store, mine: str) -> None:
    first = await add(store, mine, words("a", 100))
    second = await add(store, mine, words("b", 90))
    await store.place(mine, first.item_id, "hint", actor="a", budgets=SMALL)
    assert (await take_back(store, mine, await event_of(store, mine, second.item_id)))[0].action == "add"
    assert (await store.get(mine, first.item_id)).detail == "hint"


async def test_steps_that_were_asked_for_are_undone_together(store: Store, mine: str) -> None:
    items = [await add(store, mine, words(name, 40)) for name in "abc"]
    before = await state_hash(store, mine)
    _, steps = await store.step(mine, "main", lambda rungs, _: one_down(rungs), actor="a", budgets=SMALL)
    assert len(steps) == 3
    assert [event.undoable for event in await store.events(mine, 3)] == [True, False, False]
    event, receipt = await take_back(store, mine)
    assert receipt is not None
    assert (event.action, receipt.outcome, receipt.ledger.used) == ("to summary", "updated", 120)
    assert [(await store.get(mine, item.item_id)).detail for item in items] == ["full"] * 3
    assert await state_hash(store, mine) == before


async def test_a_thread_gets_its_former_model_back_and_its_items_with_it(store: Store, mine: str) -> None:
    first = await add(store, mine, words("a", 100))

    def budgets(model: str | None) -> Budget:
        return fixed_budget(60 if model == "small" else 200)(model)

    before = await state_hash(store, mine)
    await store.use_model(mine, "main", "small", actor="a", budgets=budgets)
    assert (await store.get(mine, first.item_id)).detail != "full"
    again = await store.use_model(mine, "main", "small", actor="a", budgets=budgets)
    assert again.model == "small"
    event, receipt = await store.undo(mine, None, actor="u", budgets=budgets, redraft=redraft_for(mine))
    assert (event.action, event.subject, receipt) == ("model", "thread", None)
    assert event.subject_id == public_id("thread", thread_number("main"))
    assert await store.get(mine, first.item_id) == first
    assert await state_hash(store, mine) == before
    told = [one.action for one in await store.events(mine, 9) if not one.action.startswith("to ")]
    assert told == ["undo", "model", "add"]


async def test_a_model_that_changed_again_is_not_overwritten(store: Store, mine: str) -> None:
    await store.use_model(mine, "main", "one", actor="a", budgets=BUDGETS)
    first = (await store.events(mine, 1))[0].event_id
    await store.use_model(mine, "main", "two", actor="a", budgets=BUDGETS)
    second = (await store.events(mine, 1))[0].event_id
    with pytest.raises(ConflictError, match=f"event {second} .model. stands on event {first}"):
        await take_back(store, mine, first)
    # An add may give a model, too, and is no change of the thread alone.
    made = replace(draft(mine, "some text"), model="three")
    await store.add(mine, made, budgets=BUDGETS)
    with pytest.raises(ConflictError, match="model changed again"):
        await take_back(store, mine, second)
    for model in ("two", "one"):
        await take_back(store, mine)
        [thread] = (await store.state(mine, "m", budgets=BUDGETS)).threads
        assert thread.model == model


async def test_a_conflict_names_what_stands_on_the_change(store: Store, mine: str) -> None:
    item = await add(store, mine, "some text")
    added = (await store.events(mine, 1))[0].event_id
    await edit(store, mine, item.item_id, "another text")
    newer = (await store.events(mine, 1))[0].event_id
    told = rf"{item.item_id} changed .* event {newer} \(edit\) stands on event {added}"
    with pytest.raises(ConflictError, match=told):
        await take_back(store, mine, added)


async def test_versions_that_an_add_joined_are_apart_again(store: Store, mine: str) -> None:
    red = await add(store, mine, RED, versioned=True)
    before = await state_hash(store, mine)
    blue = await add(store, mine, BLUE, versioned=True)
    assert (await store.get(mine, red.item_id)).superseded_by == blue.item_id
    await take_back(store, mine)
    alone = await store.get(mine, red.item_id)
    assert (alone.lineage, alone.latest, alone.superseded_by) == (None, True, None)
    assert await state_hash(store, mine) == before


async def test_a_version_that_came_later_keeps_its_company(store: Store, mine: str) -> None:
    red = await add(store, mine, RED, versioned=True)
    blue = await add(store, mine, BLUE, versioned=True)
    green = await add(store, mine, GREEN, versioned=True)
    await take_back(store, mine, await event_of(store, mine, blue.item_id))
    assert (await store.get(mine, red.item_id)).superseded_by == green.item_id
    assert (await store.get(mine, green.item_id)).latest


async def test_an_item_that_left_a_lineage_does_not_give_its_name_to_another(store: Store, mine: str) -> None:
    red = await add(store, mine, RED, versioned=True)
    blue = await add(store, mine, BLUE, versioned=True)
    await store.relabel(mine, red.item_id, Labels(), thread="other", actor="a", budgets=SMALL)
    other = draft(mine, GREEN, thread="other", versioned=True)
    await store.add(mine, other, budgets=SMALL)
    lineages = [(await store.get(mine, one)).lineage for one in (red.item_id, blue.item_id, other.item_id)]
    assert lineages[0] == lineages[2] != lineages[1]
    assert (await store.get(mine, blue.item_id)).latest


async def test_a_clients_summary_is_undone_and_a_language_models_is_not(store: Store, mine: str) -> None:
    item = await add(store, mine, words("a", 100))
    before = await state_hash(store, mine)
    for compressor in ("model/1", "client:me"):
        written = Rendition("summary", "a summary", 2, compressor)
        await store.put_renditions(mine, item.item_id, item.sha256, [written], actor="a", budgets=SMALL)
    event, receipt = await take_back(store, mine)
    assert receipt is not None
    assert (event.action, receipt.outcome) == ("summarize", "updated")
    _, rendition = await store.rendition(mine, item.item_id, "summary")
    assert rendition == Rendition("summary", "a summary", 2, "model/1")
    assert await state_hash(store, mine) != before
    assert (await take_back(store, mine))[0].action == "add"


async def test_a_purged_item_is_missing_from_what_followed_and_stops_no_undo(store: Store, mine: str) -> None:
    first = await add(store, mine, words("a", 100))
    await add(store, mine, words("b", 90))
    await store.purge(mine, first.item_id, actor="a", budgets=SMALL)
    event, receipt = await take_back(store, mine)
    assert receipt is not None
    assert (event.action, receipt.outcome) == ("add", "forgotten")
    with pytest.raises(ItemNotFoundError):
        await store.get(mine, first.item_id)


async def test_an_item_that_was_purged_while_its_undo_was_drafted_is_told(store: Store, mine: str) -> None:
    item = await add(store, mine, "one")
    await edit(store, mine, item.item_id, "two")

    async def redraft(found: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
        await store.purge(mine, found.item_id, actor="a", budgets=SMALL)
        return draft(mine, content.decode(), item_id=found.item_id)

    with pytest.raises(NotFoundError):
        await store.undo(mine, None, actor="u", budgets=SMALL, redraft=redraft)


async def test_the_history_of_one_subject_has_its_lines_only(store: Store, mine: str) -> None:
    first, second = await add(store, mine, "first"), await add(store, mine, "second")
    await store.set_state(mine, first.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    told = await store.events(mine, 10, about=parse_any_id(first.item_id))
    assert [(event.action, event.undoable) for event in told] == [("forget", True), ("add", True)]
    assert [event.action for event in await store.events(mine, 10, about=parse_any_id(second.item_id))] == ["add"]
    event, _ = await undo(store, mine)
    assert event.action == "forget"
