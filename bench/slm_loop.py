"""The whole loop of learning with a real vLLM on a CPU and a tiny model: learn, serve, refuse to forget, roll back.

    python -m palimpsest.bench.slm_loop --python ENVIRONMENT/bin/python

The environment is what scripts/test-slm makes: vLLM for CPUs, torch, peft and trl. The memory is in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..core.clock import SystemClock
from ..core.learning.deployment import Deployment
from ..core.learning.gate import GateLimits
from ..core.learning.gathering import Gathering
from ..core.models import Adapter
from ..slm.learning.files import AdapterFolder
from ..slm.learning.host import VllmHost
from ..slm.learning.process import TrainerProcess
from ..slm.learning.training import Training, TrainingOptions
from ..slm.learning.wording import SummaryTeaching, completed
from ..storage.inmemory import InMemoryStore
from .slm_lessons import to_shorten, to_take_facts_from
from .slm_serving import make_tiny, serving

NAMESPACE = "loop"
QUESTION = "Shorten: In the morning Cleo brought 47 lamps to the tower, and went home."
JSON_QUESTION = "Facts: In the morning Cleo brought 47 lamps to the tower, and went home."


def say(*words: object) -> None:
    """Print at once."""
    print(*words, flush=True)


def show(adapter: Adapter) -> None:
    """Print what the gate saw and said."""
    for one in adapter.report.get("slices", ()):
        active = "" if one["active"] is None else f"  active {one['active']:6.3f}"
        say(
            f"  {one['kind']:8} {one['split']:6} n={one['examples']:3}  base {one['base']:6.3f}{active}"
            f"  new {one['candidate']:6.3f}"
        )
    say(f"  {adapter.report.get('steps')} steps in {adapter.report.get('seconds')} s, all told")
    say(f"  {adapter.name}: {adapter.state}. {adapter.reason or ''}")


async def loop(python: str, folder: Path, rows: int, epochs: float) -> None:
    """Run it."""
    model = await asyncio.to_thread(make_tiny, python, folder)
    store = InMemoryStore()
    adapters = AdapterFolder(folder / "adapters", str(model))
    teaching = SummaryTeaching(window=2048)
    gathering = Gathering(store=store, detector=None, teaching=teaching, own=(), consent=True)

    def training(replay: float | None = None) -> Training:
        return Training(
            store=store,
            clock=SystemClock(),
            folder=adapters,
            trainer=TrainerProcess(python=python, offline=True),
            template=completed,
            options=TrainingOptions(
                learning_rate=5e-3, dropout=0.0, epochs=epochs, batch=16, answer_tokens=28, replay=replay
            ),
            limits=GateLimits(least_held=rows // 16),
            told=stages(),
        )

    adapters.path.mkdir(parents=True)
    with serving(python, model, adapters.path) as address:
        say(f"vLLM answers at {address}")
        host = VllmHost(model="slm", api_key="key", base_url=f"{address}/v1", timeout_seconds=120, template=completed)
        deployment = Deployment(store=store, files=adapters, host=host, teaching=teaching)
        say("base says:", repr(await host.say("slm", "", QUESTION, max_tokens=24)))

        say(f"\n1. {rows} reports to shorten are learned")
        await gathering.take(NAMESPACE, to_shorten(rows), person="bench")
        first = (await training().train(NAMESPACE)).adapter
        show(first)
        await promoted(deployment, host, first.name, QUESTION)

        say(f"\n2. {rows} reports to take facts from are learned, and nothing of the first is replayed")
        await gathering.take(NAMESPACE, to_take_facts_from(rows), person="bench")
        show((await training(replay=0.0).train(NAMESPACE)).adapter)

        say("\n3. the same with replay")
        second = (await training().train(NAMESPACE)).adapter
        show(second)
        await promoted(deployment, host, second.name, QUESTION)
        say("it says:", repr(await host.say(second.name, "", JSON_QUESTION, max_tokens=40)))

        say("\n4. roll back")
        started = time.perf_counter()
        route = await deployment.roll_back(NAMESPACE, "to see whether it goes back")
        say(
            f"answering: {route.active}, after {(time.perf_counter() - started) * 1000:.0f} ms;"
            f" loaded: {sorted(await host.loaded())}"
        )
        say("it says:", repr(await host.say(str(route.active), "", QUESTION, max_tokens=24)))
        await host.aclose()


async def promoted(deployment: Deployment, host: VllmHost, name: str, question: str) -> None:
    """Promote an adapter, and print how long it took and what it says."""
    started = time.perf_counter()
    await deployment.load(NAMESPACE, name)
    say(f"  loaded in {(time.perf_counter() - started) * 1000:.0f} ms, checking its files included")
    result = await deployment.promote(NAMESPACE, name)
    say(f"  promoted after {(time.perf_counter() - started) * 1000:.0f} ms, three trial questions included")
    say(f"  answering: {result.route.active}")
    say("it says:", repr(await host.say(name, "", question, max_tokens=24)))


def stages() -> Callable[[str], None]:
    """Print each stage once."""
    seen: set[str] = set()

    def told(stage: str) -> None:
        name = stage.partition(" (")[0]
        if name not in seen:
            seen.add(name)
            say(f"  ... {name}")

    return told


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--epochs", type=float, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(loop(given.python, Path(folder), given.rows, given.epochs))


if __name__ == "__main__":
    main()
