"""The memory with its quarantine: what is added is looked at first, and ids of sealed items are told apart."""

from dataclasses import replace
from typing import Any

from . import validation
from .calls import Caller, Change, NewMemory
from .memory import Memory
from .models import Item, ItemState, Labels, Page, Receipt
from .releasing import Releasing
from .screening import Screened, Screening
from .vault import SealedText, Vault


class ScreenedMemory(Memory):
    """A Memory into which no text comes unseen."""

    def __init__(self, *, vault: Vault, screening: Screening, releasing: Releasing, **parts: Any) -> None:
        """Take what a Memory takes besides."""
        super().__init__(**parts)
        self._vault = vault
        self._screening = screening
        self._releasing = releasing

    async def add(self, caller: Caller, new: NewMemory) -> Receipt:
        """See Memory; outcome ``quarantined`` where the text was sealed in place of being kept.

        Raises:
            SealError: it is to be sealed, and cannot be; nothing was written.
        """
        if new.released is not None:
            return await super().add(caller, new)
        screened = await self._screening.screen(caller, self._checked(new))
        if screened.sealing is not None:
            return await self._quarantined(caller, new.thread, screened)
        text = screened.text
        # A fact repeats what its text says, so it goes with what was taken out of that.
        fact = new.fact if text.content == new.content else None
        new = replace(new, content=text.content, title=text.title, tags=text.tags, fact=fact)
        receipt = await super().add(caller, new)
        return replace(receipt, notes=(*screened.notes, *receipt.notes))

    async def retrieve(self, caller: Caller, item_id: str, **how: Any) -> Page:
        """See Memory.

        Raises:
            QuarantinedError: it is sealed.
        """
        async with self._vault.told(caller.namespace, item_id):
            return await super().retrieve(caller, item_id, **how)

    async def update(self, caller: Caller, item_id: str, change: Change) -> Receipt:
        """See Memory; outcome ``quarantined`` where the new text was sealed and the item left as it is.

        Raises:
            QuarantinedError: the item is sealed.
            SealError: the new text is to be sealed, and cannot be; nothing was written.
        """
        async with self._vault.told(caller.namespace, item_id):
            if (change.content, change.title, change.tags) == (None, None, None):
                receipt = await super().update(caller, item_id, change)
                return receipt if change.trust is None else await self._released(caller, receipt)
            item = await self.get(caller, item_id)
            screened = await self._screening.screen(caller, self._changed(item, change))
            if screened.sealing is not None:
                return await self._quarantined(caller, item.thread, screened, f"{item_id} was left as it is.")
            receipt = await super().update(caller, item_id, _told(change, screened.text))
            receipt = replace(receipt, notes=(*screened.notes, *receipt.notes))
            return receipt if change.content is None else await self._released(caller, receipt)

    async def forget(self, caller: Caller, item_id: str, mode: str = "forget", *, leave: str | None = None) -> Receipt:
        """See Memory.

        Raises:
            QuarantinedError: it is sealed.
        """
        async with self._vault.told(caller.namespace, item_id):
            if mode != "purge":
                return await self._released(caller, await super().forget(caller, item_id, mode, leave=leave))
            # What was made of it is purged with it: its other sources must stand again before that.
            gone = await self._releasing.mend(caller.namespace, [item_id], leaving=True)
            receipt = await super().forget(caller, item_id, mode, leave=leave)
            return replace(receipt, notes=(*receipt.notes, *map(_let_go, gone)))

    async def get(self, caller: Caller, item_id: str) -> Item:
        """See Memory.

        Raises:
            QuarantinedError: it is sealed.
        """
        async with self._vault.told(caller.namespace, item_id):
            return await super().get(caller, item_id)

    async def _released(self, caller: Caller, receipt: Receipt) -> Receipt:
        """Let go of what was made of an item that is not what it was, and say so."""
        gone = await self._releasing.mend(caller.namespace, [receipt.item.item_id])
        return replace(receipt, notes=(*receipt.notes, *map(_let_go, gone)))

    def _checked(self, new: NewMemory) -> SealedText:
        """Return a text that an add would take: nothing is sealed of one that it would refuse."""
        labels = new.labels()
        thread = validation.check_name(new.thread, "thread")
        validation.check_days(new.expires_in_days)
        validation.check_moment(new.date)
        validation.encode_content(new.content, labels.content_type, self._limits)
        return SealedText(
            content=new.content,
            title=labels.title,
            content_type=labels.content_type,
            memory_type=labels.memory_type,
            priority=labels.priority,
            pinned=labels.pinned,
            tags=labels.tags,
            thread=thread,
            date=new.date,
            expires_in_days=new.expires_in_days,
            source=new.source,
        )

    def _changed(self, item: Item, change: Change) -> SealedText:
        """Return what a change would write."""
        labels = change.labels(item.labels)
        if change.content is not None:
            validation.encode_content(change.content, labels.content_type, self._limits)
        return SealedText(
            content=change.content or "",
            title=None if change.title is None else labels.title,
            content_type=labels.content_type,
            memory_type=labels.memory_type,
            priority=labels.priority,
            tags=() if change.tags is None else labels.tags,
            thread=item.thread,
            source={"change_of": item.item_id},
        )

    async def _quarantined(self, caller: Caller, thread: str, screened: Screened, *notes: str) -> Receipt:
        """Return the receipt of a text that was sealed: its id, and nothing else of it."""
        assert screened.sealing is not None
        sealed = screened.sealing.item
        ledger, _ = await self._store.rungs(caller.namespace, thread, budgets=self._budgets, item_ids=())
        item = Item(
            item_id=sealed.item_id,
            thread=thread,
            labels=Labels(),
            state=ItemState.FORGOTTEN,
            version=1,
            sha256="",
            size_bytes=sealed.size_bytes,
            tokens=0,
            token_counter=self._counter.name,
            source={},
            created_at=sealed.created_at,
            updated_at=sealed.created_at,
            happened_at=sealed.created_at,
            detail="archived",
        )
        known = () if screened.sealing.added else ("The same text was sealed before; nothing was added.",)
        return Receipt(
            item=item,
            outcome="quarantined",
            durable=screened.sealing.durable,
            chunks=0,
            chunks_pending=0,
            ledger=ledger,
            notes=(*screened.notes, *known, *notes),
        )


def _let_go(item_id: str) -> str:
    return f"{item_id} was merged of it and of others: it is forgotten, and those stand as they did before."


def _told(change: Change, text: SealedText) -> Change:
    """Return a change with what may be written of it."""
    return replace(
        change,
        content=None if change.content is None else text.content,
        title=change.title if text.title is None else text.title,
        tags=None if change.tags is None else text.tags,
    )
