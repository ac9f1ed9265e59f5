"""The task service: what it takes, what it refuses, and the packet for whoever takes a task over."""

from datetime import UTC, datetime
from typing import Any

import pytest

from palimpsest.core.agents import MAX_CAPABILITIES
from palimpsest.core.calls import Caller, NewMemory, NewTask, TaskEdit
from palimpsest.core.errors import ConflictError, InvalidInputError, NotFoundError, PalimpsestError
from palimpsest.core.handoff import Packets
from palimpsest.core.ids import public_id
from palimpsest.core.models import Decision, Said, Task
from palimpsest.core.people import Question
from palimpsest.core.tasks import MAX_LINKS, Tasks

from ..fakes import WordCounter
from .parts import ME, Parts, build_parts


async def make(parts: Parts, title: str, **fields: Any) -> Task:
    return (await parts.services.tasks.create(ME, NewTask(title, **fields))).task


async def edit(parts: Parts, task: Task | None, **fields: Any) -> Task:
    receipt = await parts.services.tasks.update(ME, None if task is None else task.task_id, TaskEdit(**fields))
    assert receipt is not None
    return receipt.task


UNKNOWN_TASK = public_id("task", 1)
UNKNOWN_ITEM = public_id("item", 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": " \n"}, "The title is empty"),
        ({"title": "x" * 201}, "The title has 201 characters"),
        ({"description": "x" * 100_000}, "100,000 bytes, above the limit of 20,000; keep the text with memory_add"),
        ({"priority": 11}, "from 0 (least) to 10"),
        ({"due": "2026-02-30"}, "'2026-02-30' does not exist"),
        ({"due": "next week"}, "is no ISO date"),
        ({"depends_on": ["nonsense"]}, "is not a task id"),
        ({"depends_on": [UNKNOWN_ITEM]}, "is not a task id"),
        ({"depends_on": [UNKNOWN_TASK]}, "No task"),
        (
            {"depends_on": [public_id("task", number) for number in range(MAX_LINKS + 1)]},
            "201 dependencies are too many",
        ),
        ({"item_ids": [UNKNOWN_TASK]}, "is not an item id"),
        ({"item_ids": [UNKNOWN_ITEM]}, "can be linked"),
        ({"assignee": "x" * 101}, "101 characters; 100 are allowed"),
    ],
)
async def test_a_task_that_cannot_be_kept_is_refused_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    parts = build_parts()
    values: dict[str, Any] = {"title": "work", **fields}
    with pytest.raises(PalimpsestError) as caught:
        await parts.services.tasks.create(ME, NewTask(**values))
    assert sentence in str(caught.value)
    assert (await parts.services.tasks.list_tasks(ME)).total == 0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Nothing to change was given"),
        ({"agent": "ann"}, "Nothing to change was given"),
        ({"note": "  "}, "Nothing to change was given"),
        ({"status": "finished"}, "is no status; use one of open, claimed"),
        ({"status": "blocked"}, "blocked by what it depends on, not by its status"),
        ({"note": "x" * 30_000}, "The note is 30,000 bytes"),
        ({"due": "2026-13-01"}, "does not exist"),
        ({"status": "claimed", "agent": "ann"}, "No agent 'ann' is registered"),
        ({"status": "done"}, "claim it first"),
    ],
)
async def test_a_change_that_cannot_be_made_is_refused_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    parts = build_parts()
    task = await make(parts, "work")
    with pytest.raises(PalimpsestError) as caught:
        await parts.services.tasks.update(ME, task.task_id, TaskEdit(**fields))
    assert sentence in str(caught.value)
    assert (await parts.store.task(ME.namespace, task.task_id)).revision == 1


async def test_only_a_bare_claim_goes_without_an_id() -> None:
    parts = build_parts()
    await make(parts, "work")
    for wanted in (TaskEdit(status="done"), TaskEdit(note="x"), TaskEdit(status="claimed", note="x")):
        with pytest.raises(InvalidInputError, match="task_id is missing"):
            await parts.services.tasks.update(ME, None, wanted)
    assert (await edit(parts, None, status="claimed")).agent == "me"
    assert await parts.services.tasks.update(ME, None, TaskEdit(status="claimed")) is None
    with pytest.raises(InvalidInputError, match="is not a task id"):
        await parts.services.tasks.update(ME, "nonsense", TaskEdit(status="claimed"))


