"""What the core asks of the machine: time, vectors, words, tokens, chunks, shorter texts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..models import ChunkDraft, Kind, Rendition, Span, SparseTerms, TokenCount


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class Embedder(Protocol):
    """Texts to vectors of unit length; ``model_id`` changes whenever vectors stop being comparable."""

    @property
    def model_id(self) -> str:
        """Name the model, its variant and whatever else its vectors depend on, without loading it."""
        ...

    @property
    def dimensions(self) -> int:
        """Return the vectors' length, without loading the model."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text, in order; an empty list for none. Texts beyond the model's window are cut.

        Raises:
            ModelFileError: the model's file is missing or damaged.
            EmbedderError: the model or its endpoint failed.
        """
        ...

    async def aclose(self) -> None:
        """Free what the embedder holds; calling it twice is allowed."""
        ...


class LexicalEncoder(Protocol):
    """Texts to the terms that word search compares; ``version`` changes whenever terms do."""

    @property
    def version(self) -> str:
        """Name the tokenizer and its rules."""
        ...

    def encode_document(self, namespace: str, text: str) -> SparseTerms:
        """Return the distinct terms of a chunk, stop words left out."""
        ...

    def encode_query(self, namespace: str, text: str) -> SparseTerms:
        """Return the terms to look for, at most 64, in the order they occur; empty when nothing in it is searchable."""
        ...


class TokenCounter(Protocol):
    """Texts to token counts, without any network."""

    @property
    def name(self) -> str:
        """Name the tokenizer, or the estimate and its error."""
        ...

    def count(self, text: str) -> TokenCount:
        """Count the tokens of ``text``; 0 for the empty text."""
        ...


class Chunker(Protocol):
    """Content to the spans that are indexed."""

    def kind(self, text: str, content_type: str, title: str | None) -> Kind:
        """Say what the text is, from its content type, its title (a file name tells) and its shape."""
        ...

    def split(self, text: str, kind: Kind, title: str | None) -> tuple[Span, ...]:
        """Split at natural borders into spans that cover all text but white space, in order, without overlap."""
        ...


class Compressor(Protocol):
    """Text to shorter text."""

    @property
    def name(self) -> str:
        """Name the compressor and its version."""
        ...

    def compress(self, text: str, kind: Kind, title: str | None, tokens: int) -> tuple[Rendition, ...]:
        """Return summary (about 10:1), brief (about 50:1) and hint (one line), leaving out each that would not be
        shorter than the text itself. ``tokens`` is the text's own count. Deterministic."""
        ...


class Indexer(Protocol):
    """A stored content to what word search and embedding need of it."""

    @property
    def embedding_model(self) -> str:
        """Name the model whose vectors will be made."""
        ...

    @property
    def lexicon(self) -> str:
        """Name the version of the terms."""
        ...

    async def chunks(
        self, namespace: str, content: bytes, content_type: str, title: str | None
    ) -> Sequence[ChunkDraft]:
        """Return the content's chunks with their terms and without vectors."""
        ...
