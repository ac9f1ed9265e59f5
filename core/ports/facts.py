"""What reads facts off texts."""

from collections.abc import Sequence
from typing import Protocol

from ..models import FoundFact, Telling


class FactExtractor(Protocol):
    """A text to the facts that it tells."""

    @property
    def name(self) -> str:
        """Name the method, its version and the model."""
        ...

    async def extract(self, telling: Telling) -> Sequence[FoundFact]:
        """Return the facts that a text tells, each with the place that tells it; none where it tells none.

        Raises:
            TextModelUnavailableError: try again later.
            SpendingLimitError: try again tomorrow.
            UnusableAnswerError: a model's answer was not usable, and asking again would cost again.
            TextModelError: the endpoint refuses such calls.
        """
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...
