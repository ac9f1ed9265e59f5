"""A memory over the in-memory store, with fakes for everything else."""

from dataclasses import dataclass

from palimpsest.core.ingest import Ingest
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Caller, Memory
from palimpsest.core.ports import Store
from palimpsest.core.usage import UsageLog
from palimpsest.core.validation import Limits
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import FirstWords, HandClock, HashEmbedder, ParagraphChunker, WordCounter, WordLexicon

ME = Caller("mine", "me")
THEM = Caller("theirs", "them")


@dataclass(frozen=True, slots=True)
class Parts:
    """The service and what stands behind it."""

    memory: Memory
    store: Store
    embedder: HashEmbedder
    clock: HandClock
    usage: UsageLog
    runner: JobRunner


def build_parts(
    *, limits: Limits | None = None, window: int = 1000, store: Store | None = None, clock: HandClock | None = None
) -> Parts:
    """Wire a memory; ``store`` stands in for the in-memory one, and has its time from ``clock``."""
    embedder, counter, lexicon, usage = HashEmbedder(), WordCounter(), WordLexicon(), UsageLog()
    clock = clock or HandClock()
    store = store or InMemoryStore(clock)
    ingest = Ingest(
        chunker=ParagraphChunker(), compressor=FirstWords(), counter=counter, lexicon=lexicon, embedder=embedder
    )
    memory = Memory(
        store=store,
        embedder=embedder,
        lexicon=lexicon,
        counter=counter,
        ingest=ingest,
        clock=clock,
        usage=usage,
        limits=limits,
        window=window,
    )
    return Parts(
        memory,
        store,
        embedder,
        clock,
        usage,
        JobRunner(store=store, embedder=embedder, lexicon=lexicon, owner="runner"),
    )
