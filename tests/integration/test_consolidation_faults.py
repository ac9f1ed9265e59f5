"""Consolidation whose model fails and whose connection is cut at every step: no source is lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from palimpsest.storage.postgres import open_store

from ..consolidation_faults import FAULTS, build_scene, disturbed
from ..fakes import DIMENSIONS, MODEL
from .cutting import cutting


async def test_after_40_faults_no_source_is_lost_and_the_work_ends(database: Mapping[str, Any]) -> None:
    safe = await open_store(database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
    # The path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="cut-") as folder:
        async with cutting(database, Path(folder)) as (cutter, through):
            store = await open_store(through, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
            try:
                outcome = await disturbed(build_scene(store, safe, seed=3), cutter, faults=40)
            finally:
                await store.aclose()
                await safe.aclose()
    assert outcome.crashes > 8
    assert min(outcome.answers[fault] for fault in FAULTS) > 0
    assert outcome.left == 0, "an undisturbed run finds nothing more to do after another one"
    assert min(outcome.folded, outcome.merged) > 0


async def test_of_two_at_once_one_does_each_step_and_no_text_is_lost(database: Mapping[str, Any]) -> None:
    stores = [await open_store(database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=2) for _ in range(2)]
    try:
        scenes = [build_scene(store, stores[0], seed=1) for store in stores]
        for _ in range(4):
            await scenes[0].tell()
        reports = await asyncio.gather(*(scene.consolidation.run("mine", everything=True) for scene in scenes))
        await scenes[0].check()
        merged = await stores[0].merged("mine")
        rest = await scenes[0].consolidation.run("mine", everything=True)
    finally:
        for store in stores:
            await store.aclose()
    assert sum(len(report.merged) for report in reports) == len(merged) == 4
    folded = [name for report in reports for one in report.folded for name in one.other_ids]
    assert len(folded) == len(set(folded)) == 4
    assert (rest.folded, rest.merged) == ([], [])
