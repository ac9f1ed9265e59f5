"""Fit the weights of ranking, and the levels of evidence, to questions whose answers are known.

    python -m palimpsest.bench.fit --data FOLDER [--write] [--cache FOLDER]

One set of weights for LoCoMo, BEAM and the mix of papers, meetings and modules. A convex fit (``bench/fitting.py``) is
followed by a coordinate ascent on the measures themselves. The candidates are those that a search considers; they are
kept in ``--cache``, a folder outside the repository, so that only the fit is made again. Figures stand side by side for
weights fitted on everything and for weights fitted without the conversations (or items) that are then asked about: five
folds, whole conversations in one fold. ``--write`` puts the weights into the package.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
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
COUNTS: Mapping[SetName, float] = {"locomo": 2.0, "beam_100K": 1.0, "beam_500K": 1.0, "mix128": 1.0}
"""How much each set counts: turns of people, of people with an assistant, and documents about as much."""
FOLDS = 5
STRANGERS = 3
"""Each third question of a conversation is also asked of another one, which cannot answer it."""
BLOCK_TOKENS = 4000
PRIORITY, RECENCY, TIME = 0.02, 0.01, 0.1
"""Chosen, as shares of the fitted weights' sizes: they decide between candidates that are otherwise nearly equal,
and what happened at a time that the query names comes first among those."""
_HEADER_TOKENS, _GAP_TOKENS, _LEAST_TOKENS = 25, 2, 100
TURNS, TURNS_AT_5, SESSIONS = "locomo R@10", "locomo R@5", "locomo session R@5"
MIX = "mix128 evidence in 4,000 tokens"
TARGETS: Mapping[str, tuple[float, float]] = {
    TURNS: (82.0, 1.0),
    TURNS_AT_5: (74.0, 0.7),
    SESSIONS: (89.0, 0.7),
    "beam_100K R@10, but event ordering, summarization": (72.0, 0.7),
    "beam_500K R@10, but event ordering, summarization": (65.0, 0.7),
    MIX: (78.0, 1.0),
}
"""What each measure should reach, in percent, and how much a point of it counts."""
_ENOUGH, _SHORT, _LEAST_GAIN = 3.0, 0.3, 0.02
_STEPS = (0.02, 0.008, 0.02, 0.008)


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


def figures(questions: Sequence[Scored], scores: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    """Return each measure in percent, for the candidates' scores of each question."""
    sums: dict[str, list[float]] = {}
    for one, mine in zip(questions, scores, strict=True):
        places: list[int] = np.argsort(-mine, kind="stable").tolist()
        for name, value in _measures(one, places).items():
            sums.setdefault(name, []).append(value)
    return {name: 100 * sum(values) / len(values) for name, values in sums.items()}


def _measures(one: Scored, places: Sequence[int]) -> dict[str, float]:
    question = one.asked.question
    if question.spans:
        return {MIX: _held(one, places)}
    found = _distinct((one.asked.items[place] for place in places), 10)
    recall = {depth: len(question.answers.intersection(found[:depth])) / len(question.answers) for depth in (5, 10)}
    name = one.asked.set_name
    if name == "locomo":
        if question.category == "adversarial":
            return {}
        candidates = one.asked.considered.found.candidates
        sessions = _distinct((candidates[place].thread for place in places), 5)
        session = len(question.threads.intersection(sessions)) / len(question.threads)
        return {TURNS_AT_5: recall[5], TURNS: recall[10], SESSIONS: session}
    measures = {f"{name} R@10, all nine abilities": recall[10]}
    if question.category not in GLOBAL:
        measures[f"{name} R@10, but event ordering, summarization"] = recall[10]
    return measures


def _distinct(values: Iterable[str], count: int) -> list[str]:
    """Return the first ``count`` different values."""
    found: dict[str, None] = {}
    for value in values:
        found[value] = None
        if len(found) == count:
            break
    return list(found)


def _held(one: Scored, places: Sequence[int]) -> float:
    """Return what of the answer the best passages within 4,000 tokens hold; see ``bench.evidence``."""
    spent, held = 0, 0.0
    seen: set[str] = set()
    for place in places:
        item = one.asked.items[place]
        cost = int(one.tokens[place]) + (_GAP_TOKENS if item in seen else _HEADER_TOKENS)
        if spent + cost <= BLOCK_TOKENS:
            spent += cost
            held += float(one.relevance[place])
            seen.add(item)
        if spent > BLOCK_TOKENS - _LEAST_TOKENS:
            break
    share = held / max(1.0, one.wanted)
    if one.asked.question.category == "paper":
        return float(share >= 0.999)
    return float(share >= 0.5) if one.asked.question.category == "code" else share


def polished(questions: Sequence[Scored], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return better weights by coordinate ascent on the measures themselves (Metzler and Croft 2007).

    Each weight in turn is moved up or down by a share of all, and stays there if what is gained outweighs what is
    lost; see ``TARGETS``.
    """
    weights = weights / np.abs(weights).sum()
    scores: list[NDArray[np.float64]] = [one.features @ weights for one in questions]
    best = _worth(figures(questions, scores))
    for step in _STEPS:
        for place in range(len(weights)):
            for change in (step, -step):
                tried = [mine + change * one.features[:, place] for mine, one in zip(scores, questions, strict=True)]
                worth = _worth(figures(questions, tried))
                if worth > best + _LEAST_GAIN:
                    best, scores = worth, tried
                    weights = weights + change * (np.arange(len(weights)) == place)
                    break
    return weights


def _worth(measured: Mapping[str, float]) -> float:
    """Weigh up the measures: points over their targets count up to a bound, points under them count more."""
    total = 0.0
    for name, (target, weight) in TARGETS.items():
        if name in measured:
            over = measured[name] - target
            total += weight * min(over, _ENOUGH) + _SHORT * min(over, 0.0)
    return total


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
    weights = polished(questions, fitted(questions))
    if keep:
        write(weights)
    whole = figures(questions, [one.features @ weights for one in questions])
    parts: list[NDArray[np.float64]] = []
    for fold in range(FOLDS):
        others = [one for one in questions if one.asked.fold != fold]
        parts.append(polished(others, fitted(others)))
    crossed = figures(questions, [one.features @ parts[one.asked.fold] for one in questions])
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
