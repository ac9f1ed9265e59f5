"""The export service: a namespace as a dump, a dump back into a namespace, and both by pages for a client."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import BinaryIO

from .dump_lines import End, Header, encode_end, encode_header, encode_record
from .dump_reader import MAX_LINE_BYTES, read_dump
from .dump_records import ContentRecord, Restored, Tally
from .errors import ContentDamagedError, InvalidInputError, NotFoundError
from .ingest import chunk_text
from .models import ChunkDraft, Labels
from .ports import Chunker, Embedder, Indexer, LexicalEncoder, Store
from .versions import Frame, frame

_INLINE_BYTES = 32_000


class ContentIndexer(Indexer):
    """Makes chunks and terms as an add does, and leaves the vectors to the background."""

    def __init__(self, *, chunker: Chunker, lexicon: LexicalEncoder, embedder: Embedder) -> None:
        """Nothing is loaded of ``embedder``; it only names its model."""
        self._chunker = chunker
        self._lexicon = lexicon
        self._embedder = embedder

    @property
    def embedding_model(self) -> str:
        """See Indexer."""
        return self._embedder.model_id

    @property
    def lexicon(self) -> str:
        """See Indexer."""
        return self._lexicon.version

    async def chunks(
        self, namespace: str, content: bytes, content_type: str, title: str | None
    ) -> Sequence[ChunkDraft]:
        """See Indexer."""
        arguments = (namespace, content, content_type, title)
        # Long texts take long enough to starve other tasks on the event loop.
        return (
            self._split(*arguments)
            if len(content) <= _INLINE_BYTES
            else await asyncio.to_thread(self._split, *arguments)
        )

    def frame(self, namespace: str, content: bytes, labels: Labels) -> Frame | None:
        """See Indexer."""
        text = content.decode(errors="replace")
        return frame(namespace, text, labels, self._chunker.kind(text, labels.content_type, labels.title))

    def _split(self, namespace: str, content: bytes, content_type: str, title: str | None) -> Sequence[ChunkDraft]:
        text = content.decode(errors="replace")
        spans = self._chunker.split(text, self._chunker.kind(text, content_type, title), title)
        return [ChunkDraft(span, self._lexicon.encode_document(namespace, chunk_text(content, span))) for span in spans]


class Export:
    """Dumps and loads."""

    def __init__(self, *, store: Store, indexer: Indexer) -> None:
        """Take the ports; nothing is opened here."""
        self._store = store
        self._indexer = indexer

    async def lines(
        self, namespace: str, thread: str | None = None, *, sealed: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Yield the dump of a namespace, or of one thread, line by line; equal memories give equal bytes.

        Of sealed items it has the outline, and with ``sealed`` the ciphertext.

        Raises:
            NotFoundError: there is no such thread.
            ContentDamagedError: a stored content is not the one that was acknowledged.
        """
        digest = hashlib.sha256()
        records = 0
        async with aclosing(self._store.export(namespace, thread=thread, sealed=sealed)) as found:
            async for record in found:
                if isinstance(record, Tally):
                    if thread is not None and not record.counts["thread"]:
                        raise NotFoundError(f"There is no thread {thread!r} here; memory_state lists them.")
                    line = encode_header(Header(namespace, record, thread))
                else:
                    if isinstance(record, ContentRecord):
                        _check_content(record)
                    line = encode_record(record)
                    records += 1
                digest.update(line)
                yield line
        yield encode_end(End(records, digest.hexdigest()))

    async def load(
        self,
        file: BinaryIO,
        namespace: str,
        *,
        from_any: bool = False,
        keep: bool = True,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> tuple[Header, Restored]:
        """Load a dump into a namespace, all or nothing; ``keep`` False only tries, ``from_any`` takes any namespace's.

        The file is read twice: checked to its end before anything is written, and checked again as it is written.

        Raises:
            InvalidInputError: the dump is cut, damaged, of a newer version or of another namespace.
            ConflictError: something that is there already is not what the dump has under its id.
        """
        header = await asyncio.to_thread(_check, file, None if from_any else namespace, max_line_bytes)
        _, records = read_dump(file, max_line_bytes)
        return header, await self._store.restore(namespace, records, indexer=self._indexer, keep=keep)


def _check(file: BinaryIO, namespace: str | None, max_line_bytes: int) -> Header:
    header, records = read_dump(file, max_line_bytes)
    if namespace not in (None, header.namespace):
        raise InvalidInputError(
            f"The dump is of the namespace {header.namespace!r} and this memory is {namespace!r}; "
            f"to load it here all the same, pass --into {namespace}."
        )
    for _ in records:
        pass
    file.seek(0)
    return header


def _check_content(record: ContentRecord) -> None:
    if hashlib.sha256(record.content).hexdigest() != record.sha256:
        raise ContentDamagedError(
            f"Version {record.version} of {record.item_id} no longer matches its SHA-256, so no dump was made; "
            "restore the database from a backup, or purge that item."
        )
