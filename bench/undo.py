"""Does every change come back? Random changes, each undone, with the state compared before and after.

``python -m palimpsest.bench.undo`` does 500 changes of every kind on an embedded PostgreSQL, takes some back on the way
and the rest in the end, newest first, and says how many of which kind came back to an equal state.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from palimpsest.core.calls import Caller
from palimpsest.core.state_hash import state_hash
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import open_store
from palimpsest.tests.fakes import DIMENSIONS, MODEL
from palimpsest.tests.undo_operations import Changer, budget_of
from palimpsest.tests.unit.parts import build_parts

BACK_ON_THE_WAY = 0.2
"""How often the newest change is taken back at once."""


async def measure(changes: int, seed: int) -> None:
    """Change, take back, and print the counts."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = EmbeddedConfig(data_dir=Path(folder), idle_seconds=0)
        async with EmbeddedServer(config) as endpoint:
            store = await open_store(asdict(endpoint), embedding_model=MODEL, dimensions=DIMENSIONS)
            try:
                parts = build_parts(store=store, budgets=budget_of)
                changer = Changer(parts.services, store, Caller("undo"), random.Random(seed))
                empty = await state_hash(store, "undo")
                undone = await _run(changer, changes)
                equal = await state_hash(store, "undo") == empty
                events = len(await parts.memory.events(changer.caller, 1000))
            finally:
                await store.aclose()
        await stop(config)
    print(f"{sum(undone.values())} changes were undone, each to an equal state: {dict(undone.most_common())}")
    print(f"{changer.steps} items stepped down because of them; {events} lines of history (1,000 are shown at most)")
    print(f"the state at the end equals that of the beginning: {equal}; {time.perf_counter() - start:.0f} s")


async def _run(changer: Changer, changes: int) -> Counter[str]:
    undone: Counter[str] = Counter()
    made = 0
    while made < changes:
        made += await changer.change() is not None
        if changer.done and changer.random.random() < BACK_ON_THE_WAY:
            undone[(await changer.take_back()).name] += 1
    while changer.done:
        undone[(await changer.take_back()).name] += 1
    return undone


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(measure(given.changes, given.seed))
