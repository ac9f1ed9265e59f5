"""What every store promises of agents."""

from datetime import timedelta

import pytest

from palimpsest.core.errors import ConflictError
from palimpsest.core.models import AgentDraft, TaskChange, TaskDraft, Worker
from palimpsest.core.ports import Store

from .conftest import Backend
from .test_store_tasks import LEASE, change, claim, make


async def register(store: Store, namespace: str, name: str, *capabilities: str, role: str | None = None) -> str:
    draft = AgentDraft(name, role, capabilities or None)
    return (await store.put_agent(namespace, draft, actor="tester", lease=LEASE)).outcome


async def test_an_agent_says_what_it_is_and_keeps_what_it_leaves_out(store: Store, mine: str) -> None:
    assert await register(store, mine, "ann", "welding", role="smith") == "registered"
    assert await register(store, mine, "ann") == "seen"
    assert await register(store, mine, "ann", role="baker") == "updated"
    assert await register(store, mine, "ann", "baking", "welding") == "updated"
    (agent,) = await store.agents(mine, 10)
    assert (agent.role, agent.capabilities, agent.revision) == ("baker", ("baking", "welding"), 3)
    events = await store.events(mine, 10)
    assert [(event.action, event.subject, event.version) for event in reversed(events)] == [
        ("register", "agent", 1),
        ("relabel", "agent", 2),
        ("relabel", "agent", 3),
    ]
    assert {event.subject_id for event in events} == {agent.agent_id}


async def test_agents_are_listed_last_seen_first_with_what_they_hold(backend: Backend, mine: str, theirs: str) -> None:
    store = backend.store
    for name in ("ann", "bob", "cid"):
        await register(store, mine, name)
        await backend.pass_time(mine, 1)
    await register(store, theirs, "dan")
    task = await make(store, mine, "work")
    await change(store, mine, task, "claimed", Worker("ann"))
    found = await store.agents(mine, 10)
    assert [agent.name for agent in found] == ["ann", "cid", "bob"]
    assert [agent.task_ids for agent in found] == [(task.task_id,), (), ()]
    assert [agent.name for agent in await store.agents(mine, 1)] == ["ann"]
    await backend.pass_time(mine, 601)
    assert (await store.agents(mine, 1))[0].task_ids == ()


async def test_a_heartbeat_prolongs_what_still_lasts_and_nothing_else(backend: Backend, mine: str) -> None:
    store = backend.store
    await register(store, mine, "ann")
    first, second = await make(store, mine, "first"), await make(store, mine, "second")
    await change(store, mine, first, "claimed", Worker("ann"))
    await backend.pass_time(mine, 400)
    await change(store, mine, second, "claimed", Worker("ann"))
    await backend.pass_time(mine, 300)
    receipt = await store.put_agent(mine, AgentDraft("ann"), actor="tester", lease=timedelta(hours=1))
    assert (receipt.renewed, receipt.agent.task_ids) == ((second.task_id,), (second.task_id,))
    await backend.pass_time(mine, 3000)
    assert (await store.task(mine, second.task_id)).standing == "claimed"
    assert (await store.task(mine, first.task_id)).standing == "open"
    assert "renew" not in {event.action for event in await store.events(mine, 20)}


async def test_whoever_works_is_seen(backend: Backend, mine: str) -> None:
    store = backend.store
    await register(store, mine, "ann")
    await backend.pass_time(mine, 1)
    await register(store, mine, "bob")
    task = await make(store, mine, "work")
    await backend.pass_time(mine, 1)
    await change(store, mine, task, note="still here", worker=Worker("ann"))
    assert [agent.name for agent in await store.agents(mine, 10)] == ["ann", "bob"]


async def test_a_client_is_registered_once_by_its_first_claim(store: Store, mine: str) -> None:
    itself = Worker("some client", itself=True)
    assert await claim(store, mine, itself) is None
    await make(store, mine, "work")
    assert await claim(store, mine, itself) is not None
    (agent,) = await store.agents(mine, 10)
    assert (agent.name, agent.capabilities, agent.revision) == ("some client", (), 1)


async def test_a_claim_that_is_refused_registers_nobody(store: Store, mine: str) -> None:
    task = await make(store, mine, "work", capability="welding")
    with pytest.raises(ConflictError, match="needs the capability"):
        await change(store, mine, task, "claimed", Worker("some client", itself=True))
    assert await store.agents(mine, 10) == []
    assert [event.action for event in await store.events(mine, 10)] == ["create"]


async def test_agents_of_one_namespace_are_unknown_in_another(store: Store, mine: str, theirs: str) -> None:
    await register(store, mine, "ann")
    assert await store.agents(theirs, 10) == []
    draft = TaskDraft((await make(store, mine, "work")).task_id, "theirs")
    await store.add_task(theirs, draft, actor="tester")
    assert await claim(store, theirs, Worker("bob", itself=True)) is not None
    assert await store.task_counts(mine) == {"open": 1}
    await store.change_task(
        theirs, draft.task_id, TaskChange("done"), worker=Worker("bob"), actor="tester", lease=LEASE
    )
    assert await store.task_counts(theirs) == {"done": 1}
