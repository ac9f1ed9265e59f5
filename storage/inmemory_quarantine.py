"""Sealed items without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from ..core.errors import ConflictError, ItemNotFoundError
from ..core.models import Sealed, SealedItem, SealedPage, Sealing
from .inmemory_shelf import Kept
from .inmemory_spaces import Spaces


class Quarantine(Spaces):
    """Sealed items by namespace and id."""

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
        """See Store."""
        known = await self.find_sealed(namespace, fingerprint=sealed.fingerprint)
        if known is not None:
            return Sealing(known, added=False, durable=False)
        now = self._clock.now()
        item = SealedItem(item_id, reason, dict(categories), "sealed", size_bytes, sealed.key_id, actor, now)
        self._shelves[namespace].sealed[item_id] = Kept(item, sealed)
        self._note(namespace, actor, "seal", item_id, sealed)
        return Sealing(item, added=True, durable=False)

    async def find_sealed(
        self, namespace: str, *, item_id: str | None = None, fingerprint: bytes | None = None
    ) -> SealedItem | None:
        """See Store."""
        for kept in self._shelves[namespace].sealed.values():
            same = kept.sealed is not None and kept.sealed.fingerprint == fingerprint
            if same or kept.item.item_id == item_id:
                return kept.item
        return None

    async def read_sealed(
        self, namespace: str, item_id: str, *, actor: str, action: str = "unseal"
    ) -> tuple[SealedItem, Sealed | None]:
        """See Store."""
        kept = self._kept(namespace, item_id)
        self._note(namespace, actor, action, item_id, kept.sealed)
        return kept.item, kept.sealed

    async def list_sealed(
        self, namespace: str, *, limit: int, before: tuple[datetime, str] | None, state: str | None = "sealed"
    ) -> SealedPage:
        """See Store."""
        passing = [kept.item for kept in self._shelves[namespace].sealed.values() if state in (None, kept.item.state)]
        passing.sort(key=_place, reverse=True)
        page = [item for item in passing if before is None or _place(item) < before]
        return SealedPage(tuple(page[:limit]), len(passing), None)

    async def settle_sealed(
        self, namespace: str, item_id: str, state: Literal["released", "purged"], *, actor: str
    ) -> SealedItem:
        """See Store."""
        kept = self._kept(namespace, item_id)
        if kept.item.state != "sealed":
            raise ConflictError(f"{item_id} is no longer sealed: it was {kept.item.state}.")
        action = "release" if state == "released" else "purge sealed"
        self._note(namespace, actor, action, item_id, kept.sealed)
        kept.item = replace(kept.item, state=state, settled_at=self._clock.now(), held=False)
        kept.sealed = None
        return kept.item

    async def sealed_under_others(
        self, namespace: str, key_id: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[str, Sealed]]:
        """See Store."""
        found = sorted(self._shelves[namespace].sealed.items())
        return [
            (item_id, kept.sealed)
            for item_id, kept in found
            if kept.sealed is not None and kept.sealed.key_id != key_id and item_id > (after or "")
        ][:limit]

    async def rewrap_sealed(self, namespace: str, item_id: str, before: Sealed, after: Sealed) -> bool:
        """See Store."""
        kept = self._kept(namespace, item_id)
        if kept.sealed is None or kept.sealed.wrapped_key != before.wrapped_key:
            return False
        kept.put(after)
        return True

    def _kept(self, namespace: str, item_id: str) -> Kept:
        try:
            return self._shelves[namespace].sealed[item_id]
        except KeyError:
            raise ItemNotFoundError(item_id) from None

    def _note(self, namespace: str, actor: str, action: str, item_id: str, sealed: Sealed | None) -> None:
        self._shelves[namespace].note(
            self._clock.now(),
            actor=actor,
            action=action,
            subject="item",
            subject_id=item_id,
            version=1,
            sha256=("00" * 32) if sealed is None else sealed.fingerprint.hex(),
        )


def _place(item: SealedItem) -> tuple[datetime, str]:
    return item.created_at, item.item_id
