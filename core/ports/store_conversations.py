"""Conversations as a store keeps them: turns are items, added many at once."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..budget import Budgets
from ..models import AddedTurns, ItemDraft, KnownTurn, SlidTurn, Standing


class ConversationStore(Protocol):
    """Conversations as a store keeps them: turns are items, added many at once."""

    async def known_turns(self, namespace: str, keys: Sequence[str]) -> Mapping[str, KnownTurn]:
        """Return by idempotency key those turns that were added before, forgotten ones included."""
        ...

    async def add_turns(self, namespace: str, drafts: Sequence[ItemDraft], *, budgets: Budgets) -> AddedTurns:
        """Commit new items of one thread in the order given, all or none, each with what ``ItemStore.add`` writes.

        Each draft has an idempotency key of its own; one whose key was used meanwhile is left out. The same content may
        stand several times: people repeat themselves. The block steps down once for all of them, which is undone with
        the last one.

        Raises:
            InvalidInputError: the thread holds some content 32,768 times.
        """
        ...

    async def standing(self, namespace: str, thread: str) -> Mapping[Standing, int]:
        """Count a thread's active items by where they stand in its block."""
        ...

    async def slid_turns(self, namespace: str, thread: str, session: str, *, limit: int) -> Sequence[SlidTurn]:
        """Return a session's turns that left its thread's block after the last that a recap tells of, oldest first.

        What is not trusted was never in it, and is left out.
        """
        ...
