"""What every store promises of taking changes of tasks and agents back."""

import random
from typing import Any

import pytest

from palimpsest.core.errors import ConflictError, NotFoundError, PalimpsestError
from palimpsest.core.models import AgentDraft, Task, TaskStatus, Worker
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_lines

from ..fakes import BUDGETS, draft
from .test_store_tasks import BOB, DUE, LEASE, actions, change, claim, finish, make
from .test_store_undo import undo_any as undo


async def state(store: Store, namespace: str) -> list[bytes]:
    """All that tasks and agents say now."""
    return await state_lines(store, namespace)


async def test_every_kind_of_change_is_undone_to_the_same_state(store: Store, mine: str) -> None:
    item = draft(mine, "a memory")
    await store.add(mine, item, budgets=BUDGETS)
    first, task = await make(store, mine, "first"), await make(store, mine, "work", due_at=DUE)
    await store.put_agent(mine, AgentDraft("ann", "smith", ("x",)), actor="t", lease=LEASE)
    steps: list[tuple[TaskStatus | None, dict[str, Any]]] = [
        (None, {"labels": {"title": "t", "description": "d", "priority": 9, "due_at": None, "assignee": "ann"}}),
        (None, {"item_ids": (item.item_id,)}),
        (None, {"depends_on": (first.task_id,)}),
        (None, {"depends_on": ()}),
        (None, {"note": "one"}),
        ("claimed", {}),
        (None, {"note": "two"}),
        ("open", {"note": "given back"}),
        ("claimed", {}),
        ("done", {"note": "result"}),
        ("open", {}),
        ("cancelled", {"note": "why"}),
    ]
    states = [await state(store, mine)]
    for status, wanted in steps:
        assert (await change(store, mine, task, status, **wanted)).outcome != "unchanged"
        states.append(await state(store, mine))
    revision = (await store.task(mine, task.task_id)).revision
    for before in reversed(states[:-1]):
        event, receipt = await undo(store, mine)
        assert (event.subject, event.subject_id, receipt) == ("task", task.task_id, None)
        assert await state(store, mine) == before
    assert (await store.task(mine, task.task_id)).revision == revision + len(steps)


async def test_an_undone_task_is_gone_unless_others_depend_on_it(store: Store, mine: str) -> None:
    first = await make(store, mine, "first")
    created = (await store.events(mine, 1))[0].event_id
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    with pytest.raises(ConflictError, match="Other tasks depend on"):
        await undo(store, mine, created)
    await undo(store, mine)
    await undo(store, mine, created)
    for task in (first, second):
        with pytest.raises(NotFoundError):
            await store.task(mine, task.task_id)
    assert await actions(store, mine, first) == ["create", "undo"]
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await undo(store, mine)


async def test_dependents_follow_an_undone_finish(store: Store, mine: str) -> None:
    first = await make(store, mine, "first")
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    await finish(store, mine, first)
    finished = next(event for event in await store.events(mine, 5) if event.action == "finish")
    await undo(store, mine, finished.event_id)
    found = await store.task(mine, first.task_id)
    assert (found.status, found.agent) == ("claimed", "ann")
    assert (await store.task(mine, second.task_id)).status == "blocked"
    await change(store, mine, first, "done", note="again")
    await change(store, mine, second, "claimed", BOB)
    finished = next(event for event in await store.events(mine, 5) if event.action == "finish")
    with pytest.raises(ConflictError, match=f"{second.task_id} waited for"):
        await undo(store, mine, finished.event_id)
    assert (await store.task(mine, first.task_id)).status == "done"
    assert (await store.task(mine, second.task_id)).agent == "bob"


async def test_a_change_that_was_built_upon_is_not_undone(store: Store, mine: str) -> None:
    task = await make(store, mine, "work")
    await change(store, mine, task, labels={"title": "better"})
    event_id = (await store.events(mine, 1))[0].event_id
    await change(store, mine, task, labels={"title": "best"})
    with pytest.raises(ConflictError, match="changed again since"):
        await undo(store, mine, event_id)
    assert (await store.task(mine, task.task_id)).title == "best"


