"""The services over one set of ports, wired in the one way that fits together."""

from dataclasses import dataclass, field
from datetime import timedelta

from .agents import Agents
from .approval import Approval, HumanPolicy
from .asking import Asking
from .budget import Budgets
from .clusters import SingleLinkage
from .compression import Compression
from .consolidation import Consolidation
from .context import Context
from .conversations import Conversations
from .dump_pages import ExportPages
from .export import ContentIndexer, Export
from .facts import Facts
from .finding import Finder
from .grouping import Grouping
from .handoff import Packets
from .hygiene import Hygiene, HygieneLimits
from .ingest import Ingest
from .memory import Memory
from .merging import Merging
from .people import People
from .ports import (
    Answerer,
    Chunker,
    Clock,
    Clusterer,
    Compressor,
    Detector,
    Embedder,
    FactExtractor,
    HumanGate,
    LanguageWatch,
    LexicalEncoder,
    Merger,
    Sealer,
    Speller,
    Store,
    TimeReader,
    TokenCounter,
)
from .quarantine import Quarantine
from .ranking import Weights
from .recaps import Recaps
from .releasing import Releasing
from .sameness import Judge
from .screened import ScreenedMemory
from .screening import ScanPolicy, Screening
from .spaces import Spaces
from .tasks import LEASE, Tasks
from .usage import UsageLog
from .validation import Limits
from .vault import Vault


def _no_word(_word: str) -> bool:
    """Know no word, so that none is taken for another one's slip."""
    return False


@dataclass(frozen=True, slots=True)
class Consolidating:
    """What consolidation works with: who merges texts, best first (none: nothing is merged), and who finds clusters.

    ``judge`` says what statements say the same.
    """

    mergers: tuple[Merger, ...] = ()
    clusterer: Clusterer = field(default_factory=SingleLinkage)
    judge: Judge = field(default_factory=lambda: Judge(_no_word))


@dataclass(frozen=True, slots=True)
class Ports:
    """What the services stand on; ``summarizer`` names what writes better summaries later, None for nothing.

    Without ``spaces`` no model but ``embedder`` can be run. ``untrusted`` lets every search have what is not trusted.
    Without a ``sealer`` nothing can be sealed, and without a ``detector`` no secret is found. ``gate`` stands in for
    how people are asked for leave. ``extractors`` read facts off what happened, the first that can; none without any.
    Without an ``answerer`` questions are answered by passages.
    """

    store: Store
    embedder: Embedder
    lexicon: LexicalEncoder
    times: TimeReader
    speller: Speller
    counter: TokenCounter
    chunker: Chunker
    compressor: Compressor
    clock: Clock
    budgets: Budgets
    usage: UsageLog
    limits: Limits = field(default_factory=Limits)
    weights: Weights | None = None
    hygiene: HygieneLimits = field(default_factory=HygieneLimits)
    summarizer: str | None = None
    watch: LanguageWatch | None = None
    spaces: Spaces | None = None
    task_lease: timedelta = LEASE
    untrusted: bool = False
    sealer: Sealer | None = None
    detector: Detector | None = None
    scan: ScanPolicy = field(default_factory=ScanPolicy)
    gate: HumanGate | None = None
    human: HumanPolicy = field(default_factory=HumanPolicy)
    consolidating: Consolidating = field(default_factory=Consolidating)
    extractors: tuple[FactExtractor, ...] = ()
    answerer: Answerer | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """All that a client can ask for."""

    memory: Memory
    finder: Finder
    context: Context
    compression: Compression
    hygiene: Hygiene
    consolidation: Consolidation
    export: Export
    pages: ExportPages
    tasks: Tasks
    agents: Agents
    quarantine: Quarantine
    people: People
    approval: Approval
    facts: Facts
    conversations: Conversations
    asking: Asking
    summarizes: bool


def build_services(ports: Ports) -> Services:
    """Wire the services."""
    spaces = ports.spaces or Spaces(store=ports.store, embedder=ports.embedder)
    finder = Finder(
        store=ports.store,
        spaces=spaces,
        lexicon=ports.lexicon,
        counter=ports.counter,
        clock=ports.clock,
        times=ports.times,
        speller=ports.speller,
        weights=ports.weights,
        untrusted=ports.untrusted,
    )
    ingest = Ingest(
        chunker=ports.chunker,
        compressor=ports.compressor,
        counter=ports.counter,
        lexicon=ports.lexicon,
        spaces=spaces,
        summarizes=ports.summarizer is not None,
        extracts=bool(ports.extractors),
    )
    vault = Vault(store=ports.store, sealer=ports.sealer)
    screening = Screening(vault=vault, detector=ports.detector, policy=ports.scan)
    memory = ScreenedMemory(
        store=ports.store,
        spaces=spaces,
        counter=ports.counter,
        finder=finder,
        ingest=ingest,
        clock=ports.clock,
        budgets=ports.budgets,
        usage=ports.usage,
        limits=ports.limits,
        summarizer=ports.summarizer,
        watch=ports.watch,
        vault=vault,
        screening=screening,
        releasing=Releasing(store=ports.store, budgets=ports.budgets),
    )
    people = People(store=ports.store, clock=ports.clock)
    export = Export(
        store=ports.store,
        indexer=ContentIndexer(chunker=ports.chunker, lexicon=ports.lexicon, embedder=ports.embedder),
    )
    return Services(
        memory=memory,
        finder=finder,
        context=Context(store=ports.store, finder=finder, counter=ports.counter, budgets=ports.budgets),
        compression=Compression(
            store=ports.store, counter=ports.counter, budgets=ports.budgets, own=ports.compressor.name
        ),
        hygiene=Hygiene(store=ports.store, clock=ports.clock, budgets=ports.budgets, limits=ports.hygiene),
        consolidation=_consolidation(ports, spaces, ingest),
        export=export,
        pages=ExportPages(export=export, store=ports.store, counter=ports.counter, budgets=ports.budgets),
        tasks=Tasks(
            store=ports.store,
            packets=Packets(store=ports.store, counter=ports.counter, decisions=people.decisions),
            lease=ports.task_lease,
        ),
        agents=Agents(store=ports.store, lease=ports.task_lease),
        quarantine=Quarantine(
            store=ports.store,
            vault=vault,
            screening=screening,
            memory=memory,
            counter=ports.counter,
            limits=ports.limits,
            gate=ports.gate or people,
        ),
        people=people,
        facts=Facts(store=ports.store, memory=memory, extractors=ports.extractors),
        approval=Approval(memory=memory, people=people, store=ports.store, policy=ports.human),
        asking=Asking(finder=finder, counter=ports.counter, answerer=ports.answerer),
        conversations=Conversations(
            store=ports.store,
            spaces=spaces,
            ingest=ingest,
            screening=screening,
            recaps=Recaps(store=ports.store, memory=memory, compressor=ports.compressor, counter=ports.counter),
            budgets=ports.budgets,
            limits=ports.limits,
        ),
        summarizes=ports.summarizer is not None,
    )


def _consolidation(ports: Ports, spaces: Spaces, ingest: Ingest) -> Consolidation:
    parts = ports.consolidating
    return Consolidation(
        store=ports.store,
        spaces=spaces,
        chunker=ports.chunker,
        budgets=ports.budgets,
        grouping=Grouping(parts.judge, parts.clusterer),
        merging=Merging(
            store=ports.store,
            ingest=ingest,
            counter=ports.counter,
            budgets=ports.budgets,
            mergers=parts.mergers,
        ),
        distils=bool(ports.extractors),
    )
