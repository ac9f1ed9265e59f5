"""Many workers in several processes take the same tasks: how often each was worked, and what became of a killed one.

``python -m palimpsest.bench.tasks`` prints the counts, and fails where one is not what it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from palimpsest.core.calls import Caller, NewTask, TaskEdit
from palimpsest.core.clock import SystemClock
from palimpsest.core.handoff import Packets
from palimpsest.core.models import UNFINISHED, Event
from palimpsest.core.people import People
from palimpsest.core.tasks import Tasks
from palimpsest.slm.tokens import choose_counter
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, stop
from palimpsest.storage.postgres import PostgresStore, open_store

NAMESPACE = "bench"
_WAIT_SECONDS = 0.05
_EVENTS = 1_000_000
# Whether a task is blocked and what it depends on must agree at every moment that anybody can see.
_TORN = """
    SELECT count(*) FROM palimpsest.tasks t CROSS JOIN LATERAL (
        SELECT count(*) AS waits FROM palimpsest.task_dependencies d
        JOIN palimpsest.tasks o ON o.namespace_id = d.namespace_id AND o.task_id = d.depends_on
        WHERE d.namespace_id = t.namespace_id AND d.task_id = t.task_id AND o.status <> 'done') AS w
    WHERE t.namespace_id = $1 AND (t.status = 'blocked') <> (w.waits > 0)
