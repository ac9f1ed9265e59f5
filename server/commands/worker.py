"""The command `worker`: a process that works what is left for later and serves nobody."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress

from ...core.models import JOB_KINDS, JobKind
from ...core.runner import Outcome
from ..app import Application
from ..logs import configure_logging
from ..settings import Settings
from ..stdio import stop_on_signals
from ..workers import EVERY_SECONDS, Worker

_SHOWN: tuple[Outcome, ...] = ("done", "fallback", "failed", "postponed", "dead")


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Work until a signal comes or, ``--once``, until nothing is due; exit code 1 when that left a job dead.

    Raises:
        StoreError: the database cannot be reached at the start.
        SettingsError: it is unsuitable.
    """
    configure_logging(settings.log_level)
    stopped = asyncio.Event()
    stop_on_signals(stopped.set)
    async with Application(settings) as application:
        worker = (await application.parts()).worker
        if arguments.retry_dead:
            await retry_dead(application, settings.namespace)
        if not arguments.once:
            print(f"Working the jobs of {settings.namespace}; a signal stops it.", file=sys.stderr, flush=True)
            await work_on(application, stopped)
            return 0
        await work_off(worker, stopped)
    print("\n".join(tally_lines(worker.tally)))
    for failure in worker.failing:
        print(f"palimpsest: {failure}", file=sys.stderr)
    return 1 if worker.failing or any(outcome == "dead" for _, outcome in worker.tally) else 0


async def retry_dead(application: Application, namespace: str) -> None:
    """Give dead jobs another go and say how many they are."""
    parts = await application.parts()
    given = await parts.store.retry_dead(namespace)
    parts.worker.wake()
    print(f"Dead jobs that are tried again: {given}.")


async def work_on(application: Application, stopped: asyncio.Event) -> None:
    """Let the worker run until it is stopped; a bundled PostgreSQL that died is started again.

    Raises:
        StoreError: it cannot be started again.
    """
    while not stopped.is_set():
        if (await application.parts()).worker.out_of_reach:
            application.lose()
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await stopped.wait()


async def work_off(worker: Worker, stopped: asyncio.Event) -> None:
    """Work until nothing is due, or until it is stopped."""
    idle = asyncio.ensure_future(worker.idle())
    stopped_first = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([idle, stopped_first], return_when=asyncio.FIRST_COMPLETED)
    finally:
        idle.cancel()
        stopped_first.cancel()
        await asyncio.gather(idle, stopped_first, return_exceptions=True)


def tally_lines(tally: Mapping[tuple[JobKind, Outcome], int]) -> list[str]:
    """Return a line a kind that was worked, or one that says that nothing was."""
    lines: list[str] = []
    for kind in JOB_KINDS:
        counts = {outcome: tally.get((kind, outcome), 0) for outcome in _SHOWN}
        if any(counts.values()):
            lines.append(f"{kind}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count))
    return lines or ["Nothing was due."]
