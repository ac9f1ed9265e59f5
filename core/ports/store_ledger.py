"""Threads' accounts as a store keeps them: where items stand, their blocks, and money."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ..budget import Budgets
from ..ladder import Choose
from ..models import (
    Block,
    Detail,
    Receipt,
    Rendition,
    Rung,
    Stale,
    StaleItem,
    Standing,
    Step,
    StoreCounts,
    TextUsage,
    ThreadState,
)


class LedgerStore(Protocol):
    """Threads' accounts as a store keeps them: where items stand, their blocks, and money."""

    async def place(self, namespace: str, item_id: str, detail: Standing, *, actor: str, budgets: Budgets) -> Receipt:
        """Let an active item stand at ``detail`` in its block, or the next higher one that it has, and note its use.

        An archived item comes back at the end of the block. Outcome ``unchanged`` when it already stands so.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the item is forgotten.
        """
        ...

    async def step(
        self, namespace: str, thread: str, choose: Choose, *, actor: str, budgets: Budgets
    ) -> tuple[ThreadState, Sequence[Step]]:
        """Take the steps that ``choose`` takes of the thread's rungs, in one transaction; adds to it wait.

        An unknown thread has no rungs and is not made.
        """
        ...

    async def rungs(
        self, namespace: str, thread: str, *, budgets: Budgets, item_ids: Sequence[str] | None = None
    ) -> tuple[ThreadState, Sequence[Rung]]:
        """Return a thread's account and its active items on the ladder, or those of ``item_ids``, in block order."""
        ...

    async def block(self, namespace: str, thread: str, *, budgets: Budgets) -> Block:
        """Return the thread's block: account and texts of one moment."""
        ...

    async def texts(self, namespace: str, wanted: Sequence[tuple[str, Detail]]) -> Mapping[tuple[str, Detail], str]:
        """Return the text of each active item at a detail; those that have none there are left out."""
        ...

    async def use_model(self, namespace: str, thread: str, model: str, *, actor: str, budgets: Budgets) -> ThreadState:
        """Remember the thread's model, making the thread where it is new, and step down what no longer fits."""
        ...

    async def put_renditions(
        self,
        namespace: str,
        item_id: str,
        sha256: str,
        renditions: Sequence[Rendition],
        *,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """Replace an item's renditions of these details by better ones made from the content with this SHA-256.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the item's content is another one by now, or the item is forgotten.
        """
        ...

    async def stale(self, namespace: str, limits: Stale, *, now: datetime, limit: int) -> Sequence[StaleItem]:
        """Return items that hygiene should step down or forget, expired ones first, then by priority and last use."""
        ...

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """See Meter."""
        ...

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """See Meter."""
        ...

    async def state(self, namespace: str, model_id: str, *, budgets: Budgets) -> StoreCounts:
        """Count what the namespace holds."""
        ...
