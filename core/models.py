"""The values that Palimpsest works with: frozen, without behaviour that needs the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

MemoryType = Literal["document", "episodic", "semantic", "procedural"]
Kind = Literal["prose", "code", "conversation", "json", "table", "log"]
Detail = Literal["full", "summary", "brief", "hint"]
Standing = Literal["full", "summary", "brief", "hint", "archived"]
"""How an item stands in its thread's context: at a detail, or not in it at all."""

Pressure = Literal["low", "near", "over", "unsafe"]
NEAR = 0.05
"""A thread within this share of its trigger is near it."""
Evidence = Literal["strong", "some", "weak", "none"]

MEMORY_TYPES: tuple[MemoryType, ...] = ("document", "episodic", "semantic", "procedural")
DETAILS: tuple[Detail, ...] = ("full", "summary", "brief", "hint")
STANDINGS: tuple[Standing, ...] = ("full", "summary", "brief", "hint", "archived")


class ItemState(StrEnum):
    """Whether an item takes part: forgotten ones can be restored, purged ones are gone."""

    ACTIVE = "active"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk's place in its item's content.

    ``start`` and ``end`` are offsets in UTF-8 bytes (``content.encode()[start:end]`` is the chunk's text, always on
    character borders); ``context`` is a short line that says where the chunk stands (heading path, qualified name),
    embedded and indexed with it but not part of the content.
    """

    start: int
    end: int
    context: str = ""


@dataclass(frozen=True, slots=True)
class SparseTerms:
    """A text's terms for word search.

    ``keys`` are signed 32-bit hashes of (namespace, term), distinct; ``indices`` are the same terms' positions in the
    sparse vector (1-based, at most 1,000,000,000); ``counts`` are how often each occurs; ``length`` counts every
    indexed token. The three tuples run in parallel.
    """

    keys: tuple[int, ...]
    indices: tuple[int, ...]
    counts: tuple[int, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """An item's text at a level of detail below full."""

    detail: Detail
    text: str
    tokens: int
    compressor: str


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a text has, and who says so: ``counter`` names the tokenizer or the estimate."""

    tokens: int
    counter: str


@dataclass(frozen=True, slots=True)
class TextUsage:
    """What one call of a language model used: ``cached_tokens`` are those of ``prompt_tokens`` billed as cached."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A language model's answer; ``finished`` is False when it was cut at the token limit."""

    text: str
    usage: TextUsage
    finished: bool


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A chunk ready to be stored; ``embedding`` is None while its vector is pending (unit length, float32)."""

    span: Span
    terms: SparseTerms
    embedding: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What a caller may say about an item besides its content."""

    title: str | None = None
    content_type: str = "text/plain"
    memory_type: MemoryType = "document"
    priority: int = 5
    pinned: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One stored memory without its content.

    ``sha256`` (hex) and ``size_bytes`` describe the current version's UTF-8 bytes; ``tokens`` were counted by
    ``token_counter``; ``source`` is the provenance (client, tool). ``cost`` is what the item takes of its thread's
    block at ``detail``, in tokens, 0 when archived; ``header_tokens`` of it are for the line above its text. After
    ``expires_at`` hygiene forgets it.
    """

    item_id: str
    thread: str
    labels: Labels
    state: ItemState
    version: int
    sha256: str
    size_bytes: int
    tokens: int
    token_counter: str
    source: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None = None
    detail: Standing = "full"
    cost: int = 0
    header_tokens: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """Everything that an add or a new version writes, in one transaction.

    ``header_tokens`` are those of the item's line in the block; ``model`` is remembered by the thread; ``summarize``
    leaves a job for a language model.
    """

    item_id: str
    thread: str
    labels: Labels
    content: bytes
    sha256: str
    tokens: TokenCount
    renditions: tuple[Rendition, ...]
    chunks: tuple[ChunkDraft, ...]
    embedding_model: str
    lexicon: str
    source: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotency_key: str | None = None
    header_tokens: int = 0
    model: str | None = None
    expires_at: datetime | None = None
    summarize: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """An item on the ladder: where it stands, what it costs there and at each detail that it has (headers included).

    ``used_at`` is when it was last read or, before that, added; ``position`` is its place in the block;
    ``summarized_by`` is the compressor that made its summary, None where it has none.
    """

    item_id: str
    detail: Standing
    cost: int
    costs: Mapping[Detail, int]
    priority: int
    pinned: bool
    used_at: datetime
    position: int
    title: str | None = None
    summarized_by: str | None = None
    header_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """An item's way to another rung, where it costs ``cost`` tokens, which frees ``freed``."""

    item_id: str
    before: Standing
    detail: Standing
    cost: int
    freed: int


@dataclass(frozen=True, slots=True)
class Stale:
    """When hygiene acts: items unused since ``compress_before`` step down to a summary, since ``archive_before`` they
    leave the context; those of ``spared_priority`` and above, and pinned ones, never do."""

    compress_before: datetime
    archive_before: datetime
    spared_priority: int = 10


@dataclass(frozen=True, slots=True)
class StaleItem:
    """An item that hygiene acts on, and what it does: ``expired`` ones are forgotten, the others step to ``to``."""

    item_id: str
    thread: str
    priority: int
    last_used: datetime
    detail: Standing
    to: Literal["summary", "archived", "forgotten"]


