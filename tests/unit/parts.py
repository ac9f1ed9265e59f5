"""A memory over the in-memory store, with fakes for everything else."""

from dataclasses import dataclass

from palimpsest.core.budget import Budgets, fixed_budget
from palimpsest.core.compression import Compression
from palimpsest.core.context import Context
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Caller, Memory
from palimpsest.core.ports import Store
from palimpsest.core.ranking import Weights
from palimpsest.core.services import Ports, Services, build_services
from palimpsest.core.usage import UsageLog
from palimpsest.core.validation import Limits
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.times import EnglishTimes
from palimpsest.slm.typos import TypoSpeller
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import FirstWords, HandClock, HashEmbedder, ParagraphChunker, WordCounter, WordLexicon

ME = Caller("mine", "me")
THEM = Caller("theirs", "them")


@dataclass(frozen=True, slots=True)
class Parts:
    """The service and what stands behind it."""

    services: Services
    memory: Memory
    context: Context
    compression: Compression
    store: Store
    embedder: HashEmbedder
    clock: HandClock
    usage: UsageLog
    runner: JobRunner


def build_parts(
    *,
    limits: Limits | None = None,
    window: int = 10_000,
    budgets: Budgets | None = None,
    store: Store | None = None,
    clock: HandClock | None = None,
    weights: Weights | None = None,
    corrects: bool = False,
    untrusted: bool = False,
) -> Parts:
    """Wire a memory; ``store`` stands in for the in-memory one, and has its time from ``clock``.

    ``weights`` rank instead of the fitted ones. With ``untrusted`` searches have what is not trusted. With ``corrects``
    words are encoded as a server does it, and mistyped ones looked for.
    """
    embedder, usage = HashEmbedder(), UsageLog()
    lexicon = WordEncoder() if corrects else WordLexicon()
    clock = clock or HandClock()
    store = store or InMemoryStore(clock)
    services = build_services(
        Ports(
            store=store,
            embedder=embedder,
            lexicon=lexicon,
            times=EnglishTimes(),
            speller=TypoSpeller(lexicon) if isinstance(lexicon, WordEncoder) else None,
            counter=WordCounter(),
            chunker=ParagraphChunker(),
            compressor=FirstWords(),
            clock=clock,
            budgets=budgets or fixed_budget(window),
            usage=usage,
            limits=limits or Limits(),
            weights=weights,
            untrusted=untrusted,
        )
    )
    return Parts(
        services,
        services.memory,
        services.context,
        services.compression,
        store,
        embedder,
        clock,
        usage,
        JobRunner(store=store, embedder=embedder, lexicon=lexicon, owner="runner"),
    )
