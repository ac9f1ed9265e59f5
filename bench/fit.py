"""Fit the weights of ranking, and the levels of evidence, to questions whose answers are known.

    python -m palimpsest.bench.fit --data FOLDER [--write] [--cache FOLDER]

One set of weights for LoCoMo, BEAM and the mix of papers, meetings and modules. The candidates are those that a search
considers; they are kept in ``--cache``, a folder outside the repository, so that only the fit is made again. Figures
stand side by side for weights fitted on everything and for weights fitted without the conversations (or items) that
are then asked about: five folds, whole conversations in one fold. ``--write`` puts the weights into the package.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from palimpsest.core import ranking
from palimpsest.core.finding import Considered
from palimpsest.core.ranking import FAMILIES, features

from .fitting import Listed, Share, fit
from .question_sets import GLOBAL, SETS, Question, QuestionSet, SetName, add_texts, load
from .stores import Bench, open_bench

WEIGHTS_FILE = Path(ranking.__file__).with_name("weights.json")
COUNTS: Mapping[SetName, float] = {"locomo": 2.0, "beam_100K": 0.5, "beam_500K": 0.5, "mix128": 1.0}
"""How much each set counts: turns of people, of people with an assistant, and documents about as much."""
FOLDS = 5
STRANGERS = 3
"""Each third question of a conversation is also asked of another one, which cannot answer it."""
BLOCK_TOKENS = 4000
PRIORITY, RECENCY, TIME = 0.02, 0.01, 0.1
"""Chosen, as shares of the fitted weights' sizes: they decide between candidates that are otherwise nearly equal,
and what happened at a time that the query names comes first among those."""
_HEADER_TOKENS, _GAP_TOKENS = 25, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what a search considered for it, and the names of the items of those candidates.

    ``texts`` holds the text of the item that answers, where the set knows the answer's place in it. An ``answerable``
    question has its answer in the namespace that it was asked in.
    """

    set_name: SetName
    question: Question
    fold: int
    considered: Considered
    items: tuple[str, ...]
    text: str
    answerable: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """An answerable question as numbers: features, how much each candidate answers, and what all answers amount to.

    Relevance and ``wanted`` count items, or bytes of the answer.
    """

    asked: Asked
    features: NDArray[np.float64]
    relevance: NDArray[np.float64]
    wanted: float
    tokens: NDArray[np.int64]


async def consider(bench: Bench, questions: QuestionSet) -> list[Asked]:
    """Fill the store, ask every question, and return what a search considers.

    The unanswerable ones are those that the set says are, and each conversation's questions asked of the next one.
    """
    names = await add_texts(bench, questions.texts)
    texts = {text.name: text.content for text in questions.texts}
    spaces = list(dict.fromkeys(text.namespace for text in questions.texts))
    asked: list[Asked] = []

    async def ask(question: Question, namespace: str, *, answerable: bool) -> None:
        considered = await bench.services.finder.consider(namespace, question.text, None)
        items = tuple(names[one.item_id] for one in considered.found.candidates)
        fold = spaces.index(question.namespace) % FOLDS
        text = ""
        if question.spans:
            (name,) = question.answers
            text, fold = texts[name], zlib.crc32(name.encode()) % FOLDS
        if items:
            asked.append(Asked(questions.name, question, fold, considered, items, text, answerable))

    for question in questions.questions:
        await ask(question, question.namespace, answerable=True)
    for question in questions.unanswerable:
        await ask(question, question.namespace, answerable=False)
    if len(spaces) > 1:
        for question in questions.questions[::STRANGERS]:
            stranger = spaces[(spaces.index(question.namespace) + 1) % len(spaces)]
            await ask(question, stranger, answerable=False)
    return asked