@dataclass(frozen=True, slots=True)
class ThreadState:
    """A thread's account.

    ``tokens`` are those of its active items at full detail, headers left out; ``used`` are those of its block, headers
    included; ``saved`` are those that compression keeps out of it. ``trigger`` and ``safe`` are shares of ``window``.
    ``over`` says why the block is over its trigger, None when it is not. Money is in millionths of a US dollar:
    ``spent_micros`` on language models for this thread, ``saved_micros`` for each prompt that carries the block
    instead of the originals, None where the model's price is unknown.
    """

    thread: str
    items: int
    tokens: int
    window: int
    used: int = 0
    saved: int = 0
    trigger: float = 0.75
    safe: float = 0.85
    model: str | None = None
    compressions: int = 0
    over: str | None = None
    note: str | None = None
    spent_micros: int = 0
    saved_micros: int | None = None

    @property
    def utilization(self) -> float:
        """Return the block's share of the window."""
        return self.used / self.window

    @property
    def pressure(self) -> Pressure:
        """Return how near the block is to its trigger; ``unsafe`` leaves too little room for an answer."""
        if self.used > self.window * self.safe:
            return "unsafe"
        if self.used >= self.window * self.trigger:
            return "over"
        return "near" if self.utilization >= self.trigger - NEAR else "low"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is true about an item once its write has been committed.

    ``outcome`` of an add: ``added``, ``duplicate`` (the thread already holds exactly this content: nothing was added,
    ``item`` is the one that holds it) or ``replayed`` (the idempotency key was used before: ``item`` is what that call
    made). ``chunks_pending`` counts chunks whose vectors are still being made: 0 means searchable by meaning.
    ``ledger`` is the thread's account after the write, ``steps`` what stepped down because of it.
    """

    item: Item
    outcome: Literal["added", "duplicate", "replayed", "updated", "unchanged", "forgotten", "restored", "purged"]
    durable: bool
    chunks: int
    chunks_pending: int
    ledger: ThreadState
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def utilization(self) -> float:
        """Return the thread's block as a share of its window."""
        return self.ledger.utilization


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search or a list is narrowed to; an empty field does not narrow. ``tags`` must all be present."""

    thread: str | None = None
    content_type: str | None = None
    memory_type: MemoryType | None = None
    tags: tuple[str, ...] = ()
    min_priority: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether any field is set."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a search considers, with what ranking needs.

    ``dense`` is the cosine similarity (-1..1) or None when the chunk has no vector of the query's model; ``lexical``
    is the BM25 score (0 when no term matches).
    """

    item_id: str
    ordinal: int
    span: Span
    dense: float | None
    lexical: float
    priority: int
    created_at: datetime
    title: str | None


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A candidate with its fused score (0..1) and the parts that add up to it."""

    candidate: Candidate
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: an item, and its best passage with byte offsets."""

    item: Item
    score: float
    parts: Mapping[str, float]
    passage: str
    span: Span


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Hits, best first, and what the reader must know of how they were found.

    ``omitted`` counts matching items that were cut by ``limit`` or ``max_tokens``; ``tokens`` is what the passages
    cost; ``notes`` say what did not work (no vectors yet, no searchable word).
    """

    hits: tuple[Hit, ...]
    omitted: int
    tokens: int
    evidence: Evidence
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of an item's text. Joined in order, the pieces of detail ``full`` are the content, byte for byte."""

    item: Item
    detail: Detail
    text: str
    start: int
    end: int
    tokens: int
    total_tokens: int
    sha256: str
    next_cursor: str | None
    version: int


@dataclass(frozen=True, slots=True)
class ItemList:
    """A page of items, newest first."""

    items: tuple[Item, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """A thread's items in the order of its block, each with its text where it stands; archived ones are left out."""

    ledger: ThreadState
    entries: tuple["BlockEntry", ...]


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """A block as a client gets it.

    ``tokens`` are those of ``text``; ``shown`` counts its items; ``omitted`` counts items of the thread that are not
    archived and yet left out for want of room, or because they do not bear on the query. ``evidence`` is None without
    a query.
    """

    ledger: ThreadState
    text: str
    tokens: int
    shown: int
    omitted: int
    evidence: Evidence | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a compression by request did: the thread's account after it, and each item's step."""

    ledger: ThreadState
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handout:
    """An item that a client may shorten itself: its text, by pages when it is long, and its summary's bound in tokens.

    ``left`` counts the items that wait for the same after this one.
    """

    page: "Page"
    max_tokens: int
    left: int


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """An item's place in the block and its text there."""

    item_id: str
    title: str | None
    detail: Standing
    tokens: int
    cost: int
    text: str


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much a namespace holds; sizes in bytes, ``database_bytes`` is the whole database on disk."""

    items: int
    forgotten: int
    chunks: int
    chunks_pending: int
    content_bytes: int
    database_bytes: int
    threads: tuple[ThreadState, ...]


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What `memory_state` shows."""

    namespace: str
    counts: StoreCounts
    store: str
    embedding_model: str
    token_counter: str
    compressor: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history: who did what to which id; never any text of an item."""

    event_id: int
    at: datetime
    actor: str
    action: str
    item_id: str
    version: int
    undoable: bool


JobKind = Literal["embed", "reweigh", "summarize", "hygiene"]
JOB_KINDS: tuple[JobKind, ...] = ("embed", "reweigh", "summarize", "hygiene")


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work left for later, leased to one runner at a time; ``attempts`` counts this one."""

    job_id: int
    kind: JobKind
    item_id: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class JobCount:
    """The jobs of one kind: ``waiting`` for their time or a runner, ``leased`` to one, ``dead`` after many failures.

    ``oldest_due`` is when the first of those that wait was or will be due, None when none waits.
    """

    kind: JobKind
    waiting: int
    leased: int
    dead: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that failed too often and is tried no more, with the last failure in one sentence."""

    job_id: int
    kind: JobKind
    item_id: str | None
    attempts: int
    last_error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that has no vector yet: its place in the item and the span to embed."""

    ordinal: int
    span: Span
