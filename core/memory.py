"""The memory service: one method for each thing that a client can ask of its memory."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from . import cursors, paging, provenance, reading, validation
from .budget import Budgets
from .calls import Caller, Change, NewMemory, Period
from .errors import ConflictError, InvalidInputError
from .finding import Finder
from .ids import LARGEST, new_item_id, parse_any_id, parse_item_id
from .ingest import Ingest
from .models import (
    Event,
    Filters,
    Item,
    ItemDraft,
    ItemList,
    ItemState,
    Labels,
    MemoryState,
    Page,
    Receipt,
    SearchAnswer,
    Standing,
)
from .ports import Clock, LanguageWatch, Store, TokenCounter
from .room import check_room
from .spaces import Spaces
from .usage import UsageLog
from .validation import Limits

__all__ = ["Caller", "Change", "Memory", "NewMemory"]


class Memory:
    """Keeps, finds and gives back what clients hand over."""

    def __init__(
        self,
        *,
        store: Store,
        spaces: Spaces,
        counter: TokenCounter,
        finder: Finder,
        ingest: Ingest,
        clock: Clock,
        budgets: Budgets,
        usage: UsageLog | None = None,
        limits: Limits | None = None,
        summarizer: str | None = None,
        watch: LanguageWatch | None = None,
    ) -> None:
        """Take the ports; nothing is opened or loaded here. ``summarizer`` names whose summaries follow later."""
        self._store = store
        self._spaces = spaces
        self._counter = counter
        self._finder = finder
        self._ingest = ingest
        self._clock = clock
        self._budgets = budgets
        self._usage = usage or UsageLog()
        self._limits = limits or Limits()
        self._summarizer = summarizer
        self._watch = watch

    async def add(self, caller: Caller, new: NewMemory) -> Receipt:
        """Keep a text and return what is true once it is committed.

        Raises:
            InvalidInputError: the content or a label is not acceptable.
            ConflictError: the idempotency key was used for other content.
            StoreError: nothing was written.
        """
        labels = replace(new.labels(), trust=await provenance.least_trust(self._store, caller, new))
        thread = validation.check_name(new.thread, "thread")
        key = validation.check_label(new.idempotency_key, "idempotency key")
        model = validation.check_label(new.model, "model")
        lasting = validation.check_days(new.expires_in_days)
        date = validation.check_moment(new.date)
        content = validation.encode_content(new.content, labels.content_type, self._limits)
        digest = hashlib.sha256(content).hexdigest()
        known = await self._store.find_added(
            caller.namespace,
            thread=thread,
            sha256=digest,
            idempotency_key=key,
            happened_at=date,
            budgets=self._budgets,
        )
        if known is not None:
            known = provenance.with_doubt(known, labels)
            return known if model is None else await self._with_model(caller, known, model)
        await check_room(
            self._store, caller.namespace, len(content), self._limits, self._spaces.own.model_id, self._budgets
        )
        item_id = new.released or new_item_id()
        draft, notes = await self._ingest.draft(caller.namespace, item_id, thread, labels, new.content, content, digest)
        draft = replace(
            draft,
            source=provenance.source_of(caller, new),
            idempotency_key=key,
            model=model,
            expires_at=None if lasting is None else self._clock.now() + timedelta(days=lasting),
            happened_at=date,
            origins=new.places,
            fact=new.fact,
            joins=new.joins and labels.trust != "low",
            frame=draft.frame if new.fact is None or new.joins else None,
        )
        receipt = await self._store.add(caller.namespace, draft, budgets=self._budgets)
        if receipt.outcome == "retyped":
            receipt = await self._retype(caller, receipt.item, draft, new.content)
        return replace(receipt, notes=(*notes, *receipt.notes))

    async def _retype(self, caller: Caller, item: Item, draft: ItemDraft, text: str) -> Receipt:
        """Keep a content as a version of the item that says the same in other typing."""
        change = Change(content=text, expected_sha256=item.sha256)
        try:
            receipt = await self._replace(caller, item.item_id, change, text)
        except ConflictError:
            # The item changed at this moment: the content is kept as one of its own.
            return await self._store.add(caller.namespace, replace(draft, frame=None), budgets=self._budgets)
        if draft.model is not None:
            receipt = await self._with_model(caller, receipt, draft.model)
        note = f"It differed only in its typing; yours is kept as version {receipt.item.version} of that item."
        return replace(receipt, outcome="duplicate", notes=(*receipt.notes, note))

    async def _with_model(self, caller: Caller, receipt: Receipt, model: str) -> Receipt:
        ledger = await self._store.use_model(
            caller.namespace, receipt.item.thread, model, actor=caller.actor, budgets=self._budgets
        )
        return replace(receipt, ledger=ledger)

    async def search(
        self,
        caller: Caller,
        query: str,
        *,
        filters: Filters | None = None,
        period: Period | None = None,
        limit: int = 8,
        max_tokens: int = 2000,
    ) -> SearchAnswer:
        """Find items by meaning and by word; passages fit into ``max_tokens`` together.

        ``period`` narrows ``filters`` further.

        Raises:
            InvalidInputError: the query, a filter, a date or a bound is not acceptable.
            StoreUnavailableError: the store cannot be asked.
        """
        if period is not None:
            filters = self._finder.dated(filters or Filters(), period)
        return await self._finder.search(caller.namespace, query, filters, limit, max_tokens)

    async def retrieve(
        self,
        caller: Caller,
        item_id: str,
        *,
        cursor: str | None = None,
        max_tokens: int = 8000,
        detail: str = "full",
        version: int | None = None,
    ) -> Page:
        """Return an item's text, or the piece of it at ``cursor``, checked against its SHA-256.

        Raises:
            InvalidInputError: the id, cursor or detail is malformed.
            ItemNotFoundError: no such item.
            ContentDamagedError: the stored bytes are not those that were acknowledged.
        """
        parse_item_id(item_id)
        validation.check_range(max_tokens, 50, 1_000_000, "max_tokens")
        offset = 0
        if cursor is not None:
            version, detail, offset = cursors.parse_read(cursor, item_id)
        elif version is not None:
            validation.check_range(version, 1, cursors.MAX_VERSION, "version")
        wanted = validation.check_detail(detail)
        text = await reading.load(self._store, caller.namespace, item_id, wanted, version)
        if text.detail == "full":
            self._usage.note(caller.namespace, item_id, self._clock.now())
        return paging.cut(
            text.item, text.detail, text.content, text.sha256, text.version, offset, max_tokens, self._counter
        )

    async def update(self, caller: Caller, item_id: str, change: Change) -> Receipt:
        """Change an item's labels, or its content as a new version.

        Raises:
            InvalidInputError: nothing to change, or a value is not acceptable.
            ItemNotFoundError: no such item.
            ConflictError: the content is not the one that ``expected_sha256`` names.
        """
        parse_item_id(item_id)
        if change.is_empty:
            raise InvalidInputError(
                "Nothing to change was given; pass content, title, tags, priority, pinned, date, detail or thread."
            )
        if change.content is not None and not change.expected_sha256:
            raise InvalidInputError(
                "A new content needs expected_sha256, the sha256 of the content it replaces: memory_retrieve has it."
            )
        detail = None if change.detail is None else validation.check_standing(change.detail)
        receipt: Receipt | None = None
        if change.content is not None:
            receipt = await self._replace(caller, item_id, change, change.content)
        elif change.labels_given or detail is None:
            receipt = await self._relabel(caller, item_id, change)
        if detail is None:
            assert receipt is not None
            return receipt
        placed = await self._store.place(caller.namespace, item_id, detail, actor=caller.actor, budgets=self._budgets)
        if receipt is None:
            return _as_asked(placed, detail)
        unchanged = placed.outcome == "unchanged" and receipt.outcome == "unchanged"
        return replace(
            _as_asked(placed, detail),
            outcome="unchanged" if unchanged else "updated",
            steps=(*receipt.steps, *placed.steps),
            notes=(*receipt.notes, *placed.notes),
        )

    async def _relabel(self, caller: Caller, item_id: str, change: Change) -> Receipt:
        item = await self._store.get(caller.namespace, item_id)
        labels = change.labels(item.labels)
        return await self._store.relabel(
            caller.namespace,
            item_id,
            labels,
            thread=_thread(item, change),
            header_tokens=self._ingest.header_tokens(item_id, item.tokens, labels),
            happened_at=validation.check_moment(change.date),
            actor=caller.actor,
            budgets=self._budgets,
        )

    async def _replace(self, caller: Caller, item_id: str, change: Change, text: str) -> Receipt:
        item = await self._store.get(caller.namespace, item_id)
        labels, thread = change.labels(item.labels), _thread(item, change)
        content = validation.encode_content(text, labels.content_type, self._limits)
        digest = hashlib.sha256(content).hexdigest()
        draft, notes = await self._ingest.draft(caller.namespace, item_id, thread, labels, text, content, digest)
        draft = replace(draft, source={"actor": caller.actor}, happened_at=validation.check_moment(change.date))
        receipt = await self._store.replace_content(
            caller.namespace, draft, expected_sha256=(change.expected_sha256 or "").lower(), budgets=self._budgets
        )
        return replace(receipt, notes=(*notes, *receipt.notes))

    async def forget(self, caller: Caller, item_id: str, mode: str = "forget", *, leave: str | None = None) -> Receipt:
        """Forget an item (``forget``), take that back (``restore``), or delete it for good (``purge``).

        ``leave`` is the request by which a person agreed to a purge; it is used up with it. For agents, Approval asks
        for it.

        Raises:
            InvalidInputError: the id or the mode is not acceptable.
            ItemNotFoundError: no such item.
            ConflictError: a restored item's content meanwhile lives in another item of its thread, or ``leave`` gives
                none for the item as it is.
        """
        parse_item_id(item_id)
        if mode == "purge":
            return await self._store.purge(
                caller.namespace, item_id, actor=caller.actor, budgets=self._budgets, leave=leave
            )
        states = {"forget": ItemState.FORGOTTEN, "restore": ItemState.ACTIVE}
        if mode not in states:
            raise InvalidInputError(f"{mode[:60]!r} is no mode; use forget, restore or purge.")
        receipt = await self._store.set_state(
            caller.namespace, item_id, states[mode], actor=caller.actor, budgets=self._budgets
        )
        if receipt.outcome != "forgotten":
            return receipt
        told = [one.item_id for one in await self._store.told_facts(caller.namespace, [item_id])]
        return replace(receipt, notes=(*receipt.notes, *provenance.left_facts(told)))

    async def standing(self, caller: Caller, item_id: str) -> Receipt:
        """Return what is true about an item now: outcome ``unchanged``.

        Raises:
            InvalidInputError: malformed id.
            ItemNotFoundError: no such item.
        """
        parse_item_id(item_id)
        return await self._store.receipt(caller.namespace, item_id, budgets=self._budgets)

    async def list_items(
        self,
        caller: Caller,
        *,
        filters: Filters | None = None,
        state: ItemState = ItemState.ACTIVE,
        limit: int = 20,
        cursor: str | None = None,
    ) -> ItemList:
        """Return items newest first, a page at a time.

        Raises:
            InvalidInputError: the cursor or a bound is not acceptable.
        """
        validation.check_range(limit, 1, 200, "limit")
        before = None if cursor is None else cursors.parse_list(cursor)
        if before is not None:
            parse_item_id(before[1])
        page = await self._store.list_items(
            caller.namespace, validation.check_filters(filters), state=state, limit=limit + 1, before=before
        )
        if len(page.items) <= limit:
            return page
        kept = page.items[:limit]
        return ItemList(kept, page.total, cursors.pack_list(kept[-1].created_at, kept[-1].item_id))

    async def state(self, caller: Caller) -> MemoryState:
        """Return what the namespace holds and what it is served by."""
        serving = (await self._spaces.look(caller.namespace)).serving.model_id
        counts = await self._store.state(caller.namespace, serving, budgets=self._budgets)
        return MemoryState(
            namespace=caller.namespace,
            counts=counts,
            store=await self._store.describe(),
            embedding_model=serving,
            token_counter=self._counter.name,
            compressor=", then ".join(filter(None, (self._ingest.compressor_name, self._summarizer))),
            notes=await self._spaces.notes(caller.namespace) + (await self._watch.notes() if self._watch else ()),
        )

    async def undo(self, caller: Caller, event_id: int | None = None) -> tuple[Event, Receipt | None]:
        """Take back the newest change, or a given one; the receipt is None where it was of no item.

        Raises:
            NotFoundError: there is nothing to undo.
            ConflictError: the item changed since.
        """
        if event_id is not None:
            validation.check_range(event_id, 0, LARGEST, "event id")

        async def redraft(item: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
            digest = hashlib.sha256(content).hexdigest()
            text = content.decode()
            draft, _ = await self._ingest.draft(caller.namespace, item.item_id, thread, labels, text, content, digest)
            return replace(draft, source={"actor": caller.actor})

        return await self._store.undo(
            caller.namespace, event_id, actor=caller.actor, budgets=self._budgets, redraft=redraft
        )

    async def events(self, caller: Caller, limit: int = 20, *, subject_id: str | None = None) -> Sequence[Event]:
        """Return the newest events first, those of all or of one subject.

        Raises:
            InvalidInputError: the limit or the id is not acceptable.
        """
        validation.check_range(limit, 1, 1000, "limit")
        about = None if subject_id is None else parse_any_id(subject_id)
        return await self._store.events(caller.namespace, limit, about=about)

    async def state_hash(self, caller: Caller) -> str:
        """Return the hash of what the memory now says; see ``core.state_hash``."""
        # Records check themselves, which takes long to import.
        from .state_hash import state_hash

        return await state_hash(self._store, caller.namespace)

    async def get(self, caller: Caller, item_id: str) -> Item:
        """Return an item without its content.

        Raises:
            InvalidInputError: malformed id.
            ItemNotFoundError: no such item.
        """
        parse_item_id(item_id)
        return await self._store.get(caller.namespace, item_id)


def _thread(item: Item, change: Change) -> str:
    return item.thread if change.thread is None else validation.check_name(change.thread, "thread")


def _as_asked(receipt: Receipt, detail: Standing) -> Receipt:
    """Say so where an item could not come to stand where it was asked to."""
    standing = receipt.item.detail
    if standing == detail:
        return receipt
    stepped = any(step.item_id == receipt.item.item_id for step in receipt.steps)
    reason = "it does not fit under the thread's trigger in full" if stepped else f"it is too short to have a {detail}"
    return replace(receipt, notes=(*receipt.notes, f"The item now stands at {standing}: {reason}."))
