"""The background worker: finishes what adds leave pending, and writes down what was read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from ..core.errors import PalimpsestError
from ..core.jobs import JobRunner
from ..core.ports import Store
from ..core.usage import UsageLog

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
"""Between two looks for jobs that another process left behind."""


class Worker:
    """One task that works the jobs of the namespaces served: at once after an add, else every few seconds."""

    def __init__(
        self,
        *,
        runner: JobRunner,
        store: Store,
        usage: UsageLog,
        namespaces: Sequence[str],
        drain_seconds: float,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """Nothing runs before ``start``."""
        self._runner = runner
        self._store = store
        self._usage = usage
        self._namespaces = tuple(namespaces)
        self._drain_seconds = drain_seconds
        self._every_seconds = every_seconds
        self._woken = asyncio.Event()
        self._stopping = False
        self._failing: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work in the background."""
        self._task = asyncio.create_task(self._run(), name="palimpsest-worker")
        # Another process may have died with work undone.
        self.wake()

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def aclose(self) -> None:
        """Work on for at most ``drain_seconds``, then stop; what is left undone is done by whoever comes next."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self.wake()
        await asyncio.wait([task], timeout=self._drain_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._attempt("usage", self._usage.flush(self._store))

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            for namespace in self._namespaces:
                await self._attempt(f"jobs of {namespace}", self._runner.drain(namespace))
            await self._attempt("usage", self._usage.flush(self._store))
            if self._stopping:
                return
            try:
                await asyncio.wait_for(self._woken.wait(), self._every_seconds)
            except TimeoutError:
                continue

    async def _attempt(self, what: str, work: Awaitable[int]) -> None:
        failure = ""
        try:
            await work
        except PalimpsestError as error:
            # A database that is gone would otherwise fill the log every few seconds.
            failure = str(error)
            if self._failing.get(what) != failure:
                _log.warning("background work waits (%s): %s", what, error)
        except Exception as error:
            failure = repr(error)
            if self._failing.get(what) != failure:
                _log.exception("background work failed (%s)", what)
        self._failing[what] = failure
