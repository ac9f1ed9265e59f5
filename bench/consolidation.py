"""Consolidation under faults: is any source lost?

``python -m palimpsest.bench.consolidation`` tells families of statements, changes some behind consolidation's back, and
consolidates 300 times, each time under a fault: the model answers garbage, another form, nothing or endless white
space, or not in time; and every other time the connection to PostgreSQL is cut at the n-th message, before or after the
server has it. After each ten it compares every text with what was told, byte for byte, and every account with its
items; in the end it consolidates undisturbed until nothing is left to do.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import open_store
from palimpsest.tests.consolidation_faults import Outcome, build_scene, disturbed
from palimpsest.tests.fakes import DIMENSIONS, MODEL
from palimpsest.tests.integration.cutting import cutting


def report(outcome: Outcome, faults: int) -> str:
    """Write the counts."""
    told = ", ".join(f"{name} {count}" for name, count in outcome.answers.items())
    return "\n".join(
        [
            f"faults injected                         {faults}",
            f"the model's answers                     {told}",
            f"connections cut, runs that this ended   {outcome.cuts}, {outcome.crashes}",
            f"texts told and read again byte for byte {outcome.texts}, none lost",
            f"folds of the last 1,000 events, and items merged in all  {outcome.folded}, {outcome.merged}",
            f"steps left after an undisturbed run     {outcome.left}",
        ]
    )


async def measure(faults: int, seed: int) -> Outcome:
    """Measure over an embedded PostgreSQL in a folder of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, tempfile.TemporaryDirectory() as sockets:
        config = EmbeddedConfig(data_dir=Path(folder), idle_seconds=0)
        async with EmbeddedServer(config) as endpoint:
            connect = asdict(endpoint)
            safe = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
            async with cutting(connect, Path(sockets)) as (cutter, through):
                store = await open_store(through, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
                try:
                    outcome = await disturbed(build_scene(store, safe, seed), cutter, faults=faults)
                finally:
                    await store.aclose()
                    await safe.aclose()
        await stop(config)
    return outcome


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    print(report(asyncio.run(measure(given.faults, given.seed)), given.faults))
    print(f"in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
