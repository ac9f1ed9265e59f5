"""The ingest pipeline: from a text to everything that an add writes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import block, versions
from .errors import EmbedderError
from .models import ChunkDraft, ItemDraft, Labels, Span
from .ports import Chunker, Compressor, LexicalEncoder, TokenCounter
from .spaces import Spaces

INLINE_CHUNKS = 8
"""Up to this many chunks are embedded before the add is answered (about 20 ms each); more become a job."""
_INLINE_BYTES = 32_000


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is to be an item; ``content`` is it in UTF-8, ``digest`` that one's SHA-256."""

    item_id: str
    labels: Labels
    text: str
    content: bytes
    digest: str


class Ingest:
    """Turns contents into drafts: tokens, renditions, chunks with their terms and, when few, their vectors."""

    def __init__(
        self,
        *,
        chunker: Chunker,
        compressor: Compressor,
        counter: TokenCounter,
        lexicon: LexicalEncoder,
        spaces: Spaces,
        summarizes: bool = False,
        extracts: bool = False,
    ) -> None:
        """Take the ports that a draft needs; ``summarizes`` leaves a job for a language model with each long text,
        ``extracts`` one that reads facts off each episodic text."""
        self._chunker = chunker
        self._compressor = compressor
        self._counter = counter
        self._lexicon = lexicon
        self._spaces = spaces
        self._summarizes = summarizes
        self._extracts = extracts

    def header_tokens(self, item_id: str, tokens: int, labels: Labels) -> int:
        """Count what an item's line costs in its thread's block.

        One token more than it has: a block's tokens are not quite the sum of its parts', and the ledger must not say
        less than the block costs.
        """
        return self._counter.count(block.longest_header(item_id, tokens, labels.title, labels.trust)).tokens + 1

    @property
    def compressor_name(self) -> str:
        """Name what makes the renditions."""
        return self._compressor.name

    async def draft(
        self, namespace: str, item_id: str, thread: str, labels: Labels, text: str, content: bytes, digest: str
    ) -> tuple[ItemDraft, tuple[str, ...]]:
        """Return the draft and notes for the receipt; ``content`` is ``text`` in UTF-8, ``digest`` its SHA-256."""
        arguments = (namespace, item_id, thread, labels, text, content, digest)
        # Long texts take long enough to starve other calls on the event loop.
        draft = (
            self._build(*arguments)
            if len(content) <= _INLINE_BYTES
            else await asyncio.to_thread(self._build, *arguments)
        )
        notes: tuple[str, ...] = ()
        if "\x00" in text:
            notes = (f"The content has {text.count(chr(0))} NUL characters; they are kept as they are.",)
        if len(draft.chunks) > INLINE_CHUNKS:
            return draft, notes
        try:
            texts = [chunk_text(content, chunk.span) for chunk in draft.chunks]
            model_id, vectors = await self._spaces.embed_new(namespace, texts)
        except EmbedderError as error:
            return draft, (*notes, f"Not searchable by meaning yet: {error}")
        return _with_vectors(draft, model_id, vectors), notes

    async def draft_many(
        self, namespace: str, thread: str, texts: Sequence[Text]
    ) -> tuple[list[ItemDraft], tuple[str, ...]]:
        """Return the drafts of many short texts, whose vectors are made together, and notes for the receipt.

        The vectors of a text of more than ``INLINE_CHUNKS`` chunks are left to a job, as in ``draft``.
        """

        def build() -> list[ItemDraft]:
            return [
                self._build(namespace, one.item_id, thread, one.labels, one.text, one.content, one.digest)
                for one in texts
            ]

        drafts = await asyncio.to_thread(build)
        inline = [draft for draft in drafts if len(draft.chunks) <= INLINE_CHUNKS]
        try:
            pieces = [chunk_text(draft.content, chunk.span) for draft in inline for chunk in draft.chunks]
            model_id, vectors = await self._spaces.embed_new(namespace, pieces)
        except EmbedderError as error:
            return drafts, (f"Not searchable by meaning yet: {error}",)
        rest = iter(vectors)
        # All that is written at once has its vectors in one space; what is left to a job is in none yet.
        return [
            _with_vectors(draft, model_id, [next(rest) for _ in draft.chunks])
            if len(draft.chunks) <= INLINE_CHUNKS
            else replace(draft, embedding_model=model_id)
            for draft in drafts
        ], ()

    def _build(
        self, namespace: str, item_id: str, thread: str, labels: Labels, text: str, content: bytes, digest: str
    ) -> ItemDraft:
        count = self._counter.count(text)
        kind = self._chunker.kind(text, labels.content_type, labels.title)
        chunks = tuple(
            ChunkDraft(span, self._lexicon.encode_document(namespace, chunk_text(content, span)))
            for span in self._chunker.split(text, kind, labels.title)
        )
        renditions = self._compressor.compress(text, kind, labels.title, count.tokens)
        return ItemDraft(
            item_id=item_id,
            thread=thread,
            labels=labels,
            content=content,
            sha256=digest,
            tokens=count,
            renditions=renditions,
            chunks=chunks,
            embedding_model=self._spaces.own.model_id,
            lexicon=self._lexicon.version,
            header_tokens=self.header_tokens(item_id, count.tokens, labels),
            summarize=self._summarizes and any(one.detail == "summary" for one in renditions),
            extract=self._extracts and labels.memory_type == "episodic",
            # What is not trusted must not supersede what is.
            frame=None if labels.trust == "low" else versions.frame(namespace, text, labels, kind),
        )


def chunk_text(content: bytes, span: Span) -> str:
    """Return what is embedded and indexed for a chunk: its context line, then its text."""
    text = content[span.start : span.end].decode(errors="replace")
    return f"{span.context}\n{text}" if span.context else text


def _with_vectors(draft: ItemDraft, model_id: str, vectors: Sequence[Sequence[float]]) -> ItemDraft:
    chunks = tuple(
        ChunkDraft(chunk.span, chunk.terms, tuple(vector)) for chunk, vector in zip(draft.chunks, vectors, strict=True)
    )
    return replace(draft, chunks=chunks, embedding_model=model_id)
