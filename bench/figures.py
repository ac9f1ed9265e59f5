"""Timing a coroutine many times, and printing what came out."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of repeated calls: median, 95th percentile, least."""

    p50: float
    p95: float
    least: float
    runs: int

    def __str__(self) -> str:
        return f"p50 {self.p50:8.3f} ms   p95 {self.p95:8.3f} ms   least {self.least:8.3f} ms   ({self.runs} runs)"


def summarize(seconds: Sequence[float]) -> Timing:
    """Return the timing of measured durations in seconds."""
    ordered = sorted(value * 1000 for value in seconds)
    place = min(len(ordered) - 1, int(0.95 * len(ordered)))
    return Timing(statistics.median(ordered), ordered[place], ordered[0], len(ordered))


async def alternate(
    calls: dict[str, Callable[[int], Awaitable[object]]], runs: int, *, warm: int = 5
) -> dict[str, Timing]:
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


def show(title: str, timings: dict[str, Timing]) -> None:
    """Print timings under a title."""
    print(f"\n{title}")
    for name, timing in timings.items():
        print(f"  {name:<52} {timing}")
