"""Stand-ins for the ports: small, deterministic, and with behaviour that a reader can predict."""

import base64
import collections
import hashlib
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from palimpsest.core.budget import fixed_budget
from palimpsest.core.calls import Caller
from palimpsest.core.errors import EmbedderError
from palimpsest.core.ids import new_item_id
from palimpsest.core.ingest import chunk_text
from palimpsest.core.models import (
    NO_TERMS,
    ChunkDraft,
    Detail,
    ItemDraft,
    Kind,
    Labels,
    Rendition,
    Span,
    SparseTerms,
    Spelling,
    TokenCount,
)
from palimpsest.core.versions import frame
from palimpsest.storage.sealing import EnvelopeSealer, GivenKeys

MODEL = "test-model/1"
WINDOW = 10_000
BUDGETS = fixed_budget(WINDOW)
DIMENSIONS = 384
START = datetime(2026, 1, 1, tzinfo=UTC)


class HandClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def sealer(*keys: bytes) -> EnvelopeSealer:
    """A Sealer under given keys of 32 bytes, the current one first; under the same one unless told otherwise."""
    return EnvelopeSealer(GivenKeys(",".join(base64.b64encode(key).decode() for key in keys or (bytes(range(32)),))))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a FakeGate asked; ``about`` is (purpose, subject, its id, its state)."""

    request_id: str
    question: str
    about: tuple[str, str, str, str]


class FakeGate:
    """A HumanGate whose person says yes when the test does."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}
        self.yes: set[str] = set()
        self.used: list[str] = []

    async def request(
        self, caller: Caller, *, question: str, purpose: str, subject: str, subject_id: str, state: str
    ) -> Asked:
        about = (purpose, subject, subject_id, state)
        known = [one for one in self.asked.values() if one.about == about and one.request_id not in self.yes]
        made = known[0] if known else Asked(f"ask_{len(self.asked):013d}", question, about)
        return self.asked.setdefault(made.request_id, made)

    async def granted(self, namespace: str, purpose: str, subject: str, subject_id: str, *, state: str) -> Asked | None:
        given = (self.asked[one] for one in sorted(self.yes - set(self.used)))
        return next((one for one in given if one.about == (purpose, subject, subject_id, state)), None)

    async def use(self, caller: Caller, request_id: str) -> None:
        self.used.append(request_id)


def vector(text: str, dimensions: int = DIMENSIONS) -> tuple[float, ...]:
    """A unit vector with one direction a word: texts that share words are close."""
    values = [0.0] * dimensions
    for word in text.lower().split():
        values[zlib.crc32(word.encode()) % dimensions] += 1.0
    norm = math.hypot(*values) or 1.0
    return tuple(value / norm for value in values)


class HashEmbedder:
    """An Embedder of hashed words that can be told to fail."""

    def __init__(self, model_id: str = MODEL, dimensions: int = DIMENSIONS) -> None:
        self._model_id = model_id
        self._dimensions = dimensions
        self.failure: str | None = None
        self.embedded: list[str] = []

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def leading(self) -> int | None:
        """Return None: whether its first numbers say more than the others is not known."""
        return None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.failure is not None:
            raise EmbedderError(self.failure)
        self.embedded.extend(texts)
        return [list(vector(text, self._dimensions)) for text in texts]

    async def aclose(self) -> None:
        return None


def terms(namespace: str, text: str) -> SparseTerms:
    """The lower-case words of a text, hashed with their namespace."""
    counts = collections.Counter(re.findall(r"\w+", text.lower()))
    hashes = [zlib.crc32(f"{namespace}\0{word}".encode()) for word in counts]
    return SparseTerms(
        keys=tuple(value % 1_000_000_000 + 1 for value in hashes),
        counts=tuple(counts.values()),
        length=counts.total(),
    )


