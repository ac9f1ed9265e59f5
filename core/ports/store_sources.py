"""What items were made from, as a store keeps it."""

from collections.abc import Sequence
from typing import Protocol

from ..models import Derivation, Origin


class SourceStore(Protocol):
    """What items were made from, noted with their add and found from both ends.

    It goes with either of the two when that is purged; forgetting and edits leave it.
    """

    async def sources(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """Return what these items were made from, ordered by item, source and place."""
        ...

    async def derived(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Derivation]:
        """Return what was made from these items, in the same order."""
        ...

    async def link_sources(self, namespace: str, item_id: str, origins: Sequence[Origin]) -> int:
        """Note that an item says what these places say, too; return how many of them are new to it.

        Provenance, no change: it has no line in the history. Sources that are not here, and the item itself, are
        passed over.

        Raises:
            ItemNotFoundError: there is no such item.
        """
        ...
