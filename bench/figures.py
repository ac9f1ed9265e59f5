"""Timing a coroutine many times, and printing what came out."""

import asyncio
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of repeated calls: median, 95th percentile, least."""

    p50: float
    p95: float
    least: float
    runs: int

    def __str__(self) -> str:
        return f"p50 {self.p50:8.3f} ms   p95 {self.p95:8.3f} ms   least {self.least:8.3f} ms   ({self.runs} runs)"


Timings = dict[str, Timing]
Numbers = dict[str, float]


def summarize(seconds: Sequence[float]) -> Timing:
    """Return the timing of measured durations in seconds."""
    ordered = sorted(value * 1000 for value in seconds)
    place = min(len(ordered) - 1, int(0.95 * len(ordered)))
    return Timing(statistics.median(ordered), ordered[place], ordered[0], len(ordered))


async def alternate(calls: Mapping[str, Call], runs: int, *, warm: int = 5) -> Timings:
    """Time several calls in turn, so that whatever else the machine does falls on all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for run in range(-warm, runs):
        for name, call in calls.items():
            start = time.perf_counter()
            await call(run)
            if run >= 0:
                taken[name].append(time.perf_counter() - start)
        await asyncio.sleep(0)
    return {name: summarize(values) for name, values in taken.items()}


async def at_once(call: Call, runs: int, clients: int) -> tuple[Timing, float]:
    """Make the calls 0 to ``runs`` by several clients, each one after another: their timing, calls a second."""
    waiting: Iterator[int] = iter(range(runs))
    taken: list[float] = []

    async def client() -> None:
        for run in waiting:
            start = time.perf_counter()
            await call(run)
            taken.append(time.perf_counter() - start)

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return summarize(taken), runs / (time.perf_counter() - begin)


def show(title: str, timings: Mapping[str, Timing]) -> None:
    """Print timings under a title."""
    print(f"\n{title}")
    for name, timing in timings.items():
        print(f"  {name:<52} {timing}")


def show_numbers(title: str, numbers: Mapping[str, float]) -> None:
    """Print numbers under a title."""
    print(f"\n{title}")
    for name, number in numbers.items():
        print(f"  {name:<52} {number:12,.2f}")


def hardware() -> str:
    """Return a line that says what the figures were taken on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {model or platform.machine()}, {memory:.0f} GB, {platform.platform(terse=True)}, "
        f"Python {platform.python_version()}; load average {os.getloadavg()[0]:.1f}"
    )
