"""What every store promises of editing, relabelling, forgetting and its history."""

from dataclasses import replace

import pytest

from palimpsest.core.errors import ConflictError, ItemNotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import Filters, ItemState, Labels, Span
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, WINDOW, draft, terms, vector
from .conftest import Backend


async def test_an_edit_is_a_further_version_and_older_ones_stay_readable(store: Store, mine: str) -> None:
    first = draft(mine, "the first text")
    added = (await store.add(mine, first, budgets=BUDGETS)).item
    second = draft(mine, "the second, longer text", item_id=first.item_id, labels=Labels(title="New"), thread="b")
    receipt = await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)
    item = receipt.item
    assert (receipt.outcome, receipt.chunks, receipt.chunks_pending) == ("updated", 1, 0)
    assert receipt.utilization == pytest.approx(second.tokens.tokens / WINDOW)
    assert (item.version, item.sha256, item.size_bytes) == (2, second.sha256, len(second.content))
    assert (item.tokens, item.labels, item.thread) == (second.tokens.tokens, Labels(title="New"), "b")
    assert (item.created_at, item.source) == (added.created_at, added.source)
    assert item.updated_at >= added.updated_at
    assert await store.get(mine, first.item_id) == item
    assert await store.read(mine, first.item_id) == (item, second.content, second.sha256)
    assert await store.read(mine, first.item_id, 2) == (item, second.content, second.sha256)
    assert await store.read(mine, first.item_id, 1) == (item, first.content, first.sha256)


async def test_an_edit_renews_renditions_and_chunks(store: Store, mine: str) -> None:
    first = draft(mine, " ".join(f"old{place}" for place in range(30)))
    await store.add(mine, first, budgets=BUDGETS)
    second = draft(mine, "new words\n\nin two", item_id=first.item_id)
    await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)
    assert (await store.rendition(mine, first.item_id, "summary"))[1] is None
    found = (
        await store.candidates(
            mine, vector=vector("old3"), model_id=MODEL, terms=terms(mine, "old3 two"), filters=Filters(), limit=10
        )
    ).candidates
    assert {(one.ordinal, one.span) for one in found} == {(0, Span(0, 9)), (1, Span(11, 17))}
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).chunks == 2


async def test_an_edit_of_a_text_that_changed_meanwhile_is_a_conflict(store: Store, mine: str) -> None:
    first = draft(mine, "the first text")
    await store.add(mine, first, budgets=BUDGETS)
    second = draft(mine, "the second text", item_id=first.item_id)
    await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)
    third = draft(mine, "the third text", item_id=first.item_id)
    with pytest.raises(ConflictError, match=second.sha256):
        await store.replace_content(mine, third, expected_sha256=first.sha256, budgets=BUDGETS)
    assert (await store.read(mine, first.item_id))[1] == second.content


async def test_an_edit_of_a_forgotten_item_is_a_conflict(store: Store, mine: str) -> None:
    first = draft(mine, "the first text")
    await store.add(mine, first, budgets=BUDGETS)
    await store.set_state(mine, first.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    second = draft(mine, "the second text", item_id=first.item_id)
    with pytest.raises(ConflictError, match="forgotten"):
        await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)


async def test_an_edit_into_what_the_thread_holds_already_is_a_conflict(store: Store, mine: str) -> None:
    first, twin = draft(mine, "the first text"), draft(mine, "the same text")
    for made in (first, twin):
        await store.add(mine, made, budgets=BUDGETS)
    same = draft(mine, "the same text", item_id=first.item_id, labels=Labels(title="lost"))
    with pytest.raises(ConflictError, match="already holds"):
        await store.replace_content(mine, same, expected_sha256=first.sha256, budgets=BUDGETS)
    item, content, _ = await store.read(mine, first.item_id)
    assert (item.version, item.labels, content) == (1, Labels(), first.content)
    assert len(await store.events(mine, 10)) == 2


async def test_an_edit_of_an_item_that_never_was_is_not_found(store: Store, mine: str) -> None:
    made = draft(mine, "text")
    with pytest.raises(ItemNotFoundError):
        await store.replace_content(mine, made, expected_sha256=made.sha256, budgets=BUDGETS)


async def test_an_edit_to_the_same_content_makes_no_version_but_takes_the_labels(store: Store, mine: str) -> None:
    made = draft(mine, "the same text")
    await store.add(mine, made, budgets=BUDGETS)
    unchanged = await store.replace_content(mine, made, expected_sha256=made.sha256, budgets=BUDGETS)
    assert (unchanged.outcome, unchanged.item.version) == ("unchanged", 1)
    assert unchanged.notes
    titled = replace(made, labels=Labels(title="Titled"))
    updated = await store.replace_content(mine, titled, expected_sha256=made.sha256, budgets=BUDGETS)
    assert (updated.outcome, updated.item.version, updated.item.labels.title) == ("updated", 1, "Titled")
    assert [event.action for event in await store.events(mine, 10)] == ["relabel", "add"]


async def test_an_edit_with_pending_chunks_leaves_a_job_for_them(store: Store, mine: str) -> None:
    first = draft(mine, "the first text")
    await store.add(mine, first, budgets=BUDGETS)
    second = draft(mine, "the second text", item_id=first.item_id, embedded=False)
    receipt = await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)
    assert receipt.chunks_pending == 1
    job = await store.claim_job(mine, owner="a", lease_seconds=60)
    assert job is not None
    assert (job.kind, job.item_id) == ("embed", first.item_id)


