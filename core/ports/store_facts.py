"""Facts as a store keeps them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..models import KnownFact, ToldFact


class FactStore(Protocol):
    """Facts as a store keeps them: written by ``add`` with the item whose draft has one, and with its lineage.

    A fact is its item's only while that has the content which it was added with, and takes part only while the item
    does.
    """

    async def known_facts(
        self, namespace: str, thread: str, wanted: Sequence[tuple[int, datetime]]
    ) -> Sequence[Sequence[KnownFact]]:
        """Return for each wanted (slot, moment) the facts of that slot in a thread that matter then, newest first.

        Those are the first after the moment, if any, and up to four of the moment or before.
        """
        ...

    async def list_facts(
        self, namespace: str, *, subject: str | None, thread: str | None, superseded: bool, limit: int
    ) -> Sequence[KnownFact]:
        """Return facts, newest first, of one subject (as ``folded``) or all; with ``superseded`` those of the past."""
        ...

    async def told_facts(self, namespace: str, item_ids: Sequence[str]) -> Sequence[ToldFact]:
        """Return the facts that were read off these items, by source and item."""
        ...
