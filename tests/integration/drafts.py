"""Drafts for tests that speak to the store directly."""

import collections
import hashlib
import random
import zlib

from palimpsest.core.ids import new_item_id
from palimpsest.core.models import NO_TERMS, ChunkDraft, ItemDraft, Labels, Rendition, Span, SparseTerms, TokenCount

MODEL = "test-model/1"


def vector(seed: object, dimensions: int = 384) -> tuple[float, ...]:
    """A unit vector that depends on ``seed`` alone."""
    source = random.Random(str(seed))
    values = [source.gauss(0, 1) for _ in range(dimensions)]
    norm = sum(value * value for value in values) ** 0.5
    return tuple(value / norm for value in values)


def terms(namespace: str, text: str) -> SparseTerms:
    """The words of a text, hashed with their namespace."""
    counts = collections.Counter(text.lower().split())
    hashes = [zlib.crc32(f"{namespace}\0{word}".encode()) for word in counts]
    return SparseTerms(
        keys=tuple(value % 1_000_000_000 + 1 for value in hashes),
        counts=tuple(counts.values()),
        length=counts.total(),
    )


class Words:
    """A LexicalEncoder of plain words."""

    version = "words-test"

    def encode_document(self, namespace: str, text: str) -> SparseTerms:
        """Return the terms of a document."""
        return terms(namespace, text)

    def encode_query(self, namespace: str, text: str) -> SparseTerms:
        """Return the terms of a query."""
        return terms(namespace, text)

    def encode_markers(self, namespace: str, query: str) -> tuple[SparseTerms, tuple[str, ...]]:
        """Know no markers."""
        return NO_TERMS, ()


def draft(
    namespace: str, text: str, *, thread: str = "main", labels: Labels | None = None, **fields: object
) -> ItemDraft:
    """An item of one chunk, with its vector unless ``embedded=False``."""
    content = text.encode()
    embedded = fields.pop("embedded", True)
    chunk = ChunkDraft(Span(0, len(content)), terms(namespace, text), vector(text) if embedded else None)
    values: dict[str, object] = {
        "item_id": new_item_id(),
        "thread": thread,
        "labels": labels or Labels(),
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest(),
        "tokens": TokenCount(max(1, len(content) // 4), "test"),
        "renditions": (Rendition("hint", "a hint", 2, "test"),),
        "chunks": (chunk,),
        "embedding_model": MODEL,
        "lexicon": Words.version,
        "source": {"actor": "tester"},
    }
    return ItemDraft(**(values | fields))  # type: ignore[arg-type]
