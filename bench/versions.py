"""Facts that change: are all versions kept, is the newest first, does a date bring what held then?

``python -m palimpsest.bench.versions`` makes 91 subjects that are close to each other (one attribute of many, many
attributes of one), changes one value of each four times, and adds the 455 facts in shuffled order with their dates.
Then it asks for each subject now and as of each date, adds everything again, and again in other typing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.models import Filters, Item, ItemState

if TYPE_CHECKING:
    from palimpsest.core.memory import Memory

ME = Caller("versions")
SUBJECTS, VERSIONS = 91, 5
_START = datetime(2023, 1, 1, tzinfo=UTC)
_PEOPLE = "Alice Bob Carol Dana Erin Frank Grace Heidi Ivan Judy Ken Lena Mallory".split()  # noqa: SIM905 - read easily
_SERVICES = "billing search login upload mail backup report chat cache index audit export import".split()  # noqa: SIM905
_CITIES = ("Rome", "Oslo", "New York", "Lima", "Porto Alegre", "Turin", "Bonn", "Leeds")
_COLOURS = ("red", "blue", "dark green", "teal", "white", "ochre", "pink", "light grey")
_FIRMS = ("Acme", "Globex", "Initech", "Umbrella Labs", "Hooli", "Vandelay", "Stark", "Wayne")
_PORTS = ("8080", "9090", "443", "8443", "5000", "3128", "7070", "6006")
_OWNERS = ("team red", "team blue", "the platform group", "Olga Petrova", "Sam", "the night shift", "Priya", "Tom")
_LIMITS = ("100 requests", "250 requests", "50 requests", "1,000 requests", "75 requests", "30 requests")
# A frame with the places of subject and value, the question about it, and the values that it may have.
FRAMES = (
    ("{0}'s favourite colour is {1}.", "What is {0}'s favourite colour?", _PEOPLE, _COLOURS),
    ("{0} lives in {1} with two cats.", "Where does {0} live?", _PEOPLE, _CITIES),
    ("As of {2}, {0} works at {1} as an engineer.", "Where does {0} work?", _PEOPLE, _FIRMS),
    ("The hometown of {0} is {1}", "What is the hometown of {0}?", _PEOPLE, _CITIES),
    ("The {0} service listens on port {1}.", "On which port does the {0} service listen?", _SERVICES, _PORTS),
    ("The owner of the {0} service is {1}.", "Who owns the {0} service?", _SERVICES, _OWNERS),
    ("rate limit of the {0} service: {1} per minute", "What is the rate limit of {0}?", _SERVICES, _LIMITS),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A version of what is so of a subject: its text, when it came to be so, and what one would ask."""

    subject: int
    text: str
    question: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the facts, as counts."""

    facts: int
    kept: int
    lineages: int
    mixed: int
    newest_first: int
    as_of_right: int
    repeated: int
    retyped: int


def make_facts(seed: int, subjects: int = SUBJECTS) -> list[Fact]:
    """Return the facts of as many subjects, in shuffled order."""
    source = random.Random(seed)
    frames = [(frame, question, name, values) for frame, question, names, values in FRAMES for name in names]
    facts: list[Fact] = []
    for subject, (frame, question, name, values) in enumerate(frames[:subjects]):
        date = _START + timedelta(days=source.randrange(30))
        for value in source.sample(values, VERSIONS):
            facts.append(Fact(subject, frame.format(name, value, f"{date:%B %Y}"), question.format(name), date))
            date += timedelta(days=source.randrange(1, 90), hours=source.randrange(24))
    source.shuffle(facts)
    return facts


def retype(text: str, source: random.Random) -> str:
    """Return a text in other typing: white space, case or punctuation."""
    return source.choice([text.upper(), text.replace(" ", "  "), f"  {text}\n", text.rstrip(".") + "!", text.lower()])


async def measure(memory: Memory, facts: Sequence[Fact], seed: int) -> Outcome:
    """Add the facts, ask for them, and add them again."""
    for fact in facts:
        await memory.add(ME, NewMemory(fact.text, memory_type="semantic", date=fact.date.isoformat()))
    items = await _items(memory)
    subjects: defaultdict[str, set[int]] = defaultdict(set)
    told = {(fact.text, fact.date): fact.subject for fact in facts}
    for item in items:
        text = (await memory.retrieve(ME, item.item_id)).text
        subjects[item.lineage or item.item_id].add(told[text, item.happened_at])
    return Outcome(
        facts=len(facts),
        kept=len(items),
        lineages=len(subjects),
        mixed=sum(len(members) > 1 for members in subjects.values()),
        newest_first=await _newest_first(memory, facts),
        as_of_right=sum([await _finds(memory, fact, Filters(as_of=fact.date)) for fact in facts]),
        repeated=await _added(memory, [(fact.text, fact.date) for fact in facts] + [(one.text, None) for one in facts]),
        retyped=await _added(memory, _retyped(facts, seed)),
    )


def _retyped(facts: Sequence[Fact], seed: int) -> list[tuple[str, datetime | None]]:
    source = random.Random(seed)
    return [(retype(fact.text, source), None) for fact in source.sample(facts, len(facts) // 10)]


async def _newest_first(memory: Memory, facts: Sequence[Fact]) -> int:
    newest: dict[int, Fact] = {}
    for fact in facts:
        if fact.subject not in newest or fact.date > newest[fact.subject].date:
            newest[fact.subject] = fact
    return sum([await _finds(memory, fact, None) for fact in newest.values()])


async def _finds(memory: Memory, fact: Fact, filters: Filters | None) -> bool:
    answer = await memory.search(ME, fact.question, filters=filters, limit=1)
    return bool(answer.hits) and answer.hits[0].item.happened_at == fact.date and answer.hits[0].passage == fact.text


async def _added(memory: Memory, repeats: Sequence[tuple[str, datetime | None]]) -> int:
    before = len(await _items(memory))
    for text, date in repeats:
        new = NewMemory(text, memory_type="semantic", date=None if date is None else date.isoformat())
        await memory.add(ME, new)
    return len(await _items(memory)) - before


async def _items(memory: Memory) -> list[Item]:
    found: list[Item] = []
    cursor: str | None = None
    while True:
        page = await memory.list_items(ME, state=ItemState.ACTIVE, limit=200, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def report(outcome: Outcome) -> str:
    """Write the counts."""
    subjects = outcome.facts // VERSIONS
    return "\n".join(
        [
            f"facts told, in shuffled order             {outcome.facts}",
            f"items kept                                {outcome.kept}",
            f"lineages                                  {outcome.lineages} of {subjects}, {outcome.mixed} mix subjects",
            f"newest of its subject first               {outcome.newest_first} of {subjects}",
            f"as of its date first                      {outcome.as_of_right} of {outcome.facts}",
            f"items after exact repeats, dated and not  +{outcome.repeated} of {2 * outcome.facts}",
            f"items after other typing                  +{outcome.retyped} of {outcome.facts // 10}",
        ]
    )


async def run(seed: int, subjects: int) -> Outcome:
    """Measure over an embedded PostgreSQL in a folder of its own."""
    from palimpsest.bench.stores import open_bench

    with tempfile.TemporaryDirectory() as folder:
        async with open_bench(Path(folder)) as bench:
            return await measure(bench.memory, make_facts(seed, subjects), seed)


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    arguments = parser.parse_args()
    began = time.perf_counter()
    print(report(asyncio.run(run(arguments.seed, arguments.subjects))))
    print(f"in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
