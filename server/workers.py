"""The background worker: finishes what is left for later, and writes down what was read."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..core.errors import PalimpsestError, StoreUnavailableError
from ..core.models import JobKind
from ..core.ports import Store
from ..core.runner import Outcome, Runner, Worked
from ..core.usage import UsageLog

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
"""Between two looks for jobs that are due by now, or that another process left behind."""


@dataclass(slots=True)
class _Lane:
    """What is done again and again, beside the other lanes."""

    turn: Callable[[], Awaitable[None]]
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])

    def tell(self, waiting: Sequence[asyncio.Future[None]]) -> None:
        """Let those go on who wait for a turn."""
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Worker:
    """Works the jobs of the namespaces served: at once when woken, else every few seconds.

    Each runner has a lane of its own, so that slow work holds up no other kind; in a lane the namespaces take turns,
    one job each.
    """

    def __init__(
        self,
        *,
        runner: Runner,
        store: Store,
        usage: UsageLog,
        namespaces: Sequence[str],
        drain_seconds: float,
        every_seconds: float = EVERY_SECONDS,
        beside: Sequence[Runner] = (),
        settle: Callable[[str], Awaitable[int]] | None = None,
    ) -> None:
        """Nothing runs before ``start``; ``beside`` are further runners, each with kinds and an owner of its own.

        ``settle`` does for a namespace what only needs time to have passed.
        """
        self._store = store
        self._usage = usage
        self._namespaces = tuple(namespaces)
        self._drain_seconds = drain_seconds
        self._every_seconds = every_seconds
        self._lanes = [self._lane(one) for one in (runner, *beside)] + [_Lane(self._note_usage)]
        if settle is not None:
            self._lanes.append(self._settling(settle))
        self._stopping = False
        self._failing: dict[str, str] = {}
        self._out_of_reach: set[str] = set()
        self._tally: Counter[tuple[JobKind, Outcome]] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def tally(self) -> Mapping[tuple[JobKind, Outcome], int]:
        """Return how many attempts ended how, by kind, since the start."""
        return self._tally

    @property
    def failing(self) -> Sequence[str]:
        """Return what the background work waits for, a sentence each; empty when it works."""
        return [failure for failure in self._failing.values() if failure]

    @property
    def out_of_reach(self) -> bool:
        """Whether the store could not be reached when it was last needed."""
        return bool(self._out_of_reach)

    def start(self) -> None:
        """Begin to work in the background."""
        self._tasks = [asyncio.create_task(self._run(lane), name="palimpsest-worker") for lane in self._lanes]
        # Another process may have died with work undone.
        self.wake()

    def wake(self) -> None:
        """Look for work now."""
        for lane in self._lanes:
            lane.woken.set()

    async def idle(self) -> None:
        """Wait until nothing is due that was when this was called, or the worker was closed; it must have started."""
        loop = asyncio.get_running_loop()
        done = [loop.create_future() for _ in self._lanes]
        for lane, future in zip(self._lanes, done, strict=True):
            lane.waiting.append(future)
        self.wake()
        await asyncio.gather(*done)

    async def aclose(self) -> None:
        """Work on for at most ``drain_seconds``, then stop; what is left undone is done by whoever comes next."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        self._stopping = True
        self.wake()
        await asyncio.wait(tasks, timeout=self._drain_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for lane in self._lanes:
            lane.tell(lane.waiting)
        await self._note_usage()

    def _lane(self, runner: Runner) -> _Lane:
        async def turn() -> None:
            kinds = ", ".join(runner.kinds)
            due = list(self._namespaces)
            while due:
                due = [one for one in due if await self._attempt(f"{kinds} of {one}", self._work(runner, one))]

        return _Lane(turn)

    def _settling(self, settle: Callable[[str], Awaitable[int]]) -> _Lane:
        async def turn() -> None:
            for namespace in self._namespaces:
                await self._attempt(f"deadlines of {namespace}", settle(namespace))

        return _Lane(turn)

    async def _run(self, lane: _Lane) -> None:
        while True:
            lane.woken.clear()
            waiting, lane.waiting = lane.waiting, []
            await lane.turn()
            lane.tell(waiting)
            if self._stopping:
                return
            # Not wait_for, which forgets that it was cancelled when the event is set in the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await lane.woken.wait()

    async def _work(self, runner: Runner, namespace: str) -> bool:
        worked = await runner.run_one(namespace)
        if worked is not None:
            self._tally[worked.job.kind, worked.outcome] += 1
            _report(namespace, worked)
        return worked is not None

    async def _note_usage(self) -> None:
        await self._attempt("usage", self._usage.flush(self._store))

    async def _attempt(self, what: str, work: Awaitable[int]) -> bool:
        """Say whether something was done; failures are logged and outlived."""
        failure, done = "", False
        self._out_of_reach.discard(what)
        try:
            done = await work > 0
        except PalimpsestError as error:
            failure = str(error)
            if isinstance(error, StoreUnavailableError):
                self._out_of_reach.add(what)
            # A database that is gone would otherwise fill the log every few seconds.
            if self._failing.get(what) != failure:
                _log.warning("background work waits (%s): %s", what, error)
        except Exception as error:
            failure = repr(error)
            if self._failing.get(what) != failure:
                _log.exception("background work failed (%s)", what)
        self._failing[what] = failure
        return done


def _report(namespace: str, worked: Worked) -> None:
    job = worked.job
    if worked.unforeseen is not None:
        _log.error("%s job %d of %s failed", job.kind, job.job_id, namespace, exc_info=worked.unforeseen)
    if worked.outcome == "dead":
        _log.error("%s job %d of %s is given up: %s", job.kind, job.job_id, namespace, worked.error)
    elif worked.outcome == "fallback":
        _log.info("%s job %d of %s leaves what was there: %s", job.kind, job.job_id, namespace, worked.error)
    elif worked.outcome == "failed":
        _log.info("%s job %d of %s is tried again later: %s", job.kind, job.job_id, namespace, worked.error)
