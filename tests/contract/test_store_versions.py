"""What every store promises of dates, and of items that are versions of each other."""

import asyncio
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core.dump_lines import End, encode_end
from palimpsest.core.errors import ConflictError
from palimpsest.core.models import Filters, Item, ItemDraft, ItemState, Labels, Receipt
from palimpsest.core.ports import Redraft, Store
from palimpsest.core.validation import EARLIEST, LATEST

from ..fakes import BUDGETS, MODEL, draft
from .exporting import dump, items_of, load
from .test_store_undo import redraft_for, undo

RED, BLUE, GREEN = (f"Alice's favourite colour is {colour}." for colour in ("red", "blue", "green"))
OTHER = "Bob's favourite colour is red."


def day(number: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)


async def tell(
    store: Store, namespace: str, text: str, on: int | None = None, *, thread: str = "main", title: str | None = None
) -> Receipt:
    at = None if on is None else day(on)
    made = draft(namespace, text, thread=thread, labels=Labels(title=title), happened_at=at, versioned=True)
    return await store.add(namespace, made, budgets=BUDGETS)


async def redate(store: Store, namespace: str, item: Item, at: datetime | None) -> Receipt:
    return await store.relabel(
        namespace, item.item_id, item.labels, thread=item.thread, happened_at=at, actor="a", budgets=BUDGETS
    )


async def standing(store: Store, namespace: str) -> dict[str, bool]:
    """The active items' texts, and whether each is the latest; what supersedes the others is checked."""
    found: dict[str, bool] = {}
    for item in await items_of(store, namespace):
        assert await store.get(namespace, item.item_id) == item
        if item.state is ItemState.ACTIVE:
            found[(await store.read(namespace, item.item_id))[1].decode()] = item.latest
        if item.superseded_by is not None:
            newer = await store.get(namespace, item.superseded_by)
            assert (newer.lineage, newer.latest, newer.superseded_by) == (item.lineage, True, None)
            assert not item.latest
    return found


async def valid(store: Store, namespace: str, on: int) -> set[str]:
    """The texts that held on a day."""
    filters = Filters(as_of=day(on))
    page = await store.list_items(namespace, filters, state=ItemState.ACTIVE, limit=100, before=None)
    return {(await store.read(namespace, item.item_id))[1].decode() for item in page.items}


async def test_an_item_happened_when_it_was_added_unless_a_date_is_given(store: Store, mine: str) -> None:
    now = (await tell(store, mine, "told now", None)).item
    assert now.happened_at == now.created_at
    for at in (EARLIEST, day(0), LATEST):
        made = draft(mine, f"told of {at}", happened_at=at)
        receipt = await store.add(mine, made, budgets=BUDGETS)
        assert receipt.item.happened_at == at
        assert await store.get(mine, made.item_id) == receipt.item


async def test_a_date_is_corrected_and_the_correction_taken_back(store: Store, mine: str) -> None:
    item = (await tell(store, mine, RED, 1)).item

    assert (await redate(store, mine, item, day(1))).outcome == "unchanged"
    assert (await redate(store, mine, item, None)).outcome == "unchanged"
    receipt = await redate(store, mine, item, day(2))
    assert (receipt.outcome, receipt.item.happened_at) == ("updated", day(2))
    event, receipt = await undo(store, mine)
    assert (event.action, receipt.outcome, receipt.item.happened_at) == ("relabel", "updated", day(1))
    assert (await store.get(mine, item.item_id)).happened_at == day(1)


async def test_a_new_content_may_bring_its_date_and_an_undo_takes_both_back(store: Store, mine: str) -> None:
    item = (await tell(store, mine, RED, 1)).item
    kept = draft(mine, BLUE, item_id=item.item_id)
    receipt = await store.replace_content(mine, kept, expected_sha256=item.sha256, budgets=BUDGETS)
    assert receipt.item.happened_at == day(1)
    dated = draft(mine, GREEN, item_id=item.item_id, happened_at=day(5))
    receipt = await store.replace_content(mine, dated, expected_sha256=kept.sha256, budgets=BUDGETS)
    assert receipt.item.happened_at == day(5)
    same = replace(dated, happened_at=day(6))
    receipt = await store.replace_content(mine, same, expected_sha256=dated.sha256, budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.version, receipt.item.happened_at) == ("updated", 3, day(6))
    await undo(store, mine)
    await undo(store, mine)
    assert (await store.get(mine, item.item_id)).happened_at == day(1)