async def test_an_undo_that_would_close_a_cycle_is_refused(store: Store, mine: str) -> None:
    first, second = await make(store, mine, "first"), await make(store, mine, "second")
    await change(store, mine, first, depends_on=(second.task_id,))
    await change(store, mine, first, depends_on=())
    event_id = (await store.events(mine, 1))[0].event_id
    await change(store, mine, second, depends_on=(first.task_id,))
    with pytest.raises(PalimpsestError, match="form a cycle"):
        await undo(store, mine, event_id)
    assert (await store.task(mine, first.task_id)).dependencies == ()


async def test_links_to_items_that_were_purged_do_not_come_back(store: Store, mine: str) -> None:
    kept, purged = draft(mine, "kept"), draft(mine, "purged")
    for item in (kept, purged):
        await store.add(mine, item, budgets=BUDGETS)
    task = await make(store, mine, "work", item_ids=tuple(sorted((kept.item_id, purged.item_id))))
    await change(store, mine, task, item_ids=())
    event_id = (await store.events(mine, 1))[0].event_id
    await store.purge(mine, purged.item_id, actor="a", budgets=BUDGETS)
    await undo(store, mine, event_id)
    assert (await store.task(mine, task.task_id)).item_ids == (kept.item_id,)


async def test_a_registration_is_undone(store: Store, mine: str) -> None:
    await store.put_agent(mine, AgentDraft("ann", "smith", ("x",)), actor="t", lease=LEASE)
    registered = (await store.events(mine, 1))[0].event_id
    await store.put_agent(mine, AgentDraft("ann", "baker", ("y", "z")), actor="t", lease=LEASE)
    await undo(store, mine)
    (agent,) = await store.agents(mine, 10)
    assert (agent.role, agent.capabilities, agent.revision) == ("smith", ("x",), 3)
    task = await make(store, mine, "work")
    await change(store, mine, task, "claimed", Worker("ann"))
    with pytest.raises(ConflictError, match="'ann' holds tasks"):
        await undo(store, mine, registered)
    await change(store, mine, task, "open", Worker("ann"))
    await undo(store, mine, registered)
    assert await store.agents(mine, 10) == []


async def test_random_changes_are_undone_to_the_same_states(store: Store, mine: str) -> None:
    chance = random.Random(7)
    for name in ("ann", "bob"):
        await store.put_agent(mine, AgentDraft(name), actor="t", lease=LEASE)
    tasks = [await make(store, mine, f"task {number}") for number in range(6)]
    states: list[list[bytes]] = []
    for number in range(40):
        before = await state(store, mine)
        events = len(await store.events(mine, 1000))
        try:
            await _change_something(store, mine, tasks, chance, number)
        except PalimpsestError:
            assert await state(store, mine) == before
            continue
        if len(await store.events(mine, 1000)) > events:
            states.append(before)
    assert len(states) > 15
    for before in reversed(states):
        await undo(store, mine)
        assert await state(store, mine) == before


async def _change_something(
    store: Store, namespace: str, tasks: list[Task], chance: random.Random, number: int
) -> None:
    task, other = chance.sample(tasks, 2)
    worker = Worker(chance.choice(("ann", "bob")))
    what = chance.randrange(6)
    statuses: tuple[TaskStatus, ...] = ("open", "claimed", "done", "failed", "cancelled")
    if what == 0:
        await change(store, namespace, task, depends_on=(other.task_id,), worker=worker)
    elif what == 1:
        await change(store, namespace, task, note=f"note {number}", worker=worker)
    elif what == 2:
        await change(store, namespace, task, labels={"priority": number % 11}, worker=worker)
    elif what == 3:
        await claim(store, namespace, worker)
    else:
        await change(store, namespace, task, chance.choice(statuses), worker=worker)
