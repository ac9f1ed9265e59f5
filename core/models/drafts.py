"""What an add or a new version writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from .facts import Fact
from .items import Detail, Labels, Standing
from .origins import Origin

if TYPE_CHECKING:
    from ..versions import Frame


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

    ``keys`` are hashes of (namespace, term) from 1 to 1,000,000,000, distinct; ``counts``, parallel to them, are how
    often each occurs; ``length`` counts every indexed token.
    """

    keys: tuple[int, ...]
    counts: tuple[int, ...]
    length: int


NO_TERMS = SparseTerms((), (), 0)
"""What a text without any indexed word has."""


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
class ChunkDraft:
    """A chunk ready to be stored; ``embedding`` is None while its vector is pending (unit length, float32)."""

    span: Span
    terms: SparseTerms
    embedding: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """Everything that an add or a new version writes, in one transaction.

    ``header_tokens`` are those of the item's line in the block; ``model`` is remembered by the thread; ``summarize``
    leaves a job for a language model. ``happened_at`` is None for the time of the add, or to leave it as it is;
    ``frame`` is None where the text can have no versions. ``origins`` are the places that it was made from.
    ``fact`` is what it tells; where it shares its slot with its versions, ``joins`` says so. ``extract`` leaves a job
    that reads facts off it.
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
    happened_at: datetime | None = None
    frame: "Frame | None" = None
    origins: tuple[Origin, ...] = ()
    fact: Fact | None = None
    joins: bool = False
    extract: bool = False

    @property
    def detail(self) -> Standing:
        """Where the item comes to stand: what is not trusted stays out of the block until it is asked for."""
        return "archived" if self.labels.trust == "low" else "full"

    @property
    def cost(self) -> int:
        """What it takes of the block there."""
        return 0 if self.detail == "archived" else self.header_tokens + self.tokens.tokens
