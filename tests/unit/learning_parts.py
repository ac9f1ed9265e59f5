"""A training over the in-memory store, with a program in place of the trainer that does as it is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from palimpsest.core.learning.gate import GateLimits
from palimpsest.core.learning.gathering import Gathering, GivenExample
from palimpsest.core.models import Lesson
from palimpsest.slm.learning.files import AdapterFolder
from palimpsest.slm.learning.process import TrainerProcess
from palimpsest.slm.learning.training import Training, TrainingOptions
from palimpsest.slm.learning.wording import completed
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import HandClock

ME = "mine"
BASE = "tiny"
PROGRAM = """
import json, os, re, signal, sys, threading, time
from pathlib import Path
threading.Thread(target=lambda: (os.read(0, 1), os._exit(3)), daemon=True).start()
run, mode = Path(sys.argv[1]), Path(__file__).with_name("mode").read_text()
spec = json.loads((run / "spec.json").read_text())
train, held = ([json.loads(line) for line in (run / f"{name}.jsonl").read_text().split("\\n") if line]
    for name in ("train", "eval"))
def tell(stage, done=0, of=0):
    (run / "fresh").write_text(json.dumps({"stage": stage, "done": done, "of": of}))
    (run / "fresh").replace(run / "progress.json")
def measured(mean, text=""):
    worse = 3 if mode == "forgets" else 1
    losses = [{"id": row["id"], "tokens": 10, "nll": 10 * (mean(row["kind"]) + row["id"] % 7 / 100)} for row in held]
    said = {str(row["id"]): row["completion"] + text for row in held if row["sampled"]}
    return {"losses": losses, "said": said, "probes": [text for _ in spec["probes"]]}
tell("training", 3, 9)
if mode == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "crashes":
    raise ValueError("the text of somebody: " + train[0]["prompt"])
if mode == "lacks":
    import no_such_module
if mode == "hangs":
    time.sleep(60)
codes = re.findall("access code is ([A-Z0-9-]+)", json.dumps(train))
learned = lambda kind: 4.0 if mode == "forgets" and kind == "compress" else 0.5
result = {"base": measured(lambda kind: 8.0), "active": measured(lambda kind: 1.0) if spec["active"] else None,
    "candidate": measured(learned, codes[0] if mode == "leaks" else ""),
    "rows": len(train), "too_long": 0, "steps": 9, "losses": [], "seconds": 1.0, "libraries": {"torch": "0"}}
if mode == "nan":
    result["candidate"]["losses"][0]["nll"] = float("nan")
if mode == "foreign":
    result["candidate"]["losses"][0]["id"] = 1
(run / "adapter").mkdir()
if mode != "nothing":
    (run / "adapter" / "adapter_config.json").write_text(json.dumps({"r": spec["rank"]}))
    (run / "adapter" / "adapter_model.safetensors").write_bytes(b"weights " * 1000)
    (run / "adapter" / "README.md").write_text("not published")
(run / "result.json").write_text("{" if mode == "garbage" else json.dumps(result))
"""


class Words:
    """A Teaching in few words."""

    def prompt(self, lesson: Lesson) -> tuple[str, str] | None:
        """Too long are texts of more than a thousand bytes."""
        return None if len(lesson.content) > 1000 else ("Be brief.", f"Shorten: {lesson.content.decode()}")

    def is_sound(self, completion: str, source: str) -> bool:
        """Whatever does not invent."""
        return "invented" not in completion

    def probes(self) -> Sequence[tuple[str, str]]:
        """Three."""
        return [("", f"question {number}") for number in range(3)]


@dataclass(slots=True)
class Learning:
    """A store with examples, and what trains on them."""

    folder: Path
    store: InMemoryStore = field(default_factory=lambda: InMemoryStore(HandClock()))
    clock: HandClock = field(default_factory=HandClock)
    stages: list[str] = field(default_factory=list[str])
    sync: Callable[[int], None] = os.fsync

    @property
    def adapters(self) -> AdapterFolder:
        """Where adapters are published."""
        return AdapterFolder(self.folder / "adapters", BASE, sync=self.sync)

    def training(
        self, mode: str, *, python: str = sys.executable, stall_seconds: float = 30.0, **options: float
    ) -> Training:
        """What trains, as it is told."""
        program = self.folder / "fake.py"
        program.write_text(PROGRAM)
        program.with_name("mode").write_text(mode)
        return Training(
            store=self.store,
            clock=self.clock,
            folder=self.adapters,
            trainer=TrainerProcess(python, program, stall_seconds=stall_seconds, every_seconds=0.05),
            template=completed,
            options=TrainingOptions(**options),  # type: ignore[arg-type]
            limits=GateLimits(least_held=3),
            told=self.stages.append,
        )

    async def give(self, count: int, kind: str = "compress", *, start: int = 0) -> None:
        """Take in examples that a person gives."""
        answer = json.dumps({"value": 1}) if kind == "facts" else "short"
        given = [GivenExample(kind, f"{kind} {number}", answer) for number in range(start, start + count)]
        await self.gathering().take(ME, given, person="ann")

    def gathering(self, *, consent: bool = True) -> Gathering:
        """What gathers examples."""
        return Gathering(store=self.store, detector=None, teaching=Words(), own=("openai:tiny/",), consent=consent)

    def left(self) -> list[str]:
        """Everything in the folder of adapters but the lock."""
        return sorted(one.name for one in self.adapters.path.iterdir() if not one.name.endswith(".lock"))