async def test_a_changed_fact_is_kept_beside_the_one_before_and_supersedes_it(store: Store, mine: str) -> None:
    first = await tell(store, mine, RED, 1)
    assert (first.version_of, first.item.lineage, first.item.latest) == (None, None, True)
    second = await tell(store, mine, BLUE, 2)
    assert (second.outcome, second.version_of, second.item.latest) == ("added", first.item.item_id, True)
    assert second.item.lineage == first.item.item_id
    assert await store.get(mine, second.item.item_id) == second.item
    before = await store.get(mine, first.item.item_id)
    assert (before.lineage, before.latest, before.superseded_by) == (first.item.item_id, False, second.item.item_id)
    assert before.updated_at == first.item.updated_at
    other = await tell(store, mine, OTHER, 3)
    assert (other.version_of, other.item.lineage) == (None, None)
    assert await standing(store, mine) == {RED: False, BLUE: True, OTHER: True}
    assert await valid(store, mine, 1) == {RED}
    assert await valid(store, mine, 2) == {BLUE}
    assert await valid(store, mine, 3) == {BLUE, OTHER}


async def test_an_older_fact_that_is_told_later_ranks_under_the_newer_one(store: Store, mine: str) -> None:
    newest = await tell(store, mine, GREEN, 3)
    oldest = await tell(store, mine, RED, 1)
    assert (oldest.version_of, oldest.item.latest) == (newest.item.item_id, False)
    assert oldest.item.superseded_by == newest.item.item_id
    middle = await tell(store, mine, BLUE, 2)
    assert (middle.version_of, middle.item.latest) == (newest.item.item_id, False)
    assert middle.item.lineage == newest.item.item_id
    assert await standing(store, mine) == {RED: False, BLUE: False, GREEN: True}
    assert [await valid(store, mine, on) for on in (0, 1, 2, 3)] == [set(), {RED}, {BLUE}, {GREEN}]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_versions_that_differ_in_several_values_meet_in_any_order(
    store: Store, mine: str, order: Sequence[int]
) -> None:
    values = [
        ("Rome", "Acme", "Fiat"),
        ("Oslo", "Acme", "Fiat"),
        ("Oslo", "Globex", "Fiat"),
        ("Oslo", "Globex", "Saab"),
    ]
    for number in order:
        home, work, car = values[number]
        await tell(store, mine, f"Alice lives in {home}, works at {work} and drives a {car}.", number)
    items = [item for item in await items_of(store, mine) if item.state is ItemState.ACTIVE]
    assert len(items) == 4
    assert {item.lineage for item in items} == {min(item.item_id for item in items)}
    assert [item.latest for item in sorted(items, key=lambda one: one.happened_at)] == [False, False, False, True]


async def test_of_two_at_the_same_time_the_one_told_later_is_newer(store: Store, mine: str) -> None:
    await tell(store, mine, RED, 1)
    assert (await tell(store, mine, BLUE, 1)).item.latest
    assert await standing(store, mine) == {RED: False, BLUE: True}


async def test_other_threads_titles_and_namespaces_have_versions_of_their_own(
    store: Store, mine: str, theirs: str
) -> None:
    await tell(store, mine, RED, 1, title="A")
    for receipt in (
        await tell(store, mine, BLUE, 2, thread="other"),
        await tell(store, mine, BLUE, 2, title="B"),
        await tell(store, theirs, BLUE, 2),
    ):
        assert (receipt.outcome, receipt.version_of) == ("added", None)


async def test_an_exact_repeat_adds_nothing_and_says_that_it_is_superseded(store: Store, mine: str) -> None:
    first, second = await tell(store, mine, RED, 1), await tell(store, mine, BLUE, 2)
    for on in (None, 0, 1):
        again = await tell(store, mine, RED, on)
        assert (again.outcome, again.item.item_id, again.item.latest) == ("duplicate", first.item.item_id, False)
        assert again.item.superseded_by == second.item.item_id
    assert (await tell(store, mine, BLUE, 9)).outcome == "duplicate"
    alone = await tell(store, mine, OTHER, 5)
    assert (await tell(store, mine, OTHER, 1)).item == alone.item
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 3


async def test_a_value_that_comes_back_is_told_again_as_of_its_date(store: Store, mine: str) -> None:
    texts = [RED, BLUE, RED, BLUE, RED, BLUE, RED, BLUE, RED]
    receipts = [await tell(store, mine, text, on) for on, text in enumerate(texts)]
    assert [receipt.outcome for receipt in receipts] == ["added"] * 9
    assert [receipt.item.latest for receipt in receipts] == [True] * 9
    assert len({receipt.item.item_id for receipt in receipts}) == 9
    assert [await valid(store, mine, on) for on in range(9)] == [{text} for text in texts]
    for on, text in enumerate(texts):
        again = await tell(store, mine, text, on)
        assert (again.outcome, again.item.item_id) == ("duplicate", receipts[on].item.item_id)
    assert (await tell(store, mine, RED)).item == receipts[-1].item
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 9