async def test_labels_and_thread_are_replaced_together(store: Store, mine: str) -> None:
    made = draft(mine, "two words")
    added = (await store.add(mine, made, budgets=BUDGETS)).item
    labels = Labels("T", "text/markdown", "procedural", 0, True, ("b", "a"))
    receipt = await store.relabel(mine, made.item_id, labels, thread="other", actor="a", budgets=BUDGETS)
    assert receipt.outcome == "updated"
    assert receipt.ledger.used == 2
    assert receipt.item == await store.get(mine, made.item_id)
    assert receipt.item == replace(added, labels=labels, thread="other", updated_at=receipt.item.updated_at)
    threads = (await store.state(mine, MODEL, budgets=BUDGETS)).threads
    assert [(one.thread, one.items, one.tokens) for one in threads] == [("main", 0, 0), ("other", 1, 2)]


async def test_the_same_labels_change_nothing(store: Store, mine: str) -> None:
    made = draft(mine, "two words", labels=Labels(tags=("a", "b")))
    added = (await store.add(mine, made, budgets=BUDGETS)).item
    receipt = await store.relabel(mine, made.item_id, made.labels, thread="main", actor="a", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item) == ("unchanged", added)
    assert len(await store.events(mine, 10)) == 1


async def test_moving_beside_a_twin_is_a_conflict(store: Store, mine: str) -> None:
    made, twin = draft(mine, "the same text"), draft(mine, "the same text", thread="other")
    for one in (made, twin):
        await store.add(mine, one, budgets=BUDGETS)
    with pytest.raises(ConflictError, match="already holds"):
        await store.relabel(mine, made.item_id, made.labels, thread="other", actor="a", budgets=BUDGETS)
    assert (await store.get(mine, made.item_id)).thread == "main"


async def test_changes_of_an_item_that_never_was_are_not_found(store: Store, mine: str) -> None:
    unknown = new_item_id()
    with pytest.raises(ItemNotFoundError):
        await store.relabel(mine, unknown, Labels(), thread="main", actor="a", budgets=BUDGETS)
    with pytest.raises(ItemNotFoundError):
        await store.set_state(mine, unknown, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    with pytest.raises(ItemNotFoundError):
        await store.purge(mine, unknown, actor="a", budgets=BUDGETS)


async def test_a_forgotten_item_leaves_its_thread_and_a_restored_one_returns(store: Store, mine: str) -> None:
    made = draft(mine, "two words")
    await store.add(mine, made, budgets=BUDGETS)
    forgotten = await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert (forgotten.outcome, forgotten.item.state, forgotten.utilization) == ("forgotten", ItemState.FORGOTTEN, 0)
    again = await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert (again.outcome, again.item) == ("unchanged", forgotten.item)
    restored = await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert (restored.outcome, restored.item.state) == ("restored", ItemState.ACTIVE)
    assert restored.ledger.used == 2
    assert (restored.chunks, restored.chunks_pending) == (1, 0)
    again = await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert again.outcome == "unchanged"
    assert [event.action for event in await store.events(mine, 10)] == ["restore", "forget", "add"]


async def test_restoring_beside_a_twin_is_a_conflict(store: Store, mine: str) -> None:
    first = draft(mine, "the same text")
    await store.add(mine, first, budgets=BUDGETS)
    await store.set_state(mine, first.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await store.add(mine, draft(mine, "the same text"), budgets=BUDGETS)
    with pytest.raises(ConflictError, match="already holds"):
        await store.set_state(mine, first.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert (await store.get(mine, first.item_id)).state is ItemState.FORGOTTEN


async def test_a_forgotten_items_new_thread_counts_it_once_it_is_restored(store: Store, mine: str) -> None:
    made = draft(mine, "two words")
    await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    moved = await store.relabel(mine, made.item_id, made.labels, thread="other", actor="a", budgets=BUDGETS)
    assert moved.utilization == 0
    restored = await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert restored.item.thread == "other"
    assert restored.ledger.used == 2


async def test_a_forgotten_item_found_by_nobody_is_found_again_once_restored(store: Store, mine: str) -> None:
    made = draft(mine, "two words", embedded=False)
    await store.add(mine, made, budgets=BUDGETS)

    async def found() -> list[tuple[bool, bool]]:
        candidates = (
            await store.candidates(
                mine, vector=vector("words"), model_id=MODEL, terms=terms(mine, "words"), filters=Filters(), limit=5
            )
        ).candidates
        return [(one.dense is not None, one.lexical > 0) for one in candidates]

    assert await found() == [(False, True)]
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    # A vector that arrives while the item is forgotten must not bring it back by itself.
    await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("two words")})
    assert await found() == []
    await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert await found() == [(True, True)]


async def test_events_tell_who_did_what_newest_first(backend: Backend, mine: str) -> None:
    store = backend.store
    made = draft(mine, "some text", actor="writer")
    await store.add(mine, made, budgets=BUDGETS)
    await store.relabel(mine, made.item_id, Labels(title="T"), thread="main", actor="labeller", budgets=BUDGETS)
    edited = draft(mine, "other text", item_id=made.item_id, actor="editor")
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="forgetter", budgets=BUDGETS)
    events = await store.events(mine, 10)
    assert [(event.actor, event.action, event.version, event.undoable) for event in events] == [
        ("forgetter", "forget", 2, True),
        ("editor", "edit", 2, True),
        ("labeller", "relabel", 1, True),
        ("writer", "add", 1, True),
    ]
    assert {event.subject_id for event in events} == {made.item_id}
    assert len({event.event_id for event in events}) == 4
    assert all(event.at.tzinfo is not None for event in events)
    assert await store.events(mine, 2) == events[:2]
