"""What every store promises of taking changes back."""

import pytest

from palimpsest.core.errors import ConflictError, NotFoundError
from palimpsest.core.models import Event, Item, ItemDraft, ItemState, Labels, Receipt
from palimpsest.core.ports import Redraft, Store

from ..fakes import BUDGETS, MODEL, draft


def redraft_for(namespace: str) -> Redraft:
    """Draft a version as the service does."""

    async def redraft(item: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
        return draft(namespace, content.decode(), item_id=item.item_id, labels=labels, thread=thread)

    return redraft


async def undo(store: Store, namespace: str, event_id: int | None = None) -> tuple[Event, Receipt]:
    redraft = redraft_for(namespace)
    event, receipt = await store.undo(namespace, event_id, actor="undoer", budgets=BUDGETS, redraft=redraft)
    assert receipt is not None
    return event, receipt


async def edit(store: Store, namespace: str, item_id: str, text: str, **fields: str) -> Receipt:
    sha256 = (await store.get(namespace, item_id)).sha256
    made = draft(namespace, text, item_id=item_id, thread=fields.get("thread", "main"))
    return await store.replace_content(namespace, made, expected_sha256=sha256, budgets=BUDGETS)


async def content(store: Store, namespace: str, item_id: str) -> tuple[int, str]:
    item, raw, _ = await store.read(namespace, item_id)
    return item.version, raw.decode()


async def test_an_add_is_undone_by_forgetting(store: Store, mine: str) -> None:
    made = draft(mine, "some text")
    await store.add(mine, made, budgets=BUDGETS)
    event, receipt = await undo(store, mine)
    assert (event.action, event.subject_id, event.undoable) == ("add", made.item_id, True)
    assert (receipt.outcome, receipt.item.state, receipt.utilization) == ("forgotten", ItemState.FORGOTTEN, 0)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 0


async def test_a_forgetting_is_undone_by_restoring_and_the_reverse(store: Store, mine: str) -> None:
    made = draft(mine, "some text")
    await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    event, receipt = await undo(store, mine)
    assert (event.action, receipt.outcome, receipt.item.state) == ("forget", "restored", ItemState.ACTIVE)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    event, receipt = await undo(store, mine)
    assert (event.action, receipt.outcome, receipt.item.state) == ("restore", "forgotten", ItemState.FORGOTTEN)


async def test_labels_and_thread_return(store: Store, mine: str) -> None:
    before = Labels("Before", "text/markdown", "semantic", 2, True, ("x",))
    made = draft(mine, "some text", labels=before)
    await store.add(mine, made, budgets=BUDGETS)
    await store.relabel(mine, made.item_id, Labels(title="After"), thread="other", actor="a", budgets=BUDGETS)
    event, receipt = await undo(store, mine)
    assert (event.action, receipt.outcome) == ("relabel", "updated")
    assert (receipt.item.labels, receipt.item.thread) == (before, "main")
    assert receipt.ledger.used == 2
    assert await store.get(mine, made.item_id) == receipt.item


async def test_a_replaced_content_returns_as_a_further_version_with_its_labels(store: Store, mine: str) -> None:
    made = draft(mine, "the first text", labels=Labels(title="First"))
    await store.add(mine, made, budgets=BUDGETS)
    await edit(store, mine, made.item_id, "the second text", thread="other")
    event, receipt = await undo(store, mine)
    item = receipt.item
    assert (event.action, event.version, receipt.outcome) == ("edit", 2, "updated")
    assert (item.version, item.sha256, item.labels.title, item.thread) == (3, made.sha256, "First", "main")
    assert await content(store, mine, made.item_id) == (3, "the first text")
    assert (await store.read(mine, made.item_id, 2))[1] == b"the second text"


async def test_an_undo_is_itself_an_event_that_cannot_be_undone(store: Store, mine: str) -> None:
    made = draft(mine, "some text")
    await store.add(mine, made, budgets=BUDGETS)
    added, _ = await undo(store, mine)
    events = await store.events(mine, 10)
    assert [(event.action, event.actor, event.undoable) for event in events] == [
        ("undo", "undoer", False),
        ("add", "tester", False),
    ]
    for event_id in (None, added.event_id, events[0].event_id, 12345):
        with pytest.raises(NotFoundError):
            await undo(store, mine, event_id)


async def test_nothing_can_be_undone_in_an_empty_namespace(store: Store, mine: str) -> None:
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await undo(store, mine)


async def test_the_newest_change_is_undone_first_down_to_the_add(store: Store, mine: str) -> None:
    made = draft(mine, "one")
    await store.add(mine, made, budgets=BUDGETS)
    await edit(store, mine, made.item_id, "two")
    await edit(store, mine, made.item_id, "three")
    seen: list[tuple[str, int, str]] = []
    for _ in range(3):
        event, _ = await undo(store, mine)
        seen.append((event.action, *await content(store, mine, made.item_id)))
    assert seen == [("edit", 4, "two"), ("edit", 5, "one"), ("add", 5, "one")]
    assert (await store.get(mine, made.item_id)).state is ItemState.FORGOTTEN


async def test_a_given_event_of_another_item_can_be_undone(store: Store, mine: str) -> None:
    first, second = draft(mine, "first"), draft(mine, "second")
    for made in (first, second):
        await store.add(mine, made, budgets=BUDGETS)
    older = (await store.events(mine, 10))[1]
    event, receipt = await undo(store, mine, older.event_id)
    assert event.event_id == older.event_id
    assert receipt.item.item_id == first.item_id
    assert (await store.get(mine, second.item_id)).state is ItemState.ACTIVE


@pytest.mark.parametrize("later", ["edit", "relabel", "forget"])
@pytest.mark.parametrize("earlier", ["add", "edit", "relabel"])
async def test_a_change_that_was_built_upon_is_not_undone(store: Store, mine: str, earlier: str, later: str) -> None:
    made = draft(mine, "the text")
    await store.add(mine, made, budgets=BUDGETS)

    async def change(what: str, name: str) -> None:
        if what == "edit":
            await edit(store, mine, made.item_id, name)
        elif what == "relabel":
            await store.relabel(mine, made.item_id, Labels(title=name), thread="main", actor="a", budgets=BUDGETS)
        elif what == "forget":
            await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)

    await change(earlier, "earlier")
    event_id = (await store.events(mine, 1))[0].event_id
    await change(later, "later")
    expected = await store.read(mine, made.item_id)
    with pytest.raises(ConflictError):
        await undo(store, mine, event_id)
    assert await store.read(mine, made.item_id) == expected
    await undo(store, mine)
    event, _ = await undo(store, mine, event_id)
    assert event.action == earlier


