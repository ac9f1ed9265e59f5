"""What is learned from, and the registry of adapters."""

from collections.abc import Sequence
from typing import Protocol

from ..models import Adapter, AdapterChange, AdapterState, Example, ExampleCount, ExampleDraft, Lesson, Route


class LearningStore(Protocol):
    """Training examples and adapters.

    When an item is forgotten, purged or no longer trusted, the same transaction revokes its examples (a purge deletes
    them) and taints every adapter that learned from it, wherever that is on its way.
    """

    async def lessons(
        self, namespace: str, *, teachers: Sequence[str], strangers: Sequence[str], after: str | None, limit: int
    ) -> Sequence[Lesson]:
        """Return items with a summary whose compressor begins with one of ``teachers`` and with none of ``strangers``.

        By id, those after ``after``; only items that take part, are trusted at least normally and have not expired.
        """
        ...

    async def put_examples(self, namespace: str, drafts: Sequence[ExampleDraft]) -> int:
        """Commit examples, and return how many are new; one that is here and revoked counts again.

        One whose item is no longer there, forgotten or not trusted is left out.
        """
        ...

    async def examples(self, namespace: str) -> Sequence[Example]:
        """Return the examples that are not revoked, by id."""
        ...

    async def count_examples(self, namespace: str) -> Sequence[ExampleCount]:
        """Count examples by kind and split."""
        ...

    async def begin_adapter(
        self,
        namespace: str,
        *,
        base_model: str,
        owner: str,
        examples: Sequence[int],
        items: Sequence[str],
        stem: str,
    ) -> Adapter:
        """Commit a new adapter in state ``training``, named ``stem`` with the next version (``…-v0001``).

        Raises:
            ConflictError: another one is being trained.
        """
        ...

    async def change_adapter(
        self, namespace: str, name: str, change: AdapterChange, *, states: Sequence[AdapterState]
    ) -> Adapter:
        """Change an adapter that is in one of ``states``; that is a sign of life of who trains it, too.

        One that becomes ``active`` retires the one that was; unless it was so before itself, it remembers that one as
        ``previous``.

        Raises:
            NotFoundError: no such adapter.
            ConflictError: it is in another state.
        """
        ...

    async def get_adapter(self, namespace: str, name: str) -> Adapter:
        """Return an adapter.

        Raises:
            NotFoundError: there is none of this name.
        """
        ...

    async def adapters(self, namespace: str) -> Sequence[Adapter]:
        """Return all adapters, the newest first."""
        ...

    async def route(self, namespace: str) -> Route:
        """Return which adapters answer."""
        ...
