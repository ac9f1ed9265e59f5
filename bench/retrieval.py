"""How well the search finds: LoCoMo turns, each conversation searched on its own.

    python -m palimpsest.bench.retrieval --data FOLDER

FOLDER holds ``locomo_dev.jsonl`` (questions with the ids of the turns that answer them) and
``locomo_dev_corpus.jsonl`` (the turns). Recall at k is the share of a question's turns among the first k found;
questions without an answer in the conversation are left out. The interval is a bootstrap over questions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from palimpsest.core.memory import Caller, NewMemory

from .stores import Bench, open_bench

DEPTHS = (1, 5, 10, 20)


def rows(file: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


async def add_turns(bench: Bench, turns: list[dict[str, Any]]) -> dict[str, str]:
    """Add every turn as an item of its conversation's namespace, and return turn ids by item id."""
    texts = [_words(turn) for turn in turns]
    await bench.embedder.prepare(list(dict.fromkeys(texts)))
    ids: dict[str, str] = {}
    for turn, text in zip(turns, texts, strict=True):
        new = NewMemory(text, content_type="conversation", memory_type="episodic", thread=turn["session"])
        receipt = await bench.memory.add(Caller(turn["conv"]), new)
        ids.setdefault(receipt.item.item_id, turn["id"])
    for conversation in {turn["conv"] for turn in turns}:
        await bench.store.reweigh(conversation, bench.lexicon)
    return ids


def _words(turn: dict[str, Any]) -> str:
    """Return a turn as a client would hand it over: speaker, words, and what the picture that came with it shows."""
    picture = f" [picture: {turn['caption']}]" if turn.get("caption") else ""
    return f"{turn['speaker']}: {turn['text']}{picture}"


async def evaluate(bench: Bench, questions: list[dict[str, Any]], ids: dict[str, str]) -> list[dict[str, Any]]:
    """Ask every question and return its measures."""
    results: list[dict[str, Any]] = []
    for question in questions:
        answer = await bench.memory.search(
            Caller(question["conv"]), question["question"], limit=max(DEPTHS), max_tokens=20_000
        )
        found = [ids[hit.item.item_id] for hit in answer.hits]
        wanted = set(question["evidence"])
        gain = sum(1 / math.log2(place + 2) for place, turn in enumerate(found[:10]) if turn in wanted)
        ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
        measures = {f"R@{k}": len(wanted & set(found[:k])) / len(wanted) for k in DEPTHS}
        measures |= {"hit@10": float(bool(wanted & set(found[:10]))), "NDCG@10": gain / ideal}
        results.append({"category": question["category"], "tokens": answer.tokens, **measures})
    return results


def interval(values: list[float], rounds: int = 1000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean, in percent."""
    source = random.Random(0)
    means = sorted(sum(source.choices(values, k=len(values))) / len(values) for _ in range(rounds))
    return 100 * means[int(0.025 * rounds)], 100 * means[int(0.975 * rounds)]


def report(results: list[dict[str, Any]]) -> None:
    """Print a table by category."""
    names = [f"R@{k}" for k in DEPTHS] + ["hit@10", "NDCG@10"]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        groups[result["category"]].append(result)
    groups["all but adversarial"] = [result for result in results if result["category"] != "adversarial"]
    print(f"{'category':<22}{'n':>6}" + "".join(f"{name:>9}" for name in names) + "   R@10 95 % interval")
    for category, group in sorted(groups.items()):
        means = [100 * sum(result[name] for result in group) / len(group) for name in names]
        low, high = interval([result["R@10"] for result in group])
        print(
            f"{category:<22}{len(group):>6}" + "".join(f"{mean:9.1f}" for mean in means) + f"   {low:.1f} to {high:.1f}"
        )
    tokens = [result["tokens"] for result in results]
    print(f"passages of the first {max(DEPTHS)} hits: {sum(tokens) / len(tokens):.0f} tokens in the mean")


async def run(data: Path) -> None:
    """Fill a fresh store, ask, and print."""
    questions = [row for row in rows(data / "locomo_dev.jsonl") if row["evidence"]]
    turns = rows(data / "locomo_dev_corpus.jsonl")
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        async with open_bench(Path(folder)) as bench:
            ids = await add_turns(bench, turns)
            report(await evaluate(bench, questions, ids))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the LoCoMo files")
    asyncio.run(run(parser.parse_args().data))


if __name__ == "__main__":
    main()