def scored(asked: Asked) -> Scored:
    """Return a question's numbers."""
    found = asked.considered.found
    relevance, wanted = _relevance(asked)
    tokens = np.array([(one.span.end - one.span.start + 3) // 4 for one in found.candidates])
    return Scored(asked, features(found, asked.considered.markers), relevance, wanted, tokens)


def _relevance(asked: Asked) -> tuple[NDArray[np.float64], float]:
    question, candidates = asked.question, asked.considered.found.candidates
    if not question.spans:
        return np.array([float(item in question.answers) for item in asked.items]), float(len(question.answers))
    (name,) = question.answers
    spans = [(len(asked.text[:start].encode()), len(asked.text[:end].encode())) for start, end in question.spans]
    starts = {(item, one.span.start) for item, one in zip(asked.items, candidates, strict=True)}
    held: list[float] = []
    for item, one in zip(asked.items, candidates, strict=True):
        # What parts two chunks is returned with both of them.
        end = next((one.span.end + gap for gap in range(5) if (item, one.span.end + gap) in starts), one.span.end)
        overlap = sum(max(0, min(end, until) - max(one.span.start, begin)) for begin, until in spans)
        held.append(float(overlap) if item == name else 0.0)
    return np.array(held), float(sum(until - begin for begin, until in spans))


def fitted(questions: Sequence[Scored]) -> NDArray[np.float64]:
    """Return the weights for these questions; LoCoMo's adversarial ones, whose premise is false, are left out."""
    shares = [
        Share(
            [
                Listed(one.features, one.relevance)
                for one in questions
                if one.asked.set_name == name and one.asked.question.category != "adversarial"
            ],
            COUNTS[name],
        )
        for name in SETS
    ]
    return fit([share for share in shares if share.lists])


def figures(questions: Sequence[Scored], weights: Callable[[Scored], NDArray[np.float64]]) -> dict[str, float]:
    """Return each measure in percent."""
    sums: dict[str, list[float]] = {}
    for one in questions:
        order = np.argsort(-(one.features @ weights(one)), kind="stable")
        for name, value in _measures(one, order).items():
            sums.setdefault(name, []).append(value)
    return {name: 100 * sum(values) / len(values) for name, values in sums.items()}


def _measures(one: Scored, order: NDArray[np.intp]) -> dict[str, float]:
    question = one.asked.question
    if question.spans:
        return {"mix128 evidence in 4,000 tokens": _held(one, order)}
    places: list[int] = order.tolist()
    found = list(dict.fromkeys(one.asked.items[place] for place in places))
    recall = {depth: len(question.answers & set(found[:depth])) / len(question.answers) for depth in (5, 10)}
    name = one.asked.set_name
    if name == "locomo":
        if question.category == "adversarial":
            return {}
        threads = [one.asked.considered.found.candidates[place].thread for place in places]
        sessions = set(list(dict.fromkeys(threads))[:5])
        session = len(question.threads & sessions) / len(question.threads)
        return {"locomo R@5": recall[5], "locomo R@10": recall[10], "locomo session R@5": session}
    measures = {f"{name} R@10, all nine abilities": recall[10]}
    if question.category not in GLOBAL:
        measures[f"{name} R@10, but event ordering, summarization"] = recall[10]
    return measures


def _held(one: Scored, order: NDArray[np.intp]) -> float:
    """Return what of the answer the best passages within 4,000 tokens hold; see ``bench.evidence``."""
    spent, held = 0, 0.0
    seen: set[str] = set()
    places: list[int] = order.tolist()
    for place in places:
        item = one.asked.items[place]
        cost = int(one.tokens[place]) + (_GAP_TOKENS if item in seen else _HEADER_TOKENS)
        if spent + cost <= BLOCK_TOKENS:
            spent += cost
            held += float(one.relevance[place])
            seen.add(item)
    share = held / max(1.0, one.wanted)
    if one.asked.question.category == "paper":
        return float(share >= 0.999)
    return float(share >= 0.5) if one.asked.question.category == "code" else share


async def gather(data: Path, name: SetName, cache: Path | None) -> list[Asked]:
    """Return a set's questions with their candidates, out of the cache if they are there."""
    kept = None if cache is None else cache / f"asked-{name}.pickle"
    if kept is not None and kept.exists():
        loaded: list[Asked] = pickle.loads(kept.read_bytes())
        return loaded
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        async with open_bench(Path(folder)) as bench:
            asked = await consider(bench, load(data, name))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(asked))
    return asked


def write(weights: NDArray[np.float64]) -> None:
    """Put the weights into the package's data file, scaled to a sum of 1."""
    data = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    size = float(np.abs(weights).sum())
    data["features"] = {name: round(float(one) / size, 4) for name, one in zip(FAMILIES, weights, strict=True)}
    data["priority"], data["recency"], data["time"] = PRIORITY, RECENCY, TIME
    WEIGHTS_FILE.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


async def run(data: Path, sets: Sequence[SetName], cache: Path | None, *, keep: bool) -> None:
    """Gather, fit, cross-validate, print, and write."""
    asked = [one for name in sets for one in await gather(data, name, cache)]
    questions = [scored(one) for one in asked if one.answerable]
    weights = fitted(questions)
    if keep:
        write(weights)
    whole = figures(questions, lambda _: weights)
    parts = [fitted([one for one in questions if one.asked.fold != fold]) for fold in range(FOLDS)]
    crossed = figures(questions, lambda one: parts[one.asked.fold])
    print(f"{'':<52}{'fitted':>10}{'cross-validated':>18}")
    for name, value in whole.items():
        print(f"{name:<52}{value:10.1f}{crossed[name]:18.1f}")
    print("\nweights, in all 1:")
    size = float(np.abs(weights).sum())
    for name, weight in sorted(zip(FAMILIES, weights, strict=True), key=lambda pair: -abs(pair[1])):
        print(f"  {name:<28}{weight / size:8.3f}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the questions and corpora")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--cache", type=Path, help="folder to keep candidates in")
    parser.add_argument("--write", action="store_true", help="put the weights into the package")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.data, arguments.sets, arguments.cache, keep=arguments.write))


if __name__ == "__main__":
    main()
