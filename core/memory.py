"""The memory service: one method for each thing that a client can ask of its memory."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import cursors, paging, ranking, reading, validation
from .errors import EmbedderError, InvalidInputError
from .ids import LARGEST, new_item_id, parse_item_id
from .ingest import Ingest
from .models import (
    Event,
    Filters,
    Hit,
    Item,
    ItemDraft,
    ItemList,
    ItemState,
    Labels,
    MemoryState,
    Page,
    RankedChunk,
    Receipt,
    SearchAnswer,
    SparseTerms,
)
from .ports import Clock, Embedder, LexicalEncoder, Store, TokenCounter
from .usage import UsageLog
from .validation import Limits

CANDIDATES = 100
"""Chunks taken from each of the two searches."""
DEFAULT_WINDOW = 128_000


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call runs: its namespace, and the client's name for the history."""

    namespace: str
    actor: str = "client"


@dataclass(frozen=True, slots=True)
class NewMemory:
    """What a client hands over to be kept."""

    content: str
    title: str | None = None
    content_type: str = "text/plain"
    memory_type: str = "document"
    priority: int = 5
    pinned: bool = False
    tags: Sequence[str] = ()
    thread: str = "main"
    idempotency_key: str | None = None
    source: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Change:
    """What to change about an item; None leaves a field as it is. ``content`` needs ``expected_sha256``."""

    content: str | None = None
    expected_sha256: str | None = None
    title: str | None = None
    content_type: str | None = None
    memory_type: str | None = None
    priority: int | None = None
    pinned: bool | None = None
    tags: Sequence[str] | None = None
    thread: str | None = None

    @property
    def labels_given(self) -> bool:
        """Whether anything but the content is to change."""
        return replace(self, content=None, expected_sha256=None) != Change()