async def test_an_empty_text_clears_and_what_is_left_out_stays() -> None:
    parts = build_parts()
    task = await make(parts, "work", description="long", due="2026-05-31", assignee="ann", capability="Welding ")
    assert (task.due_at, task.capability) == (datetime(2026, 5, 31, tzinfo=UTC), "welding")
    kept = await edit(parts, task, title="better", priority=0)
    assert (kept.title, kept.priority, kept.description, kept.due_at) == ("better", 0, "long", task.due_at)
    cleared = await edit(parts, task, description="", due="", assignee="", capability="")
    assert (cleared.description, cleared.due_at, cleared.assignee, cleared.capability) == ("", None, None, None)


async def test_a_client_acts_in_its_own_name_or_in_that_of_an_agent_it_names() -> None:
    parts = build_parts()
    await parts.services.agents.register(ME, "ann", capabilities=["Welding", "welding", " "])
    first, second = await make(parts, "first", capability="welding"), await make(parts, "second")
    assert (await edit(parts, first, status="claimed", agent="ann")).agent == "ann"
    assert (await edit(parts, second, status="claimed", agent="me")).agent == "me"
    events = await parts.store.events(ME.namespace, 10)
    actors = {event.subject_id: event.actor for event in events if event.action == "claim"}
    assert actors == {first.task_id: "me as ann", second.task_id: "me"}


async def test_advice_comes_when_nobody_could_claim_a_task() -> None:
    parts = build_parts()
    receipt = await parts.services.tasks.create(ME, NewTask("work", assignee="ann", capability="welding"))
    assert [note.split(";")[0].split(" is registered")[0] for note in receipt.notes] == ["No agent 'ann'", "No agent"]
    await parts.services.agents.register(ME, "ann", capabilities=["welding"])
    receipt = await parts.services.tasks.create(ME, NewTask("more", assignee="ann", capability="welding"))
    assert receipt.notes == ()


async def test_agents_are_named_and_bounded() -> None:
    parts = build_parts()
    agents = parts.services.agents
    assert (await agents.register(ME)).agent.name == "me"
    with pytest.raises(InvalidInputError, match="no name"):
        await agents.register(Caller("mine", " "))
    with pytest.raises(InvalidInputError, match="51 capabilities are too many"):
        await agents.register(ME, capabilities=[f"c{number}" for number in range(MAX_CAPABILITIES + 1)])
    with pytest.raises(InvalidInputError, match="limit is 0"):
        await agents.list_agents(ME, 0)


async def test_lists_come_in_pages_and_a_strange_cursor_is_refused() -> None:
    parts = build_parts()
    for number in range(5):
        await make(parts, f"work {number}", due=f"2026-01-0{number + 1}" if number % 2 else None)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await parts.services.tasks.list_tasks(ME, limit=2, cursor=cursor)
        assert page.total == 5
        seen += [task.title for task in page.tasks]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["work 1", "work 3", "work 0", "work 2", "work 4"]
    for bad in ("x", "WyJ0YXNrcyIsMSwxLCJ4IiwieCJd", "WyJ0YXNrcyIsMCwxLCJ4IiwieCJd"):
        with pytest.raises(InvalidInputError, match="cursor"):
            await parts.services.tasks.list_tasks(ME, cursor=bad)
    with pytest.raises(InvalidInputError, match="no status"):
        await parts.services.tasks.list_tasks(ME, status="ready")


async def packed(parts: Parts) -> Task:
    """A task with something of everything a packet has."""
    long = " ".join(f"w{place}" for place in range(300))
    items = [
        (await parts.memory.add(ME, NewMemory(text, title=title))).item.item_id
        for title, text in (("Plan", "the plan is short"), ("Log", long), ("Old", "forgotten text"))
    ]
    first = await make(parts, "lay the keel")
    await edit(parts, first, status="claimed")
    await edit(parts, first, status="done", note="oak, 12 metres")
    task = await make(
        parts,
        "build the hull",
        description="Planks of larch.\nNo nails.",
        depends_on=[first.task_id],
        item_ids=items,
        due="2026-06-01",
        capability="carpentry",
    )
    await parts.memory.forget(ME, items[2])
    await edit(parts, task, note="ordered the larch")
    await edit(parts, task, note="it came wet")
    return task


