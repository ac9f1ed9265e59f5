"""Ten thousand random operations over six windows, with the ledger checked after each."""

import random

from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock
from ..ladder_operations import Driver, budget_of
from .parts import ME, build_parts

OPERATIONS = 10_000


async def test_after_every_one_of_10000_operations_the_ledger_is_exact_and_no_thread_is_over_its_trigger() -> None:
    clock = HandClock()
    store = InMemoryStore(clock)
    parts = build_parts(store=store, clock=clock, budgets=budget_of)
    # Ten memories of a thousand operations each: checking costs with the number of items.
    done = refused = steps = 0
    for seed in range(10):
        me = ME if seed == 0 else type(ME)(f"mine-{seed}", "me")
        driver = Driver(parts.services, store, clock, me, random.Random(seed))
        await driver.run(OPERATIONS // 10)
        done += OPERATIONS // 10
        refused += driver.refusals
        steps += driver.steps
    assert done == OPERATIONS
    assert steps > 500, "too little stepped down for this to prove anything"
    assert refused < done / 4, "too much was refused for this to prove anything"