class NoCorrections:
    """A Speller to whom every word is right."""

    def words(self, namespace: str, query: str) -> tuple[Spelling, ...]:
        return ()

    def variants(self, namespace: str, word: str, *, slips: int = 1) -> tuple[Spelling, ...]:
        raise AssertionError("no word could be corrected")

    def choose(self, word: str, variants: Sequence[Spelling], chunks: Mapping[int, int]) -> tuple[Spelling, ...]:
        raise AssertionError("no word could be corrected")


class WordLexicon:
    """A LexicalEncoder of plain words; ``suffix`` makes another version, whose words all end in it."""

    def __init__(self, suffix: str = "") -> None:
        self._suffix = suffix

    @property
    def version(self) -> str:
        return f"words{self._suffix}"

    def encode_document(self, namespace: str, text: str) -> SparseTerms:
        return terms(namespace, re.sub(r"(\w+)", rf"\1{self._suffix}", text))

    def encode_query(self, namespace: str, text: str) -> SparseTerms:
        return self.encode_document(namespace, " ".join(text.split()[:64]))

    def encode_markers(self, namespace: str, query: str) -> tuple[SparseTerms, tuple[str, ...]]:
        return NO_TERMS, ()


_TOKEN = re.compile(r"\S{1,6}")


class WordCounter:
    """A TokenCounter for which every word, and every six characters of a longer one, are a token."""

    @property
    def name(self) -> str:
        return "words"

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(_TOKEN.findall(text)), self.name)


class ParagraphChunker:
    """A Chunker that cuts at empty lines; a paragraph under a line ``# heading`` has it as its context."""

    def kind(self, text: str, content_type: str, title: str | None) -> Kind:
        return "code" if (title or "").endswith(".py") else "prose"

    def split(self, text: str, kind: Kind, title: str | None) -> tuple[Span, ...]:
        heading = ""
        spans: list[Span] = []
        for found in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
            if not found.group().strip():
                continue
            start = len(text[: found.start()].encode())
            spans.append(Span(start, start + len(found.group().encode()), heading))
            if found.group().startswith("# "):
                heading = found.group().removeprefix("# ")
        return tuple(spans)


class FirstWords:
    """A Compressor that keeps the first words: a tenth, a fiftieth, five."""

    @property
    def name(self) -> str:
        return "first-words"

    def compress(self, text: str, kind: Kind, title: str | None, tokens: int) -> tuple[Rendition, ...]:
        words = text.split()
        shares: tuple[tuple[Detail, int], ...] = (
            ("summary", len(words) // 10),
            ("brief", len(words) // 50),
            ("hint", 5),
        )
        return tuple(
            Rendition(detail, " ".join(words[:keep]), keep, self.name) for detail, keep in shares if 0 < keep < tokens
        )


def draft(
    namespace: str,
    text: str,
    *,
    item_id: str | None = None,
    thread: str = "main",
    labels: Labels | None = None,
    embedded: bool = True,
    model: str = MODEL,
    dimensions: int = DIMENSIONS,
    actor: str = "tester",
    idempotency_key: str | None = None,
    happened_at: datetime | None = None,
    versioned: bool = False,
) -> ItemDraft:
    """What an add of ``text`` writes: a chunk a paragraph, each with its vector unless ``embedded`` is false.

    It is a version of others only where it is ``versioned``.
    """
    content = text.encode()
    lexicon = WordLexicon()
    chunks: list[ChunkDraft] = []
    for span in ParagraphChunker().split(text, "prose", None):
        piece = chunk_text(content, span)
        chunks.append(
            ChunkDraft(
                span,
                lexicon.encode_document(namespace, piece),
                vector(piece, dimensions) if embedded else None,
            )
        )
    tokens = WordCounter().count(text)
    return ItemDraft(
        item_id=item_id or new_item_id(),
        thread=thread,
        labels=labels or Labels(),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        tokens=tokens,
        renditions=FirstWords().compress(text, "prose", None, tokens.tokens),
        chunks=tuple(chunks),
        embedding_model=model,
        lexicon=lexicon.version,
        source={"actor": actor, "tool": "test"},
        idempotency_key=idempotency_key,
        happened_at=happened_at,
        frame=frame(namespace, text, labels or Labels(), "prose") if versioned else None,
    )
