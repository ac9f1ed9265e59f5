"""A memory whose consolidation is disturbed at every step, and what must hold whatever happens."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from palimpsest.core.calls import Caller, Change, NewMemory
from palimpsest.core.consolidation import Consolidation
from palimpsest.core.errors import ConflictError, NotFoundError, PalimpsestError, TextModelUnavailableError
from palimpsest.core.models import Completion, ItemState, TextUsage
from palimpsest.core.ports import Store
from palimpsest.core.sameness import Judge
from palimpsest.core.services import Consolidating
from palimpsest.slm.commonness import is_word
from palimpsest.slm.merging.extractive import ExtractiveMerger
from palimpsest.slm.merging.model import ModelMerger

from .fakes import BUDGETS
from .integration.cutting import Cutter
from .ladder_operations import check_ledger
from .unit.parts import Parts, build_parts

ME = Caller("mine", "me")
Fault = Literal["none", "garbage", "timeout", "schema", "empty", "endless"]
FAULTS: tuple[Fault, ...] = ("garbage", "timeout", "schema", "empty", "endless", "none")


class DisturbedModel:
    """A language model that merges by joining, or fails as told."""

    name = "disturbed"

    def __init__(self) -> None:
        self.fault: Fault = "none"
        self.answer: str | None = None
        self.window = 100_000

    async def count(self, text: str) -> int:
        return len(text.split())

    async def ask(
        self,
        namespace: str,
        thread: str,
        purpose: str,
        system: str,
        prompt: str,
        *,
        max_tokens: int,
        schema: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> Completion:
        if self.fault == "timeout":
            raise TextModelUnavailableError("The model did not answer in time.")
        source = " ".join(prompt.splitlines()[1:-1])
        answers = {
            "none": json.dumps({"text": source}),
            "garbage": json.dumps({"text": "The build 4711 of core.garbage_module was paid by nobody."}),
            "schema": '{"words": ["of", "another", "form"]}',
            "empty": "{}",
            "endless": '{"text": "' + " " * 500,
        }
        return Completion(self.answer or answers[self.fault], TextUsage(self.name, 1, 1), finished=True)

    async def aclose(self) -> None:
        return None


@dataclass(slots=True)
class Scene:
    """A memory to disturb, and what was acknowledged: each text by its item."""

    parts: Parts
    safe: Store
    model: DisturbedModel
    source: random.Random
    texts: dict[str, str] = field(default_factory=dict[str, str])
    maybe: set[str] = field(default_factory=set[str])
    purged: set[str] = field(default_factory=set[str])
    made: int = 0

    @property
    def consolidation(self) -> Consolidation:
        return self.parts.services.consolidation

    async def tell(self) -> None:
        """Add a family of statements: one, two that say more, and a repeat."""
        self.made += 1
        who = f"person{self.made}"
        base = f"{who} has a small black cat"
        for text in (base, f"{base} called tom", f"{base} called tom since may", f"By the way, {base}!"):
            self.maybe.add(text)
            receipt = await self.parts.memory.add(ME, NewMemory(text, memory_type="episodic"))
            self.texts[receipt.item.item_id] = text
            self.maybe.discard(text)

    async def disturb(self) -> None:
        """Change something that consolidation has looked at, or will."""
        item_id = self.source.choice(list(self.texts))
        change = self.source.choice(["forget", "restore", "pin", "purge", "edit", "none", "none", "none"])
        if change in ("forget", "restore"):
            await self.parts.memory.forget(ME, item_id, change)
        elif change == "pin":
            await self.parts.memory.update(ME, item_id, Change(pinned=self.source.random() < 0.3))
        elif change == "purge" and self.source.random() < 0.3:
            self.purged.add(item_id)
            await self.parts.memory.forget(ME, item_id, "purge")
            self.texts.pop(item_id)
        elif change == "edit" and self.source.random() < 0.3:
            item = await self.parts.memory.get(ME, item_id)
            text = f"{self.texts[item_id]} and more {self.source.random()}"
            await self.parts.memory.update(ME, item_id, Change(content=text, expected_sha256=item.sha256))

    async def check(self) -> None:
        """See that every text is there as it was told, and that every account is right."""
        for item_id, text in list(self.texts.items()):
            try:
                _, content, _ = await self.safe.read("mine", item_id, 1)
            except NotFoundError:
                assert item_id in self.purged, f"{text!r} is lost"
                self.texts.pop(item_id)
                continue
            assert content.decode() == text
        for merged in await self.safe.merged("mine"):
            assert merged.item.state is ItemState.ACTIVE
            standing = [one for one in merged.source_ids if one in self.texts]
            assert standing, "what was made of items outlived them all"
        ledger, rungs = await self.safe.rungs("mine", "main", budgets=BUDGETS)
        check_ledger(ledger, rungs)


def build_scene(store: Store, safe: Store, seed: int) -> Scene:
    """Wire a memory over ``store``; ``safe`` reads the same without being disturbed."""
    judge, model = Judge(is_word), DisturbedModel()
    merger: Any = ModelMerger(model)  # type: ignore[arg-type]
    parts = build_parts(
        store=store,
        budgets=BUDGETS,
        consolidating=Consolidating(mergers=(merger, ExtractiveMerger(judge)), judge=judge),
    )
    return Scene(parts, safe, model, random.Random(seed))


async def attempt(scene: Scene, fault: Fault) -> Sequence[str]:
    """Consolidate under a fault of the model; return the names of the errors that this ended with."""
    scene.model.fault = fault
    try:
        await scene.consolidation.run("mine", everything=True)
    except ConflictError:
        raise
    except PalimpsestError as error:
        return [type(error).__name__]
    return []


_MESSAGES = 45
"""A run over a family sends about so many."""
_CHECKED_EVERY = 10


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    answers: Counter[str] = field(default_factory=Counter[str])
    cuts: int = 0
    crashes: int = 0
    texts: int = 0
    folded: int = 0
    merged: int = 0
    left: int = 0


async def disturbed(scene: Scene, cutter: Cutter, *, faults: int) -> Outcome:
    """Consolidate under so many faults, then undisturbed; raises where a text is lost or an account is wrong."""
    outcome = Outcome()
    for number in range(faults):
        if number % 3 == 0:
            await scene.tell()
        else:
            await _undisturbed(scene.disturb())
        fault = FAULTS[number % len(FAULTS)]
        if number % 2:
            cutter.arm(1 + number % _MESSAGES, delivers=number % 4 == 1)
        errors = await attempt(scene, fault)
        cutter.disarm()
        outcome.answers[fault] += 1
        outcome.crashes += bool(errors)
        if number % _CHECKED_EVERY == _CHECKED_EVERY - 1:
            await scene.check()
    await attempt(scene, "none")
    rest = await scene.consolidation.run("mine", everything=True)
    await scene.check()
    outcome.left = len(rest.folded) + len(rest.merged) + len(rest.released)
    outcome.cuts, outcome.texts = cutter.cuts, len(scene.texts)
    events = await scene.safe.events("mine", 1000)
    outcome.folded = sum(event.action == "fold" for event in events)
    outcome.merged = len(await scene.safe.merged("mine"))
    return outcome


async def _undisturbed(change: object) -> None:
    try:
        await change  # type: ignore[misc]
    except PalimpsestError:
        # It was gone, forgotten or pinned already.
        return
