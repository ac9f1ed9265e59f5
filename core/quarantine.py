"""The quarantine service: sealed items added, listed, shown for a purpose, and released by a person."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import cursors, paging, validation
from .calls import Caller, NewMemory
from .errors import ConflictError
from .ids import parse_item_id
from .memory import Memory
from .models import OpenedPage, Receipt, SealedItem, SealedPage, Sealing
from .ports import HumanGate, Store, TokenCounter
from .screening import Screening, listed
from .validation import Limits
from .vault import SealedText, Vault, settled_told

_BYTES_PER_TOKEN = 24


@dataclass(frozen=True, slots=True)
class Release:
    """What came of a release: an ordinary item, or a question that a person has to answer first.

    ``categories`` are the findings of the new scan.
    """

    item: SealedItem
    categories: Mapping[str, int]
    receipt: Receipt | None = None
    request_id: str | None = None


class Quarantine:
    """Keeps what should not be readable by whoever looks at the memory."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        screening: Screening,
        memory: Memory,
        counter: TokenCounter,
        limits: Limits,
        gate: HumanGate,
    ) -> None:
        """Take the ports; ``gate`` is how a person is asked."""
        self._store = store
        self._vault = vault
        self._screening = screening
        self._memory = memory
        self._counter = counter
        self._limits = limits
        self._gate = gate

    async def add(self, caller: Caller, new: NewMemory, reason: str) -> Sealing:
        """Seal a text; nothing of it is embedded, summarised or found.

        Raises:
            InvalidInputError: the content, a label or the reason is not acceptable.
            MasterKeyError: there is no usable master key; nothing was written.
        """
        text = SealedText(
            content=new.content,
            title=validation.check_label(new.title, "title"),
            tags=validation.check_tags(new.tags),
            thread=validation.check_name(new.thread, "thread"),
            source=new.source,
        )
        validation.encode_content(text.content, text.content_type, self._limits)
        told = await self._screening.stated(reason, "reason")
        return await self._vault.seal(caller, text, told, await self._screening.find(text))

    async def list_sealed(
        self, caller: Caller, *, limit: int = 50, cursor: str | None = None, everything: bool = False
    ) -> SealedPage:
        """Return outlines of what is sealed, newest first; with ``everything`` also of what no longer is.

        Raises:
            InvalidInputError: the cursor or the bound is not acceptable.
        """
        validation.check_range(limit, 1, 200, "limit")
        before = None if cursor is None else cursors.parse_list(cursor)
        if before is not None:
            parse_item_id(before[1])
        page = await self._store.list_sealed(
            caller.namespace, limit=limit + 1, before=before, state=None if everything else "sealed"
        )
        if len(page.items) <= limit:
            return page
        kept = page.items[:limit]
        return SealedPage(kept, page.total, cursors.pack_list(kept[-1].created_at, kept[-1].item_id))

    async def retrieve(
        self, caller: Caller, item_id: str, purpose: str, *, cursor: str | None = None, max_tokens: int = 8000
    ) -> OpenedPage:
        """Show a sealed text, or the piece of it at ``cursor``; the history keeps who looked and why.

        Raises:
            InvalidInputError: the id, purpose, cursor or bound is not acceptable.
            ItemNotFoundError: nothing was ever sealed under this id.
            ConflictError: it is no longer sealed.
            SealError: it cannot be opened.
        """
        parse_item_id(item_id)
        validation.check_range(max_tokens, 50, 1_000_000, "max_tokens")
        offset = 0 if cursor is None else cursors.parse_read(cursor, item_id)[2]
        told = await self._screening.stated(purpose, "purpose")
        item, text = await self._vault.open(caller.because(told), item_id)
        content = text.content.encode()
        paging.check_offset(content, offset)
        window = content[offset : offset + max_tokens * _BYTES_PER_TOKEN].decode(errors="ignore")
        piece, tokens = paging.fit_some(window, max_tokens, self._counter)
        end = offset + len(piece.encode())
        following = None if end >= len(content) else cursors.pack_read(item_id, 1, "full", end)
        return OpenedPage(item, text.title, piece, offset, end, tokens, following)

    async def release(self, caller: Caller, item_id: str, reason: str, *, by_person: bool = False) -> Release:
        """Make a sealed item an ordinary one, once a person said yes to what a new scan finds in it.

        Raises:
            InvalidInputError: the id or the reason is not acceptable.
            ItemNotFoundError: nothing was ever sealed under this id.
            ConflictError: it is no longer sealed.
            SealError: it cannot be opened.
        """
        parse_item_id(item_id)
        told = await self._screening.stated(reason, "reason")
        item, text = await self._vault.open(caller.because(told), item_id, action="scan sealed")
        found = await self._screening.find(text)
        if not by_person:
            asked = await self._ask(caller, item, found, told)
            if asked is not None:
                return Release(item, found, request_id=asked)
        receipt = await self._memory.add(caller, _restored(item_id, text))
        item = await self._store.settle_sealed(caller.namespace, item_id, "released", actor=caller.because(told).actor)
        return Release(item, found, receipt=receipt)

    async def _ask(self, caller: Caller, item: SealedItem, found: Mapping[str, int], reason: str) -> str | None:
        """Return the open question's id, or None once a person said yes; that yes is used up."""
        question = (
            f"Release {item.item_id} from quarantine, so that it can be read and found like any other item? "
            f"Sealed because: {item.reason}. It holds: {listed(found)}."
        )
        # A yes to less than is found now is no yes.
        granted = await self._gate.granted(caller.namespace, "release", "item", item.item_id, state=listed(found))
        if granted is not None:
            await self._gate.use(caller, granted.request_id)
            return None
        asked = await self._gate.request(
            caller,
            question=f"{question} Reason given: {reason}",
            purpose="release",
            subject="item",
            subject_id=item.item_id,
            state=listed(found),
        )
        return asked.request_id

    async def purge(self, caller: Caller, item_id: str, reason: str) -> SealedItem:
        """Delete a sealed text for good; its outline stays.

        Raises:
            InvalidInputError: the id or the reason is not acceptable.
            ItemNotFoundError: nothing was ever sealed under this id.
            ConflictError: it is no longer sealed.
        """
        parse_item_id(item_id)
        told = await self._screening.stated(reason, "reason")
        outline = await self._vault.outline(caller.namespace, item_id)
        if outline.state != "sealed":
            raise ConflictError(settled_told(outline))
        return await self._store.settle_sealed(caller.namespace, item_id, "purged", actor=caller.because(told).actor)

    async def rotate(self, caller: Caller, *, renew: bool = True) -> tuple[str, int]:
        """Wrap every data key of the caller's namespace under a new master key; see ``Vault.rotate``."""
        return await self._vault.rotate(caller.namespace, renew=renew)


def _restored(item_id: str, text: SealedText) -> NewMemory:
    return NewMemory(
        content=text.content,
        title=text.title,
        content_type=text.content_type,
        memory_type=text.memory_type,
        priority=text.priority,
        pinned=text.pinned,
        tags=text.tags,
        thread=text.thread,
        date=text.date,
        expires_in_days=text.expires_in_days,
        source=text.source,
        released=item_id,
    )
