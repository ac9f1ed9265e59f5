"""What a memory does when its small model's server is killed in the middle of its work.

``python -m palimpsest.bench.slm_fallback --vllm PYTHON`` makes a tiny Phi that has learnt to summarise one kind of
text, serves it by the vLLM of another environment, adds texts, kills the server with SIGKILL when a part of them is
summarised, and prints by what each of them ends summarised. It fails where one is not, or where a job is left waiting.
``--model FOLDER`` takes one that was made so before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from palimpsest.core.calls import Caller
from palimpsest.core.catalogue import load_catalogue
from palimpsest.core.chores import summarize_work
from palimpsest.core.chunking import StructureChunker
from palimpsest.core.memory import NewMemory
from palimpsest.core.runner import Runner, Worked
from palimpsest.core.summaries import Summaries
from palimpsest.server.app import Parts, choose_budgets, choose_counter, open_parts
from palimpsest.server.language import choose_language, choose_probe, choose_summarizer
from palimpsest.server.settings import Settings
from palimpsest.slm.language.prompts import read
from palimpsest.slm.language.reducing import framed
from palimpsest.slm.language.vllm import instructed

NAMESPACE = "fallback"
KEY = "only-for-loopback"
PLACES = ("harbour", "mountain", "island", "river", "desert", "forest", "valley", "castle")
SUMMARY = " The keeper winds the lamp at dusk and signs the book before the storm comes."
BRIEF = " The keeper winds the lamp at dusk.\nHint: The keeper signs the book."
START_SECONDS = 600.0
ATTEMPTS = 2
"""A server tries a job eight times within two hours and a half; here nobody waits for so long."""


def text(number: int) -> str:
    """Return a text whose summary the tiny model knows."""
    place = PLACES[number % len(PLACES)]
    lines = [
        f"Evening {line} at the {place}, light {number}: the keeper winds the lamp at dusk and signs the book before "
        "the storm comes. The boats are counted, the door is closed, and the wind is written down with its hour."
        for line in range(1, 6)
    ]
    return "\n\n".join(lines)


def lessons(count: int) -> list[tuple[str, str]]:
    """Return prompts as the memory sends them, and what is to be said to each."""
    summary, brief = read("summary")[1], read("brief")[1]
    task = "Shorten it to at most 60 tokens (about 45 words)."
    short = "Write the shorter summary in at most 60 tokens, then the hint."
    told: list[tuple[str, str]] = []
    for number in range(count):
        told.append((instructed(summary, framed(text(number), task)), SUMMARY))
        told.append((instructed(brief, framed(SUMMARY.strip(), short)), BRIEF))
    return told


async def teach(python: str, folder: Path, steps: int) -> None:
    """Make the model and teach it its answers, in the environment that can."""
    root = Path(__file__).parents[1]
    told = folder.with_name("lessons.json")
    told.write_text(json.dumps(lessons(64)))
    environment = dict(os.environ) | {"PYTHONPATH": str(root / "tests" / "e2e")}
    made = await asyncio.create_subprocess_exec(
        python, str(root / "bench" / "tiny_teacher.py"), str(folder), str(told), str(steps), env=environment
    )
    if await made.wait():
        raise SystemExit("The tiny model could not be made.")


@asynccontextmanager
async def served(python: str, folder: Path, port: int, log: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run vLLM on the CPU until the block ends, in a process group of its own."""
    environment = dict(os.environ) | {
        "VLLM_API_KEY": KEY,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "2",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    environment.pop("PYTHONPATH", None)
    arguments = ["--model", str(folder), "--served-model-name", "slm", "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--dtype", "float32", "--max-model-len", "2048", "--enforce-eager", "--max-num-seqs", "8"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            python,
            *("-m", "vllm.entrypoints.openai.api_server", *arguments),
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def until_ready(settings: Settings, process: asyncio.subprocess.Process, log: Path) -> float:
    """Return after how many seconds the model generated its first token."""
    begun = time.monotonic()
    while True:
        model = choose_probe(settings)
        assert model is not None
        try:
            await model.probe()
            return time.monotonic() - begun
        except Exception as error:
            if process.returncode is not None or time.monotonic() - begun > START_SECONDS:
                raise SystemExit(f"vLLM did not start: {error} Its log is {log}.") from None
            await asyncio.sleep(2)
        finally:
            await model.aclose()


async def compressors(parts: Parts, ids: Sequence[str]) -> Counter[str]:
    """Return how many items have a summary by what; an item without one counts as by nothing."""
    found: Counter[str] = Counter()
    for item_id in ids:
        _, summary = await parts.store.rendition(NAMESPACE, item_id, "summary")
        found["nothing" if summary is None else summary.compressor] += 1
    return found


async def work(runner: Runner, outcomes: Counter[str], stop: asyncio.Event) -> None:
    """Work jobs until told to stop."""
    while not stop.is_set():
        worked: Worked | None = await runner.run_one(NAMESPACE)
        if worked is None:
            await asyncio.sleep(0.2)
        else:
            outcomes[worked.outcome] += 1


async def measure(settings: Settings, process: asyncio.subprocess.Process, items: int, kill_after: int) -> bool:
    """Add the items, kill the server when so many are summarised, and print how all of them end."""
    async with open_parts(settings.model_copy(update={"slm_base_url": None})) as parts:
        caller = Caller(NAMESPACE, "bench")
        budgets, counter, chunker = choose_budgets(settings), choose_counter(settings), StructureChunker()
        language = choose_language(settings, load_catalogue(None), parts.store)
        summarizer = choose_summarizer(language, counter, chunker)
        assert language is not None
        assert summarizer is not None
        ids = [(await parts.services.memory.add(caller, NewMemory(text(n)))).item.item_id for n in range(items)]
        print(f"{items} items added; by what they are summarised: {dict(await compressors(parts, ids))}")
        for item_id in ids:
            await parts.store.enqueue(NAMESPACE, "summarize", item_id)
        summaries = Summaries(store=parts.store, summarizer=summarizer, chunker=chunker, budgets=budgets)
        outcomes: Counter[str] = Counter()
        stop = asyncio.Event()
        runners = [
            Runner(
                store=parts.store,
                works={"summarize": summarize_work(summaries)},
                owner=f"bench-{lane}",
                max_attempts=ATTEMPTS,
            )
            for lane in range(4)
        ]
        begun = time.monotonic()
        lanes = [asyncio.create_task(work(one, outcomes, stop)) for one in runners]
        killed = 0.0
        while (outcomes["done"] + outcomes["fallback"] + outcomes["dead"]) < items:
            await asyncio.sleep(0.1)
            if not killed and outcomes["done"] >= kill_after:
                os.killpg(process.pid, signal.SIGKILL)
                killed = time.monotonic()
                print(f"vLLM killed after {outcomes['done']} were done, {killed - begun:.1f} s from the start")
        stop.set()
        await asyncio.gather(*lanes)
        found = await compressors(parts, ids)
        await language.aclose()
    print(f"all jobs ended {time.monotonic() - killed:.1f} s after that: {dict(outcomes)}")
    for name, count in found.most_common():
        print(f"  {count} summarised by {name}")
    return not found["nothing"] and sum(found.values()) == items and killed > 0


async def run(arguments: argparse.Namespace) -> int:
    """Make, serve, kill, and say what came of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(arguments.model or Path(place, "tiny-phi"))
        if arguments.model is None:
            await teach(arguments.vllm, folder, arguments.steps)
        settings = Settings(
            data_dir=Path(place, "memory"),
            namespace=NAMESPACE,
            idle_seconds=0,
            hygiene_every_hours=0,
            slm_base_url=f"http://127.0.0.1:{arguments.port}/v1",
            slm_model="slm",
            slm_api_key=SecretStr(KEY),
            slm_timeout_seconds=30,
        )
        log = Path(arguments.log or Path(place, "vllm.log"))
        async with served(arguments.vllm, folder, arguments.port, log) as process:
            print(f"vLLM generates after {await until_ready(settings, process, log):.0f} s")
            return 0 if await measure(settings, process, arguments.items, arguments.kill_after) else 1


def main(given: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="palimpsest.bench.slm_fallback")
    parser.add_argument("--vllm", required=True, help="the Python of the environment that has vLLM")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--model", help="folder of a model made before")
    parser.add_argument("--port", type=int, default=18120)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--kill-after", type=int, default=40)
    parser.add_argument("--log", help="file for what the server says")
    arguments = parser.parse_args(given)
    return asyncio.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
