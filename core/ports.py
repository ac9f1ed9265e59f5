"""What the core asks of the outside; each method's docstring is its contract."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from .budget import Budgets
from .dump_records import Record, Restored, Tally
from .ladder import Choose
from .models import (
    Block,
    Candidate,
    ChunkDraft,
    Completion,
    DeadJob,
    Detail,
    Event,
    Filters,
    Item,
    ItemDraft,
    ItemList,
    ItemState,
    Job,
    JobCount,
    JobKind,
    Kind,
    Labels,
    PendingChunk,
    Receipt,
    Rendition,
    Rung,
    Span,
    SparseTerms,
    Stale,
    StaleItem,
    Standing,
    Step,
    StoreCounts,
    TextUsage,
    ThreadState,
    TokenCount,
)

Redraft = Callable[[Item, Labels, str, bytes], Awaitable[ItemDraft]]
"""Makes the draft of a further version: (item, labels, thread, content) to draft."""


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


class TextModel(Protocol):
    """A language model: a prompt to an answer."""

    @property
    def name(self) -> str:
        """Name the model as its endpoint knows it."""
        ...

    @property
    def window(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        ...

    async def complete(self, system: str, prompt: str, *, max_tokens: int) -> Completion:
        """Return the model's answer to ``prompt`` under the instruction ``system``, of at most ``max_tokens``.

        Raises:
            TextModelUnavailableError: not reached, busy, timed out, or its breaker is open.
            TextModelError: the endpoint refused the call, or its answer holds no text.
        """
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...


class Summarizer(Protocol):
    """Text to shorter text by a language model: better than a Compressor, but slow, paid and able to fail."""

    @property
    def name(self) -> str:
        """Name the method, its version and the model."""
        ...

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        """Return those of summary, brief and hint that the model could make; each is shorter than the text.

        What it costs is noted for the thread.

        Raises:
            TextModelUnavailableError: try again later.
            SpendingLimitError: try again tomorrow.
            UnusableAnswerError: the model's answers were not usable, and asking again would cost again.
            TextModelError: the endpoint refuses such calls.
        """
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...


class Meter(Protocol):
    """The account of money spent on language models, kept for all processes of a namespace together."""

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """Return what was noted since then, in millionths of a US dollar."""
        ...

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """Note one call, made for ``thread``; ``micros`` None when the model's price is unknown."""
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


