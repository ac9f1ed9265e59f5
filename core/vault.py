"""The vault: texts in, sealed items out, and back; the only place where a plaintext meets its ciphertext."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from .calls import Caller
from .errors import ConflictError, ItemNotFoundError, MasterKeyError, QuarantinedError
from .ids import new_item_id
from .models import SealedItem, Sealing
from .ports import Sealer, Store


@dataclass(frozen=True, slots=True, repr=False)
class SealedText:
    """All that a text needs to become an ordinary item again. It has no repr: that could end up in a log."""

    content: str
    title: str | None = None
    content_type: str = "text/plain"
    memory_type: str = "document"
    priority: int = 5
    pinned: bool = False
    tags: tuple[str, ...] = ()
    thread: str = "main"
    date: str | None = None
    expires_in_days: float | None = None
    source: Mapping[str, str] = field(default_factory=dict[str, str])

    def encode(self) -> bytes:
        """Return it as bytes, the same for the same text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, plaintext: bytes) -> "SealedText":
        """Read what ``encode`` wrote."""
        fields: dict[str, Any] = json.loads(plaintext)
        fields["tags"] = tuple(fields["tags"])
        return cls(**fields)


class Vault:
    """Seals and opens."""

    def __init__(self, *, store: Store, sealer: Sealer | None) -> None:
        """Without a ``sealer`` everything that needs a master key is refused."""
        self._store = store
        self._given = sealer

    @property
    def sealer(self) -> Sealer:
        """The sealer.

        Raises:
            MasterKeyError: none was given.
        """
        if self._given is None:
            raise MasterKeyError
        return self._given

    async def seal(self, caller: Caller, text: SealedText, reason: str, categories: Mapping[str, int]) -> Sealing:
        """Commit a text as ciphertext; the same text is sealed once.

        Raises:
            MasterKeyError: there is no usable master key; nothing was written.
        """
        plaintext, item_id = text.encode(), new_item_id()
        sealed = await asyncio.to_thread(self.sealer.seal, plaintext, caller.namespace, item_id)
        return await self._store.put_sealed(
            caller.namespace,
            item_id,
            sealed,
            reason=reason,
            categories=categories,
            size_bytes=len(text.content.encode()),
            actor=caller.actor,
        )

    async def open(self, caller: Caller, item_id: str, *, action: str = "unseal") -> tuple[SealedItem, SealedText]:
        """Return a sealed text, once the history tells that it was looked at.

        Raises:
            ItemNotFoundError: nothing was ever sealed under this id.
            ConflictError: it is no longer sealed.
            QuarantinedError: only its outline is here.
            SealError: it cannot be opened.
        """
        outline = await self.outline(caller.namespace, item_id)
        if outline.state != "sealed":
            raise ConflictError(settled_told(outline))
        item, sealed = await self._store.read_sealed(caller.namespace, item_id, actor=caller.actor, action=action)
        if sealed is None:
            raise QuarantinedError(
                item_id,
                f"Only the outline of {item_id} is here: the dump that it was loaded from left the sealed bytes out; "
                "dump with --sealed where it came from, and load that.",
            )
        plaintext = await asyncio.to_thread(self.sealer.open, sealed, caller.namespace, item_id)
        return item, SealedText.decode(plaintext)

    async def outline(self, namespace: str, item_id: str) -> SealedItem:
        """Return a sealed item's outline.

        Raises:
            ItemNotFoundError: nothing was ever sealed under this id.
        """
        found = await self._store.find_sealed(namespace, item_id=item_id)
        if found is None:
            raise ItemNotFoundError(item_id)
        return found

    @asynccontextmanager
    async def told(self, namespace: str, item_id: str) -> AsyncGenerator[None, None]:
        """Let an id that is not among the items be told apart where it is in quarantine.

        Raises:
            QuarantinedError: in place of ItemNotFoundError.
        """
        try:
            yield
        except ItemNotFoundError as error:
            found = await self._store.find_sealed(namespace, item_id=item_id)
            if found is None or error.item_id != item_id:
                raise
            message = None if found.state == "sealed" else settled_told(found)
            raise QuarantinedError(item_id, message) from None

    async def rotate(self, namespace: str, *, renew: bool = True) -> tuple[str, int]:
        """Wrap every data key of a namespace under the current master key, a new one unless ``renew`` is False.

        What was interrupted goes on where it stopped. Returns the current key's id and how many were wrapped anew.

        Raises:
            SealError: a sealed item cannot be opened; those before it are done, none is lost.
        """
        if renew:
            await asyncio.to_thread(self.sealer.rotate)
        key_id = await asyncio.to_thread(lambda: self.sealer.key_id)
        after: str | None = None
        count = 0
        while batch := await self._store.sealed_under_others(namespace, key_id, after=after, limit=20):
            for item_id, sealed in batch:
                rewrapped = await asyncio.to_thread(self.sealer.rewrap, sealed, namespace, item_id)
                count += await self._store.rewrap_sealed(namespace, item_id, sealed, rewrapped)
            after = batch[-1][0]
        return key_id, count


def settled_told(item: SealedItem) -> str:
    """Say what became of an item that is no longer sealed."""
    if item.state == "released":
        return f"{item.item_id} was released from quarantine already; memory_retrieve reads it, unless it was purged."
    return f"{item.item_id} was purged from quarantine; nothing of its text is left."