async def test_other_typing_adds_nothing_and_says_whose_it_is(store: Store, mine: str) -> None:
    first, second = await tell(store, mine, RED, 1), await tell(store, mine, BLUE, 2)
    again = await tell(store, mine, RED.upper().replace(" ", "\n"))
    assert (again.outcome, again.item.item_id) == ("retyped", first.item.item_id)
    typed = draft(mine, BLUE.lower(), item_id=second.item.item_id, versioned=True)
    receipt = await store.replace_content(mine, typed, expected_sha256=second.item.sha256, budgets=BUDGETS)
    assert (receipt.item.version, receipt.item.lineage) == (2, first.item.item_id)
    for text in (BLUE, BLUE.lower()):
        again = await tell(store, mine, text)
        assert (again.outcome, again.item.item_id) == ("duplicate", second.item.item_id)
    back = await tell(store, mine, RED.lower(), 3)
    assert (back.outcome, back.item.latest) == ("added", True)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 3


async def versions(store: Store, namespace: str) -> Sequence[Item]:
    return [(await tell(store, namespace, text, on)).item for on, text in enumerate((RED, BLUE, GREEN))]


async def test_forgetting_and_restoring_leave_the_newest_active_one_the_latest(store: Store, mine: str) -> None:
    red, blue, green = await versions(store, mine)
    for item, expected in (
        (green, {RED: False, BLUE: True}),
        (red, {BLUE: True}),
        (blue, dict[str, bool]()),
    ):
        await store.set_state(mine, item.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
        assert await standing(store, mine) == expected
    for item, expected in (
        (red, {RED: True}),
        (green, {RED: False, GREEN: True}),
        (blue, {RED: False, BLUE: False, GREEN: True}),
    ):
        receipt = await store.set_state(mine, item.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
        assert receipt.item.latest is expected[(await store.read(mine, item.item_id))[1].decode()]
        assert await standing(store, mine) == expected
    await undo(store, mine)
    await undo(store, mine)
    assert await standing(store, mine) == {RED: True}


async def test_purging_and_undone_adds_leave_the_newest_active_one_the_latest(store: Store, mine: str) -> None:
    red, _, green = await versions(store, mine)
    await store.purge(mine, red.item_id, actor="a", budgets=BUDGETS)
    assert await standing(store, mine) == {BLUE: False, GREEN: True}
    await undo(store, mine)
    assert await standing(store, mine) == {BLUE: True}
    await store.purge(mine, green.item_id, actor="a", budgets=BUDGETS)
    assert await standing(store, mine) == {BLUE: True}


async def test_another_date_may_make_another_one_the_latest(store: Store, mine: str) -> None:
    red, _, _ = await versions(store, mine)
    receipt = await redate(store, mine, red, day(7))
    assert receipt.item.latest
    assert await standing(store, mine) == {RED: True, BLUE: False, GREEN: False}
    await undo(store, mine)
    assert await standing(store, mine) == {RED: False, BLUE: False, GREEN: True}


async def test_in_another_thread_an_item_is_no_version_until_the_move_is_taken_back(store: Store, mine: str) -> None:
    _, _, green = await versions(store, mine)
    receipt = await store.relabel(mine, green.item_id, green.labels, thread="b", actor="a", budgets=BUDGETS)
    assert (receipt.item.lineage, receipt.item.latest) == (None, True)
    assert await standing(store, mine) == {RED: False, BLUE: True, GREEN: True}
    _, receipt = await undo(store, mine)
    assert (receipt.item.lineage, receipt.item.latest) == (green.lineage, True)
    assert await standing(store, mine) == {RED: False, BLUE: False, GREEN: True}


async def test_with_a_new_content_an_item_leaves_its_versions_or_joins_others(store: Store, mine: str) -> None:
    red, _, green = await versions(store, mine)
    bob = (await tell(store, mine, OTHER, 4)).item
    pink = OTHER.replace("red", "pink")
    edited = draft(mine, pink, item_id=green.item_id, versioned=True)
    receipt = await store.replace_content(mine, edited, expected_sha256=green.sha256, budgets=BUDGETS)
    assert (receipt.item.latest, receipt.item.superseded_by) == (False, bob.item_id)
    assert await standing(store, mine) == {
        RED: False,
        BLUE: True,
        OTHER: True,
        "Bob's favourite colour is pink.": False,
    }
    event, undone = await store.undo(mine, None, actor="a", budgets=BUDGETS, redraft=versioned_redraft(mine))
    assert undone is not None
    assert event.action == "edit"
    assert (undone.item.lineage, undone.item.latest) == (red.item_id, True)
    assert await standing(store, mine) == {RED: False, BLUE: False, GREEN: True, OTHER: True}


def versioned_redraft(namespace: str) -> Redraft:
    plain = redraft_for(namespace)

    async def redraft(item: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
        made = await plain(item, labels, thread, content)
        framed = draft(namespace, content.decode(), labels=labels, versioned=True)
        return replace(made, frame=framed.frame)

    return redraft


async def test_versions_at_the_same_moment_are_all_kept_and_one_is_the_latest(store: Store, mine: str) -> None:
    texts = [f"Alice's favourite colour is shade {number}." for number in range(8)]
    receipts = await asyncio.gather(*(tell(store, mine, text, on) for on, text in enumerate(texts)))
    assert [receipt.outcome for receipt in receipts] == ["added"] * 8
    assert await standing(store, mine) == {text: text == texts[-1] for text in texts}
    items = await items_of(store, mine)
    assert len({item.lineage for item in items}) == 1
    changes = [
        *(store.set_state(mine, item.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS) for item in items[:4]),
        *(tell(store, mine, f"Alice's favourite colour is tone {number}.", 20 + number) for number in range(4)),
        *(store.purge(mine, item.item_id, actor="a", budgets=BUDGETS) for item in items[4:6]),
        redate(store, mine, items[6], day(9)),
    ]
    await asyncio.gather(*changes)
    assert [text for text, latest in (await standing(store, mine)).items() if latest] == [
        "Alice's favourite colour is tone 3."
    ]


async def test_a_dump_carries_dates_and_versions(store: Store, mine: str, theirs: str) -> None:
    await versions(store, mine)
    await tell(store, mine, RED, 8)
    await tell(store, mine, OTHER, 4)
    dumped = await dump(store, mine)
    await load(store, theirs, dumped, from_any=True)
    assert (await dump(store, theirs)).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    texts = [await valid(store, theirs, on) for on in range(9)]
    assert texts == [{RED}, {BLUE}, {GREEN}, {GREEN}, *[{GREEN, OTHER}] * 4, {RED, OTHER}]
    assert [(item.happened_at, item.lineage, item.latest) for item in await items_of(store, theirs)] == [
        (item.happened_at, item.lineage, item.latest) for item in await items_of(store, mine)
    ]
    added = await tell(store, theirs, "Alice's favourite colour is pink.", 9)
    assert added.item.latest
    assert added.item.lineage == (await items_of(store, mine))[0].lineage


async def test_a_dump_of_before_joins_what_was_told_since(store: Store, mine: str) -> None:
    red = (await tell(store, mine, RED, 1)).item
    early = await dump(store, mine)
    blue = (await tell(store, mine, BLUE, 2)).item
    late = await dump(store, mine)
    assert (await load(store, mine, early)).known["item"] == 1
    assert await standing(store, mine) == {RED: False, BLUE: True}
    await store.purge(mine, blue.item_id, actor="a", budgets=BUDGETS)
    assert (await store.get(mine, red.item_id)).latest
    assert (await load(store, mine, late)).added["item"] == 1
    assert await standing(store, mine) == {RED: False, BLUE: True}


def older(dumped: bytes) -> bytes:
    """A dump as the version before dates wrote it."""
    lines = [json.loads(line) for line in dumped.split(b"\n")[:-2]]
    for line in lines:
        line.update({"schema": 4} if "schema" in line else {})
        for name in ("happened_at", "lineage", "occurrence"):
            line.pop(name, None)
    body = b"".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n" for line in lines
    )
    return body + encode_end(End(len(lines) - 1, hashlib.sha256(body).hexdigest()))


async def test_a_dump_of_before_dates_says_that_things_happened_when_they_were_added(
    store: Store, mine: str, theirs: str
) -> None:
    item = (await tell(store, mine, RED)).item
    await load(store, theirs, older(await dump(store, mine)), from_any=True)
    [loaded] = await items_of(store, theirs)
    assert (loaded.happened_at, loaded.lineage, loaded.latest) == (item.created_at, None, True)


async def test_the_same_content_is_not_restored_twice(store: Store, mine: str) -> None:
    first = (await tell(store, mine, RED, 1)).item
    await store.set_state(mine, first.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await tell(store, mine, RED, 2)
    with pytest.raises(ConflictError, match="exactly this content"):
        await store.set_state(mine, first.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
