"""Random changes of a memory, and taking every one of them back to a state with an equal hash."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from palimpsest.core.budget import Budget
from palimpsest.core.calls import Caller, Change, NewMemory, NewTask, TaskEdit
from palimpsest.core.errors import PalimpsestError
from palimpsest.core.models import STANDINGS, Event
from palimpsest.core.ports import Store
from palimpsest.core.services import Services
from palimpsest.core.state_hash import state_lines

THREADS = ("one", "two", "three")
MODELS = ("small", "medium", "large")
WINDOWS = {"small": 400, "medium": 1000, "large": 3000}


def budget_of(model: str | None) -> Budget:
    """Three models; a thread without one has the medium one."""
    return Budget(WINDOWS.get(model or "medium", 1000), model=model)


@dataclass(frozen=True, slots=True)
class Done:
    """A change: its name, the events that undo takes back, newest first, and what the state's hash was of before."""

    name: str
    events: list[int]
    before: list[bytes]


@dataclass(slots=True)
class Changer:
    """A memory that is changed at random."""

    services: Services
    store: Store
    caller: Caller
    random: random.Random
    items: list[str] = field(default_factory=list[str])
    tasks: list[str] = field(default_factory=list[str])
    done: list[Done] = field(default_factory=list[Done])
    steps: int = 0
    made: int = 0

    async def change(self) -> Done | None:
        """Do one change and remember how things were; None where nothing changed."""
        name, act = self.random.choice(OPERATIONS)
        newest, before = await self.newest(), await self.lines()
        try:
            await act(self)
        except PalimpsestError:
            assert await self.lines() == before, f"{name} was refused and changed something"
            return None
        if await self.newest() == newest:
            assert await self.lines() == before, f"{name} left no line in the history"
            return None
        made = [one.event_id for one in await self.events() if one.undoable and one.event_id > newest]
        self.done.append(Done(name, made, before))
        return self.done[-1]

    async def take_back(self) -> Done:
        """Undo the newest change, and compare hashes."""
        last = self.done.pop()
        for number in last.events:
            event, _ = await self.services.memory.undo(self.caller)
            assert event.event_id == number
        now = await self.lines()
        differing = sorted(set(now) ^ set(last.before))
        assert now == last.before, f"{last.name} was undone, and the state is another one: {differing}"
        return last

    async def lines(self) -> list[bytes]:
        """Return what the state's hash is of."""
        return await state_lines(self.store, self.caller.namespace)

    async def events(self) -> Sequence[Event]:
        """Return the newest events."""
        return await self.services.memory.events(self.caller, 100)

    async def newest(self) -> int:
        """Return the newest event's number."""
        return max((event.event_id for event in await self.services.memory.events(self.caller, 1)), default=0)

    def any_item(self) -> str:
        """Name an item."""
        return self.random.choice(self.items) if self.items else "mem_0000000000001"

    def words(self, least: int = 3) -> str:
        """Return a text that no one had before."""
        self.made += 1
        return f"text {self.made} " + " ".join(
            f"w{self.random.randrange(3000)}" for _ in range(self.random.choice([least, 40, 40, 150, 400]))
        )


async def _add(changer: Changer) -> None:
    source = changer.random
    text = source.choice([changer.words, lambda: _statement(source)])()
    receipt = await changer.services.memory.add(
        changer.caller,
        NewMemory(
            text,
            title=source.choice([None, f"title {changer.made}"]),
            thread=source.choice(THREADS),
            priority=source.randrange(11),
            pinned=source.random() < 0.05,
            tags=source.choice([(), ("a", "b")]),
            model=source.choice([None, None, None, *MODELS]),
            expires_in_days=source.choice([None, 3]),
            date=source.choice([None, "2024-05-06"]),
            trust=source.choice(["normal", "normal", "normal", "low", "high"]),
        ),
    )
    changer.steps += len(receipt.steps)
    if receipt.item.item_id not in changer.items:
        changer.items.append(receipt.item.item_id)


def _statement(source: random.Random) -> str:
    """Return what makes versions: the same said of the same with another value."""
    who, value = source.choice(["Ann", "Bob"]), source.choice(["red", "blue", "green", "pink", "grey", "teal"])
    return f"{who}'s favourite colour is {value}."