class Store(Protocol):
    """Where items are kept. Every method acts inside one namespace and in one transaction: all of it or nothing.

    Ids are strings `mem_…` outside and numbers inside. Every method may raise StoreUnavailableError; writes may raise
    StoreFullError.
    """

    async def add(self, namespace: str, draft: ItemDraft, *, budgets: Budgets) -> Receipt:
        """Commit a new item with its renditions and chunks, and a job for the chunks that have no vector.

        The thread is made when it is new. Content that the thread already holds in an active item (same SHA-256) adds
        nothing: outcome ``duplicate``. A used ``idempotency_key`` with the same content: outcome ``replayed``.

        Raises:
            ConflictError: the idempotency key was used for other content.
        """
        ...

    async def find_added(
        self, namespace: str, *, thread: str, sha256: str, idempotency_key: str | None, budgets: Budgets
    ) -> Receipt | None:
        """Return what ``add`` would answer with ``duplicate`` or ``replayed``, before any work is spent on the content.

        Raises:
            ConflictError: the idempotency key was used for other content.
        """
        ...

    async def get(self, namespace: str, item_id: str) -> Item:
        """Return an item, active or forgotten.

        Raises:
            ItemNotFoundError: there is none in this namespace.
        """
        ...

    async def read(self, namespace: str, item_id: str, version: int | None = None) -> tuple[Item, bytes, str]:
        """Return the item, the content of a version (default: the current one) and that version's stored SHA-256.

        Raises:
            ItemNotFoundError: no such item.
            NotFoundError: no such version of it.
        """
        ...

    async def rendition(self, namespace: str, item_id: str, detail: Detail) -> tuple[Item, Rendition | None]:
        """Return the item and its rendition at ``detail``, None when the text is too short to have one."""
        ...

    async def replace_content(
        self, namespace: str, draft: ItemDraft, *, expected_sha256: str, budgets: Budgets
    ) -> Receipt:
        """Commit ``draft`` as the next version of the item it names; older versions stay readable.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the current version's SHA-256 is not ``expected_sha256``, the item is forgotten, or the
                thread holds the new content in another active item.
        """
        ...

    async def relabel(
        self,
        namespace: str,
        item_id: str,
        labels: Labels,
        *,
        thread: str,
        header_tokens: int | None = None,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """Replace an item's labels and thread; outcome ``unchanged`` when nothing differs.

        ``header_tokens`` are those of its new line in the block, None where that stays.
        An item that comes into another thread stands at the end of its block.
        """
        ...

    async def place(self, namespace: str, item_id: str, detail: Standing, *, actor: str, budgets: Budgets) -> Receipt:
        """Let an active item stand at ``detail`` in its block, or the next higher one that it has, and note its use.

        An archived item comes back at the end of the block. Outcome ``unchanged`` when it already stands so.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the item is forgotten.
        """
        ...

    async def step(
        self, namespace: str, thread: str, choose: Choose, *, actor: str, budgets: Budgets
    ) -> tuple[ThreadState, Sequence[Step]]:
        """Take the steps that ``choose`` takes of the thread's rungs, in one transaction; adds to it wait.

        An unknown thread has no rungs and is not made.
        """
        ...

    async def rungs(
        self, namespace: str, thread: str, *, budgets: Budgets, item_ids: Sequence[str] | None = None
    ) -> tuple[ThreadState, Sequence[Rung]]:
        """Return a thread's account and its active items on the ladder, or those of ``item_ids``, in block order."""
        ...

    async def block(self, namespace: str, thread: str, *, budgets: Budgets) -> Block:
        """Return the thread's block: account and texts of one moment."""
        ...

    async def texts(self, namespace: str, wanted: Sequence[tuple[str, Detail]]) -> Mapping[tuple[str, Detail], str]:
        """Return the text of each active item at a detail; those that have none there are left out."""
        ...

    async def use_model(self, namespace: str, thread: str, model: str, *, budgets: Budgets) -> ThreadState:
        """Remember the thread's model, making the thread where it is new, and step down what no longer fits."""
        ...

    async def put_renditions(
        self,
        namespace: str,
        item_id: str,
        sha256: str,
        renditions: Sequence[Rendition],
        *,
        actor: str,
        budgets: Budgets,
    ) -> Receipt:
        """Replace an item's renditions of these details by better ones made from the content with this SHA-256.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: the item's content is another one by now, or the item is forgotten.
        """
        ...

    async def stale(self, namespace: str, limits: Stale, *, now: datetime, limit: int) -> Sequence[StaleItem]:
        """Return items that hygiene should step down or forget, expired ones first, then by priority and last use."""
        ...

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """See Meter."""
        ...

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """See Meter."""
        ...

    async def set_state(
        self, namespace: str, item_id: str, state: ItemState, *, actor: str, budgets: Budgets
    ) -> Receipt:
        """Forget or restore an item; outcome ``unchanged`` when it already is so.

        Raises:
            ItemNotFoundError: no such item.
            ConflictError: a restored item's content meanwhile lives in another active item of its thread.
        """
        ...

    async def purge(self, namespace: str, item_id: str, *, actor: str, budgets: Budgets) -> Receipt:
        """Delete an item, all its versions, renditions, chunks and before-images; the event keeps id and hash only."""
        ...

    async def list_items(
        self, namespace: str, filters: Filters, *, state: ItemState, limit: int, before: tuple[datetime, str] | None
    ) -> ItemList:
        """Return items newest first, those after ``before`` (created_at, item_id); ``next_cursor`` is left None."""
        ...

    async def candidates(
        self,
        namespace: str,
        *,
        vector: Sequence[float] | None,
        model_id: str,
        terms: SparseTerms,
        filters: Filters,
        limit: int,
    ) -> list[Candidate]:
        """Return up to ``limit`` chunks by meaning and up to ``limit`` by word, each with both its scores.

        Only active items that pass ``filters``; only vectors of ``model_id``; ``vector`` None leaves meaning out, empty
        ``terms`` leave words out. BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza 2009). One statement.
        """
        ...

    async def passages(self, namespace: str, wanted: Sequence[tuple[str, Span]]) -> list[tuple[Item, bytes]]:
        """Return the item and its current content's bytes ``start:end`` for each wanted span, in order; items that
        vanished meanwhile are left out."""
        ...

    async def state(self, namespace: str, model_id: str, *, budgets: Budgets) -> StoreCounts:
        """Count what the namespace holds."""
        ...

    async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
        """Note that items were used."""
        ...

    async def events(self, namespace: str, limit: int) -> Sequence[Event]:
        """Return the newest events first."""
        ...

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt]:
        """Take back an event (default: the newest that can be), by its before-image; itself an event.

        An add is forgotten, a forgetting restored and the reverse; labels return; a replaced content returns as a
        further version, drafted by ``redraft``. What was undone cannot be undone again.

        Raises:
            NotFoundError: there is nothing to undo.
            ConflictError: the item changed since that event.
        """
        ...

    def export(self, namespace: str, *, thread: str | None = None) -> AsyncGenerator[Tally | Record, None]:
        """Give all that cannot be made again from the rest, as of one moment: the tally, then records in dump order.

        With ``thread`` only that thread, its items and what belongs to them. Nothing is held but a few records at a
        time; close the generator (``contextlib.aclosing``), for it may hold a connection.
        """
        ...

    async def restore(
        self, namespace: str, records: Iterable[Record], *, indexer: Indexer, keep: bool = True
    ) -> Restored:
        """Take in records in dump order, all or nothing; ``keep`` False only tries, and leaves everything as it was.

        Records that are here already are skipped. Of an item that is, the place in the block, the times of use and
        the renditions stay; a thread that is keeps its model. Chunks and terms are made by ``indexer``, and jobs for
        vectors and statistics are left.

        Raises:
            ConflictError: an id or key is here with other content, or another active item has an item's content.
        """
        ...

    async def enqueue(
        self, namespace: str, kind: JobKind, item_id: str | None = None, delay_seconds: float = 0
    ) -> bool:
        """Leave a job, due in ``delay_seconds``; False when there is one of this kind for this item (or for none).

        A job that is there stays as it is, also a dead one: ``retry_dead`` brings those back.
        """
        ...

    async def claim_job(
        self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
    ) -> Job | None:
        """Lease the job that has been due longest, of ``kinds`` (None for any), held by nobody or with a lapsed lease.

        Dead ones are left alone. ``owner`` is one runner, which holds one job of a namespace at a time.
        """
        ...

    async def renew_job(
        self, namespace: str, job_id: int, *, owner: str, lease_seconds: float, advanced: bool = False
    ) -> bool:
        """Let a lease last ``lease_seconds`` from now; False when ``owner`` has lost it.

        ``advanced`` says that part of the work is committed: the attempts before this one no longer count.
        """
        ...

    async def finish_job(
        self,
        namespace: str,
        job_id: int,
        *,
        owner: str,
        error: str | None = None,
        again_seconds: float | None = None,
        counted: bool = True,
    ) -> bool:
        """End an attempt; False, and without effect, when ``owner`` has lost the lease.

        A job that succeeded (``error`` None) is deleted, or due again in ``again_seconds`` as if it were new. One that
        failed is due again in ``again_seconds``, or dead without them; an attempt that is not ``counted`` is as if
        it had not been. ``error`` is kept, cut at 500 characters: a sentence without content or secrets.
        """
        ...

    async def release_jobs(self, namespace: str, *, owner: str) -> int:
        """Give back at once, uncounted, what ``owner`` holds, and return how many jobs that were."""
        ...

    async def job_counts(self, namespace: str) -> Sequence[JobCount]:
        """Count the jobs of each kind that has any, by kind."""
        ...

    async def dead_jobs(self, namespace: str, limit: int) -> Sequence[DeadJob]:
        """Return the dead jobs, the newest first."""
        ...

    async def retry_dead(self, namespace: str) -> int:
        """Let dead jobs be due now as if they were new, and return how many those were."""
        ...

    async def pending_chunks(
        self, namespace: str, item_id: str, model_id: str, limit: int
    ) -> tuple[int, Sequence[PendingChunk]]:
        """Return the item's current version and its first chunks that have no vector of ``model_id``, in order.

        Raises:
            ItemNotFoundError: the item was purged meanwhile.
        """
        ...

    async def put_vectors(
        self, namespace: str, item_id: str, version: int, model_id: str, vectors: Mapping[int, Sequence[float]]
    ) -> None:
        """Store vectors by chunk ordinal; without effect when the item has another version by now, or is gone."""
        ...

    async def reweigh(self, namespace: str, lexicon: LexicalEncoder) -> int:
        """Refresh the corpus statistics, and the stored impacts when the mean length drifted by over a quarter.

        Returns the number of chunks rewritten."""
        ...

    async def describe(self) -> str:
        """Say what keeps the items, after a round trip to it ("embedded PostgreSQL 18.4, pgvector 0.8.5")."""
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...
