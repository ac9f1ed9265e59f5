"""How much of a text its renditions still say: found by search, names and facts kept, and how fast they are made.

    python -m palimpsest.bench.renditions --data FOLDER [--quick] [--folder FOLDER]

FOLDER holds ``mix128_items.jsonl.gz`` (papers, meetings and Python modules) and ``mix128_dev.jsonl`` (questions, each
with the item that answers it). A token is four bytes here, so that ratios do not hang on a vocabulary. The renditions
alone are the index: item accuracy is how often the right item is first, or among the first five.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from palimpsest.core.memory import Caller, NewMemory
from palimpsest.core.models import Detail, Kind
from palimpsest.core.ports import Compressor
from palimpsest.slm.extractive import ExtractiveCompressor
from palimpsest.slm.tokens import choose_counter

from .evidence import FourBytes
from .kept import FACTS, code_names, kept_names
from .lexical_baseline import ReferenceBM25
from .stores import open_bench

KINDS: Mapping[str, Kind] = {"paper": "prose", "meeting": "conversation", "code": "code"}
DETAILS: tuple[Detail, ...] = ("summary", "brief", "hint")
_DEPTH = 5
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """An item of the corpus."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the name of the item that answers it."""

    text: str
    item: str
    kind: str
    answer: str


def read_corpus(data: Path) -> tuple[list[Source], list[Question]]:
    """Return the items and the questions."""
    with gzip.open(data / "mix128_items.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    sources = [Source(row["id"], row["kind"], row["text"]) for row in found]
    with (data / "mix128_dev.jsonl").open(encoding="utf-8") as lines:
        asked = [json.loads(line) for line in lines]
    return sources, [Question(row["question"], row["item"], row["kind"], row["answer"]) for row in asked]


def render(sources: Sequence[Source], compressor: Compressor) -> dict[Detail, dict[str, str]]:
    """Return the renditions' texts by detail and name; an item without one stands for itself."""
    made: dict[Detail, dict[str, str]] = {detail: {} for detail in DETAILS}
    for source in sources:
        title = source.name.removeprefix("code-") if source.kind == "code" else None
        tokens = FourBytes().count(source.text).tokens
        texts = {one.detail: one.text for one in compressor.compress(source.text, KINDS[source.kind], title, tokens)}
        for detail in DETAILS:
            made[detail][source.name] = texts.get(detail, source.text)
    return made


def ratio(sources: Sequence[Source], texts: Mapping[str, str], kind: str | None = None) -> float:
    """Return tokens of the originals to a token of the renditions, over all items or those of a kind."""
    counter = FourBytes()
    chosen = [source for source in sources if kind in (None, source.kind)]
    before = sum(counter.count(source.text).tokens for source in chosen)
    return before / sum(counter.count(texts[source.name]).tokens for source in chosen)


def by_kind(questions: Sequence[Question], hits: Sequence[float]) -> str:
    """Return the mean in percent by kind of item, then over all questions."""
    groups: dict[str, list[float]] = defaultdict(list)
    for question, hit in zip(questions, hits, strict=True):
        groups[question.kind].append(hit)
    shown = [f"{kind} {100 * sum(groups[kind]) / len(groups[kind]):5.1f}" for kind in KINDS if groups[kind]]
    return f"{'  '.join(shown)}  all {100 * sum(hits) / len(hits):5.1f}"


def accuracies(questions: Sequence[Question], places: Sequence[int]) -> tuple[str, str]:
    """Return acc@1 and acc@5 of the places (from 0) at which the right items stand."""
    return by_kind(questions, [float(place < 1) for place in places]), by_kind(
        questions, [float(place < _DEPTH) for place in places]
    )


def reference_places(questions: Sequence[Question], texts: Mapping[str, str]) -> list[int]:
    """Return where plain BM25 over whole renditions puts the right items; an item without any score is not found."""
    names = list(texts)
    index = ReferenceBM25([texts[name] for name in names])
    places: list[int] = []
    for question in questions:
        scores = index.scores(question.text)
        own = scores[names.index(question.item)]
        places.append(sum(score > own for score in scores) if own > 0 else len(names))
    return places


async def own_places(questions: Sequence[Question], texts: Mapping[str, str], folder: Path) -> list[int]:
    """Return where our own search puts the right items when each rendition is an item without a title."""
    async with open_bench(folder) as bench:
        await bench.embedder.prepare([question.text for question in questions])
        names: dict[str, str] = {}
        for name, text in texts.items():
            receipt = await bench.memory.add(Caller("bench"), NewMemory(text, content_type="text/plain"))
            names[receipt.item.item_id] = name
        while await bench.runner.run_one("bench"):
            pass
        await bench.store.reweigh("bench", bench.lexicon)
        places: list[int] = []
        for question in questions:
            answer = await bench.memory.search(Caller("bench"), question.text, limit=_DEPTH, max_tokens=100_000)
            found = [names[hit.item.item_id] for hit in answer.hits]
            places.append(found.index(question.item) if question.item in found else len(names))
    return places


def print_kept(
    sources: Sequence[Source], questions: Sequence[Question], made: Mapping[Detail, Mapping[str, str]]
) -> None:
    """Print the share of names that code defines, and of facts by their kind, that the renditions still have."""
    print("\nkept, in percent of the distinct ones of each item (of all their mentions)")
    for detail in DETAILS[:2]:
        defined = [(code_names(source.text), made[detail][source.name]) for source in sources if source.kind == "code"]
        total = sum(len(names) for names, _ in defined)
        kept = sum(len(kept_names(names, text)) for names, text in defined)
        # The names that the questions ask for, written with or without underscores, as the baselines counted them.
        coded = [question for question in questions if question.kind == "code"]
        answered = sum(f" {_bare(one.answer)}" in f" {_bare(made[detail][one.item])}" for one in coded)
        line = f"code names {100 * kept / total:5.1f}   asked for {100 * answered / len(coded):5.1f}"
        for name, find in FACTS.items():
            distinct, mentions = _shares(sources, made[detail], find)
            line += f"   {name} {distinct:.1f} ({mentions:.1f})"
        print(f"  {detail:<8}{line}")


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def _shares(
    sources: Sequence[Source], texts: Mapping[str, str], find: Callable[[str], Mapping[str, int]]
) -> tuple[float, float]:
    distinct = kept = mentions = covered = 0
    for source in sources:
        stated, said = find(source.text), find(texts[source.name])
        distinct += len(stated)
        mentions += sum(stated.values())
        kept += sum(fact in said for fact in stated)
        covered += sum(count for fact, count in stated.items() if fact in said)
    return 100 * kept / max(distinct, 1), 100 * covered / max(mentions, 1)


def print_speed(sources: Sequence[Source], compressor: Compressor) -> None:
    """Print tokens a second for all renditions, beside a bare regex split into sentences in the same run."""
    tokens = sum(FourBytes().count(source.text).tokens for source in sources)
    border = re.compile(r"(?<=[.!?])\s+")
    bare, own = [float("inf")], [float("inf")]
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for source in sources:
            border.split(source.text)
        bare.append(time.perf_counter() - start)
        start = time.perf_counter()
        render(sources, compressor)
        own.append(time.perf_counter() - start)
    best, least = min(own), min(bare)
    print(f"\nall renditions: {tokens / best:,.0f} tokens/s (best of {_ROUNDS})", end="; ")
    print(f"bare regex sentence split: {tokens / least:,.0f} tokens/s, {best / least:.0f} times as fast")


async def run(data: Path, folder: Path, *, quick: bool) -> None:
    """Make the renditions of all items, and measure them."""
    sources, questions = read_corpus(data)
    compressor = ExtractiveCompressor(FourBytes())
    made = render(sources, compressor)
    estimate = choose_counter("estimate")
    print(f"{compressor.name}: {len(sources)} items, {len(questions)} questions")
    for detail in DETAILS:
        shown = "  ".join(f"{kind} {ratio(sources, made[detail], kind):.1f}" for kind in KINDS)
        counted = sum(estimate.count(source.text).tokens for source in sources)
        counted_made = sum(estimate.count(text).tokens for text in made[detail].values())
        print(f"\n{detail}: {ratio(sources, made[detail]):.1f}:1 ({shown}; by {estimate.name}: ", end="")
        print(f"{counted / counted_made:.1f}:1)")
        first, five = accuracies(questions, reference_places(questions, made[detail]))
        print(f"  BM25 alone   acc@1  {first}\n  {'':<13}acc@5  {five}")
        if not quick:
            places = await own_places(questions, made[detail], folder / detail)
            first, five = accuracies(questions, places)
            print(f"  own search   acc@1  {first}\n  {'':<13}acc@5  {five}", flush=True)
    print_kept(sources, questions, made)
    print_speed(sources, compressor)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the mix128 files")
    parser.add_argument("--quick", action="store_true", help="leave out the search in a database")
    arguments = parser.parse_args()
    if not (arguments.data / "mix128_items.jsonl.gz").exists():
        print(f"{arguments.data} has no mix128_items.jsonl.gz: nothing is measured.", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        asyncio.run(run(arguments.data, Path(folder), quick=arguments.quick))


if __name__ == "__main__":
    main()