class Memory:
    """Keeps, finds and gives back what clients hand over."""

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        lexicon: LexicalEncoder,
        counter: TokenCounter,
        ingest: Ingest,
        clock: Clock,
        usage: UsageLog | None = None,
        limits: Limits | None = None,
        window: int = DEFAULT_WINDOW,
        weights: ranking.Weights | None = None,
    ) -> None:
        """Take the ports; nothing is opened or loaded here."""
        self._store = store
        self._embedder = embedder
        self._lexicon = lexicon
        self._counter = counter
        self._ingest = ingest
        self._clock = clock
        self._usage = usage or UsageLog()
        self._limits = limits or Limits()
        self._window = window
        self._weights = weights or ranking.Weights()

    async def add(self, caller: Caller, new: NewMemory) -> Receipt:
        """Keep a text and return what is true once it is committed.

        Raises:
            InvalidInputError: the content or a label is not acceptable.
            ConflictError: the idempotency key was used for other content.
            StoreError: nothing was written.
        """
        labels = Labels(
            title=validation.check_label(new.title, "title"),
            content_type=validation.check_label(new.content_type, "content type") or "text/plain",
            memory_type=validation.check_memory_type(new.memory_type),
            priority=validation.check_priority(new.priority),
            pinned=new.pinned,
            tags=validation.check_tags(new.tags),
        )
        thread = validation.check_name(new.thread, "thread")
        key = validation.check_label(new.idempotency_key, "idempotency key")
        content = validation.encode_content(new.content, labels.content_type, self._limits)
        digest = hashlib.sha256(content).hexdigest()
        known = await self._store.find_added(
            caller.namespace, thread=thread, sha256=digest, idempotency_key=key, window=self._window
        )
        if known is not None:
            return known
        await self._check_room(caller, len(content))
        draft, notes = await self._ingest.draft(
            caller.namespace, new_item_id(), thread, labels, new.content, content, digest
        )
        draft = replace(draft, source={"actor": caller.actor, **new.source}, idempotency_key=key)
        receipt = await self._store.add(caller.namespace, draft, window=self._window)
        return replace(receipt, notes=(*notes, *receipt.notes))

    async def search(
        self,
        caller: Caller,
        query: str,
        *,
        filters: Filters | None = None,
        limit: int = 8,
        max_tokens: int = 2000,
    ) -> SearchAnswer:
        """Find items by meaning and by word; passages fit into ``max_tokens`` together.

        Raises:
            InvalidInputError: the query, a filter or a bound is not acceptable.
            StoreUnavailableError: the store cannot be asked.
        """
        query = validation.check_query(query)
        validation.check_range(limit, 1, 100, "limit")
        validation.check_range(max_tokens, 50, 100_000, "max_tokens")
        vector, terms, notes = await self._encode_query(caller.namespace, query)
        found = await self._store.candidates(
            caller.namespace,
            vector=vector,
            model_id=self._embedder.model_id,
            terms=terms,
            filters=validation.check_filters(filters),
            limit=CANDIDATES,
        )
        ranked = ranking.best_per_item(ranking.fuse(found, self._weights))
        evidence = ranking.evidence(ranked, query_terms=len(terms.keys))
        hits, tokens = await self._hits(caller.namespace, ranked[:limit], max_tokens)
        if vector is not None and found and all(candidate.dense is None for candidate in found):
            notes = (*notes, "No vectors are ready yet: searched by word only.")
        return SearchAnswer(hits, max(0, len(ranked) - len(hits)), tokens, evidence, notes)

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
        if change.content is None and not change.labels_given:
            raise InvalidInputError(
                "Nothing to change was given; pass content, title, tags, priority, pinned or thread."
            )
        if change.content is not None and not change.expected_sha256:
            raise InvalidInputError(
                "A new content needs expected_sha256, the sha256 of the content it replaces: memory_retrieve has it."
            )
        item = await self._store.get(caller.namespace, item_id)
        labels = self._changed_labels(item.labels, change)
        thread = item.thread if change.thread is None else validation.check_name(change.thread, "thread")
        if change.content is None:
            return await self._store.relabel(
                caller.namespace, item_id, labels, thread=thread, actor=caller.actor, window=self._window
            )
        content = validation.encode_content(change.content, labels.content_type, self._limits)
        digest = hashlib.sha256(content).hexdigest()
        draft, notes = await self._ingest.draft(
            caller.namespace, item_id, thread, labels, change.content, content, digest
        )
        draft = replace(draft, source={"actor": caller.actor})
        receipt = await self._store.replace_content(
            caller.namespace, draft, expected_sha256=(change.expected_sha256 or "").lower(), window=self._window
        )
        return replace(receipt, notes=(*notes, *receipt.notes))

    async def forget(self, caller: Caller, item_id: str, mode: str = "forget") -> Receipt:
        """Forget an item (``forget``), take that back (``restore``), or delete it for good (``purge``).

        Raises:
            InvalidInputError: the id or the mode is not acceptable.
            ItemNotFoundError: no such item.
            ConflictError: a restored item's content meanwhile lives in another item of its thread.
        """
        parse_item_id(item_id)
        if mode == "purge":
            return await self._store.purge(caller.namespace, item_id, actor=caller.actor, window=self._window)
        states = {"forget": ItemState.FORGOTTEN, "restore": ItemState.ACTIVE}
        if mode not in states:
            raise InvalidInputError(f"{mode[:60]!r} is no mode; use forget, restore or purge.")
        return await self._store.set_state(
            caller.namespace, item_id, states[mode], actor=caller.actor, window=self._window
        )

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
        counts = await self._store.state(caller.namespace, self._embedder.model_id, window=self._window)
        return MemoryState(
            namespace=caller.namespace,
            counts=counts,
            store=await self._store.describe(),
            embedding_model=self._embedder.model_id,
            token_counter=self._counter.name,
            compressor=self._ingest.compressor_name,
        )

    async def undo(self, caller: Caller, event_id: int | None = None) -> tuple[Event, Receipt]:
        """Take back the newest change, or a given one.

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
            caller.namespace, event_id, actor=caller.actor, window=self._window, redraft=redraft
        )

    async def events(self, caller: Caller, limit: int = 20) -> Sequence[Event]:
        """Return the newest events first."""
        return await self._store.events(caller.namespace, validation.check_range(limit, 1, 1000, "limit"))

    async def _check_room(self, caller: Caller, size: int) -> None:
        if not self._limits.max_store_bytes:
            return
        counts = await self._store.state(caller.namespace, self._embedder.model_id, window=self._window)
        if counts.content_bytes + size > self._limits.max_store_bytes:
            raise InvalidInputError(
                f"The store holds {counts.content_bytes:,} bytes and its limit is {self._limits.max_store_bytes:,}; "
                "purge what is not needed, or raise PALIMPSEST_MAX_STORE_BYTES."
            )

    async def _encode_query(
        self, namespace: str, query: str
    ) -> tuple[Sequence[float] | None, SparseTerms, tuple[str, ...]]:
        notes: list[str] = []
        terms = await asyncio.to_thread(self._lexicon.encode_query, namespace, query)
        vector: Sequence[float] | None = None
        try:
            vector = (await self._embedder.embed([query]))[0]
        except EmbedderError as error:
            notes.append(f"Searched by word only: {error}")
        if not terms.keys:
            notes.append("The query has no word that is indexed: searched by meaning only.")
        return vector, terms, tuple(notes)

    async def _hits(
        self, namespace: str, ranked: Sequence[RankedChunk], max_tokens: int
    ) -> tuple[tuple[Hit, ...], int]:
        if not ranked:
            return (), 0
        wanted = [(chunk.candidate.item_id, chunk.candidate.span) for chunk in ranked]
        passages = {item.item_id: (item, text) for item, text in await self._store.passages(namespace, wanted)}
        hits: list[Hit] = []
        spent = 0
        for chunk in ranked:
            if chunk.candidate.item_id not in passages:
                continue
            item, raw = passages[chunk.candidate.item_id]
            passage, tokens = paging.fit(raw.decode(errors="replace"), max_tokens - spent, self._counter)
            if not passage:
                break
            spent += tokens
            span = replace(chunk.candidate.span, end=chunk.candidate.span.start + len(passage.encode()))
            hits.append(Hit(item, chunk.score, chunk.parts, passage, span))
        return tuple(hits), spent

    @staticmethod
    def _changed_labels(labels: Labels, change: Change) -> Labels:
        return Labels(
            title=labels.title if change.title is None else validation.check_label(change.title, "title"),
            content_type=labels.content_type
            if change.content_type is None
            else validation.check_label(change.content_type, "content type") or "text/plain",
            memory_type=labels.memory_type
            if change.memory_type is None
            else validation.check_memory_type(change.memory_type),
            priority=labels.priority if change.priority is None else validation.check_priority(change.priority),
            pinned=labels.pinned if change.pinned is None else change.pinned,
            tags=labels.tags if change.tags is None else validation.check_tags(change.tags),
        )

    async def get(self, caller: Caller, item_id: str) -> Item:
        """Return an item without its content.

        Raises:
            InvalidInputError: malformed id.
            ItemNotFoundError: no such item.
        """
        parse_item_id(item_id)
        return await self._store.get(caller.namespace, item_id)
