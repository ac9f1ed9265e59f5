"""Repeats and decoys: how many duplicates stay after consolidation, and is a decoy ever put together with its original?

``python -m palimpsest.bench.duplicates`` makes statements about people and services, adds them, and adds again 20 % of
them as they are, 10 % as near repeats (another typing, a courtesy before it, a contraction, a part of the sentence at
its other end, a spelling, a slip in a word), and 10 % as decoys: the same words with one name, number, negation or
other word changed. Then it consolidates and counts. A duplicate stays in the block when a repeat and its original both
stand there, and in the search when asking for the original's words shows both among the first five hits and marks
neither as superseded. With ``--turns FILE`` the statements are turns of real conversations, one JSON object with
``speaker`` and ``text`` a line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.consolidation import Consolidation, ConsolidationReport
from palimpsest.core.models import MemoryType
from palimpsest.core.sameness import said

if TYPE_CHECKING:
    from palimpsest.core.services import Services

ME = Caller("bench", "bench")
EXACT, NEAR, DECOYS = 0.2, 0.1, 0.1
_ASKED = 100
_SHOWN = 5


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PEOPLE = _words(
    "Alice Bruno Carla Deniz Elena Farid Greta Hugo Ines Jonas Kamal Lena Marco Nadia Oskar Petra Quinn Rosa"
)
_SERVICES = _words("billing search mail login export report backup image chat audit invoice render proxy cache ledger")
_CITIES = _words("Paris Lisbon Rome Oslo Quito Dakar Seoul Hanoi Perth Lima Tunis Kyoto Porto Riga Turin Basel Ghent")
_FOODS = _words("apples walnuts lentils oysters mangoes noodles olives spinach almonds herring cherries mushrooms")
_DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_SHORT = (
    (" does not ", " doesn't "),
    (" is not ", " isn't "),
    ("cannot ", "can't "),
    (" it is ", " it's "),
)
_FRAMES: tuple[str, ...] = (
    "{who} does not eat {food} because they cause a headache.",
    "On {day} evenings, {who} visits the climbing gym in {city} with {other}.",
    "The {service} service restarts after {number} failed health checks.",
    "{who} is organising the summer party in {city} and it is on a {day}.",
    "{who} has been learning the cello for {number} years and plays in {city}.",
    "The database of the {service} service is saved at {number} minutes past midnight.",
    "{who} told {other} that the favourite restaurant in {city} is closing.",
    "After the incident, the {service} team moved all deployments to {day} mornings.",
    "{who} keeps {number} chickens in the garden of the house near {city}.",
    "{other} borrowed the electric drill from {who} in {city} on {day}.",
    "The {service} dashboard shows {number} colour charts for the weekly meeting.",
    "{who} cannot drive to {city} since the car is at the garage until {day}.",
    "{who} prefers {food} for breakfast while {other} prefers plain bread.",
    "The {service} service writes its log files to the volume number {number}.",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What was added: a text, what it is of an original, and which."""

    text: str
    sort: str
    of: int


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    statements: int
    told: Counter[str]
    items: int
    in_block: Counter[str] = field(default_factory=Counter[str])
    in_search: Counter[str] = field(default_factory=Counter[str])
    decoys_merged: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    stayed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lost: int = 0
    report: ConsolidationReport = field(default_factory=ConsolidationReport)

    @property
    def repeats(self) -> int:
        """Repeats that were told."""
        return self.told["exact"] + self.told["near"]


def make_statements(count: int, seed: int) -> list[str]:
    """Return distinct statements."""
    source = random.Random(seed)
    found: dict[tuple[str, ...], str] = {}
    while len(found) < count:
        who, other = source.sample(_PEOPLE, 2)
        text = source.choice(_FRAMES).format(
            who=who,
            other=other,
            service=source.choice(_SERVICES),
            city=source.choice(_CITIES),
            food=source.choice(_FOODS),
            day=source.choice(_DAYS),
            number=source.randrange(3, 60),
        )
        found.setdefault(said(text).words, text)
    return list(found.values())


def read_turns(file: Path, count: int, seed: int) -> list[str]:
    """Return distinct turns of conversations with at least six words."""
    turns = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [f"{turn['speaker']} said: {turn['text']}" for turn in turns if len(turn["text"].split()) >= 6]
    distinct = list({said(text).words: text for text in texts}.values())
    return random.Random(seed).sample(distinct, min(count, len(distinct)))