async def _relabel(changer: Changer) -> None:
    source = changer.random
    change = source.choice(
        [
            Change(priority=source.randrange(11)),
            Change(pinned=source.random() < 0.5),
            Change(title=f"renamed {source.randrange(9)}", tags=["x", "y"][: source.randrange(3)]),
            Change(memory_type=source.choice(["semantic", "episodic"]), content_type="text/markdown"),
            Change(date=source.choice(["2023-01-02", "2025-03-04"])),
            Change(trust=source.choice(["low", "normal", "high"])),
        ]
    )
    await changer.services.memory.update(changer.caller, changer.any_item(), change)


async def _move(changer: Changer) -> None:
    change = Change(thread=changer.random.choice(THREADS), title=changer.random.choice([None, "moved along"]))
    await changer.services.memory.update(changer.caller, changer.any_item(), change)


async def _place(changer: Changer) -> None:
    change = Change(detail=changer.random.choice(STANDINGS))
    await changer.services.memory.update(changer.caller, changer.any_item(), change)


async def _edit(changer: Changer) -> None:
    item = await changer.services.memory.get(changer.caller, changer.any_item())
    source = changer.random
    change = Change(
        content=source.choice([changer.words, lambda: _statement(source)])(),
        expected_sha256=item.sha256,
        thread=source.choice([None, None, *THREADS]),
        detail=source.choice([None, None, "brief"]),
        priority=source.choice([None, 9]),
    )
    await changer.services.memory.update(changer.caller, item.item_id, change)


async def _retype(changer: Changer) -> None:
    item = await changer.services.memory.get(changer.caller, changer.any_item())
    text = (await changer.services.memory.retrieve(changer.caller, item.item_id, max_tokens=100_000)).text
    await changer.services.memory.add(changer.caller, NewMemory(text.upper(), thread=item.thread))


async def _forget(changer: Changer) -> None:
    mode = changer.random.choice(["forget", "forget", "restore", "restore"])
    await changer.services.memory.forget(changer.caller, changer.any_item(), mode)


async def _compress(changer: Changer) -> None:
    source = changer.random
    share, detail = source.choice([(None, None), (0.3, None), (None, "hint"), (None, "archived")])
    answer = await changer.services.compression.compress(
        changer.caller, source.choice(THREADS), share=share, detail=detail
    )
    changer.steps += len(answer.steps)


async def _submit(changer: Changer) -> None:
    item = await changer.services.memory.get(changer.caller, changer.any_item())
    text = f"a summary {changer.random.randrange(99)}"
    await changer.services.compression.submit(changer.caller, item.item_id, item.sha256, text)


async def _model(changer: Changer) -> None:
    await changer.services.context.get(
        changer.caller, changer.random.choice(THREADS), model=changer.random.choice(MODELS)
    )


async def _task(changer: Changer) -> None:
    source = changer.random
    changer.made += 1
    receipt = await changer.services.tasks.create(
        changer.caller,
        NewTask(
            f"task {changer.made}",
            priority=source.randrange(11),
            depends_on=source.sample(changer.tasks, min(len(changer.tasks), source.randrange(3))),
            item_ids=source.sample(changer.items, min(len(changer.items), source.randrange(2))),
        ),
    )
    changer.tasks.append(receipt.task.task_id)


async def _work(changer: Changer) -> None:
    edit = changer.random.choice(
        [
            TaskEdit(status="claimed"),
            TaskEdit(status="claimed", note="begun"),
            TaskEdit(note="found out"),
            TaskEdit(status="done", note="it worked"),
            TaskEdit(status="failed"),
            TaskEdit(status="open"),
            TaskEdit(status="cancelled"),
            TaskEdit(priority=9, description="more of it"),
        ]
    )
    task_id = changer.random.choice(changer.tasks) if changer.tasks else "task_0000000000001"
    await changer.services.tasks.update(changer.caller, task_id, edit)


async def _agent(changer: Changer) -> None:
    name, role = changer.random.choice(["ann", "bob"]), changer.random.choice([None, "smith", "cook"])
    await changer.services.agents.register(changer.caller, name=name, role=role, capabilities=["welding"])


OPERATIONS: tuple[tuple[str, Callable[[Changer], Awaitable[None]]], ...] = (
    *[("add", _add)] * 5,
    *[("relabel", _relabel)] * 2,
    *[("move", _move)] * 2,
    *[("place", _place)] * 2,
    *[("edit", _edit)] * 2,
    ("retype", _retype),
    *[("forget", _forget)] * 2,
    ("compress", _compress),
    ("submit", _submit),
    ("model", _model),
    *[("task", _task)] * 2,
    *[("work", _work)] * 3,
    ("agent", _agent),
)
