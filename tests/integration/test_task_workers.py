"""Workers in several processes, one of which is killed: each task is worked once."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from palimpsest.bench.tasks import TOLERANCE_SECONDS, Plan, run, show

from ..conftest import MODEL

LEASE_SECONDS = 8.0
"""Longer than a worker that lives is ever kept from its task by other tests."""


async def test_each_task_is_worked_once_and_a_killed_worker_s_come_back(
    database: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(database, MODEL, tasks=120, processes=4, workers=4, abandoned=2, lease_seconds=LEASE_SECONDS)
    outcome = await run(plan)
    # A process that runs a share of the tests has no standard output.
    with capsys.disabled(), contextlib.redirect_stdout(sys.stderr):
        print()
        show(outcome)
    assert (outcome.done, outcome.worked) == (120, {1: 120})
    assert (outcome.dependent, outcome.unblocked) == (40, 40)
    assert (outcome.early, outcome.torn) == (0, 0)
    assert outcome.moments > 3
    assert len(outcome.returned) == 2
    assert min(outcome.returned) >= LEASE_SECONDS - TOLERANCE_SECONDS
    assert outcome.agents > 4
    assert outcome.right
