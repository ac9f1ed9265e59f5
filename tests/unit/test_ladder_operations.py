"""Thousands of random operations over six windows, with the ledger checked after each."""

import os
import random

from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock
from ..ladder_operations import Driver, budget_of
from .parts import ME, build_parts

OPERATIONS = int(os.environ.get("LADDER_OPERATIONS", "2500"))
"""In all; 10,000 take some minutes."""
MEMORIES = max(1, OPERATIONS // 500)


async def test_after_every_operation_the_ledger_is_exact_and_no_thread_is_over_its_trigger() -> None:
    clock = HandClock()
    store = InMemoryStore(clock)
    parts = build_parts(store=store, clock=clock, budgets=budget_of)
    # Memories of a few hundred operations each: checking costs with the number of items.
    done = refused = steps = 0
    for seed in range(MEMORIES):
        me = ME if seed == 0 else type(ME)(f"mine-{seed}", "me")
        driver = Driver(parts.services, store, clock, me, random.Random(seed))
        await driver.run(OPERATIONS // MEMORIES)
        done += OPERATIONS // MEMORIES
        refused += driver.refusals
        steps += driver.steps
    assert done == OPERATIONS
    assert steps > OPERATIONS // 20, "too little stepped down for this to prove anything"
    assert refused < done / 4, "too much was refused for this to prove anything"
