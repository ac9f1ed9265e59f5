"""Turns whose facts were labelled by hand, and how many of them are found."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from palimpsest.core.models import Telling, folded

if TYPE_CHECKING:
    from palimpsest.core.ports import FactExtractor

_FILE = Path(__file__).parent / "fact_turns.txt"
_IDS = Path(__file__).parent / "fact_ids.txt"
_AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
_RULE = ("work", "rule", "")
Told = tuple[str, str, str]
"""Subject, relation and value, as they are compared."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said, and the facts that it tells."""

    speaker: str
    text: str
    facts: frozenset[Told]


@dataclass(frozen=True, slots=True)
class Judged:
    """How many facts were found, how many of those are right, and how many there are; ``wrong`` in words."""

    found: int
    right: int
    told: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        """The share of what was found that is right."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what is told that was found."""
        return self.right / self.told if self.told else 1.0


def read_turns(path: Path = _FILE) -> list[Turn]:
    """Return the labelled turns of a file."""
    turns: list[Turn] = []
    for line in _lines(path):
        speaker, text, labels = (part.strip() for part in line.split("|"))
        facts = [_told(label.strip(), speaker) for label in labels.split(";") if label.strip()]
        turns.append(Turn(speaker, text, frozenset(facts)))
    return turns


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def _told(label: str, speaker: str) -> Told:
    if label == "rule":
        return _RULE
    said, _, value = label.partition(" = ")
    subject, _, relation = said.rpartition(": ")
    return _key(subject or ("The user" if speaker == "user" else speaker), relation, value)


def _key(subject: str, relation: str, value: str) -> Told:
    return folded(subject), relation, folded(value)


def read_public(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield id, speaker and text of the turns of people in the corpora of a folder."""
    for path in sorted(folder.glob("*_dev_corpus.jsonl*")):
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["speaker"] != "assistant":
                    yield row["id"], row["speaker"], row["text"]


async def judge_public(extractor: FactExtractor, folder: Path) -> tuple[Judged, int]:
    """Let an extractor read public turns; right are those facts whose turn was found right by hand, with as many.

    How many facts such turns tell in all is not known. Returns the number of turns, too.
    """
    known = {line.split()[0]: int(line.split()[1]) for line in _lines(_IDS)}
    found = right = turns = 0
    wrong: list[str] = []
    for turn_id, speaker, text in read_public(folder):
        facts = await extractor.extract(Telling("facts", "main", turn_id, text, speaker, _AT))
        turns, found = turns + 1, found + len(facts)
        right += min(len(facts), known.get(turn_id, 0))
        if len(facts) > known.get(turn_id, 0):
            wrong.append(f"{turn_id}: {'; '.join(one.text for one in facts)}")
    return Judged(found, right, 0, tuple(wrong)), turns


async def judge(extractor: FactExtractor, turns: Sequence[Turn]) -> Judged:
    """Let an extractor read the turns, and compare what it finds with what they tell."""
    found = right = 0
    wrong: list[str] = []
    for number, turn in enumerate(turns):
        said = f"{turn.speaker}: {turn.text}"
        telling = Telling("facts", "main", str(number), said, turn.speaker, _AT)
        seen: set[Told] = set()
        for one in await extractor.extract(telling):
            fact = one.fact
            key = _RULE if one.memory_type == "procedural" else _key(fact.subject, fact.relation, fact.value)
            found += 1
            if key in turn.facts and key not in seen:
                right += 1
            else:
                wrong.append(f"{one.text} [{fact.relation}] <- {turn.text}")
            seen.add(key)
    return Judged(found, right, sum(len(turn.facts) for turn in turns), tuple(wrong))
