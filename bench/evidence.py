"""How much of the answers to questions is in a context: the measure of what compression loses.

The questions are those of ``mix128_dev.jsonl``: each names its item and the character spans that answer it. A paper's
question counts when its whole span was returned, a module's when half of it was, a meeting's by the share of its
spans' characters. Only originals count: passages and whole items, never a rendition's words.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palimpsest.core.context import GAP
from palimpsest.core.models import TokenCount

_ENTRY = re.compile(r"^\[(mem_\w+) \| (?:(\w+) of )?\d+ tokens[^\n]*\]\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the item that answers it, and where in its text, in characters."""

    kind: str
    item: str
    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A text of the corpus."""

    name: str
    kind: str
    text: str


class FourBytes:
    """A TokenCounter for which four bytes of UTF-8 are a token."""

    @property
    def name(self) -> str:
        """Name the rule."""
        return "four bytes a token"

    def count(self, text: str) -> TokenCount:
        """Count, rounded up."""
        return TokenCount((len(text.encode()) + 3) // 4, self.name)


def load_sources(data: Path) -> list[Source]:
    """Return the items of ``mix128_items.jsonl.gz``."""
    with gzip.open(data / "mix128_items.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Source(row["id"], row["kind"], row["text"]) for row in rows]


def load_questions(data: Path) -> list[Question]:
    """Return the questions of ``mix128_dev.jsonl``."""
    lines = (data / "mix128_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
    return [Question(row["kind"], row["item"], row["question"], tuple((a, b) for a, b in row["spans"])) for row in rows]


def returned(block: str, item_id: str, text: str) -> list[tuple[int, int]]:
    """Return the character spans of an item's text that a block holds."""
    spans: list[tuple[int, int]] = []
    entries = list(_ENTRY.finditer(block))
    for place, entry in enumerate(entries):
        if entry.group(1) != item_id or entry.group(2) not in (None, "excerpts"):
            continue
        end = entries[place + 1].start() if place + 1 < len(entries) else len(block)
        body = block[entry.end() : end].removesuffix("\n\n")
        if entry.group(2) is None:
            return [(0, len(text))]
        start = 0
        for piece in body.split(GAP):
            found = text.find(piece, start)
            if found >= 0:
                spans.append((found, found + len(piece)))
                start = found + len(piece)
    return spans


def evidence(question: Question, spans: Sequence[tuple[int, int]]) -> float:
    """Return what a block is worth for a question, 0 to 1."""
    total = sum(end - start for start, end in question.spans)
    held = sum(max(0, min(end, until) - max(start, begin)) for start, end in question.spans for begin, until in spans)
    share = held / max(1, total)
    if question.kind == "paper":
        return float(share >= 0.999)
    return float(share >= 0.5) if question.kind == "code" else share


def paired_interval(before: Sequence[float], after: Sequence[float], rounds: int = 2000) -> tuple[float, float, float]:
    """Return what was lost, in points, and its 95 % bootstrap interval over the same questions."""
    losses = [100 * (one - other) for one, other in zip(before, after, strict=True)]
    source = random.Random(0)
    means = sorted(sum(source.choices(losses, k=len(losses))) / len(losses) for _ in range(rounds))
    return sum(losses) / len(losses), means[int(0.025 * rounds)], means[int(0.975 * rounds)]


def by_kind(questions: Sequence[Question], values: Sequence[float]) -> Mapping[str, float]:
    """Return the mean of each kind of question and of all, in percent."""
    groups: dict[str, list[float]] = {}
    for question, value in zip(questions, values, strict=True):
        groups.setdefault(question.kind, []).append(value)
    groups["all"] = list(values)
    return {kind: 100 * sum(group) / len(group) for kind, group in groups.items()}