"""

TOLERANCE_SECONDS = 0.05
"""A claim's lease begins with its statement, its event is written a moment later."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: ``connect`` are arguments of ``asyncpg.connect``; who claims ``abandoned`` tasks is killed."""

    connect: Mapping[str, Any]
    embedding_model: str = "none/1"
    tasks: int = 1000
    processes: int = 4
    workers: int = 4
    abandoned: int = 3
    lease_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: tasks by how often they were worked, and times in seconds."""

    tasks: int
    dependent: int
    workers: int
    done: int
    worked: Mapping[int, int]
    early: int
    unblocked: int
    torn: int
    moments: int
    returned: Sequence[float]
    lease: float
    seconds: float
    agents: int

    @property
    def right(self) -> bool:
        """Whether everything is as it must be."""
        return (
            self.done == self.tasks
            and self.worked == {1: self.tasks}
            and (self.early, self.torn, self.unblocked) == (0, 0, self.dependent)
            and all(after >= self.lease - TOLERANCE_SECONDS for after in self.returned)
        )


@asynccontextmanager
async def _opened(plan: Plan, size: int) -> AsyncGenerator[tuple[PostgresStore, Tasks], None]:
    store = await open_store(
        plan.connect, embedding_model=plan.embedding_model, dimensions=384, pool_size=size, label="bench"
    )
    try:
        people = People(store=store, clock=SystemClock())
        packets = Packets(store=store, counter=choose_counter("estimate"), decisions=people.decisions)
        yield store, Tasks(store=store, packets=packets, lease=timedelta(seconds=plan.lease_seconds))
    finally:
        await store.aclose()


async def run(plan: Plan) -> Outcome:
    """Make the tasks, let a worker die over some of them, let the others work all, and look what happened."""
    async with _opened(plan, 4) as (store, tasks):
        depends_on = await _make(tasks, plan)
        abandoned = await _abandon(plan)
        begun = time.monotonic()
        started = [await _start(plan, "work", number) for number in range(plan.processes)]
        looking = asyncio.create_task(_look(plan))
        outputs = await asyncio.gather(*(process.communicate() for process in started))
        seconds = time.monotonic() - begun
        looking.cancel()
        (torn, moments) = (await asyncio.gather(looking))[0]
        finished = [json.loads(line) for output, _ in outputs for line in output.splitlines()]
        times = Counter(line["task_id"] for line in finished)
        events = await store.events(NAMESPACE, _EVENTS)
        counts = await tasks.counts(Caller(NAMESPACE, "bench"))
    return Outcome(
        tasks=len(depends_on),
        dependent=sum(bool(others) for others in depends_on.values()),
        workers=plan.processes * plan.workers,
        done=counts.get("done", 0),
        worked=Counter(times[task_id] for task_id in depends_on),
        early=_early(events, depends_on),
        unblocked=sum(line["unblocked"] for line in finished),
        torn=torn,
        moments=moments,
        returned=_returned(events, abandoned),
        lease=plan.lease_seconds,
        seconds=seconds,
        agents=len({line["agent"] for line in finished}),
    )


async def _make(tasks: Tasks, plan: Plan) -> dict[str, tuple[str, ...]]:
    """Make the tasks, every third of which waits for one or two before it; return what each depends on."""
    chance = random.Random(1)
    made: dict[str, tuple[str, ...]] = {}
    for number in range(plan.tasks):
        others = tuple(chance.sample(list(made), chance.choice((1, 2)))) if number % 3 == 2 else ()
        new = NewTask(f"task {number}", priority=chance.randrange(11), depends_on=others)
        receipt = await tasks.create(Caller(NAMESPACE, "bench"), new)
        made[receipt.task.task_id] = others
    return made


async def _start(plan: Plan, mode: str, number: int) -> asyncio.subprocess.Process:
    arguments = json.dumps({"mode": mode, "number": number, "plan": asdict(plan)})
    command = (sys.executable, "-m", "palimpsest.bench.tasks", "--process", arguments)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def _abandon(plan: Plan) -> list[str]:
    """Let a worker claim tasks and kill it with SIGKILL; return their ids."""
    process = await _start(plan, "abandon", 0)
    assert process.stdout is not None
    try:
        lines = [await process.stdout.readline() for _ in range(plan.abandoned)]
    finally:
        process.kill()
        await process.wait()
    return [json.loads(line)["task_id"] for line in lines]


async def _look(plan: Plan) -> tuple[int, int]:
    """Count tasks that are blocked without cause, or free too soon, at many moments, until cancelled."""
    torn = moments = 0
    connection = await asyncpg.connect(**plan.connect)
    try:
        while True:
            torn += await connection.fetchval(_TORN, NAMESPACE)
            moments += 1
            await asyncio.sleep(_WAIT_SECONDS)
    except asyncio.CancelledError:
        return torn, moments
    finally:
        connection.terminate()


def _early(events: Sequence[Event], depends_on: Mapping[str, Sequence[str]]) -> int:
    """Count claims that came before the finish of what the task depends on."""
    ends = {event.subject_id: event.at for event in events if event.action == "finish"}
    claims = [event for event in events if event.action == "claim"]
    return sum(any(ends[other] > claim.at for other in depends_on[claim.subject_id]) for claim in claims)


def _returned(events: Sequence[Event], abandoned: Sequence[str]) -> list[float]:
    """Return after how many seconds each abandoned task was claimed by somebody else."""
    claims: defaultdict[str, list[datetime]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.event_id):
        if event.action == "claim":
            claims[event.subject_id].append(event.at)
    return [(second - first).total_seconds() for first, second in (claims[task_id] for task_id in abandoned)]


async def work(plan: Plan, mode: str, number: int) -> None:
    """Be one process: its workers claim and finish until nothing is left, or claim and wait to be killed."""
    async with _opened(plan, plan.workers) as (_, tasks):
        if mode == "abandon":
            for _ in range(plan.abandoned):
                receipt = await tasks.update(Caller(NAMESPACE, "doomed"), None, TaskEdit(status="claimed"))
                assert receipt is not None
                print(json.dumps({"task_id": receipt.task.task_id}), flush=True)
            await asyncio.Event().wait()
        names = [f"worker {number}-{place}" for place in range(plan.workers)]
        await asyncio.gather(*(_worker(tasks, Caller(NAMESPACE, name)) for name in names))


async def _worker(tasks: Tasks, caller: Caller) -> None:
    while True:
        claimed = await tasks.update(caller, None, TaskEdit(status="claimed"))
        if claimed is None:
            counts = await tasks.counts(caller)
            if not any(counts.get(status) for status in UNFINISHED):
                return
            await asyncio.sleep(_WAIT_SECONDS)
            continue
        task_id = claimed.task.task_id
        done = await tasks.update(caller, task_id, TaskEdit(status="done", note=f"by {caller.actor}"))
        assert done is not None
        line = {"task_id": task_id, "agent": caller.actor, "unblocked": len(done.unblocked)}
        print(json.dumps(line), flush=True)


def show(outcome: Outcome) -> None:
    """Print what came of it."""
    once = outcome.worked.get(1, 0)
    waits = ", ".join(f"{after:.1f}" for after in sorted(outcome.returned))
    print(f"{outcome.tasks} tasks, {outcome.dependent} of which depend on others; {outcome.workers} workers")
    print(f"done {outcome.done}; worked exactly once {once}, otherwise {outcome.tasks - once}")
    print(f"claimed before what they depend on was done: {outcome.early}")
    print(f"opened by the finish that they waited for: {outcome.unblocked}")
    print(f"tasks seen blocked without cause or free too soon: {outcome.torn}, in {outcome.moments} looks")
    print(f"abandoned by a killed worker: claimed again after {waits} s, with leases of {outcome.lease:g} s")
    print(f"{outcome.agents} workers took part; {outcome.seconds:.1f} s, {outcome.tasks / outcome.seconds:.0f} tasks/s")


async def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench, or be one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--process", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.process is not None:
        told = json.loads(given.process)
        await work(Plan(**told["plan"]), told["mode"], told["number"])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        config = EmbeddedConfig(data_dir=Path(folder) / "data", idle_seconds=0)
        async with EmbeddedServer(config) as endpoint:
            outcome = await run(Plan(asdict(endpoint), tasks=given.tasks))
            show(outcome)
        # The folder is deleted next, and the server must not be writing to it then.
        while not await stop(config):
            await asyncio.sleep(0.05)
    return 0 if outcome.right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
