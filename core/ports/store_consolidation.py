"""Statements that are near each other, as a store keeps and changes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..budget import Budgets
from ..models import ItemDraft, Member, Merged, Near, Receipt, Statement, Stretch


class ConsolidationStore(Protocol):
    """Statements: active items of one chunk and at most 8 KiB, the latest of their lineage, that are trusted, neither
    pinned nor due to expire, and were not made of other items."""

    async def consolidation_stretch(self, namespace: str, model_id: str, basis: str) -> Stretch:
        """Return what changed since the last run on this ``basis`` was noted, and until when it is complete.

        It ends some minutes ago, for what is being committed, and before the first statement that has no vector yet.
        """
        ...

    async def note_consolidated(self, namespace: str, basis: str, until: datetime) -> None:
        """Note that a run on this ``basis`` has looked at everything until then."""
        ...

    async def changed_statements(
        self, namespace: str, model_id: str, *, since: datetime | None, after: str | None, limit: int
    ) -> Sequence[str]:
        """Return the ids, in their order and those after ``after``, of statements with a vector of the model."""
        ...

    async def near(
        self, namespace: str, model_id: str, item_ids: Sequence[str], *, distance: float, limit: int
    ) -> Sequence[Near]:
        """Return the statements of the same thread within ``distance`` of each of some, at most ``limit`` for each.

        For a version that another one supersedes the latest of its lineage stands in.
        """
        ...

    async def statements(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Statement]:
        """Return those of some items that are statements now, by id."""
        ...

    async def merged(self, namespace: str, source_ids: Sequence[str] | None = None) -> Sequence[Merged]:
        """Return the active items that consolidation made of others, or those of them made of one of ``source_ids``."""
        ...

    async def fold(
        self, namespace: str, keeper: Member, others: Sequence[Member], *, actor: str, budgets: Budgets
    ) -> Receipt:
        """Let items that say the same be of one lineage, whose latest is ``keeper``, and the others leave the block.

        One event of the keeper, ``fold``, which undo takes back as a whole.

        Raises:
            ConflictError: one of them is gone or no longer what it was, or another than the keeper would be the latest;
                nothing was written.
        """
        ...

    async def unfolded(self, namespace: str, item_ids: Sequence[str]) -> frozenset[str]:
        """Return those of some items of which a fold was taken back, and whose content is what it was then."""
        ...

    async def declined(self, namespace: str, keys: Sequence[str]) -> frozenset[str]:
        """Return those of some clusters' keys whose merged item was forgotten, but for those that ``CONSOLIDATION``
        itself let go of."""
        ...

    async def merge(
        self,
        namespace: str,
        draft: ItemDraft,
        sources: Sequence[Member],
        *,
        replaces: Sequence[Member] = (),
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """Add an item that was made of others, which leave the block; what it ``replaces`` becomes an earlier version.

        One event, the add; undo takes it back with all steps.

        Raises:
            ConflictError: one of them is gone or no longer what it was, the thread has the text already, or the block
                would grow; nothing was written.
        """
        ...
