"""The values that Palimpsest works with: frozen, without behaviour that needs the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

MemoryType = Literal["document", "episodic", "semantic", "procedural"]
Kind = Literal["prose", "code", "conversation", "json", "table", "log"]
Detail = Literal["full", "summary", "brief", "hint"]

MEMORY_TYPES: tuple[MemoryType, ...] = ("document", "episodic", "semantic", "procedural")
DETAILS: tuple[Detail, ...] = ("full", "summary", "brief", "hint")


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
    ``token_counter``; ``source`` is the provenance (client, tool).
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


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """Everything that an add or a new version writes, in one transaction."""

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


AddOutcome = Literal["added", "duplicate", "replayed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is true about an item once its write has been committed.

    ``outcome`` of an add: ``added``, ``duplicate`` (the thread already holds exactly this content: nothing was added,
    ``item`` is the one that holds it) or ``replayed`` (the idempotency key was used before: ``item`` is what that call
    made). ``chunks_pending`` counts chunks whose vectors are still being made: 0 means searchable by meaning.
    ``utilization`` is the thread's tokens at full detail divided by its window.
    """

    item: Item
    outcome: Literal["added", "duplicate", "replayed", "updated", "unchanged", "forgotten", "restored", "purged"]
    durable: bool
    chunks: int
    chunks_pending: int
    utilization: float
    notes: tuple[str, ...] = ()


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


Evidence = Literal["strong", "some", "weak", "none"]


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
class ThreadState:
    """A thread's account: ``tokens`` of its active items at full detail against its ``window``."""

    thread: str
    items: int
    tokens: int
    window: int

    @property
    def utilization(self) -> float:
        """Tokens over window; above 1 the thread no longer fits as it is."""
        return self.tokens / self.window


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


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that an add left behind, leased to one worker at a time."""

    job_id: int
    kind: Literal["embed", "reweigh"]
    item_id: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that has no vector yet: its place in the item and the span to embed."""

    ordinal: int
    span: Span
