"""Sealed items as a store keeps them: only ever as ciphertext."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from ..models import Sealed, SealedItem, SealedPage, Sealing


class QuarantineStore(Protocol):
    """Sealed items as a store keeps them: only ever as ciphertext, and with an event for each look at one."""

    async def put_sealed(
        self,
        namespace: str,
        item_id: str,
        sealed: Sealed,
        *,
        reason: str,
        categories: Mapping[str, int],
        size_bytes: int,
        actor: str,
    ) -> Sealing:
        """Commit a sealed item; one that is sealed with the same fingerprint is returned instead."""
        ...

    async def find_sealed(
        self, namespace: str, *, item_id: str | None = None, fingerprint: bytes | None = None
    ) -> SealedItem | None:
        """Return the outline with this id, or of the sealed one with this fingerprint."""
        ...

    async def read_sealed(
        self, namespace: str, item_id: str, *, actor: str, action: str = "unseal"
    ) -> tuple[SealedItem, Sealed | None]:
        """Return a sealed item with its ciphertext, None where it is not held.

        An ``action`` is noted with it in the history, which says who asked for it and why.

        Raises:
            ItemNotFoundError: nothing was ever sealed under this id.
        """
        ...

    async def list_sealed(
        self, namespace: str, *, limit: int, before: tuple[datetime, str] | None, state: str | None = "sealed"
    ) -> SealedPage:
        """Return outlines, newest first, those after ``before`` (created_at, item_id); all states for None."""
        ...

    async def settle_sealed(
        self, namespace: str, item_id: str, state: Literal["released", "purged"], *, actor: str
    ) -> SealedItem:
        """Delete the ciphertext of an item that is an ordinary one now, or gone, and return its outline.

        Raises:
            ItemNotFoundError: nothing was ever sealed under this id.
            ConflictError: it is no longer sealed.
        """
        ...

    async def sealed_under_others(
        self, namespace: str, key_id: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[str, Sealed]]:
        """Return sealed items by id, those after ``after``, whose key lies under another master key than ``key_id``."""
        ...

    async def rewrap_sealed(self, namespace: str, item_id: str, before: Sealed, after: Sealed) -> bool:
        """Replace a wrapped key with its new wrapping; False when it changed meanwhile, and nothing was written."""
        ...
