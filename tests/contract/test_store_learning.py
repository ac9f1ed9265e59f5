"""What every store promises of training examples and adapters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from palimpsest.core.errors import ConflictError, NotFoundError
from palimpsest.core.models import (
    AdapterChange,
    AdapterState,
    ExampleDraft,
    ItemState,
    Labels,
    Rendition,
    Route,
)
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, START, draft
from .conftest import Backend
from .exporting import dump, load

LONG = " ".join(f"word{place}" for place in range(60))
TEACHERS = ("openai:", "client:")


def example(text: str, item_id: str | None = None, **given: Any) -> ExampleDraft:
    source = hashlib.sha256(text.encode()).hexdigest()
    return replace(
        ExampleDraft("compress", "", f"Shorten: {text}", text[:9], "client:ann", source, "train", item_id), **given
    )


async def add(store: Store, namespace: str, text: str, by: str | None = None, **given: Any) -> str:
    made = draft(namespace, text, **given)
    await store.add(namespace, made, budgets=BUDGETS)
    if by is not None:
        better = Rendition("summary", f"Short: {text[:20]}", 3, by)
        await store.put_renditions(namespace, made.item_id, made.sha256, [better], actor="x", budgets=BUDGETS)
    return made.item_id


async def train(store: Store, namespace: str, *items: str, examples: Sequence[int] = ()) -> str:
    adapter = await store.begin_adapter(
        namespace, base_model="tiny", owner="me", examples=examples, items=items, stem="slm-mine"
    )
    return adapter.name


async def walk(store: Store, namespace: str, name: str, *states: AdapterState) -> None:
    for state in states:
        held = await store.get_adapter(namespace, name)
        await store.change_adapter(namespace, name, AdapterChange(state), states=[held.state])


async def state_of(store: Store, namespace: str, name: str) -> tuple[str, str | None]:
    adapter = await store.get_adapter(namespace, name)
    return adapter.state, adapter.reason


async def test_only_what_a_teacher_wrote_of_a_trusted_item_is_a_lesson(store: Store, mine: str, theirs: str) -> None:
    by_model = await add(store, mine, LONG + " a", "openai:large/summary-1")
    by_client = await add(store, mine, LONG + " b", "client:ann")
    await add(store, mine, LONG + " c", "slm:phi-2/summary-1")
    await add(store, mine, LONG + " d", "openai:phi-2/summary-1")
    await add(store, mine, LONG + " e")
    forgotten = await add(store, mine, LONG + " f", "client:ann")
    await store.set_state(mine, forgotten, ItemState.FORGOTTEN, actor="x", budgets=BUDGETS)
    await add(store, mine, LONG + " g", "client:ann", labels=Labels(trust="low"))
    expired = replace(draft(mine, LONG + " h"), expires_at=START - timedelta(days=9))
    await store.add(mine, expired, budgets=BUDGETS)
    better = Rendition("summary", "Short.", 3, "client:ann")
    await store.put_renditions(mine, expired.item_id, expired.sha256, [better], actor="x", budgets=BUDGETS)
    await add(store, theirs, LONG + " i", "client:ann")

    async def lessons(after: str | None = None, limit: int = 10) -> list[str]:
        found = await store.lessons(mine, teachers=TEACHERS, strangers=["openai:phi-2/"], after=after, limit=limit)
        return [one.item_id for one in found]

    assert await lessons() == sorted([by_model, by_client])
    assert await lessons(limit=1) == [by_model]
    assert await lessons(after=by_model) == [by_client]
    [lesson] = await store.lessons(mine, teachers=["openai:"], strangers=["openai:phi-2/"], after=None, limit=10)
    assert (lesson.content.decode(), lesson.summary, lesson.summary_tokens) == (LONG + " a", "Short: " + LONG[:20], 3)
    assert (lesson.teacher, lesson.sha256) == ("openai:large/summary-1", hashlib.sha256(lesson.content).hexdigest())


async def test_an_example_is_kept_once(store: Store, mine: str, theirs: str) -> None:
    item_id = await add(store, mine, LONG)
    assert await store.put_examples(mine, []) == 0
    assert await store.put_examples(mine, [example("one", item_id), example("one", item_id)]) == 1
    assert await store.put_examples(mine, [example("one"), example("two", split="held")]) == 1
    first, second = await store.examples(mine)
    assert (first.prompt, first.completion, first.item_id, first.teacher) == (
        "Shorten: one",
        "one",
        item_id,
        "client:ann",
    )
    assert (second.split, second.item_id, second.source_sha256) == ("held", None, example("two").source_sha256)
    assert first.example_id < second.example_id
    assert [(one.kind, one.split, one.examples, one.revoked) for one in await store.count_examples(mine)] == [
        ("compress", "held", 1, 0),
        ("compress", "train", 1, 0),
    ]
    assert not await store.examples(theirs)
    assert not await store.count_examples(theirs)


@pytest.mark.parametrize("how", ["forget", "distrust", "undo", "purge"])
async def test_what_is_gone_teaches_no_more_and_taints_what_learned_from_it(
    backend: Backend, mine: str, how: str
) -> None:
    store = backend.store
    item_id, other = await add(store, mine, LONG), await add(store, mine, "another")
    await store.put_examples(mine, [example(f"learned of {mine}", item_id), example("kept text", other)])
    learned, untouched = await train(store, mine, item_id, other), ""
    await walk(store, mine, learned, "trained", "published", "loaded", "active")
    untouched = await train(store, mine, other)
    if how == "forget":
        await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="x", budgets=BUDGETS)
    elif how == "distrust":
        await store.relabel(mine, item_id, Labels(trust="low"), thread="main", actor="x", budgets=BUDGETS)
    elif how == "purge":
        await store.purge(mine, item_id, actor="x", budgets=BUDGETS)
        assert await backend.remains(0, f"learned of {mine}") == set()
    else:
        await store.undo(mine, (await store.events(mine, 9))[-1].event_id, actor="x", budgets=BUDGETS, redraft=_redraft)
    assert [one.item_id for one in await store.examples(mine)] == [other]
    state, reason = await state_of(store, mine, learned)
    assert state == "tainted"
    assert "train again" in (reason or "")
    assert await state_of(store, mine, untouched) == ("training", None)
    assert await store.route(mine) == Route()
    counts = {(one.examples, one.revoked) for one in await store.count_examples(mine)}
    assert counts == ({(1, 0)} if how == "purge" else {(2, 1)})
    # What may not teach is not taken in either.
    assert await store.put_examples(mine, [example("late", item_id)]) == 0


async def _redraft(*_: object) -> Any:
    raise AssertionError("nothing is drafted anew")


async def test_an_item_that_is_restored_may_teach_again(store: Store, mine: str) -> None:
    item_id = await add(store, mine, LONG)
    await store.put_examples(mine, [example("one", item_id)])
    for state in (ItemState.FORGOTTEN, ItemState.ACTIVE):
        await store.set_state(mine, item_id, state, actor="x", budgets=BUDGETS)
    assert not await store.examples(mine)
    assert await store.put_examples(mine, [example("one", item_id)]) == 1
    assert len(await store.examples(mine)) == 1


async def test_a_training_that_an_item_leaves_is_tainted_before_it_ends(store: Store, mine: str) -> None:
    item_id = await add(store, mine, LONG)
    name = await train(store, mine, item_id)
    await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="x", budgets=BUDGETS)
    with pytest.raises(ConflictError, match=f"{name} is tainted"):
        await store.change_adapter(mine, name, AdapterChange("trained"), states=["training"])


async def test_adapters_are_numbered_and_one_is_trained_at_a_time(store: Store, mine: str, theirs: str) -> None:
    first = await train(store, mine, examples=[1, 2])
    assert first == "slm-mine-v0001"
    with pytest.raises(ConflictError, match="Another adapter is being trained"):
        await train(store, mine)
    assert (
        await store.begin_adapter(theirs, base_model="b", owner="o", examples=[], items=[], stem="slm")
    ).version == 1
    await store.change_adapter(mine, first, AdapterChange("failed", reason="It broke."), states=["training"])
    assert await train(store, mine) == "slm-mine-v0002"
    newest, oldest = await store.adapters(mine)
    assert (newest.version, oldest.version, oldest.reason, oldest.examples) == (2, 1, "It broke.", (1, 2))
    with pytest.raises(NotFoundError, match="no adapter 'slm-v9'"):
        await store.get_adapter(mine, "slm-v9")
    with pytest.raises(NotFoundError, match="no adapter 'slm-v9'"):
        await store.change_adapter(mine, "slm-v9", AdapterChange("failed"), states=["training"])


async def test_a_training_shows_where_it_is(backend: Backend, mine: str) -> None:
    store = backend.store
    name = await train(store, mine)
    begun = await store.get_adapter(mine, name)
    change = AdapterChange(stage="training", report={"rows": 7})
    told = await store.change_adapter(mine, name, change, states=["training"])
    assert (told.stage, told.report, told.state) == ("training", {"rows": 7}, "training")
    assert told.heartbeat_at >= begun.heartbeat_at
    told = await store.change_adapter(mine, name, AdapterChange("trained", report={"loss": 1.5}), states=["training"])
    assert (told.stage, told.report) == (None, {"rows": 7, "loss": 1.5})
    sha256 = "ab" * 32
    told = await store.change_adapter(mine, name, AdapterChange("published", manifest=sha256), states=["trained"])
    assert (await store.get_adapter(mine, name)) == told
    assert told.manifest == sha256
    with pytest.raises(ConflictError, match="is published; this can be done only with one that is training"):
        await store.change_adapter(mine, name, AdapterChange("failed"), states=["training"])


async def test_one_adapter_is_active_and_knows_which_was_before(store: Store, mine: str, theirs: str) -> None:
    names: list[str] = []
    for _ in range(3):
        names.append(await train(store, mine))
        await walk(store, mine, names[-1], "trained", "published", "loaded")
    first, second, third = names
    assert await store.route(mine) == Route()
    await walk(store, mine, first, "active")
    await store.change_adapter(mine, second, AdapterChange(share=10), states=["loaded"])
    assert await store.route(mine) == Route(first, second, 10)
    promoted = await store.change_adapter(mine, second, AdapterChange("active", share=0), states=["loaded"])
    assert promoted.previous == first
    assert (await store.get_adapter(mine, first)).state == "retired"
    assert await store.route(mine) == Route(second)
    await store.change_adapter(mine, third, AdapterChange(share=5), states=["loaded"])
    assert (await store.route(mine)).trial == third
    assert await store.route(theirs) == Route()
    # Going back remembers nothing: the next step back leads further.
    back = await store.change_adapter(mine, first, AdapterChange("active"), states=["retired"])
    assert (back.previous, (await store.route(mine)).active) == (None, first)
    await store.change_adapter(mine, second, AdapterChange("active"), states=["retired"])
    fourth = await store.begin_adapter(mine, base_model="b", owner="o", examples=[], items=[], stem="slm-mine")
    assert fourth.parent == second


async def test_examples_are_dumped_and_loaded(store: Store, mine: str, theirs: str) -> None:
    item_id, lost = await add(store, mine, LONG, thread="one"), await add(store, mine, "lost")
    await store.put_examples(
        mine, [example("a\u2028b", item_id), example("given", kind="facts"), example("lost", lost)]
    )
    await store.set_state(mine, lost, ItemState.FORGOTTEN, actor="x", budgets=BUDGETS)
    dumped = await dump(store, mine)
    restored = await load(store, theirs, dumped, from_any=True)
    assert restored.added["training_example"] == 3
    assert (
        await dump(store, theirs) == dumped.replace(mine.encode(), theirs.encode())
        or (await dump(store, theirs)).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    )
    assert len(await store.examples(theirs)) == 2
    assert (await load(store, theirs, dumped, from_any=True)).known["training_example"] == 3
    assert (await dump(store, mine, "one")).count(b'"training_example"') == 2  # its line, and its count
