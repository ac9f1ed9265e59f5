"""Sealed items: ciphertext in, ciphertext out, and an event for each look at one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import ConflictError, ItemNotFoundError, StoreError
from ..core.ids import format_item_id, parse_item_id
from ..core.models import Sealed, SealedItem, SealedPage, Sealing
from .rows import Row
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection

_ATTEMPTS = 3
NO_FINGERPRINT = bytes(32)
"""What the history has where nothing is known of a sealed text but its outline."""


class QuarantineTables(Tables):
    """Sealed items."""

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
        values = (reason, json.dumps(dict(categories)), size_bytes, sealed.box, sealed.wrapped_key, sealed.key_id)
        for _ in range(_ATTEMPTS):
            async with self._pool.transaction(namespace) as connection:
                row = await connection.fetchrow(
                    self._queries["put_sealed"], namespace, parse_item_id(item_id), *values, sealed.fingerprint, actor
                )
                if row is not None:
                    await self._note(connection, namespace, actor, "seal", row["item_id"], sealed.fingerprint)
                    return Sealing(_outline(row, held=True), added=True, durable=self._durable)
                known = await self._find(connection, namespace, None, sealed.fingerprint)
                if known is not None:
                    return Sealing(known, added=False, durable=self._durable)
            # Somebody settled the other one between the two statements.
        raise StoreError("The text could not be sealed because others change the same one; nothing was written.")

    async def find_sealed(
        self, namespace: str, *, item_id: str | None = None, fingerprint: bytes | None = None
    ) -> SealedItem | None:
        """See Store."""
        number = None if item_id is None else parse_item_id(item_id)
        async with self._pool.transaction(namespace) as connection:
            return await self._find(connection, namespace, number, fingerprint)

    async def _find(
        self, connection: Connection, namespace: str, number: int | None, fingerprint: bytes | None
    ) -> SealedItem | None:
        row = await connection.fetchrow(self._queries["find_sealed"], namespace, number, fingerprint)
        return None if row is None else _outline(row, held=row["held"])

    async def read_sealed(
        self, namespace: str, item_id: str, *, actor: str, action: str = "unseal"
    ) -> tuple[SealedItem, Sealed | None]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await self._lock_sealed(connection, namespace, item_id)
            await self._note(connection, namespace, actor, action, row["item_id"], row["fingerprint"])
        return _outline(row, held=row["held"]), _sealed(row) if row["held"] else None

    async def list_sealed(
        self, namespace: str, *, limit: int, before: tuple[datetime, str] | None, state: str | None = "sealed"
    ) -> SealedPage:
        """See Store."""
        place = (None, None) if before is None else (before[0], parse_item_id(before[1]))
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["list_sealed"], namespace, state, *place, limit)
        # The count comes with a row of its own, also for a page past the end.
        items = tuple(_outline(row, held=row["held"]) for row in found if row["item_id"] is not None)
        return SealedPage(items, found[0]["total"], None)

    async def settle_sealed(
        self, namespace: str, item_id: str, state: Literal["released", "purged"], *, actor: str
    ) -> SealedItem:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await self._lock_sealed(connection, namespace, item_id)
            if row["state"] != "sealed":
                raise ConflictError(f"{item_id} is no longer sealed: it was {row['state']}.")
            settled = await connection.fetchrow(self._queries["settle_sealed"], namespace, row["item_id"], state)
            assert settled is not None
            action = "release" if state == "released" else "purge sealed"
            await self._note(connection, namespace, actor, action, row["item_id"], row["fingerprint"])
        return _outline(settled, held=False)

    async def sealed_under_others(
        self, namespace: str, key_id: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[str, Sealed]]:
        """See Store."""
        place = -1 if after is None else parse_item_id(after)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["sealed_under_others"], namespace, key_id, place, limit)
        return [(format_item_id(row["item_id"]), _sealed(row)) for row in found]

    async def rewrap_sealed(self, namespace: str, item_id: str, before: Sealed, after: Sealed) -> bool:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(
                self._queries["rewrap_sealed"],
                namespace,
                parse_item_id(item_id),
                before.wrapped_key,
                after.wrapped_key,
                after.key_id,
                after.fingerprint,
            )
        return row is not None

    async def _lock_sealed(self, connection: Connection, namespace: str, item_id: str) -> Row:
        row = await connection.fetchrow(self._queries["lock_sealed"], namespace, parse_item_id(item_id))
        if row is None:
            raise ItemNotFoundError(item_id)
        return row

    async def _note(
        self, connection: Connection, namespace: str, actor: str, action: str, number: int, fingerprint: bytes | None
    ) -> None:
        await self.record(
            connection,
            namespace,
            actor=actor,
            action=action,
            subject="item",
            number=number,
            version=1,
            sha256=fingerprint or NO_FINGERPRINT,
        )


def _outline(row: Any, *, held: bool) -> SealedItem:
    return SealedItem(
        item_id=format_item_id(row["item_id"]),
        reason=row["reason"],
        categories=json.loads(row["categories"]),
        state=row["state"],
        size_bytes=row["size_bytes"],
        key_id=row["key_id"],
        actor=row["actor"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
        held=held,
    )


def _sealed(row: Row) -> Sealed:
    return Sealed(row["box"], row["wrapped_key"], row["key_id"], row["fingerprint"] or b"")
