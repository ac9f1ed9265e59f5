"""Facts read off what was told: is the newest found first, does a date bring what held then, are they right?

``python -m palimpsest.bench.facts`` tells the 455 statements of the bench of versions (91 subjects, each changed four
times, in shuffled order) as what happened, reads the facts off each, once by rules and once by a scripted model of
whose answers every twentieth is garbage or made up, and asks for each subject now and as of each date. Then it judges
the rules on turns that were labelled by hand, and on which they were not tuned; with ``--public`` on public ones, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.bench.fact_turns import judge, judge_public, read_turns
from palimpsest.bench.versions import FRAMES, SUBJECTS, VERSIONS, Fact, make_facts
from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.clock import SystemClock
from palimpsest.core.facts import Facts
from palimpsest.core.models import Completion, Filters, TextUsage
from palimpsest.slm.facts.model import ModelExtractor
from palimpsest.slm.facts.rules import RuleExtractor
from palimpsest.slm.language.metered import Member, Metered
from palimpsest.slm.language.purse import Purse

if TYPE_CHECKING:
    from palimpsest.bench.stores import Bench
    from palimpsest.core.ports import FactExtractor, Meter

ME = Caller("facts")
_WRONG_EVERY = 20
_RELATIONS = ("favourite colour", "home", "employer", "hometown", "port", "owner", "rate limit")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the statements, as counts."""

    told: int
    read: Mapping[str, int]
    newest_first: int
    as_of_right: int


class ScriptedModel:
    """A TextModel that reads statements as they were made; every twentieth answer is no good, in turn in three ways."""

    name, window = "scripted", 4096

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._asked = 0
        self._frames = [re.compile(_pattern(frame)) for frame, *_ in FRAMES]

    async def count(self, text: str) -> int | None:
        """See TextModel."""
        return None

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """See TextModel."""
        self._asked += 1
        text = prompt.rsplit("===", 2)[0].rsplit("===", 1)[-1].strip().splitlines()[0]
        usage = TextUsage(self.name, len(prompt) // 4, 80)
        return Completion(self._answer(text.partition("\n===")[0]), usage, finished=True)

    def _answer(self, text: str) -> str:
        fact = self._read(text)
        if self._asked % _WRONG_EVERY:
            return json.dumps({"facts": [fact]})
        invented = {**fact, "value": "Atlantis", "fact": "It is Atlantis.", "quote": "as everybody knows, Atlantis"}
        way = self._asked // _WRONG_EVERY % 3
        return ("{" + " " * 200, json.dumps({"facts": [invented]}), json.dumps({"facts": [{"fact": 7}]}))[way]

    def _read(self, text: str) -> dict[str, object]:
        for place, frame in enumerate(self._frames):
            if (found := frame.fullmatch(text)) is not None:
                subject, value = found["subject"], found["value"]
                if f"{subject} service" in text:
                    subject = f"the {subject} service"
                return {
                    "fact": text,
                    "subject": subject,
                    "relation": _RELATIONS[place],
                    "value": value,
                    "single": True,
                    "importance": 3,
                    "valid_from": None,
                    "kind": "fact",
                    "quote": text,
                }
        raise AssertionError(text)

    async def aclose(self) -> None:
        """See TextModel."""


def _pattern(frame: str) -> str:
    groups = ("(?P<subject>.+)", "(?P<value>.+?)", ".+")
    for place in range(len(groups)):
        frame = frame.replace(f"{{{place}}}", f"<{place}>")
    frame = re.escape(frame)
    for place, group in enumerate(groups):
        frame = frame.replace(f"<{place}>", group)
    return frame


def scripted(meter: Meter) -> ModelExtractor:
    """Return a model that reads the statements, metered as any other."""
    purse = Purse(meter=meter, price=lambda _: 0, clock=SystemClock())
    return ModelExtractor(Metered(Member("bench", ScriptedModel(), purse)))


async def measure(bench: Bench, told: Sequence[Fact], extractors: Sequence[FactExtractor]) -> Outcome:
    """Tell the statements, read the facts off them, and ask for all."""
    facts = Facts(store=bench.store, memory=bench.memory, extractors=extractors)
    read: Counter[str] = Counter()
    for one in told:
        new = NewMemory(one.text, memory_type="episodic", date=one.date.isoformat())
        item_id = (await bench.memory.add(ME, new)).item.item_id
        read.update(change.verdict for change in (await facts.read(ME, item_id)).changes)
    newest: defaultdict[int, list[Fact]] = defaultdict(list)
    for one in told:
        newest[one.subject].append(one)
    latest = [max(versions, key=lambda one: one.date) for versions in newest.values()]
    return Outcome(
        told=len(told),
        read=dict(sorted(read.items())),
        newest_first=sum([await _finds(bench, one, None) for one in latest]),
        as_of_right=sum([await _finds(bench, one, Filters(as_of=one.date)) for one in told]),
    )


async def _finds(bench: Bench, fact: Fact, filters: Filters | None) -> bool:
    """Say whether the first hit is of the fact's date and subject: what was told, or the fact that was read off it."""
    hits = (await bench.memory.search(ME, fact.question, filters=filters, limit=1)).hits
    if not hits or hits[0].item.happened_at != fact.date:
        return False
    words = set(re.findall(r"\w+", hits[0].passage.casefold()))
    return len(words & set(re.findall(r"\w+", fact.text.casefold()))) >= len(words) * 0.6


def report(name: str, outcome: Outcome) -> str:
    """Write the counts."""
    read = ", ".join(f"{count} {verdict}" for verdict, count in outcome.read.items())
    return "\n".join(
        [
            f"{name}: {outcome.told} statements told in shuffled order; {read}",
            f"  newest of its subject first   {outcome.newest_first} of {outcome.told // VERSIONS}",
            f"  as of its date first          {outcome.as_of_right} of {outcome.told}",
        ]
    )


async def run(seed: int, subjects: int, public: Path | None) -> None:
    """Measure over an embedded PostgreSQL in a folder of its own, and judge the rules on labelled turns."""
    from palimpsest.bench.stores import open_bench

    rules = RuleExtractor()
    for name in ("rules", "scripted model"):
        with tempfile.TemporaryDirectory() as folder:
            async with open_bench(Path(folder)) as bench:
                extractors = (rules,) if name == "rules" else (scripted(bench.store), rules)
                print(report(name, await measure(bench, make_facts(seed, subjects), extractors)), flush=True)
    turns = read_turns()
    judged = await judge(rules, turns)
    print(
        f"rules on {len(turns)} labelled turns: {judged.found} facts found, {judged.right} right "
        f"(precision {judged.precision:.3f}), of {judged.told} told (recall {judged.recall:.3f})"
    )
    for wrong in judged.wrong:
        print(f"  wrong: {wrong}")
    if public is not None:
        judged, count = await judge_public(rules, public)
        print(
            f"rules on {count:,} public turns: {judged.found} facts found, {judged.right} found right by hand "
            f"(precision {judged.precision:.3f})"
        )
        for wrong in judged.wrong:
            print(f"  not found right: {wrong}")


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--public", type=Path, help="folder with the corpora of LoCoMo and BEAM")
    arguments = parser.parse_args()
    began = time.perf_counter()
    asyncio.run(run(arguments.seed, arguments.subjects, arguments.public))
    print(f"in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
