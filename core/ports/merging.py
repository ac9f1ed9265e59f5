"""What the core asks of who merges texts and who finds clusters."""

from collections.abc import Sequence
from typing import Protocol

from ..models import Near


class Merger(Protocol):
    """Several short texts that are near each other to one that says what they say."""

    @property
    def name(self) -> str:
        """Name the method and its version."""
        ...

    async def merge(self, namespace: str, thread: str, texts: Sequence[str]) -> str:
        """Return one text; ``texts`` are in the order in which they came to be so.

        Raises:
            TextModelError: no usable text came; with its subclasses, see Summarizer.
        """
        ...


class Clusterer(Protocol):
    """Near pairs to clusters."""

    @property
    def name(self) -> str:
        """Name the method."""
        ...

    def clusters(self, pairs: Sequence[Near], distance: float) -> Sequence[Sequence[str]]:
        """Return the ids of each cluster of more than one, by pairs that are at most ``distance`` apart."""
        ...