def near_repeats(text: str, source: random.Random) -> Iterator[str]:
    """Yield near repeats of a text."""
    courtesy = source.choice(["By the way, ", "Note: ", "Please remember that ", "As I said, ", "FYI "])
    yield courtesy + text
    yield text.upper() if source.random() < 0.5 else text.rstrip(".") + "!!"
    yield "  " + text.replace(" ", "  ") + "\n"
    for full, short in (
        (" does not ", " doesn't "),
        (" is not ", " isn't "),
        ("cannot ", "can't "),
        (" it is ", " it's "),
    ):
        if full in text:
            yield text.replace(full, short)
    for british, american in (("organis", "organiz"), ("favourite", "favorite"), ("colour", "color")):
        if british in text:
            yield text.replace(british, american)
    words = text.split()
    for place, word in enumerate(words):
        if len(word) >= 8 and word.isalpha() and word.islower():
            at = len(word) // 2
            slipped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            if slipped != word:
                yield " ".join([*words[:place], slipped, *words[place + 1 :]])
    if text.startswith(("On ", "After ")) and ", " in text:
        first, _, rest = text.partition(", ")
        yield f"{rest.rstrip('.')} {first[0].lower()}{first[1:]}."


def decoys(text: str, source: random.Random) -> Iterator[str]:
    """Yield texts with one name, number, negation or other word changed."""
    words = text.split()
    for place, word in enumerate(words):
        bare = word.strip(".,:!?")
        if not bare:
            continue
        if bare.isdigit():
            yield _with(words, place, word.replace(bare, str(int(bare) + source.randrange(1, 9))))
        for names in (_PEOPLE, _CITIES, _DAYS, _SERVICES, _FOODS):
            if bare in names:
                yield _with(words, place, word.replace(bare, source.choice([one for one in names if one != bare])))
    for word in (" is ", " has ", " keeps ", " was ", " told ", " visits ", " prefers "):
        if word in text:
            yield text.replace(word, f"{word}not ", 1)
    if " does not eat " in text:
        yield text.replace(" does not eat ", " does eat ")
    long = [place for place, word in enumerate(words) if word.isalpha() and word.islower() and len(word) > 4]
    if long:
        yield _with(words, source.choice(long), source.choice(["violin", "purple", "seldom", "harbour", "yesterday"]))


def _with(words: Sequence[str], place: int, word: str) -> str:
    return " ".join([*words[:place], word, *words[place + 1 :]])


def make_told(statements: Sequence[str], seed: int) -> list[Told]:
    """Return the statements in order, then repeats and decoys of some in shuffled order."""
    source = random.Random(seed)
    again: list[Told] = []
    kinds: tuple[tuple[str, float, Callable[[str, random.Random], Iterator[str]] | None], ...] = (
        ("exact", EXACT, None),
        ("near", NEAR, near_repeats),
        ("decoy", DECOYS, decoys),
    )
    for sort, share, vary in kinds:
        for of in source.sample(range(len(statements)), round(share * len(statements))):
            text = statements[of]
            variants = [text] if vary is None else [one for one in vary(text, source) if one != text]
            if variants:
                again.append(Told(source.choice(variants), sort, of))
    source.shuffle(again)
    return [Told(text, "original", of) for of, text in enumerate(statements)] + again


async def measure(services: Services, statements: Sequence[str], seed: int, memory_type: MemoryType) -> Outcome:
    """Tell everything, consolidate, and count."""
    memory, consolidation = services.memory, services.consolidation
    told = make_told(statements, seed)
    made: dict[str, list[Told]] = {}
    for one in told:
        receipt = await memory.add(ME, NewMemory(one.text, memory_type=memory_type))
        made.setdefault(receipt.item.item_id, []).append(one)
    outcome = Outcome(len(statements), Counter(one.sort for one in told), len(made))
    outcome.report = await _consolidated(consolidation)
    await _judge(services, made, outcome)
    await _search(services, made, statements, outcome, seed)
    for item_id, tellings in made.items():
        page = await memory.retrieve(ME, item_id, max_tokens=100_000)
        outcome.lost += page.text not in {one.text for one in tellings}
    return outcome


async def _consolidated(consolidation: Consolidation) -> ConsolidationReport:
    return await consolidation.run(ME.namespace)


