"""How well the search finds, with one configuration for every kind of data.

    python -m palimpsest.bench.retrieval --data FOLDER [--sets locomo beam_100K beam_500K mix128] [--runs FOLDER]

LoCoMo and BEAM are conversations, each turn an item of its session's thread, all turns of both speakers; every
conversation is searched on its own. Recall at k is the share of a question's turns among the first k items found; a
session counts as found with its first turn. The mix of papers, meetings and modules is asked for a block of 4,000
tokens, and what counts is whether the answer's words are in it. Intervals are bootstraps over questions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from palimpsest.core.memory import Caller

from . import evidence
from .question_sets import GLOBAL, SETS, Question, QuestionSet, SetName, add_texts, load
from .stores import Bench, open_bench

DEPTHS = (1, 5, 10, 20)
BLOCK_TOKENS = 4000
Measures = Mapping[str, float]


async def run_set(bench: Bench, questions: QuestionSet, runs: Path | None) -> None:
    """Fill the store with a set's texts, ask its questions, and print."""
    start = time.perf_counter()
    names = await add_texts(bench, questions.texts)
    filled = time.perf_counter() - start
    results = (
        await ask_for_blocks(bench, questions, names)
        if questions.name == "mix128"
        else await ask_for_hits(bench, questions, names, runs)
    )
    asked = time.perf_counter() - start - filled
    print(f"\n{questions.name}: {len(questions.texts)} items in {filled:.0f} s, asked in {asked:.0f} s")
    report(results)


async def ask_for_hits(
    bench: Bench, questions: QuestionSet, names: Mapping[str, str], runs: Path | None
) -> list[tuple[str, Measures]]:
    """Ask every question and return its category and measures."""
    threads = {text.name: text.thread for text in questions.texts}
    results: list[tuple[str, Measures]] = []
    ranked: list[tuple[str, list[str]]] = []
    for question in questions.questions:
        answer = await bench.memory.search(
            Caller(question.namespace), question.text, limit=max(DEPTHS), max_tokens=100_000
        )
        found = [names[hit.item.item_id] for hit in answer.hits]
        ranked.append((question.name, found))
        results.append((question.category, {**measure(question, found, threads), "tokens": answer.tokens}))
    if runs is not None:
        runs.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"qid": name, "ranked": found}) for name, found in ranked]
        (runs / f"{questions.name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return results


def measure(question: Question, found: Sequence[str], threads: Mapping[str, str]) -> dict[str, float]:
    """Return recall at several depths, any hit in ten, NDCG at ten, and recall of sessions at five."""
    wanted = question.answers
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(found[:10]) if name in wanted)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
    sessions = list(dict.fromkeys(threads[name] for name in found))[:5]
    return {
        **{f"R@{k}": len(wanted & set(found[:k])) / len(wanted) for k in DEPTHS},
        "hit@10": float(bool(wanted & set(found[:10]))),
        "NDCG@10": gain / ideal,
        "session R@5": len(question.threads & set(sessions)) / max(1, len(question.threads)),
    }


async def ask_for_blocks(bench: Bench, questions: QuestionSet, names: Mapping[str, str]) -> list[tuple[str, Measures]]:
    """Ask for a block for every question and return its category and what of the answer is in it."""
    texts = {text.name: text for text in questions.texts}
    ids = {name: item_id for item_id, name in names.items()}
    results: list[tuple[str, Measures]] = []
    for question in questions.questions:
        caller = Caller(question.namespace)
        answer = await bench.services.context.get(caller, "main", query=question.text, max_tokens=BLOCK_TOKENS)
        name = next(iter(question.answers))
        held = evidence.returned(answer.text, ids[name], texts[name].content)
        asked = evidence.Question(question.category, name, question.text, question.spans)
        results.append(
            (question.category, {"evidence": evidence.evidence(asked, held), "tokens": float(answer.tokens)})
        )
    return results


def interval(values: Sequence[float], rounds: int = 1000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean, in percent."""
    source = random.Random(0)
    means = sorted(sum(source.choices(values, k=len(values))) / len(values) for _ in range(rounds))
    return 100 * means[int(0.025 * rounds)], 100 * means[int(0.975 * rounds)]


def report(results: Sequence[tuple[str, Measures]]) -> None:
    """Print a table by category."""
    groups: dict[str, list[Measures]] = defaultdict(list)
    for category, measures in results:
        groups[category].append(measures)
        groups["ALL"].append(measures)
        if category != "adversarial" and "adversarial" in {name for name, _ in results}:
            groups["ALL but adversarial"].append(measures)
        if category not in GLOBAL and GLOBAL & {name for name, _ in results}:
            groups["ALL but event ordering, summarization"].append(measures)
    names = [name for name in results[0][1] if name != "tokens"]
    lead = "R@10" if "R@10" in names else names[0]
    print(f"{'category':<38}{'n':>5}" + "".join(f"{name:>12}" for name in names) + f"   {lead} 95 %       tokens")
    for category, group in sorted(groups.items(), key=lambda pair: (pair[0].startswith("ALL"), pair[0])):
        low, high = interval([one[lead] for one in group])
        means = "".join(f"{100 * sum(one[name] for one in group) / len(group):12.1f}" for name in names)
        tokens = sum(one["tokens"] for one in group) / len(group)
        print(f"{category:<38}{len(group):>5}{means}   {low:.1f} to {high:.1f}{tokens:10.0f}")


async def run(data: Path, sets: Sequence[SetName], runs: Path | None) -> None:
    """Measure each set in a fresh store of its own."""
    for name in sets:
        with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
            async with open_bench(Path(folder), counter=evidence.FourBytes() if name == "mix128" else None) as bench:
                await run_set(bench, load(data, name), runs)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the questions and corpora")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--runs", type=Path, help="folder to write the ranked names of each question to")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.data, arguments.sets, arguments.runs))


if __name__ == "__main__":
    main()
