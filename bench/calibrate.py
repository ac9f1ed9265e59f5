"""Fit what says how strong the evidence is, to questions that can be answered and questions that cannot.

    python -m palimpsest.bench.calibrate --data FOLDER [--cache FOLDER] [--write]

Unanswerable are BEAM's abstention questions, and questions asked of another conversation than the one that answers
them. LoCoMo's adversarial questions, which are about the right people and what they never did, are shown apart. The
table is of 200 questions of either sort, drawn by a fixed seed, judged by a model that never saw their conversations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from palimpsest.core.models import Evidence
from palimpsest.core.ranking import fuse
from palimpsest.core.ranking.evidence import SIGNALS, Judgement, signals

from .fit import FOLDS, WEIGHTS_FILE, Asked, gather
from .question_sets import SetName

SAMPLE = 200
CONVERSATIONS: tuple[SetName, ...] = ("locomo", "beam_100K", "beam_500K")
LEVELS: tuple[Evidence, ...] = ("strong", "some", "weak", "none")
STRONG = 0.8
"""A probability of a strong answer."""
SPURNED, DOUBTED = 0.003, 0.125
"""So many answerable questions may be called ``none``, and ``none`` or ``weak``, in the fit."""
_RIDGE = 0.01


@dataclass(frozen=True, slots=True)
class Case:
    """A question's signals, and whether it has an answer."""

    asked: Asked
    signals: tuple[float, ...]


def cases(asked: Sequence[Asked]) -> list[Case]:
    """Return the signals of each question."""
    found: list[Case] = []
    for one in asked:
        ranked = fuse(one.considered.found, one.considered.markers)
        found.append(Case(one, signals(ranked)))
    return found


def model(found: Sequence[Case]) -> Judgement:
    """Fit a logistic model, both sorts of questions weighing the same, and set its levels."""
    values = np.array([one.signals for one in found])
    answerable = np.array([float(one.asked.answerable) for one in found])
    positive = float(answerable.sum())
    share: NDArray[np.float64] = np.where(answerable > 0, 0.5 / positive, 0.5 / (len(found) - positive))
    inputs = np.column_stack([np.ones(len(found)), values])
    weights = _logistic(inputs, answerable, share)
    probabilities = np.sort(1 / (1 + np.exp(-(inputs[answerable > 0] @ weights))))
    weak, some = (float(probabilities[int(part * len(probabilities))]) for part in (SPURNED, DOUBTED))
    bias, *rest = (round(float(weight), 4) for weight in weights)
    return Judgement(bias, tuple(rest), max(STRONG, some), round(some, 4), round(weak, 4))


def _logistic(
    inputs: NDArray[np.float64], target: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of least cross entropy with a small ridge, by Newton's method."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        probability = 1 / (1 + np.exp(-(inputs @ weights)))
        gradient = inputs.T @ (share * (probability - target)) + _RIDGE / 100 * weights
        spread = share * probability * (1 - probability)
        curvature = (inputs * spread[:, None]).T @ inputs + _RIDGE / 100 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights


def show(title: str, levels: Sequence[Evidence]) -> None:
    """Print how often each level was given."""
    counted = Counter(levels)
    shares = "".join(f"{level:>8} {100 * counted[level] / max(1, len(levels)):5.1f} %" for level in LEVELS)
    print(f"{title:<46}{len(levels):>6}{shares}")


async def run(data: Path, sets: Sequence[SetName], cache: Path | None, *, keep: bool) -> None:
    """Gather, fit, cross-validate, print, and write."""
    found = cases([one for name in sets for one in await gather(data, name, cache)])
    adversarial = [one for one in found if one.asked.question.category == "adversarial" and one.asked.answerable]
    found = [one for one in found if one.asked.question.category != "adversarial"]
    whole = model(found)
    parts = [model([one for one in found if one.asked.fold != fold]) for fold in range(FOLDS)]
    source = random.Random(5)
    abstaining = [one for one in found if one.asked.question.category == "abstention"]
    strangers = [one for one in found if not one.asked.answerable and one not in abstaining]
    unanswerable = abstaining + source.sample(strangers, SAMPLE - len(abstaining))
    answerable = source.sample([one for one in found if one.asked.answerable], SAMPLE)
    judged: dict[str, list[Evidence]] = {
        name: [parts[one.asked.fold].level(one.signals) for one in group]
        for name, group in (("answerable", answerable), ("unanswerable", unanswerable))
    }
    doubted = {name: sum(level in ("weak", "none") for level in levels) for name, levels in judged.items()}
    show("answerable", judged["answerable"])
    show("unanswerable", judged["unanswerable"])
    show("  BEAM's abstention questions", judged["unanswerable"][: len(abstaining)])
    show("  asked of another conversation", judged["unanswerable"][len(abstaining) :])
    show("LoCoMo's adversarial questions", [whole.level(one.signals) for one in adversarial])
    print(f"weak or none: precision {doubted['unanswerable'] / max(1, sum(doubted.values())):.3f}, ", end="")
    print(f"recall {doubted['unanswerable'] / SAMPLE:.3f}; ", end="")
    print(f"answerable called none {judged['answerable'].count('none') / SAMPLE:.3f}")
    print(f"bias {whole.bias}", dict(zip(SIGNALS, whole.weights, strict=True)), whole.strong, whole.some, whole.weak)
    if keep:
        content = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
        content["evidence"] = {
            "bias": whole.bias,
            "weights": dict(zip(SIGNALS, whole.weights, strict=True)),
            "strong": whole.strong,
            "some": whole.some,
            "weak": whole.weak,
        }
        WEIGHTS_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the questions and corpora")
    parser.add_argument("--sets", nargs="+", choices=CONVERSATIONS, default=list(CONVERSATIONS))
    parser.add_argument("--cache", type=Path, help="folder to keep candidates in, shared with bench.fit")
    parser.add_argument("--write", action="store_true", help="put the model into the package")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.data, arguments.sets, arguments.cache, keep=arguments.write))


if __name__ == "__main__":
    main()