async def test_a_packet_has_the_task_what_came_before_and_what_it_links_to() -> None:
    parts = build_parts()
    task = await packed(parts)

    async def decisions(namespace: str, task_id: str) -> list[Decision]:
        assert (namespace, task_id) == ("mine", task.task_id)
        return [Decision("ask_1", "Larch or oak?", "larch", "Eve", datetime(2026, 1, 2, tzinfo=UTC))]

    counter = WordCounter()
    tasks = Tasks(store=parts.store, packets=Packets(store=parts.store, counter=counter, decisions=decisions))
    packet = await tasks.handoff(ME, task.task_id, 2000)
    assert packet.omitted == ()
    assert packet.tokens == counter.count(packet.text).tokens <= 2000
    expected = [
        f"# Task {task.task_id}: build the hull",
        "open, priority 5, due 2026-06-01T00:00Z, needs carpentry; created by me",
        "Planks of larch.\nNo nails.",
        "## Decisions by people\n- ask_1, Eve, 2026-01-02T00:00Z: Larch or oak? -> larch",
        "(done) lay the keel: oak, 12 metres",
        "me: it came wet",
        "me: ordered the larch",
        "## Linked items",
        "does not take part now: it was forgotten",
        "Plan]\nthe plan is short",
        "| Log]\nw0 w1",
    ]
    places = [packet.text.index(one) for one in expected]
    assert places == sorted(places)
    assert "forgotten text" not in packet.text


@pytest.mark.parametrize("max_tokens", [200, 230, 270, 350, 500, 800])
async def test_a_packet_keeps_its_bound_and_says_what_it_left_out(max_tokens: int) -> None:
    parts = build_parts()
    task = await packed(parts)
    for number in range(30):
        await edit(parts, task, note=f"note {number} " + "words " * 10)
    packet = await parts.services.tasks.handoff(ME, task.task_id, max_tokens)
    assert packet.tokens == WordCounter().count(packet.text).tokens <= max_tokens
    assert packet.text.startswith(f"# Task {task.task_id}: build the hull\n")
    assert packet.omitted
    shown = sum(f"note {number} words" in packet.text for number in range(30)) + ("it came wet" in packet.text)
    left = [one for one in packet.omitted if one.endswith(" notes")]
    assert left == [f"{32 - shown - ('ordered the larch' in packet.text)} notes"]


async def test_a_long_description_is_cut_and_the_packet_says_so() -> None:
    parts = build_parts()
    task = await make(parts, "read", description="word " * 3000)
    packet = await parts.services.tasks.handoff(ME, task.task_id, 300)
    assert packet.omitted == ("the rest of the description",)
    assert packet.text.count("word") > 100
    assert " … (cut)" in packet.text


async def test_a_packet_says_who_has_the_task_and_why_it_is_blocked() -> None:
    parts = build_parts()
    first = await make(parts, "first")
    second = await make(parts, "second", depends_on=[first.task_id], assignee="me")
    text = (await parts.services.tasks.handoff(ME, second.task_id)).text
    assert f"Blocked: it waits for {first.task_id} (open)." in text
    assert "for me only" in text
    await edit(parts, first, status="claimed")
    text = (await parts.services.tasks.handoff(ME, first.task_id)).text
    assert "claimed by me, priority 5, lease until 2026-01-01T00:15Z" in text
    parts.clock.advance(901)
    assert "the lease of me ran out" in (await parts.services.tasks.handoff(ME, first.task_id)).text
    await edit(parts, first, status="claimed")
    await edit(parts, first, status="failed", note="no tools")
    text = (await parts.services.tasks.handoff(ME, first.task_id)).text
    assert "failed by me" in text
    assert "Result: no tools" in text
    assert "(failed: no tools), which ended" in (await parts.services.tasks.handoff(ME, second.task_id)).text


async def test_a_packet_of_what_is_not_here_is_refused() -> None:
    parts = build_parts()
    with pytest.raises(NotFoundError, match="No task"):
        await parts.services.tasks.handoff(ME, UNKNOWN_TASK)
    task = await make(parts, "work")
    with pytest.raises(InvalidInputError, match="from 200"):
        await parts.services.tasks.handoff(ME, task.task_id, 199)


async def test_a_late_finish_is_told_to_claim_again() -> None:
    parts = build_parts()
    task = await make(parts, "work")
    await edit(parts, task, status="claimed")
    parts.clock.advance(901)
    with pytest.raises(ConflictError, match="ran out at 2026-01-01T00:15:00Z and it is open again; claim it again"):
        await edit(parts, task, status="done")
    await edit(parts, task, status="claimed")
    assert (await edit(parts, task, status="done", note="at last")).result == "at last"


async def test_what_a_person_answered_about_a_task_stands_in_its_packet() -> None:
    parts = build_parts()
    task = await make(parts, "paint the fence")
    people = parts.services.people
    asked, _ = await people.ask(ME, Question("Which colour?", subject_id=task.task_id), Said())
    await people.answer(ME, asked.request_id, "green", by="ann")
    packet = await parts.services.tasks.handoff(ME, task.task_id, 1000)
    assert "Which colour?" in packet.text
    assert "green" in packet.text
