"""What the core asks of the machine: time, vectors, words, tokens, chunks, shorter texts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ..models import ChunkDraft, Kind, Labels, Rendition, Span, SparseTerms, Spelling, TimeReading, TokenCount
from ..versions import Frame


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

    @property
    def leading(self) -> int | None:
        """Return how many of a vector's first numbers an index may go by; None where all say equally much."""
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
        """Return the distinct terms of a chunk, stop words left out, and its markers.

        Markers are terms of other kinds, which no query's words meet: who speaks, whether the chunk asks something,
        tells a time or a number.
        """
        ...

    def encode_query(self, namespace: str, text: str) -> SparseTerms:
        """Return the terms to look for, at most 64, in the order they occur; empty when nothing in it is searchable."""
        ...

    def encode_markers(self, namespace: str, query: str) -> tuple[SparseTerms, tuple[str, ...]]:
        """Return the markers to look for beside a query's words, and their names in the same order.

        They are ``question``, ``said:user``, ``said:assistant``, ``time`` and ``number`` where the query asks for one,
        and ``said:`` each name in the query.
        """
        ...


class Speller(Protocol):
    """Mistyped words to words that occur."""

    def words(self, namespace: str, query: str) -> tuple[Spelling, ...]:
        """Return the words of a query that could be corrected, each with a term that ``encode_query`` gives it.

        One whose term no chunk has is worth a look at its variants.
        """
        ...

    def variants(self, namespace: str, word: str, *, slips: int = 1) -> tuple[Spelling, ...]:
        """Return what ``word`` may have meant, most of it no word at all: at most about 1,100 spellings.

        With two ``slips`` those farther away instead, at most 2,000, and only for longer words: worth asking for when
        no nearer one occurs. Several spellings may share a term.
        """
        ...

    def choose(self, word: str, variants: Sequence[Spelling], chunks: Mapping[int, int]) -> tuple[Spelling, ...]:
        """Return the likeliest corrections of a word, the best first, at most two; none when no variant occurs.

        ``chunks`` says of the variants' keys how many chunks have them; a key that is absent occurs in none.
        """
        ...


class TimeReader(Protocol):
    """Words for time to times."""

    def read(self, query: str, now: datetime) -> TimeReading:
        """Return the time that a query names as seen from ``now``, which is aware; times are in its zone.

        Of several phrases the tightest window that they agree on counts, or the first where they contradict each
        other. Never raises.
        """
        ...

    def parse(self, text: str, now: datetime, *, end: bool) -> datetime:
        """Return the moment that an argument names: an ISO date or moment, with or without zone, or a phrase.

        What names a stretch of time stands for its beginning, or with ``end`` for the moment just behind it: as
        ``since`` 2023-05-07 includes that day, and as ``until`` it does so, too.

        Raises:
            InvalidInputError: it is none of these, or has no such bound ("before March" has no beginning).
        """
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

    def frame(self, namespace: str, content: bytes, labels: Labels) -> Frame | None:
        """Return what versions of the content are found by, None where it can have none."""
        ...
