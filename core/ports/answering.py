"""What the core asks of whoever answers questions."""

from collections.abc import Sequence
from typing import Protocol

from ..models import DraftAnswer, GivenPassage


class Answerer(Protocol):
    """A question and passages to an answer, by a language model: slow, paid and able to fail."""

    @property
    def name(self) -> str:
        """Name the model."""
        ...

    def room(self, max_tokens: int) -> int:
        """Return how many tokens of passages fit beside an answer of ``max_tokens``."""
        ...

    async def answer(
        self, namespace: str, thread: str, question: str, passages: Sequence[GivenPassage], *, max_tokens: int
    ) -> DraftAnswer:
        """Answer a question from passages alone. What it quotes may not be there: the caller checks that.

        Raises:
            UnusableAnswerError: the model's answer is none.
            TextModelError: see TextModel.
        """
        ...
