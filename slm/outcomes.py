"""What came of a conversation: decisions, promises, refusals and questions, told by cue words."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from .keywords import Terms
from .salience import Sentence

_CUES: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    (
        "decided",
        1.0,
        re.compile(
            r"\b(?:(?:we|they|i|it was|has been|is|have|team|everyone|all|both)(?:'ve|'re| have| had| all| are)?"
            r" (?:decided|agreed|settled|concluded|resolved|approved|chosen|chose|signed off)"
            r"|(?:decided|agreed) (?:to|that|on|upon)|decision (?:is|was|:)|(?:let's|let us|we'll|we will|we can) (?:go"
            r" (?:with|for|ahead)|stick|use|keep|drop|postpone|take|stay|adopt|ship)|going (?:to go )?with|final answer"
            r"|motion (?:is )?(?:carried|passed)|approved|consensus)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "to do",
        0.8,
        re.compile(
            r"\b(?:action items?|to-?do|next steps?|follow(?:ing)? up|deadline|by (?:monday|tuesday|wednesday|thursday|"
            r"friday|saturday|sunday|tomorrow|tonight|next week|the end of|eod)"
            r"|(?:i'll|i will|i can|i am going to|i'm going to|"
            r"we'll|we will|you'll|he'll|she'll|they'll) (?:\w+ )?(?:send|write|prepare|check|ask|call|fix|finish|"
            r"look into|review|set up|schedule|update|draft|email|book|bring|test|investigate|provide|report|get back)"
            r"|(?:can|could|would|will) you (?:please )?"
            r"(?:send|write|prepare|check|ask|call|fix|review|update|look))\b",
            re.IGNORECASE,
        ),
    ),
    (
        "against",
        0.8,
        re.compile(
            r"\b(?:disagree|don't (?:agree|think we should|want)|rejected?|object(?:ed|ion) to|opposed|"
            r"concern(?:ed)? (?:is|that|about)|"
            r"not (?:going to|allowed|possible|acceptable)|won't|instead of)\b",
            re.IGNORECASE,
        ),
    ),
)
_ASKED = re.compile(r"\b(?:what|why|how|when|where|which|who|whether|should|could|can|do|does|is|are)\b", re.IGNORECASE)
_SHORT, _LONG = 25, 220
_QUESTION = 0.6
_PLAIN = 0.0
_MAX_OUTCOMES = 50_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence worth telling, most of all one that settles, promises, refuses or asks something.

    ``index`` is the sentence's; ``head`` names its speaker and what it does; one that ``settles`` is no
    question and no remark.
    """

    index: int
    head: str
    text: str
    strength: float
    settles: bool


def find_outcomes(sentences: Sequence[Sentence], terms: Terms) -> list[Outcome]:
    """Return what the sentences settle, each under its speaker, in their order.

    Strength is the cue's, from 0 to 1, plus what the sentence's words tell of the whole text for its length, from 0
    to 1.
    """
    found = list(islice(_cued(sentences), _MAX_OUTCOMES))
    told = {index: _told(sentences[index].text, terms) for index, _, _ in found}
    most = max(told.values(), default=0.0) or 1.0
    return [
        Outcome(
            index,
            _head(cue, sentences[index].label),
            sentences[index].text,
            strength + told[index] / most,
            strength > _QUESTION,
        )
        for index, cue, strength in found
    ]


def _head(cue: str, label: str) -> str:
    return f"{label}, {cue}: " if cue else f"{label}: "


def _cued(sentences: Sequence[Sentence]) -> Iterator[tuple[int, str, float]]:
    for index, sentence in enumerate(sentences):
        text = sentence.text
        if not _SHORT <= len(text) <= _LONG:
            continue
        if text.endswith("?"):
            if _ASKED.search(text):
                yield index, "asked", _QUESTION
            continue
        for cue, strength, pattern in _CUES:
            if pattern.search(text):
                yield index, cue, strength
                break
        else:
            yield index, "", _PLAIN


def _told(text: str, terms: Terms) -> float:
    worth = sum(terms.worth(stem, terms.total.get(stem, 0)) for stem in terms.stems(text))
    return math.sqrt(worth / math.sqrt(len(text) + 40))