async def test_an_undo_that_would_make_a_twin_is_a_conflict(store: Store, mine: str) -> None:
    made = draft(mine, "the same text")
    await store.add(mine, made, budgets=BUDGETS)
    await edit(store, mine, made.item_id, "another text")
    event_id = (await store.events(mine, 1))[0].event_id
    await store.add(mine, draft(mine, "the same text"), budgets=BUDGETS)
    with pytest.raises(ConflictError, match="already holds"):
        await undo(store, mine, event_id)
    assert await content(store, mine, made.item_id) == (2, "another text")


async def test_an_edit_while_an_undo_is_drafted_is_not_lost(store: Store, mine: str) -> None:
    made = draft(mine, "one")
    await store.add(mine, made, budgets=BUDGETS)
    await edit(store, mine, made.item_id, "two")

    async def redraft(item: Item, labels: Labels, thread: str, old: bytes) -> ItemDraft:
        await edit(store, mine, made.item_id, "three")
        return draft(mine, old.decode(), item_id=item.item_id, labels=labels, thread=thread)

    with pytest.raises(ConflictError):
        await store.undo(mine, None, actor="a", budgets=BUDGETS, redraft=redraft)
    assert await content(store, mine, made.item_id) == (3, "three")


async def test_a_purge_cannot_be_undone_nor_what_came_before_it(store: Store, mine: str) -> None:
    made = draft(mine, "some text")
    await store.add(mine, made, budgets=BUDGETS)
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    for event in await store.events(mine, 10):
        assert not event.undoable
        with pytest.raises(NotFoundError):
            await undo(store, mine, event.event_id)
    with pytest.raises(NotFoundError):
        await undo(store, mine)
