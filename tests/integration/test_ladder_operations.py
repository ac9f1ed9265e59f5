"""A thousand random operations over six windows on PostgreSQL, with the ledger checked after each."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller, Change, NewMemory
from palimpsest.core.errors import ConflictError
from palimpsest.storage.postgres import open_store

from ..fakes import DIMENSIONS, MODEL, HandClock
from ..ladder_operations import Driver, budget_of, check_ledger
from ..unit.parts import build_parts

ME = Caller("mine", "me")


@pytest.fixture
def connect(database: Mapping[str, Any]) -> Mapping[str, Any]:
    return database


async def test_after_every_one_of_1000_operations_the_ledger_is_exact_and_no_thread_is_over_its_trigger(
    connect: Mapping[str, Any],
) -> None:
    store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=2)
    try:
        clock = HandClock()
        parts = build_parts(store=store, clock=clock, budgets=budget_of)
        driver = Driver(parts.services, store, clock, ME, random.Random(1))
        await driver.run(1000)
        assert driver.steps > 50, "too little stepped down for this to prove anything"
        assert driver.refusals < 250, "too much was refused for this to prove anything"
    finally:
        await store.aclose()


async def test_a_hundred_adders_at_once_never_push_a_thread_over_its_trigger(connect: Mapping[str, Any]) -> None:
    budgets = fixed_budget(20_000)
    store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=20)
    try:
        parts = build_parts(store=store, budgets=budgets)
        over: list[str] = []

        async def adder(number: int) -> None:
            words = " ".join(f"word{number}x{place}" for place in range(300))
            receipt = await parts.memory.add(ME, NewMemory(f"adder {number} {words}", thread="shared"))
            # What a receipt says is true of one moment: the commit of its own add.
            if receipt.ledger.used >= receipt.ledger.window * receipt.ledger.trigger:
                over.append(receipt.item.item_id)

        async def watch(done: asyncio.Event) -> int:
            looks = 0
            while not done.is_set():
                ledger, rungs = await store.rungs("mine", "shared", budgets=budgets)
                assert ledger.used < ledger.window * ledger.trigger
                assert sum(rung.cost for rung in rungs) < ledger.window * ledger.trigger
                looks += 1
            return looks

        done = asyncio.Event()
        watching = asyncio.create_task(watch(done))
        await asyncio.gather(*(adder(number) for number in range(100)))
        done.set()
        assert await watching > 5
        ledger, rungs = await store.rungs("mine", "shared", budgets=budgets)
        check_ledger(ledger, rungs)
        assert not over
        assert (ledger.items, ledger.compressions > 1) == (100, True)
        block = await store.block("mine", "shared", budgets=budgets)
        assert len({entry.item_id for entry in block.entries}) == len(block.entries)
    finally:
        await store.aclose()


async def test_changes_of_many_items_at_once_end_in_no_ring_of_waiting(connect: Mapping[str, Any]) -> None:
    """Adds, moves between threads, pins, forgetting, compressions and noted uses, all at once."""
    budgets = fixed_budget(3000)
    store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=12)
    try:
        parts = build_parts(store=store, budgets=budgets)
        ids = [
            (
                await parts.memory.add(ME, NewMemory(f"start {number} " + "word " * 60, thread=f"t{number % 3}"))
            ).item.item_id
            for number in range(30)
        ]

        async def busy(seed: int) -> None:
            source = random.Random(seed)
            for number in range(15):
                item_id = source.choice(ids)
                thread = f"t{source.randrange(3)}"
                try:
                    match source.randrange(6):
                        case 0:
                            text = f"busy {seed} {number} " + "word " * 80
                            await parts.memory.add(ME, NewMemory(text, thread=thread))
                        case 1:
                            await parts.memory.update(ME, item_id, Change(thread=thread))
                        case 2:
                            await parts.memory.update(ME, item_id, Change(detail="full", pinned=False))
                        case 3:
                            await parts.memory.forget(ME, item_id, source.choice(["forget", "restore"]))
                        case 4:
                            await parts.compression.compress(ME, thread, share=0.3)
                        case _:
                            await store.touch("mine", source.sample(ids, 8), parts.clock.now())
                except ConflictError:
                    pass

        async with asyncio.timeout(60):
            await asyncio.gather(*(busy(seed) for seed in range(12)))
        for thread in ("t0", "t1", "t2"):
            ledger, rungs = await store.rungs("mine", thread, budgets=budgets)
            check_ledger(ledger, rungs)
    finally:
        await store.aclose()
