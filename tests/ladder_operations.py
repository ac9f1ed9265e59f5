"""Random use of a memory, with what must be true of its ledger after every single operation."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from palimpsest.core.block import render
from palimpsest.core.budget import Budget
from palimpsest.core.calls import Caller, Change, NewMemory
from palimpsest.core.errors import PalimpsestError
from palimpsest.core.models import STANDINGS, Rung, Standing, ThreadState
from palimpsest.core.ports import Store
from palimpsest.core.services import Services

from .fakes import HandClock, WordCounter

WINDOWS: Mapping[str, int] = {
    "tiny": 400,
    "small": 2048,
    "medium": 8000,
    "large": 32_000,
    "larger": 128_000,
    "huge": 1_000_000,
}


def budget_of(model: str | None) -> Budget:
    """Six models with windows of their own; none, or another, has the medium one."""
    return Budget(WINDOWS.get(model or "medium", 8000), model=model)


@dataclass(slots=True)
class Driver:
    """A memory, and what a careful user would write down about it."""

    services: Services
    store: Store
    clock: HandClock
    caller: Caller
    random: random.Random
    texts: dict[str, str] = field(default_factory=dict[str, str])
    stands: dict[str, tuple[str, Standing]] = field(default_factory=dict[str, tuple[str, Standing]])
    refusals: int = 0
    steps: int = 0

    async def run(self, operations: int) -> None:
        """Do so many operations and check after each."""
        threads = list(WINDOWS)
        for number in range(operations):
            self.clock.advance(self.random.choice([0, 1, 60, 3600]))
            name, act = self.random.choice(OPERATIONS)
            raised: frozenset[str] = frozenset()
            try:
                raised = frozenset(await act(self))
            except PalimpsestError:
                self.refusals += 1
            for thread in threads:
                await self.check(thread, raised, name)
            # Blocks are long: one of them after each operation.
            await self.check_block(threads[number % len(threads)])

    def any_item(self) -> str:
        """Name an item, or none that ever was."""
        return self.random.choice(list(self.texts)) if self.texts else "mem_0000000000001"

    async def check(self, thread: str, raised: frozenset[str], operation: str) -> None:
        """Compare a thread's ledger with its items, its block, and how they stood before."""
        ledger, rungs = await self.store.rungs(self.caller.namespace, thread, budgets=budget_of)
        check_ledger(ledger, rungs)
        for rung in rungs:
            known = self.stands.get(rung.item_id)
            now = STANDINGS.index(rung.detail)
            if known is not None and known[0] == thread and rung.item_id not in raised:
                assert now >= STANDINGS.index(known[1]), f"{operation} raised {rung.item_id}"
            self.stands[rung.item_id] = thread, rung.detail

    async def check_block(self, thread: str) -> None:
        """Compare a thread's block with its items and their texts."""
        ledger, rungs = await self.store.rungs(self.caller.namespace, thread, budgets=budget_of)
        block = await self.store.block(self.caller.namespace, thread, budgets=budget_of)
        assert [entry.item_id for entry in block.entries] == [one.item_id for one in rungs if one.detail != "archived"]
        assert WordCounter().count(render(block.entries)).tokens <= block.ledger.used == ledger.used
        for entry in block.entries:
            if entry.detail == "full":
                assert entry.text == self.texts[entry.item_id]


def check_ledger(ledger: ThreadState, items: Sequence[Rung]) -> None:
    """Compare a thread's account with its items."""
    assert ledger.items == len(items)
    assert ledger.used == sum(one.cost for one in items)
    assert ledger.saved == sum(one.costs["full"] for one in items) - ledger.used
    assert ledger.tokens == sum(one.costs["full"] - one.header_tokens for one in items)
    for one in items:
        assert one.cost == (0 if one.detail == "archived" else one.costs[one.detail])
    if ledger.used >= ledger.window * ledger.trigger:
        assert ledger.over is not None
        assert all(one.pinned for one in items if one.cost), "over the trigger with something that is not pinned"
    else:
        assert ledger.over is None


