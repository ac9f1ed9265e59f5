"""What every store promises of turns: many items at once, each once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.models import Filters, Item, ItemDraft, ItemState, Labels, Trust
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, DIMENSIONS, MODEL, draft, terms, vector
from .conftest import Backend
from .exporting import dump, load

TURN = Labels(content_type="conversation", memory_type="episodic")


def turn(
    namespace: str, text: str, key: str, *, session: str = "s1", trust: Trust = "normal", embedded: bool = True
) -> ItemDraft:
    labels = replace(TURN, trust=trust)
    made = draft(namespace, text, thread="talk", labels=labels, idempotency_key=key, embedded=embedded)
    return replace(made, source={**made.source, "session": session, "role": "user"})


async def never(item: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
    raise AssertionError("an add is taken back without a draft")


async def in_order(store: Store, namespace: str) -> list[str]:
    block = await store.block(namespace, "talk", budgets=BUDGETS)
    return [entry.text for entry in block.entries]


async def test_turns_come_in_together_and_in_order_with_all_that_was_drafted(backend: Backend, mine: str) -> None:
    store = backend.store
    drafts = [turn(mine, f"user: word{number} and more", f"k{number}") for number in range(5)]
    drafts[2] = replace(drafts[2], happened_at=datetime(2024, 5, 1, tzinfo=UTC))
    added = await store.add_turns(mine, drafts, budgets=BUDGETS)
    assert added.item_ids == tuple(one.item_id for one in drafts)
    assert added.durable is backend.durable
    assert (added.ledger.items, added.ledger.used) == (5, sum(one.cost for one in drafts))
    assert await in_order(store, mine) == [one.content.decode() for one in drafts]
    item, content, digest = await store.read(mine, drafts[2].item_id)
    assert (content, digest) == (drafts[2].content, drafts[2].sha256)
    assert (item.labels, item.version, item.happened_at) == (TURN, 1, datetime(2024, 5, 1, tzinfo=UTC))
    assert dict(item.source) == {"actor": "tester", "tool": "test", "session": "s1", "role": "user"}
    undated = await store.get(mine, drafts[1].item_id)
    assert undated.happened_at == undated.created_at
    assert [event.action for event in await store.events(mine, 10)] == ["add"] * 5


async def test_turns_are_found_by_meaning_and_by_word(store: Store, mine: str) -> None:
    drafts = [turn(mine, f"user: word{number}", f"k{number}") for number in range(3)]
    await store.add_turns(mine, drafts, budgets=BUDGETS)
    found = await store.candidates(
        mine,
        vector=vector("user: word1", DIMENSIONS),
        model_id=MODEL,
        terms=terms(mine, "word1"),
        filters=Filters(),
        limit=1,
    )
    best = next(one for one in found.candidates if one.picked)
    assert best.item_id == drafts[1].item_id
    assert best.dense == pytest.approx(1.0, abs=1e-2)
    assert best.lexical > 0
    # The turns before and after it come along as its neighbours.
    assert {one.item_id for one in found.candidates} == {one.item_id for one in drafts}


async def test_a_turn_whose_key_was_used_is_left_out_and_the_others_come_in(store: Store, mine: str) -> None:
    await store.add_turns(mine, [turn(mine, "user: one", "k1")], budgets=BUDGETS)
    later = [turn(mine, "user: one", "k1"), turn(mine, "user: two", "k2")]
    assert (await store.add_turns(mine, later, budgets=BUDGETS)).item_ids == (later[1].item_id,)
    again = await store.add_turns(mine, [turn(mine, "user: two", "k2")], budgets=BUDGETS)
    assert (again.item_ids, again.ledger.items) == ((), 2)
    assert await in_order(store, mine) == ["user: one", "user: two"]


async def test_the_same_words_stand_as_often_as_they_are_said(store: Store, mine: str) -> None:
    await store.add(mine, draft(mine, "user: yes", thread="talk"), budgets=BUDGETS)
    await store.add_turns(mine, [turn(mine, "user: yes", f"k{number}") for number in range(3)], budgets=BUDGETS)
    await store.add_turns(mine, [turn(mine, "user: yes", "k9")], budgets=BUDGETS)
    assert await in_order(store, mine) == ["user: yes"] * 5


async def test_turns_that_facts_are_read_off_leave_a_job_each(store: Store, mine: str) -> None:
    read, left = turn(mine, "user: I live in Oslo.", "k1"), turn(mine, "user: hm", "k2")
    await store.add_turns(mine, [replace(read, extract=True), left], budgets=BUDGETS)
    job = await store.claim_job(mine, owner="a", lease_seconds=9, kinds=["facts"])
    assert job is not None
    assert (job.kind, job.item_id) == ("facts", read.item_id)
    assert await store.claim_job(mine, owner="b", lease_seconds=9, kinds=["facts"]) is None


async def test_turns_without_vectors_leave_a_job_each(store: Store, mine: str) -> None:
    drafts = [turn(mine, "user: one", "k1", embedded=False), turn(mine, "user: two", "k2")]
    await store.add_turns(mine, drafts, budgets=BUDGETS)
    job = await store.claim_job(mine, owner="a", lease_seconds=60)
    assert job is not None
    assert (job.kind, job.item_id) == ("embed", drafts[0].item_id)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).chunks_pending == 1


async def test_known_turns_tell_all_that_they_ever_said(store: Store, mine: str) -> None:
    first = turn(mine, "user: one", "k1")
    await store.add_turns(mine, [first], budgets=BUDGETS)
    second = replace(draft(mine, "user: won", thread="talk", labels=TURN), item_id=first.item_id)
    await store.replace_content(mine, second, expected_sha256=first.sha256, budgets=BUDGETS)
    await store.set_state(mine, first.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    known = await store.known_turns(mine, ["k1", "k2"])
    assert list(known) == ["k1"]
    assert known["k1"].item_id == first.item_id
    assert known["k1"].sha256 == second.sha256
    assert set(known["k1"].spoken) == {first.sha256, second.sha256}
    assert await store.known_turns(f"{mine}-other", ["k1"]) == {}


async def test_what_does_not_fit_steps_down_and_comes_back_with_the_last_turn(store: Store, mine: str) -> None:
    small = fixed_budget(100)
    old = [turn(mine, f"user: old{number} " + "word " * 8, f"o{number}") for number in range(5)]
    await store.add_turns(mine, old, budgets=small)
    new = [turn(mine, f"user: new{number} " + "word " * 8, f"n{number}") for number in range(5)]
    added = await store.add_turns(mine, new, budgets=small)
    assert added.steps
    assert added.ledger.used <= 75
    standing = await store.standing(mine, "talk")
    assert sum(standing.values()) == 10
    assert standing["full"] < 10
    event, receipt = await store.undo(mine, None, actor="a", budgets=small, redraft=never)
    assert (event.subject_id, event.action) == (new[-1].item_id, "add")
    assert receipt is not None
    assert receipt.outcome == "forgotten"


async def test_slid_turns_are_those_after_the_last_recap(store: Store, mine: str) -> None:
    drafts = [turn(mine, f"user: word{number}", f"k{number}") for number in range(6)]
    drafts[4] = turn(mine, "user: of another session", "k4", session="s2")
    drafts[5] = turn(mine, "user: not trusted", "k5", trust="low")
    await store.add_turns(mine, drafts, budgets=BUDGETS)
    for one in drafts[:5]:
        await store.place(mine, one.item_id, "archived", actor="a", budgets=BUDGETS)
    slid = await store.slid_turns(mine, "talk", "s1", limit=10)
    assert [one.content for one in slid] == ["user: word0", "user: word1", "user: word2", "user: word3"]
    assert [one.item_id for one in await store.slid_turns(mine, "talk", "s1", limit=2)] == [
        drafts[0].item_id,
        drafts[1].item_id,
    ]
    recap = draft(mine, "They counted words.", thread="talk")
    source = {**recap.source, "session": "s1", "recap_to": str(slid[1].position)}
    await store.add(mine, replace(recap, source=source), budgets=BUDGETS)
    rest = await store.slid_turns(mine, "talk", "s1", limit=10)
    assert [one.content for one in rest] == ["user: word2", "user: word3"]
    await store.set_state(mine, recap.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert await store.slid_turns(mine, "talk", "s1", limit=10) == rest


async def test_the_same_turns_from_several_at_once_come_in_once(store: Store, mine: str) -> None:
    async def hand_over(thread: str) -> int:
        drafts = [replace(turn(mine, f"user: word{number}", f"k{number}"), thread=thread) for number in range(20)]
        return len((await store.add_turns(mine, drafts, budgets=BUDGETS)).item_ids)

    counts = await asyncio.gather(*(hand_over(thread) for thread in ("talk", "talk", "other", "other")))
    assert sum(counts) == 20
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 20


async def test_turns_are_known_again_where_their_dump_was_loaded(store: Store, mine: str) -> None:
    drafts = [turn(mine, "user: yes", f"k{number}") for number in range(3)]
    await store.add_turns(mine, drafts, budgets=BUDGETS)
    other = f"{mine}-copy"
    await load(store, other, await dump(store, mine), from_any=True)
    assert await store.known_turns(other, ["k0", "k1", "k2"]) == await store.known_turns(mine, ["k0", "k1", "k2"])
    again = [turn(other, "user: yes", f"k{number}") for number in range(4)]
    assert (await store.add_turns(other, again, budgets=BUDGETS)).item_ids == (again[3].item_id,)
    assert (await store.state(other, MODEL, budgets=BUDGETS)).items == 4
