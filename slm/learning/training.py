"""A training from its examples to a published adapter, every stage of which the registry knows."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...core.errors import ConflictError, LearningError, PalimpsestError
from ...core.learning.canaries import Planted, leaked, plant
from ...core.learning.examples import chosen
from ...core.learning.gate import GateLimits, Verdict, judge
from ...core.learning.sentences import TRAINING
from ...core.models import Adapter, AdapterChange, Example, ExampleKind
from ...core.ports import Clock, Store
from .files import AdapterFolder, stem_of
from .outcome import Outcome, measures, read_outcome
from .process import Progress, TrainerProcess

BEAT_SECONDS = 10.0
SILENT_FOR = timedelta(minutes=15)
"""A training on another machine that said nothing for so long is given up."""
SAMPLED = 16
"""Of so many held-out examples of each kind the answers are looked at, not only their likelihood."""


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How it is trained; ``replay`` is the share of what the active adapter knows, None for all that is useful."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float = 2e-4
    epochs: float = 2.0
    batch: int = 8
    max_length: int = 2048
    answer_tokens: int = 256
    seed: int = 0
    replay: float | None = None


Template = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one training is made of."""

    examples: Sequence[Example]
    judged: Sequence[Example]
    learned: frozenset[ExampleKind]
    planted: Planted


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training: the adapter as the registry has it, and the verdict, None where it never got there."""

    adapter: Adapter
    verdict: Verdict | None = None


class Training:
    """Trains adapters, one at a time for a namespace."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        folder: AdapterFolder,
        trainer: TrainerProcess,
        template: Template | None,
        options: TrainingOptions | None = None,
        limits: GateLimits | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        """``template`` makes instruction and prompt what the model gets, None for its own chat form;
        ``told`` hears what is going on."""
        self._store = store
        self._clock = clock
        self._folder = folder
        self._trainer = trainer
        self._template = template
        self._options = options or TrainingOptions()
        self._limits = limits or GateLimits()
        self._told = told or _nobody
        self._owner = f"{socket.gethostname()}:{os.getpid()}"

    async def train(self, namespace: str) -> Trained:
        """Train on what there is, and publish what passes the gate.

        What goes wrong after the start is in the registry: refused by the gate, or failed, with the reason.

        Raises:
            ConflictError: another training is going on.
            LearningError: there is nothing to train on.
        """
        with self._alone(namespace):
            await self.recover(namespace)
            plan = await self._plan(namespace)
            adapter = await self._store.begin_adapter(
                namespace,
                base_model=self._folder.base_model,
                owner=self._owner,
                examples=[one.example_id for one in plan.examples],
                items=sorted({one.item_id for one in plan.examples if one.item_id is not None}),
                stem=stem_of(namespace),
            )
            try:
                return await self._trained(namespace, adapter, plan)
            except (PalimpsestError, OSError) as error:
                return Trained(await self._failed(namespace, adapter.name, error))
            finally:
                # What was trained on is somebody's text: it stays nowhere but in the database.
                shutil.rmtree(self._run_folder(adapter.name), ignore_errors=True)

    async def recover(self, namespace: str) -> Sequence[Adapter]:
        """Give up trainings whose process is gone, remove what they left, and return them."""
        given_up: list[Adapter] = []
        for adapter in await self._store.adapters(namespace):
            if adapter.state not in ("training", "trained"):
                continue
            here = adapter.owner.rpartition(":")[0] == self._owner.rpartition(":")[0]
            if not here and self._clock.now() - adapter.heartbeat_at < SILENT_FOR:
                raise ConflictError(TRAINING)
            stage = adapter.stage or ("publishing" if adapter.state == "trained" else "starting")
            change = AdapterChange("failed", reason=f"The training was cut off while {stage}; nothing of it is used.")
            given_up.append(
                await self._store.change_adapter(namespace, adapter.name, change, states=["training", "trained"])
            )
            self._folder.remove(adapter.name)
        return given_up

    @contextmanager
    def _alone(self, namespace: str) -> Generator[None]:
        """Hold a lock that ends with this process, however that ends."""
        self._folder.path.mkdir(parents=True, exist_ok=True)
        with (self._folder.path / f".{stem_of(namespace)}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(TRAINING) from None
            yield

    async def _plan(self, namespace: str) -> Plan:
        examples = await self._store.examples(namespace)
        route = await self._store.route(namespace)
        seen: frozenset[int] = frozenset()
        if route.active is not None:
            seen = frozenset((await self._store.get_adapter(namespace, route.active)).examples)
        train, learned = chosen(examples, seen=seen, replay=self._options.replay)
        if not train:
            raise LearningError(
                "There is nothing to train on yet: no example is kept (`palimpsest slm examples` counts them)."
            )
        judged = [one for one in examples if one.split != "train"]
        # The name of the secrets is not in the registry: whoever reads that cannot make the gate blind.
        return Plan(train, judged, learned, plant(train, secrets.randbits(32)))

    async def _trained(self, namespace: str, adapter: Adapter, plan: Plan) -> Trained:
        held = {kind: sum(one.kind == kind and one.split == "held" for one in plan.judged) for kind in plan.learned}
        short = [
            f"There are {count} held-out examples of {kind}, and {self._limits.least_held} are needed."
            for kind, count in sorted(held.items())
            if count < self._limits.least_held
        ]
        if short:
            # Known before hours are spent on it.
            return await self._refused(namespace, adapter, Verdict(tuple(short), ()))
        run = self._run_folder(adapter.name)
        await self._write(namespace, adapter, plan, run)
        await self._work(namespace, adapter, run)
        await self._stage(namespace, adapter, "judging")
        outcome = read_outcome(run)
        verdict = await asyncio.to_thread(self._judged, outcome, plan)
        report = _report(outcome, verdict, plan)
        if not verdict.passed:
            return await self._refused(namespace, adapter, verdict, report)
        change = AdapterChange("trained", report=report)
        adapter = await self._store.change_adapter(namespace, adapter.name, change, states=["training"])
        self._told("publishing")
        facts = _facts(adapter, plan, outcome)
        digest = await asyncio.to_thread(self._folder.publish, run / "adapter", facts)
        change = AdapterChange("published", manifest=digest)
        adapter = await self._store.change_adapter(namespace, adapter.name, change, states=["trained"])
        return Trained(adapter, verdict)

    async def _write(self, namespace: str, adapter: Adapter, plan: Plan, run: Path) -> None:
        active = None
        if adapter.parent is not None:
            parent = await self._store.get_adapter(namespace, adapter.parent)
            await asyncio.to_thread(self._folder.verify, parent)
            active = str(self._folder.of(parent.name))
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True, mode=0o700)
        values = {name: value for name, value in asdict(self._options).items() if name != "replay"}
        spec = {"base_model": self._folder.base_model, "active": active, **values}
        spec["probes"] = [self._asked(*one) for one in plan.planted.probes]
        (run / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        _rows(run / "train.jsonl", [self._row(one) for one in plan.planted.examples])
        _rows(run / "eval.jsonl", _judged_rows(plan.judged, self._row))

    def _row(self, example: Example) -> dict[str, Any]:
        return {**self._asked(example.system, example.prompt), "completion": f" {example.completion}"}

    def _asked(self, system: str, prompt: str) -> dict[str, Any]:
        """Return what the model is asked: as one text, or as turns of a conversation for its own chat form."""
        if self._template is not None:
            return {"prompt": self._template(system, prompt)}
        turns = [("system", system), ("user", prompt)]
        return {"messages": [{"role": role, "content": text} for role, text in turns if text]}

    async def _work(self, namespace: str, adapter: Adapter, run: Path) -> None:
        loop = asyncio.get_running_loop()
        last, beaten = Progress("none"), loop.time()

        async def told(progress: Progress) -> None:
            nonlocal last, beaten
            if progress.stage != last.stage or loop.time() - beaten > BEAT_SECONDS:
                await self._stage(namespace, adapter, str(progress))
                last, beaten = progress, loop.time()

        await self._trainer.run(run, told)

    async def _stage(self, namespace: str, adapter: Adapter, stage: str) -> None:
        self._told(stage)
        await self._store.change_adapter(namespace, adapter.name, AdapterChange(stage=stage), states=["training"])

    def _judged(self, outcome: Outcome, plan: Plan) -> Verdict:
        examples = {one.example_id: one for one in plan.judged}
        candidate = outcome.candidate
        return judge(
            measures(candidate, examples),
            base=measures(outcome.base, examples),
            active=None if outcome.active is None else measures(outcome.active, examples),
            learned=plan.learned,
            leaks=leaked(plan.planted.secrets, [*candidate.probes, *candidate.said.values()]),
            limits=self._limits,
        )

    async def _refused(
        self, namespace: str, adapter: Adapter, verdict: Verdict, report: Mapping[str, Any] | None = None
    ) -> Trained:
        change = AdapterChange("refused", reason=" ".join(verdict.reasons), report=report)
        refused = await self._store.change_adapter(namespace, adapter.name, change, states=["training"])
        return Trained(refused, verdict)

    async def _failed(self, namespace: str, name: str, error: Exception) -> Adapter:
        held = await self._store.get_adapter(namespace, name)
        self._folder.remove(name)
        if held.state not in ("training", "trained"):
            # Tainted meanwhile: the registry says so already.
            return held
        reason = f"A file could not be written: {error.strerror}." if isinstance(error, OSError) else str(error)
        change = AdapterChange("failed", reason=reason)
        return await self._store.change_adapter(namespace, name, change, states=[held.state])

    def _run_folder(self, name: str) -> Path:
        return self._folder.path / f".training-{name}"


def _nobody(stage: str) -> None:
    pass


def _rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _judged_rows(examples: Sequence[Example], row: Callable[[Example], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of what is judged by; of some of each kind the answers are looked at, too."""
    rows: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for one in examples:
        sampled = one.split == "held" and counts[one.kind] < SAMPLED
        counts[one.kind] += sampled
        facts = {"id": one.example_id, "kind": one.kind, "split": one.split, "sampled": sampled}
        rows.append(row(one) | facts)
    return rows


def _facts(adapter: Adapter, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(sorted(one.sha256 for one in plan.examples)).encode())
    return {
        "name": adapter.name,
        "version": adapter.version,
        "base_model": adapter.base_model,
        "parent": adapter.parent,
        "created_at": adapter.created_at.isoformat(),
        "examples": adapter.examples,
        "dataset_sha256": digest.hexdigest(),
        "libraries": dict(outcome.libraries),
    }


def _report(outcome: Outcome, verdict: Verdict, plan: Plan) -> dict[str, Any]:
    return {
        "slices": [asdict(one) for one in verdict.slices],
        "learned": sorted(plan.learned),
        "rows": outcome.rows,
        "too_long": outcome.too_long,
        "steps": outcome.steps,
        "seconds": round(outcome.seconds, 1),
    }
