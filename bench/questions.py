"""Queries of several kinds out of passages: fragments, questions, and pairs of rare words; each asked once."""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

from . import corpus
from .corpus import fragment

HELD_OUT = 500_000
"""Passages from this place of the order on are in no store."""
_SOURCES = 10_000
_WORD = re.compile(r"[A-Za-z]{4,}")
_TEMPLATES = (
    "how does {0} work together with {1}?",
    "what is the {0} of {1} for?",
    "why would {0} fail when {1} is set",
    "when should I use {0} instead of {1}?",
    "where is {0} described for {1} and {2}",
    "which {0} does {1} return if the {2} is missing?",
    "can {0} be changed without {1}?",
)
_RARE = range(2, 16)
_Kind = Callable[[str, random.Random], str | None]


def question(passage: str, source: random.Random) -> str | None:
    """Return a question about words of a passage, in a person's order of words, None where it has too few."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(passage) if len(word) > 5))
    if len(words) < 3:
        return None
    return source.choice(_TEMPLATES).format(*source.sample(words, 3))


def rare_pair(passage: str, source: random.Random, known: Counter[str]) -> str | None:
    """Return two words of a passage that few passages have by ``known``, None where it has not two."""
    words = sorted({word.lower() for word in _WORD.findall(passage)})
    rare = [word for word in words if known[word] in _RARE]
    return " ".join(source.sample(rare, 2)) if len(rare) > 1 else None


def mixture(count: int, stored: Sequence[str], others: Sequence[str], seed: int = 11) -> list[str]:
    """Return distinct queries, shuffled: 40 % fragments, 40 % questions, 20 % pairs of rare words.

    Half of each kind come out of ``stored`` passages, half out of ``others``.
    """
    source = random.Random(seed)
    known = Counter(word for text in stored for word in {one.lower() for one in _WORD.findall(text)})
    kinds: Sequence[tuple[float, _Kind]] = (
        (0.4, fragment),
        (0.4, question),
        (0.2, lambda passage, source: rare_pair(passage, source, known)),
    )
    made: dict[str, None] = {}
    for share, ask in kinds:
        wanted = len(made) + round(share * count)
        while len(made) < wanted:
            query = ask(source.choice(stored if len(made) % 2 else others), source)
            if query is not None:
                made[query] = None
    asked = list(made)
    source.shuffle(asked)
    return asked


def standard(count: int) -> list[str]:
    """Return the queries that stores of every size are asked: out of what all hold, and out of what none does."""
    texts = corpus.passages(HELD_OUT + _SOURCES)
    return mixture(count, texts[:_SOURCES], texts[HELD_OUT:] or texts[-_SOURCES:])