async def _judge(services: Services, made: dict[str, list[Told]], outcome: Outcome) -> None:
    """See who stands in the block, and who is in one lineage or one merged item with whom."""
    standing: dict[int, list[str]] = {}
    for item_id, tellings in made.items():
        item = await services.memory.get(ME, item_id)
        if item.detail != "archived" and item.superseded_by is None:
            for of in {one.of for one in tellings if one.sort != "decoy"}:
                standing.setdefault(of, []).append(item_id)
        for told in tellings:
            # An add of a decoy that ended in its original's item, or in a lineage with it, was put together with it.
            if told.sort == "decoy" and any(one.sort != "decoy" and one.of == told.of for one in tellings):
                outcome.decoys_merged.append((told.text, tellings[0].text))
    together: list[tuple[str, ...]] = [(one.keeper_id, *one.other_ids) for one in outcome.report.folded]
    together += [tuple(one.source_ids) for one in outcome.report.merged]
    for ids in together:
        sorts = [(told.sort == "decoy", told) for name in ids for told in made.get(name, ())]
        for _, decoy in (one for one in sorts if one[0]):
            outcome.decoys_merged += [
                (decoy.text, told.text) for is_decoy, told in sorts if not is_decoy and told.of == decoy.of
            ]
    for first, *others in standing.values():
        for item_id in others:
            outcome.in_block[made[item_id][0].sort] += 1
            outcome.stayed.append((made[first][0].text, made[item_id][0].text))


async def _search(
    services: Services, made: dict[str, list[Told]], statements: Sequence[str], outcome: Outcome, seed: int
) -> None:
    """Ask for originals that were repeated, and count the repeats among the first hits."""
    repeated = sorted({told.of for tellings in made.values() for told in tellings if told.sort in ("exact", "near")})
    asked = random.Random(seed).sample(repeated, min(_ASKED, len(repeated)))
    for of in asked:
        answer = await services.memory.search(ME, statements[of], limit=_SHOWN)
        shown = [
            hit
            for hit in answer.hits
            if hit.item.superseded_by is None
            and any(told.of == of and told.sort != "decoy" for told in made.get(hit.item.item_id, ()))
        ]
        outcome.in_search["asked"] += 1
        outcome.in_search["twice"] += len(shown) > 1


def report(outcome: Outcome) -> str:
    """Write the counts."""
    told, run = outcome.told, outcome.report
    stay = outcome.in_block.total()
    lines = [
        f"statements                                  {outcome.statements:,}",
        f"told again: exact, near, decoys             {told['exact']:,}, {told['near']:,}, {told['decoy']:,}",
        f"items after the adds                        {outcome.items:,}",
        f"folded by consolidation                     {sum(len(one.other_ids) for one in run.folded):,}",
        f"merged by consolidation                     {sum(len(one.source_ids) for one in run.merged):,}"
        f" into {len(run.merged):,}",
        f"repeats that stay in the block              {stay} of {outcome.repeats} ({stay / outcome.repeats:.1%})",
        f"repeats shown twice by a search             {outcome.in_search['twice']} of {outcome.in_search['asked']}",
        f"decoys put together with their originals    {len(outcome.decoys_merged)} of {told['decoy']}",
        f"texts lost                                  {outcome.lost}",
    ]
    lines += [f"  stays: {one!r} | {other!r}" for one, other in outcome.stayed[:5]]
    lines += [f"  MERGED DECOY: {one!r} | {other!r}" for one, other in outcome.decoys_merged[:5]]
    return "\n".join(lines)


async def run(statements: Sequence[str], seed: int, memory_type: MemoryType) -> Outcome:
    """Measure over an embedded PostgreSQL in a folder of its own."""
    from palimpsest.bench.stores import open_bench

    with tempfile.TemporaryDirectory() as folder:
        async with open_bench(Path(folder), window=10_000_000) as bench:
            return await measure(bench.services, statements, seed, memory_type)


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--statements", type=int, default=1000)
    parser.add_argument("--memory-type", choices=("semantic", "episodic", "document"), default="semantic")
    parser.add_argument("--turns", type=Path, help="take the statements from a file of turns")
    given = parser.parse_args()
    began = time.perf_counter()
    make = make_statements(given.statements, given.seed)
    statements = make if given.turns is None else read_turns(given.turns, given.statements, given.seed)
    print(report(asyncio.run(run(statements, given.seed, given.memory_type))))
    print(f"in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
