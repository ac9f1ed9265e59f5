"""What every store promises of sealed items."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from palimpsest.core.errors import ConflictError, InvalidInputError, ItemNotFoundError
from palimpsest.core.ids import new_item_id, parse_item_id
from palimpsest.core.models import Filters, ItemState, SealedItem, Sealing
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, draft, sealer
from .conftest import Backend
from .exporting import dump, load

TEXT = "a passphrase that nobody may read"
OTHER = bytes(range(1, 33))


async def seal(store: Store, namespace: str, text: str = TEXT, item_id: str | None = None) -> Sealing:
    item_id = item_id or new_item_id()
    return await store.put_sealed(
        namespace,
        item_id,
        sealer().seal(text.encode(), namespace, item_id),
        reason="found 1 password",
        categories={"password": 1, "aws-access-key-id": 2},
        size_bytes=len(text.encode()),
        actor="sealer",
    )


async def opened(store: Store, namespace: str, item_id: str) -> str:
    _, sealed = await store.read_sealed(namespace, item_id, actor="reader: a reason")
    assert sealed is not None
    return sealer().open(sealed, namespace, item_id).decode()


async def test_a_sealed_item_comes_back_with_an_event_for_each_look(store: Store, mine: str) -> None:
    made = await seal(store, mine)
    item = made.item
    assert (made.added, item.state, item.held, item.reason) == (True, "sealed", True, "found 1 password")
    assert (item.categories, item.size_bytes) == ({"password": 1, "aws-access-key-id": 2}, 33)
    assert (item.actor, item.settled_at, item.key_id) == ("sealer", None, sealer().key_id)
    assert await store.find_sealed(mine, item_id=item.item_id) == item
    assert await opened(store, mine, item.item_id) == TEXT
    await store.read_sealed(mine, item.item_id, actor="reader", action="scan sealed")
    events = [(one.actor, one.action, one.subject_id, one.undoable) for one in await store.events(mine, 10)]
    assert events == [
        ("reader", "scan sealed", item.item_id, False),
        ("reader: a reason", "unseal", item.item_id, False),
        ("sealer", "seal", item.item_id, False),
    ]


async def test_the_same_text_is_sealed_once(store: Store, mine: str, theirs: str) -> None:
    first, second, foreign = await seal(store, mine), await seal(store, mine), await seal(store, theirs)
    assert second == replace(first, added=False)
    assert foreign.added
    assert (await store.list_sealed(mine, limit=10, before=None)).total == 1
    fingerprint = sealer().fingerprint(TEXT.encode(), mine)
    assert await store.find_sealed(mine, fingerprint=fingerprint) == first.item
    assert await store.find_sealed(theirs, fingerprint=fingerprint) is None
    assert len(await store.events(mine, 10)) == 1


async def test_another_namespace_sees_nothing(store: Store, mine: str, theirs: str) -> None:
    item_id = (await seal(store, mine)).item.item_id
    assert await store.find_sealed(theirs, item_id=item_id) is None
    assert (await store.list_sealed(theirs, limit=10, before=None)).total == 0
    with pytest.raises(ItemNotFoundError):
        await store.read_sealed(theirs, item_id, actor="x")
    with pytest.raises(ItemNotFoundError):
        await store.settle_sealed(theirs, item_id, "purged", actor="x")


async def test_what_is_sealed_is_no_item(store: Store, mine: str) -> None:
    item_id = (await seal(store, mine)).item.item_id
    for state in ItemState:
        assert (await store.list_items(mine, Filters(), state=state, limit=10, before=None)).total == 0
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 0
    with pytest.raises(ItemNotFoundError):
        await store.read(mine, item_id)


async def test_pages_of_outlines_follow_each_other(store: Store, mine: str) -> None:
    made = [(await seal(store, mine, f"text {number}")).item for number in range(5)]
    await store.settle_sealed(mine, made[2].item_id, "purged", actor="x")
    found: list[SealedItem] = []
    before = None
    for _ in range(3):
        page = await store.list_sealed(mine, limit=2, before=before)
        assert page.total == 4
        found += page.items
        before = found[-1].created_at, found[-1].item_id
    expected = sorted((made[place] for place in (0, 1, 3, 4)), key=lambda one: (one.created_at, one.item_id))
    assert found == expected[::-1]
    everything = await store.list_sealed(mine, limit=10, before=None, state=None)
    assert (everything.total, {one.state for one in everything.items}) == (5, {"sealed", "purged"})


@pytest.mark.parametrize(("state", "action"), [("released", "release"), ("purged", "purge sealed")])
async def test_what_is_no_longer_sealed_loses_its_ciphertext_and_stays_listed(
    backend: Backend, mine: str, state: Any, action: str
) -> None:
    store = backend.store
    item_id = new_item_id()
    sealed = sealer().seal(TEXT.encode(), mine, item_id)
    await store.put_sealed(mine, item_id, sealed, reason="r", categories={}, size_bytes=3, actor="a")
    settled = await store.settle_sealed(mine, item_id, state, actor="b: why")
    assert (settled.state, settled.held) == (state, False)
    assert settled.settled_at is not None
    assert await store.find_sealed(mine, item_id=item_id) == settled
    assert (await store.read_sealed(mine, item_id, actor="c"))[1] is None
    with pytest.raises(ConflictError, match=f"it was {state}"):
        await store.settle_sealed(mine, item_id, "purged", actor="d")
    assert [one.action for one in await store.events(mine, 10)] == ["unseal", action, "seal"]
    if backend.durable:
        # An id that nothing has: the outline keeps its own.
        assert "quarantine_items" not in await backend.remains(0, sealed.box.hex())
    assert (await seal(store, mine, TEXT)).added


async def test_keys_are_wrapped_anew_a_batch_at_a_time(store: Store, mine: str) -> None:
    made = sorted([(await seal(store, mine, f"text {number}")).item.item_id for number in range(3)])
    await store.settle_sealed(mine, made[1], "purged", actor="x")
    both = sealer(OTHER, bytes(range(32)))
    assert await store.sealed_under_others(mine, sealer().key_id, after=None, limit=5) == []
    [(first, before)] = await store.sealed_under_others(mine, both.key_id, after=None, limit=1)
    [(second, _)] = await store.sealed_under_others(mine, both.key_id, after=first, limit=5)
    assert [first, second] == [made[0], made[2]]
    after = both.rewrap(before, mine, first)
    assert await store.rewrap_sealed(mine, first, before, after)
    assert not await store.rewrap_sealed(mine, first, before, after)
    assert [one for one, _ in await store.sealed_under_others(mine, both.key_id, after=None, limit=5)] == [second]
    found = await store.find_sealed(mine, item_id=first)
    assert found is not None
    assert found.key_id == both.key_id
    _, sealed = await store.read_sealed(mine, first, actor="x")
    assert sealed is not None
    assert sealer(OTHER).open(sealed, mine, first) == b"text 0"


async def test_a_malformed_id_is_refused(store: Store, mine: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_item_id("mem_nothing")
    assert await store.find_sealed(mine, item_id=new_item_id()) is None


async def test_a_dump_has_outlines_and_the_ciphertext_only_where_asked_for(
    store: Store, mine: str, theirs: str
) -> None:
    sealed = (await seal(store, mine)).item
    gone = (await seal(store, mine, "another")).item
    await store.settle_sealed(mine, gone.item_id, "purged", actor="x")
    outline = await dump(store, mine)
    whole = await dump(store, mine, sealed=True)
    rows = [json.loads(line) for line in whole.split(b"\n")[:-1] if b'"quarantine_item"' in line][1:]
    assert [row["item_id"] for row in rows] == sorted((sealed.item_id, gone.item_id))
    assert {row["item_id"]: row["box"] is None for row in rows} == {sealed.item_id: False, gone.item_id: True}
    assert b'"box":null' in outline
    assert b'"box":"' not in outline
    for text in (TEXT.encode(), b"another"):
        assert text not in outline + whole
    assert (await load(store, theirs, outline, from_any=True)).added["quarantine_item"] == 2
    found = await store.find_sealed(theirs, item_id=sealed.item_id)
    assert found == replace(sealed, held=False)
    assert (await store.read_sealed(theirs, sealed.item_id, actor="x"))[1] is None


async def test_a_whole_dump_brings_back_what_can_be_opened(store: Store, mine: str) -> None:
    kept = (await seal(store, mine)).item
    whole = await dump(store, mine, sealed=True)
    assert sum((await load(store, mine, whole)).added.values()) == 0
    assert await opened(store, mine, kept.item_id) == TEXT


async def test_an_outline_that_is_here_gets_its_ciphertext_from_a_whole_dump(
    store: Store, mine: str, theirs: str
) -> None:
    item = (await seal(store, mine)).item
    await load(store, theirs, await dump(store, mine), from_any=True)
    whole = await dump(store, mine, sealed=True)
    restored = await load(store, theirs, whole, from_any=True)
    assert (restored.added["quarantine_item"], restored.known["quarantine_item"]) == (0, 1)
    _, sealed = await store.read_sealed(theirs, item.item_id, actor="x")
    assert sealed is not None
    # It opens only where it was sealed.
    assert sealer().open(sealed, mine, item.item_id) == TEXT.encode()
    settled = await store.settle_sealed(theirs, item.item_id, "purged", actor="x")
    await load(store, theirs, whole, from_any=True)
    assert await store.find_sealed(theirs, item_id=item.item_id) == settled


async def test_another_sealed_item_under_the_same_id_is_a_conflict(store: Store, mine: str, theirs: str) -> None:
    item = (await seal(store, mine)).item
    await seal(store, theirs, "a longer text under the same id", item.item_id)
    with pytest.raises(ConflictError, match="quarantine item"):
        await load(store, theirs, await dump(store, mine), from_any=True)


async def test_the_same_text_under_two_ids_can_be_loaded(store: Store, mine: str, theirs: str) -> None:
    item_id, other = new_item_id(), new_item_id()
    sealed = sealer().seal(TEXT.encode(), mine, item_id)
    for namespace, one in ((mine, item_id), (theirs, other)):
        await store.put_sealed(namespace, one, sealed, reason="r", categories={}, size_bytes=3, actor="a")
    assert (await load(store, theirs, await dump(store, mine, sealed=True), from_any=True)).added[
        "quarantine_item"
    ] == 1
    assert (await store.list_sealed(theirs, limit=10, before=None)).total == 2
    assert (await store.read_sealed(theirs, item_id, actor="x"))[1] is not None


async def test_a_thread_s_dump_has_nothing_of_the_quarantine(store: Store, mine: str) -> None:
    await seal(store, mine)
    await store.add(mine, draft(mine, "some text"), budgets=BUDGETS)
    assert b'"type":"quarantine_item"' not in await dump(store, mine, "main", sealed=True)
