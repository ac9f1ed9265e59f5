"""What every store promises of tasks: claims, leases, dependencies and their history."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from palimpsest.core.errors import ConflictError, InvalidInputError, NotFoundError, TaskNotFoundError
from palimpsest.core.ids import new_number, public_id
from palimpsest.core.models import (
    AgentDraft,
    ItemState,
    Task,
    TaskChange,
    TaskDraft,
    TaskFilters,
    TaskReceipt,
    TaskStatus,
    Worker,
)
from palimpsest.core.ports import Store
from palimpsest.core.task_rules import order

from ..fakes import BUDGETS, draft
from .conftest import Backend

LEASE = timedelta(minutes=10)
ANN, BOB = Worker("ann", itself=True), Worker("bob", itself=True)
DUE = datetime(2026, 12, 24, tzinfo=UTC)


async def make(store: Store, namespace: str, title: str, **fields: Any) -> Task:
    drafted = TaskDraft(public_id("task", new_number()), title, **fields)
    receipt = await store.add_task(namespace, drafted, actor="tester")
    assert receipt.outcome == "created"
    return receipt.task


async def change(
    store: Store,
    namespace: str,
    task: Task | str,
    status: TaskStatus | None = None,
    worker: Worker = ANN,
    **wanted: Any,
) -> TaskReceipt:
    task_id = task if isinstance(task, str) else task.task_id
    return await store.change_task(
        namespace, task_id, TaskChange(status, **wanted), worker=worker, actor="tester", lease=LEASE
    )


async def claim(store: Store, namespace: str, worker: Worker = ANN) -> Task | None:
    receipt = await store.claim_next(namespace, worker=worker, actor="tester", lease=LEASE)
    return None if receipt is None else receipt.task


async def finish(store: Store, namespace: str, task: Task, worker: Worker = ANN, note: str = "it works") -> TaskReceipt:
    await change(store, namespace, task, "claimed", worker)
    return await change(store, namespace, task, "done", worker, note=note)


async def titles(store: Store, namespace: str, **filters: Any) -> list[str]:
    page = await store.tasks(namespace, TaskFilters(**filters), limit=100, after=None)
    assert page.total == len(page.tasks)
    return [task.title for task in page.tasks]


async def actions(store: Store, namespace: str, task: Task) -> list[str]:
    events = await store.events(namespace, 100)
    return [event.action for event in reversed(events) if event.subject_id == task.task_id]


async def test_a_task_comes_back_as_it_was_made(store: Store, mine: str) -> None:
    item = draft(mine, "a memory")
    await store.add(mine, item, budgets=BUDGETS)
    first = await make(store, mine, "first")
    made = await make(
        store,
        mine,
        "second",
        description="Line one\nand ünï 🎈",
        priority=8,
        assignee="ann",
        capability="python",
        due_at=DUE,
        depends_on=(first.task_id,),
        item_ids=(item.item_id,),
    )
    found = await store.task(mine, made.task_id)
    assert found == made
    assert (found.status, found.revision, found.created_by) == ("blocked", 1, "tester")
    assert (found.description, found.priority, found.due_at) == ("Line one\nand ünï 🎈", 8, DUE)
    assert [(one.task_id, one.status, one.title) for one in found.dependencies] == [(first.task_id, "open", "first")]
    assert found.item_ids == (item.item_id,)


async def test_the_same_unfinished_task_is_made_once(store: Store, mine: str) -> None:
    made = await make(store, mine, "once", description="x", due_at=DUE)
    again = TaskDraft(public_id("task", new_number()), "once", "x", due_at=DUE)
    receipt = await store.add_task(mine, again, actor="other")
    assert (receipt.outcome, receipt.task.task_id) == ("duplicate", made.task_id)
    for other in ({"description": "y"}, {"description": "x", "priority": 6}, {"description": "x"}):
        await make(store, mine, "once", **other)
    await change(store, mine, made, "cancelled")
    await make(store, mine, "once", description="x", due_at=DUE)


async def test_the_next_task_is_by_priority_then_due_then_age(store: Store, mine: str) -> None:
    await make(store, mine, "old")
    await make(store, mine, "new")
    await make(store, mine, "later", due_at=DUE + timedelta(days=1))
    await make(store, mine, "sooner", due_at=DUE)
    await make(store, mine, "urgent", priority=9)
    await make(store, mine, "idle", priority=0)
    expected = ["urgent", "sooner", "later", "old", "new", "idle"]
    assert await titles(store, mine) == expected
    claimed = [await claim(store, mine) for _ in range(7)]
    assert [task.title if task else None for task in claimed] == [*expected, None]


async def test_a_claim_is_the_agents_own_until_it_lets_go(store: Store, mine: str) -> None:
    task = await make(store, mine, "work")
    receipt = await change(store, mine, task, "claimed")
    assert (receipt.outcome, receipt.task.status, receipt.task.agent) == ("claimed", "claimed", "ann")
    statuses: tuple[TaskStatus, ...] = ("claimed", "done", "failed", "open")
    for status in statuses:
        with pytest.raises(ConflictError, match="claimed by 'ann'"):
            await change(store, mine, task, status, BOB)
    assert await claim(store, mine, BOB) is None
    released = await change(store, mine, task, "open")
    assert (released.outcome, released.task.status, released.task.agent) == ("released", "open", None)
    taken = await claim(store, mine, BOB)
    assert taken is not None
    assert taken.agent == "bob"


async def test_who_claims_again_prolongs_and_the_history_has_one_claim(backend: Backend, mine: str) -> None:
    store = backend.store
    task = await make(store, mine, "work")
    first = await change(store, mine, task, "claimed")
    await backend.pass_time(mine, 60)
    again = await change(store, mine, task, "claimed")
    assert (again.outcome, again.task.revision) == ("renewed", first.task.revision)
    assert again.task.lease_until is not None
    await backend.pass_time(mine, 590)
    assert (await store.task(mine, task.task_id)).standing == "claimed"
    assert await actions(store, mine, task) == ["create", "claim"]


async def test_notes_of_the_holder_prolong_its_lease_and_anybody_may_add_one(backend: Backend, mine: str) -> None:
    store = backend.store
    task = await make(store, mine, "work")
    await change(store, mine, task, "claimed")
    await backend.pass_time(mine, 500)
    await change(store, mine, task, note="halfway")
    await backend.pass_time(mine, 500)
    await change(store, mine, task, worker=BOB, note="mind the gap")
    found = await store.task(mine, task.task_id)
    assert [(note.number, note.author, note.text) for note in found.notes] == [
        (1, "ann", "halfway"),
        (2, "bob", "mind the gap"),
    ]
    assert (found.standing, found.agent, found.note_count) == ("claimed", "ann", 2)
    await backend.pass_time(mine, 200)
    assert (await store.task(mine, task.task_id)).standing == "open"


async def test_a_lapsed_claim_is_open_to_others_and_a_late_finish_is_refused(backend: Backend, mine: str) -> None:
    store = backend.store
    task = await make(store, mine, "work")
    await change(store, mine, task, "claimed")
    await backend.pass_time(mine, 601)
    found = await store.task(mine, task.task_id)
    assert (found.standing, found.lapsed, found.holder) == ("open", True, None)
    assert await titles(store, mine, status="open") == ["work"]
    assert await titles(store, mine, status="claimed") == []
    assert await titles(store, mine, agent="ann") == []
    assert await store.task_counts(mine) == {"open": 1}
    with pytest.raises(ConflictError, match=r"lease of 'ann' on .* ran out at .* claim it again"):
        await change(store, mine, task, "done", note="late")
    taken = await claim(store, mine, BOB)
    assert taken is not None
    assert (taken.task_id, taken.agent, taken.lapsed) == (task.task_id, "bob", False)
    with pytest.raises(ConflictError, match="claimed by 'bob'"):
        await change(store, mine, task, "done", note="later still")
    done = await change(store, mine, task, "done", BOB, note="in time")
    assert (done.task.status, done.task.result, done.task.agent) == ("done", "in time", "bob")


async def test_only_one_of_many_claims_gets_a_task(store: Store, mine: str) -> None:
    made = [await make(store, mine, f"work {number}") for number in range(8)]
    workers = [Worker(f"worker {number}", itself=True) for number in range(12)]
    claimed = await asyncio.gather(*(claim(store, mine, worker) for worker in workers))
    ids = [task.task_id for task in claimed if task is not None]
    assert sorted(ids) == sorted(task.task_id for task in made)
    assert len({task.agent for task in claimed if task is not None}) == 8


async def test_a_finished_task_opens_those_that_waited_for_it_alone(store: Store, mine: str) -> None:
    first, second = await make(store, mine, "first"), await make(store, mine, "second")
    both = await make(store, mine, "both", depends_on=tuple(sorted((first.task_id, second.task_id))))
    one = await make(store, mine, "one", depends_on=(first.task_id,))
    with pytest.raises(ConflictError, match=rf"blocked: it waits for {first.task_id} \(open\)"):
        await change(store, mine, one, "claimed")
    receipt = await finish(store, mine, first)
    assert (receipt.outcome, receipt.unblocked) == ("done", (one.task_id,))
    assert (await store.task(mine, both.task_id)).status == "blocked"
    receipt = await finish(store, mine, second)
    assert receipt.unblocked == (both.task_id,)
    assert await store.task_counts(mine) == {"done": 2, "open": 2}
    assert await actions(store, mine, both) == ["create", "unblock"]
    found = await store.task(mine, both.task_id)
    assert [one.result for one in found.dependencies] == ["it works", "it works"]


async def test_two_that_finish_at_once_open_what_waited_for_both(store: Store, mine: str) -> None:
    parts = [await make(store, mine, f"part {number}") for number in range(6)]
    whole = await make(store, mine, "whole", depends_on=tuple(sorted(task.task_id for task in parts)))
    workers = [Worker(f"worker {number}", itself=True) for number in range(6)]
    receipts = await asyncio.gather(
        *(finish(store, mine, task, worker) for task, worker in zip(parts, workers, strict=True))
    )
    assert [receipt.unblocked for receipt in receipts if receipt.unblocked] == [(whole.task_id,)]
    assert (await store.task(mine, whole.task_id)).status == "open"


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_a_dependency_that_ends_otherwise_blocks_on_and_says_why(
    store: Store, mine: str, status: TaskStatus
) -> None:
    first = await make(store, mine, "first")
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    await change(store, mine, first, "claimed")
    receipt = await change(store, mine, first, status, note="no such machine")
    assert (receipt.task.status, receipt.task.result, receipt.unblocked) == (status, "no such machine", ())
    with pytest.raises(ConflictError, match=rf"\({status}: no such machine\), which ended without being done"):
        await change(store, mine, second, "claimed")
    reopened = await change(store, mine, first, "open")
    assert (reopened.outcome, reopened.task.result) == ("reopened", None)
    await finish(store, mine, first)
    assert (await store.task(mine, second.task_id)).status == "open"


async def test_a_done_task_is_reopened_only_while_nobody_built_upon_it(store: Store, mine: str) -> None:
    first = await make(store, mine, "first")
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    await finish(store, mine, first)
    receipt = await change(store, mine, first, "open")
    assert receipt.blocked == (second.task_id,)
    assert (await store.task(mine, second.task_id)).status == "blocked"
    await finish(store, mine, first)
    await change(store, mine, second, "claimed", BOB)
    with pytest.raises(ConflictError, match=rf"{second.task_id} waited for {first.task_id} and is claimed"):
        await change(store, mine, first, "open")
    assert (await store.task(mine, first.task_id)).status == "done"


async def test_dependencies_may_change_while_nobody_works_on_the_task(store: Store, mine: str) -> None:
    first, second = await make(store, mine, "first"), await make(store, mine, "second")
    blocked = await change(store, mine, second, depends_on=(first.task_id,))
    assert (blocked.outcome, blocked.task.status) == ("updated", "blocked")
    freed = await change(store, mine, second, depends_on=())
    assert freed.task.status == "open"
    await change(store, mine, second, "claimed")
    with pytest.raises(ConflictError, match="pass status open with it"):
        await change(store, mine, second, depends_on=(first.task_id,))
    back = await change(store, mine, second, "open", depends_on=(first.task_id,))
    assert (back.outcome, back.task.status, back.task.agent) == ("released", "blocked", None)


async def test_a_cycle_is_refused_with_its_way(store: Store, mine: str) -> None:
    first = await make(store, mine, "first")
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    third = await make(store, mine, "third", depends_on=(second.task_id,))
    with pytest.raises(InvalidInputError, match=f"{first.task_id} -> {third.task_id} -> {second.task_id} -> "):
        await change(store, mine, first, depends_on=(third.task_id,))
    with pytest.raises(InvalidInputError, match=f"{first.task_id} -> {first.task_id};"):
        await change(store, mine, first, depends_on=(first.task_id,))
    assert (await store.task(mine, first.task_id)).dependencies == ()


async def test_what_is_not_here_is_refused(store: Store, mine: str, theirs: str) -> None:
    elsewhere = await make(store, theirs, "theirs")
    task = await make(store, mine, "mine")
    unknown = public_id("task", new_number())
    for task_id in (unknown, elsewhere.task_id):
        with pytest.raises(TaskNotFoundError, match=task_id):
            await store.task(mine, task_id)
        with pytest.raises(TaskNotFoundError, match=task_id):
            await change(store, mine, task_id, "claimed")
        with pytest.raises(TaskNotFoundError, match=task_id):
            await change(store, mine, task, depends_on=(task_id,))
        with pytest.raises(TaskNotFoundError, match=task_id):
            await make(store, mine, "other", depends_on=(task_id,))
    item = draft(theirs, "their memory")
    await store.add(theirs, item, budgets=BUDGETS)
    with pytest.raises(NotFoundError, match=f"No item '{item.item_id}' can be linked"):
        await change(store, mine, task, item_ids=(item.item_id,))
    assert await store.task(mine, task.task_id) == task
    assert await titles(store, mine) == ["mine"]
    assert await claim(store, theirs, BOB) is not None


async def test_forgotten_items_are_not_linked_and_purged_ones_leave(store: Store, mine: str) -> None:
    kept, purged, forgotten = (draft(mine, text) for text in ("kept", "purged", "forgotten"))
    for item in (kept, purged, forgotten):
        await store.add(mine, item, budgets=BUDGETS)
    await store.set_state(mine, forgotten.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    with pytest.raises(ConflictError, match=f"{forgotten.item_id} is forgotten and cannot be linked"):
        await make(store, mine, "work", item_ids=(forgotten.item_id,))
    task = await make(store, mine, "work", item_ids=tuple(sorted((kept.item_id, purged.item_id))))
    assert [rung.item_id for rung in await store.linked(mine, task.item_ids)] == list(task.item_ids)
    await store.purge(mine, purged.item_id, actor="a", budgets=BUDGETS)
    assert (await store.task(mine, task.task_id)).item_ids == (kept.item_id,)
    with pytest.raises(NotFoundError, match="can be linked"):
        await change(store, mine, task, item_ids=(purged.item_id,))
    await store.set_state(mine, kept.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert await store.linked(mine, (kept.item_id,)) == []
    assert (await store.task(mine, task.task_id)).item_ids == (kept.item_id,)


async def test_tasks_are_for_agents_that_can_do_them(store: Store, mine: str) -> None:
    await make(store, mine, "for bob", assignee="bob", priority=9)
    await make(store, mine, "welding", capability="welding", priority=8)
    await make(store, mine, "anybody")
    taken = await claim(store, mine)
    assert taken is not None
    assert taken.title == "anybody"
    assert await claim(store, mine) is None
    (first, second) = (await store.tasks(mine, TaskFilters("open"), limit=5, after=None)).tasks
    with pytest.raises(ConflictError, match="assigned to 'bob'"):
        await change(store, mine, first, "claimed")
    with pytest.raises(ConflictError, match="needs the capability 'welding'"):
        await change(store, mine, second, "claimed")
    await store.put_agent(mine, AgentDraft("ann", None, ("welding",)), actor="tester", lease=LEASE)
    taken = await claim(store, mine)
    assert taken is not None
    assert taken.title == "welding"
    taken = await claim(store, mine, BOB)
    assert taken is not None
    assert taken.title == "for bob"
    assert await titles(store, mine, agent="ann") == ["welding", "anybody"]


async def test_only_a_client_itself_need_not_be_registered(store: Store, mine: str) -> None:
    task = await make(store, mine, "work")
    stranger = Worker("stranger")
    for wanted in (TaskChange("claimed"), TaskChange("done"), TaskChange(note="x")):
        with pytest.raises(NotFoundError, match="No agent 'stranger' is registered"):
            await store.change_task(mine, task.task_id, wanted, worker=stranger, actor="t", lease=LEASE)
    with pytest.raises(NotFoundError, match="register it with agent_register"):
        await store.claim_next(mine, worker=stranger, actor="t", lease=LEASE)
    await change(store, mine, task, note="a note registers nobody")
    assert await store.agents(mine, 10) == []
    await change(store, mine, task, "claimed")
    assert [agent.name for agent in await store.agents(mine, 10)] == ["ann"]
    assert (await change(store, mine, task, "done", Worker("ann"), note="by name")).outcome == "done"


async def test_what_is_over_is_over_until_it_is_reopened(store: Store, mine: str) -> None:
    task = await make(store, mine, "work")
    with pytest.raises(ConflictError, match="claim it first"):
        await change(store, mine, task, "done")
    await finish(store, mine, task, note="yes")
    assert (await change(store, mine, task, "done", note="yes")).outcome == "unchanged"
    refused: dict[TaskStatus, str] = {"done": "another result", "failed": "done already", "cancelled": "done already"}
    for status, reason in refused.items():
        with pytest.raises(ConflictError, match=reason):
            await change(store, mine, task, status, note="no")
    with pytest.raises(ConflictError, match="set its status to open first"):
        await change(store, mine, task, "claimed")
    with pytest.raises(ConflictError, match="can change only while nobody works on it"):
        await change(store, mine, task, depends_on=())


async def test_anybody_may_cancel_and_the_holder_hears_of_it(store: Store, mine: str) -> None:
    task = await make(store, mine, "work")
    await change(store, mine, task, "claimed")
    await change(store, mine, task, "cancelled", BOB, note="not needed")
    with pytest.raises(ConflictError, match="is cancelled already"):
        await change(store, mine, task, "done", note="ready")


async def test_labels_change_and_what_is_the_same_writes_nothing(store: Store, mine: str) -> None:
    task = await make(store, mine, "work", due_at=DUE)
    labels = {"title": "better", "description": "more", "priority": 1, "assignee": "bob", "due_at": None}
    changed = await change(store, mine, task, labels=labels)
    assert (changed.outcome, changed.task.revision) == ("updated", 2)
    assert {name: getattr(changed.task, name) for name in labels} == labels
    again = await change(store, mine, task, labels=labels)
    assert (again.outcome, again.task.revision) == ("unchanged", 2)
    assert await actions(store, mine, task) == ["create", "relabel"]


async def test_lists_go_on_behind_a_place_and_never_repeat(store: Store, mine: str) -> None:
    for number in range(7):
        await make(store, mine, f"work {number}", priority=number % 3, due_at=DUE if number % 2 else None)
    whole = (await store.tasks(mine, TaskFilters(), limit=100, after=None)).tasks
    assert [order(task) for task in whole] == sorted(order(task) for task in whole)
    seen: list[Task] = []
    while page := (await store.tasks(mine, TaskFilters(), limit=2, after=order(seen[-1]) if seen else None)).tasks:
        seen += page
    assert seen == list(whole)
    assert (await store.tasks(mine, TaskFilters(), limit=2, after=order(seen[-1]))).total == 7


async def test_lists_have_neither_notes_nor_results_but_count_the_notes(store: Store, mine: str) -> None:
    first = await make(store, mine, "first")
    second = await make(store, mine, "second", depends_on=(first.task_id,))
    await finish(store, mine, first)
    await change(store, mine, second, note="so far")
    (listed,) = (await store.tasks(mine, TaskFilters(), limit=10, after=None)).tasks
    assert (listed.notes, listed.note_count, listed.dependencies[0].result) == ((), 1, None)
    assert listed.dependencies[0].status == "done"