async def _add(driver: Driver) -> set[str]:
    source = driver.random
    words = source.choice([3, 12, 60, 60, 300, 300, 1500, 7000])
    number = len(driver.texts)
    text = f"item {number} " + " ".join(f"w{source.randrange(5000)}" for _ in range(words))
    thread = source.choice(list(WINDOWS))
    receipt = await driver.services.memory.add(
        driver.caller,
        NewMemory(
            text,
            title=source.choice([None, f"title {number}"]),
            thread=thread,
            priority=source.choice([0, 3, 5, 5, 5, 8, 10]),
            pinned=source.random() < 0.03,
            model=thread,
        ),
    )
    driver.texts[receipt.item.item_id] = text
    driver.steps += len(receipt.steps)
    return {receipt.item.item_id}


async def _label(driver: Driver) -> set[str]:
    change = driver.random.choice(
        [
            Change(priority=driver.random.randrange(11)),
            Change(pinned=True),
            Change(pinned=False),
            Change(pinned=False),
            Change(title=f"renamed {driver.random.randrange(100)}"),
        ]
    )
    await driver.services.memory.update(driver.caller, driver.any_item(), change)
    return set()


async def _stand(driver: Driver) -> set[str]:
    item_id = driver.any_item()
    detail = driver.random.choice(STANDINGS)
    await driver.services.memory.update(driver.caller, item_id, Change(detail=detail))
    return {item_id}


async def _move(driver: Driver) -> set[str]:
    item_id = driver.any_item()
    thread = driver.random.choice(list(WINDOWS))
    await driver.services.memory.update(driver.caller, item_id, Change(thread=thread))
    return {item_id}


async def _edit(driver: Driver) -> set[str]:
    item_id = driver.any_item()
    item = await driver.services.memory.get(driver.caller, item_id)
    text = driver.texts[item_id] + f" more {driver.random.randrange(10**9)}"
    change = Change(content=text, expected_sha256=item.sha256)
    await driver.services.memory.update(driver.caller, item_id, change)
    driver.texts[item_id] = text
    return {item_id}


async def _forget(driver: Driver) -> set[str]:
    item_id = driver.any_item()
    mode = driver.random.choice(["forget", "restore", "restore", "purge"])
    await driver.services.memory.forget(driver.caller, item_id, mode)
    if mode == "purge":
        del driver.texts[item_id]
    return {item_id}


async def _read(driver: Driver) -> set[str]:
    item_id = driver.any_item()
    page = await driver.services.memory.retrieve(driver.caller, item_id, max_tokens=1_000_000)
    assert page.text == driver.texts[item_id]
    return set()


async def _compress(driver: Driver) -> set[str]:
    thread = driver.random.choice(list(WINDOWS))
    share = driver.random.choice([None, 0.7, 0.4, 0.1])
    await driver.services.compression.compress(driver.caller, thread, share=share)
    return set()


async def _undo(driver: Driver) -> set[str]:
    event, _ = await driver.services.memory.undo(driver.caller)
    if event.action == "edit":
        page = await driver.services.memory.retrieve(driver.caller, event.subject_id, max_tokens=1_000_000)
        driver.texts[event.subject_id] = page.text
    # What stepped down because of the change returns as well.
    return set(driver.texts)


async def _context(driver: Driver) -> set[str]:
    bound = driver.random.choice([None, 100, 1000])
    answer = await driver.services.context.get(driver.caller, driver.random.choice(list(WINDOWS)), max_tokens=bound)
    assert bound is None or answer.tokens <= bound
    return set()


OPERATIONS: tuple[tuple[str, Callable[[Driver], Awaitable[set[str]]]], ...] = (
    *[("add", _add)] * 6,
    ("label", _label),
    ("label", _label),
    ("stand", _stand),
    ("move", _move),
    ("edit", _edit),
    ("forget", _forget),
    ("forget", _forget),
    ("read", _read),
    ("compress", _compress),
    ("undo", _undo),
    ("context", _context),
)
