"""A memory over the in-memory store, with fakes for everything else."""

from dataclasses import dataclass

from palimpsest.core.budget import Budgets, fixed_budget
from palimpsest.core.compression import Compression
from palimpsest.core.context import Context
from palimpsest.core.detection import PatternDetector
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import Caller, Memory
from palimpsest.core.ports import Answerer, FactExtractor, HumanGate, LanguageWatch, Sealer, Store
from palimpsest.core.ranking import Weights
from palimpsest.core.screening import ScanPolicy
from palimpsest.core.services import Consolidating, Ports, Services, build_services
from palimpsest.core.usage import UsageLog
from palimpsest.core.validation import Limits
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.times import EnglishTimes
from palimpsest.slm.typos import TypoSpeller
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import FirstWords, HandClock, HashEmbedder, NoCorrections, ParagraphChunker, WordCounter, WordLexicon

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
    sealer: Sealer | None = None,
    scan: ScanPolicy | None = None,
    gate: HumanGate | None = None,
    answerer: Answerer | None = None,
    watch: LanguageWatch | None = None,
    consolidating: Consolidating | None = None,
    extractors: tuple[FactExtractor, ...] = (),
) -> Parts:
    """Wire a memory; ``store`` stands in for the in-memory one, and has its time from ``clock``.

    ``weights`` rank instead of the fitted ones. With ``untrusted`` searches have what is not trusted. With ``corrects``
    words are encoded as a server does it, and mistyped ones looked for. Texts are looked at for secrets only where
    ``scan`` says what becomes of those, and for facts only where there are ``extractors``.
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
            speller=TypoSpeller(lexicon) if isinstance(lexicon, WordEncoder) else NoCorrections(),
            counter=WordCounter(),
            chunker=ParagraphChunker(),
            compressor=FirstWords(),
            clock=clock,
            budgets=budgets or fixed_budget(window),
            usage=usage,
            limits=limits or Limits(),
            watch=watch,
            weights=weights,
            untrusted=untrusted,
            sealer=sealer,
            detector=None if scan is None else PatternDetector(),
            scan=scan or ScanPolicy(),
            gate=gate,
            consolidating=consolidating or Consolidating(),
            extractors=extractors,
            answerer=answerer,
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
