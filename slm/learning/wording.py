"""What the small model is asked in training: word for word what it is asked when it serves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...core.models import Lesson
from ..language import facts
from ..language.prompts import read
from ..language.reducing import framed
from ..language.vllm import instructed

MOST_SUMMARY_TOKENS = 4000
_LEAST_TOKENS = 60
_CHARACTERS_A_TOKEN = 3.5
_TEMPLATE_TOKENS = 350
_SHARE_OF_SOUND = 0.75
_NAMED = re.compile(r"\n\nAlso named: [^\n]*\Z")


class SummaryTeaching:
    """A Teaching of summaries, worded as ``ModelSummarizer`` asks for them."""

    def __init__(self, *, window: int) -> None:
        """``window`` is how many tokens prompt and answer may have together."""
        self._window = window
        self._instruction = read("summary")[1]

    def prompt(self, lesson: Lesson) -> tuple[str, str] | None:
        """See Teaching."""
        text = lesson.content.decode(errors="replace")
        # Longer texts are asked for by parts, whose summaries nobody keeps.
        most = (self._window - _TEMPLATE_TOKENS - lesson.summary_tokens) * _CHARACTERS_A_TOKEN
        if len(text) > most:
            return None
        return self._instruction, summary_task(text, lesson.title, lesson.summary_tokens)

    def is_sound(self, completion: str, source: str) -> bool:
        """See Teaching."""
        body = _NAMED.sub("", completion)
        return len(facts.checked(body, source)) >= _SHARE_OF_SOUND * len(body.strip())

    def probes(self) -> Sequence[tuple[str, str]]:
        """See Teaching."""
        texts = (
            "The harbour was dredged in 1921. Since then ships of 9 metres can enter at low water.",
            "def area(width, height):\n    return width * height",
            "ann: Shall we move the review to Friday?\nben: Friday is fine, at ten.",
        )
        return [(self._instruction, summary_task(text, None, _LEAST_TOKENS)) for text in texts]


def summary_task(text: str, title: str | None, tokens: int) -> str:
    """Return what the model is asked for a text's summary."""
    budget = min(max(_LEAST_TOKENS, tokens), MOST_SUMMARY_TOKENS)
    task = f"Shorten it to at most {budget} tokens (about {budget * 3 // 4} words)."
    task = f"The text is called {title!r}. {task}" if title else task
    return framed(text, task)


def completed(system: str, prompt: str) -> str:
    """Return an instruction and a prompt as a model without a chat form gets them."""
    return instructed(system, prompt) if system else f"Instruct: {prompt}\nOutput:"
