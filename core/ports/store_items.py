"""Items as a store keeps them: added, read, changed, forgotten, with their history."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from ..budget import Budgets
from ..ids import Subject
from ..models import Detail, Event, Filters, Item, ItemDraft, ItemList, ItemState, Labels, Receipt, Rendition

Redraft = Callable[[Item, Labels, str, bytes], Awaitable[ItemDraft]]
"""Makes the draft of a further version: (item, labels, thread, content) to draft."""


class ItemStore(Protocol):
    """Items as a store keeps them: added, read, changed, forgotten, with their history."""

    async def add(self, namespace: str, draft: ItemDraft, *, budgets: Budgets) -> Receipt:
        """Commit a new item with its renditions and chunks, and a job for the chunks that have no vector.

        The thread is made when it is new. Content that the thread already holds in an active item (same SHA-256) adds
        nothing: outcome ``duplicate``; so does content that it holds in other typing: outcome ``retyped``, unless that
        item has had exactly this content once. But where another content of the same lineage held at the draft's
        ``happened_at``, the value came back, and is added. A new item joins the lineage of those that its ``frame``
        shows to be versions of it. A used ``idempotency_key`` with the same content: outcome ``replayed``.

        Raises:
            ConflictError: the idempotency key was used for other content.
        """
        ...

    async def find_added(
        self,
        namespace: str,
        *,
        thread: str,
        sha256: str,
        idempotency_key: str | None,
        happened_at: datetime | None = None,
        budgets: Budgets,
    ) -> Receipt | None:
        """Return what ``add`` would answer with ``duplicate`` or ``replayed``, before any work is spent on the content.

        Raises:
            ConflictError: the idempotency key was used for other content.
        """
        ...

    async def get(self, namespace: str, item_id: str) -> Item:
        """Return an item, active or forgotten.

        Raises:
            ItemNotFoundError: there is none in this namespace.
        """
        ...

    async def receipt(self, namespace: str, item_id: str, *, budgets: Budgets) -> Receipt:
        """Return what is true about an item now: outcome ``unchanged``.

        Raises:
            ItemNotFoundError: there is none in this namespace.
        """
        ...

    async def read(self, namespace: str, item_id: str, version: int | None = None) -> tuple[Item, bytes, str]:
        """Return the item, the content of a version (default: the current one) and that version's stored SHA-256.

        Raises:
            ItemNotFoundError: no such item.
            NotFoundError: no such version of it.
        """
        ...

    async def rendition(self, namespace: str, item_id: str, detail: Detail) -> tuple[Item, Rendition | None]:
        """Return the item and its rendition at ``detail``, None when the text is too short to have one."""
        ...

    async def list_items(
        self, namespace: str, filters: Filters, *, state: ItemState, limit: int, before: tuple[datetime, str] | None
    ) -> ItemList:
        """Return items newest first, those after ``before`` (created_at, item_id); ``next_cursor`` is left None."""
        ...

    async def replace_content(
        self, namespace: str, draft: ItemDraft, *, expected_sha256: str, budgets: Budgets
    ) -> Receipt:
        """Commit ``draft`` as the next version of the item it names; older versions stay readable.

        What lineage the item is of is decided anew.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the current version's SHA-256 is not ``expected_sha256``, the item is forgotten, or the
                thread holds the new content in another active item.
        """
        ...

    async def relabel(
        self,
        namespace: str,
        item_id: str,
        labels: Labels,
        *,
        thread: str,
        header_tokens: int | None = None,
        happened_at: datetime | None = None,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """Replace an item's labels and thread; outcome ``unchanged`` when nothing differs.

        ``header_tokens`` are those of its new line in the block, None where that stays; so for ``happened_at``.
        An item that comes into another thread stands at the end of its block, and leaves its lineage.
        """
        ...

    async def set_state(
        self, namespace: str, item_id: str, state: ItemState, *, actor: str, budgets: Budgets
    ) -> Receipt:
        """Forget or restore an item; outcome ``unchanged`` when it already is so.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: a restored item's content meanwhile lives in another active item of its thread.
        """
        ...

    async def purge(
        self, namespace: str, item_id: str, *, actor: str, budgets: Budgets, leave: str | None = None
    ) -> Receipt:
        """Delete an item, all its versions, renditions, chunks and before-images; the event keeps id and hash only.

        ``leave`` is the request by which a person agreed to it as it stands (its state is the item's SHA-256); it is
        used up with the same commit. What was asked about the item goes with it.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: ``leave`` gives none, or the item has changed since.
        """
        ...

    async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
        """Note that items were used."""
        ...

    async def events(self, namespace: str, limit: int, *, about: tuple[Subject, int] | None = None) -> Sequence[Event]:
        """Return the newest events first, those of all or ``about`` one subject."""
        ...

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt | None]:
        """Take back an event (default: the newest that can be), by its before-image; itself an event.

        An add is forgotten, a forgetting restored and the reverse; labels return; a replaced content returns as a
        further version, drafted by ``redraft``. What was undone cannot be undone again. The receipt is None where the
        event is of another subject than an item.

        Raises:
            NotFoundError: there is nothing to undo.
            ConflictError: the item changed since that event.
        """
        ...
