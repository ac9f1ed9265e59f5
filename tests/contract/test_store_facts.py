"""What every store promises of facts."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from palimpsest.core.errors import ConflictError
from palimpsest.core.models import Fact, ItemDraft, ItemState, Labels, Origin, ToldFact
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_hash

from ..fakes import BUDGETS, START, draft
from .conftest import Backend
from .exporting import dump, load
from .test_store_undo import edit, undo

HOME = Fact("Ann", "home", "Oslo", single=True, importance=4, extractor="rules/1")


def telling(
    namespace: str, value: str, days: float = 0, *origins: str, fact: Fact = HOME, joins: bool = True
) -> ItemDraft:
    """An item that tells where Ann lives since a day, made from some items."""
    made = draft(namespace, f"Ann lives in {value}.", happened_at=START + timedelta(days=days))
    places = tuple(Origin(item_id) for item_id in origins)
    return replace(made, fact=replace(fact, value=value), joins=joins, origins=places)


async def tell(store: Store, namespace: str, value: str, days: float = 0, *origins: str, joins: bool = True) -> str:
    made = telling(namespace, value, days, *origins, joins=joins)
    return (await store.add(namespace, made, budgets=BUDGETS)).item.item_id


async def values(store: Store, namespace: str, *, past: bool = False) -> list[str]:
    found = await store.list_facts(namespace, subject=None, thread=None, superseded=past, limit=100)
    return [one.fact.value for one in found]


async def test_facts_of_a_slot_are_versions_of_each_other_in_whatever_order(
    store: Store, mine: str, theirs: str
) -> None:
    ids = {value: await tell(store, mine, value, days) for value, days in (("Oslo", 5), ("Lima", 9), ("Rome", 1))}
    await tell(store, theirs, "Kiel", 20)
    assert (await values(store, mine), await values(store, mine, past=True)) == (["Lima"], ["Lima", "Oslo", "Rome"])
    history = await store.list_facts(mine, subject="ann", thread="main", superseded=True, limit=2)
    assert [(one.item.item_id, one.valid_to, one.item.superseded_by) for one in history] == [
        (ids["Lima"], None, None),
        (ids["Oslo"], START + timedelta(days=9), ids["Lima"]),
    ]
    assert history[0].fact == replace(HOME, value="Lima")
    assert await store.list_facts(mine, subject="bob", thread=None, superseded=True, limit=9) == []
    assert await store.list_facts(mine, subject=None, thread="other", superseded=True, limit=9) == []


async def test_facts_around_a_moment_are_found_by_slot(store: Store, mine: str) -> None:
    for number in range(8):
        await tell(store, mine, f"Town {number}", number)
    wanted = [(HOME.slot, START + timedelta(days=days)) for days in (5.5, -1, 7)]
    found = await store.known_facts(mine, "main", [*wanted, (HOME.slot + 1, START)])
    names = [[one.fact.value.removeprefix("Town ") for one in facts] for facts in found]
    assert names == [["6", "5", "4", "3", "2"], ["0"], ["7", "6", "5", "4"], []]
    assert await store.known_facts(mine, "other", wanted) == [[], [], []]
    assert await store.known_facts(mine, "main", []) == []


async def test_a_fact_that_joins_nothing_stands_beside_its_rival(store: Store, mine: str) -> None:
    ids = [await tell(store, mine, "Oslo"), await tell(store, mine, "Rome", joins=False)]
    found = await store.list_facts(mine, subject=None, thread=None, superseded=False, limit=9)
    assert {one.item.item_id: one.rivals for one in found} == {ids[0]: (ids[1],), ids[1]: (ids[0],)}
    await tell(store, mine, "Lima", 1)
    [left] = await store.list_facts(mine, subject=None, thread=None, superseded=False, limit=9)
    assert (left.fact.value, left.rivals) == ("Lima", ())


async def test_what_is_not_trusted_is_no_version_of_what_is(store: Store, mine: str) -> None:
    doubted = replace(telling(mine, "Oslo"), labels=Labels(trust="low"))
    await store.add(mine, doubted, budgets=BUDGETS)
    await tell(store, mine, "Rome", 1)
    assert await values(store, mine) == ["Rome", "Oslo"]


async def test_a_fact_is_its_items_while_that_says_so(store: Store, mine: str) -> None:
    item_id = await tell(store, mine, "Oslo")
    before = await state_hash(store, mine)
    await edit(store, mine, item_id, "Ann lives in Rome, after all.")
    assert await values(store, mine, past=True) == []
    await undo(store, mine)
    assert (await values(store, mine), await state_hash(store, mine)) == (["Oslo"], before)
    await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert await values(store, mine) == []
    await store.set_state(mine, item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert await values(store, mine) == ["Oslo"]


async def test_an_update_that_is_undone_is_gone(store: Store, mine: str) -> None:
    await tell(store, mine, "Oslo")
    before = await state_hash(store, mine)
    await tell(store, mine, "Rome", 1)
    await undo(store, mine)
    assert (await values(store, mine), await state_hash(store, mine)) == (["Oslo"], before)


async def test_the_facts_that_an_item_told_are_found(store: Store, mine: str, theirs: str) -> None:
    source = (await store.add(mine, draft(mine, "I live in Oslo."), budgets=BUDGETS)).item.item_id
    made = await tell(store, mine, "Oslo", 0, source)
    assert await store.told_facts(mine, [source, made]) == [ToldFact(source, made, None, START)]
    await tell(store, mine, "Rome", 1)
    [told] = await store.told_facts(mine, [source])
    assert told.lineage == made
    assert await store.told_facts(theirs, [source]) == await store.told_facts(mine, []) == []


async def test_a_purge_takes_the_facts_that_only_it_told(backend: Backend, mine: str) -> None:
    store = backend.store
    secret, other = [
        (await store.add(mine, draft(mine, text), budgets=BUDGETS)).item.item_id
        for text in ("secret Zanzibar", "other")
    ]
    alone = await tell(store, mine, "Zanzibar", 1, secret)
    shared = await tell(store, mine, "Oslo", 0, secret, other)
    merged = replace(draft(mine, "a summary of both"), origins=(Origin(secret), Origin(other)))
    await store.add(mine, merged, budgets=BUDGETS)
    receipt = await store.purge(mine, secret, actor="a", budgets=BUDGETS)
    assert [alone in receipt.notes[0], shared in receipt.notes[1], merged.item_id in receipt.notes[1]] == [True] * 3
    assert await values(store, mine, past=True) == ["Oslo"]
    assert not await backend.remains(0, "Zanzibar")
    # What it had replaced is so again, and the account is what its items take.
    assert (await store.get(mine, shared)).latest
    assert receipt.ledger.items == 3
    assert receipt.ledger.used == sum([(await store.get(mine, one)).cost for one in (other, shared, merged.item_id)])


async def test_facts_are_dumped_and_loaded_with_their_versions(store: Store, mine: str, theirs: str) -> None:
    await tell(store, mine, "Oslo")
    await tell(store, mine, "Rome", 1)
    dumped = await dump(store, mine)
    assert (await load(store, theirs, dumped, from_any=True)).added["fact"] == 2
    assert await values(store, theirs, past=True) == ["Rome", "Oslo"]
    again = await load(store, theirs, dumped, from_any=True)
    assert (again.added["fact"], again.known["fact"]) == (0, 2)
    await tell(store, theirs, "Lima", 2)
    assert await values(store, theirs) == ["Lima"]


async def test_a_dump_whose_item_tells_another_fact_here_is_refused(store: Store, mine: str, theirs: str) -> None:
    await tell(store, mine, "Oslo")
    lines = (await dump(store, mine)).splitlines(keepends=True)
    await load(store, theirs, b"".join(lines), from_any=True)
    lines = [line.replace(b'"relation":"home"', b'"relation":"host"') for line in lines]
    digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    end = json.dumps({"records": len(lines) - 2, "sha256": digest, "type": "end"}, separators=(",", ":"))
    with pytest.raises(ConflictError, match="The fact mem_"):
        await load(store, theirs, b"".join(lines[:-1]) + f"{end}\n".encode(), from_any=True)


async def test_an_episodic_draft_may_leave_a_job_that_reads_facts(store: Store, mine: str) -> None:
    made = replace(draft(mine, "I live in Oslo."), extract=True)
    await store.add(mine, made, budgets=BUDGETS)
    job = await store.claim_job(mine, owner="a", lease_seconds=9, kinds=["facts"])
    assert job is not None
    assert (job.kind, job.item_id) == ("facts", made.item_id)
    await store.finish_job(mine, job.job_id, owner="a")
    new = replace(draft(mine, "I live in Rome.", item_id=made.item_id), extract=True)
    await store.replace_content(mine, new, expected_sha256=made.sha256, budgets=BUDGETS)
    again = await store.claim_job(mine, owner="a", lease_seconds=9, kinds=["facts"])
    assert again is not None
    assert again.item_id == made.item_id
