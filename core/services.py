"""The services over one set of ports, wired in the one way that fits together."""

from dataclasses import dataclass, field
from datetime import timedelta

from .agents import Agents
from .approval import Approval, HumanPolicy
from .budget import Budgets
from .compression import Compression
from .context import Context
from .dump_pages import ExportPages
from .export import ContentIndexer, Export
from .finding import Finder
from .handoff import Packets
from .hygiene import Hygiene, HygieneLimits
from .ingest import Ingest
from .memory import Memory
from .people import People
from .ports import (
    Chunker,
    Clock,
    Compressor,
    Detector,
    Embedder,
    HumanGate,
    LexicalEncoder,
    Sealer,
    Speller,
    Store,
    TimeReader,
    TokenCounter,
)
from .quarantine import Quarantine
from .ranking import Weights
from .screened import ScreenedMemory
from .screening import ScanPolicy, Screening
from .spaces import Spaces
from .tasks import LEASE, Tasks
from .usage import UsageLog
from .validation import Limits
from .vault import Vault


@dataclass(frozen=True, slots=True)
class Ports:
    """What the services stand on; ``summarizer`` names what writes better summaries later, None for nothing.

    Without ``spaces`` no model but ``embedder`` can be run. ``untrusted`` lets every search have what is not trusted.
    Without a ``sealer`` nothing can be sealed, and without a ``detector`` no secret is found. ``gate`` stands in for
    how people are asked for leave.
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
    spaces: Spaces | None = None
    task_lease: timedelta = LEASE
    untrusted: bool = False
    sealer: Sealer | None = None
    detector: Detector | None = None
    scan: ScanPolicy = field(default_factory=ScanPolicy)
    gate: HumanGate | None = None
    human: HumanPolicy = field(default_factory=HumanPolicy)


@dataclass(frozen=True, slots=True)
class Services:
    """All that a client can ask for."""

    memory: Memory
    finder: Finder
    context: Context
    compression: Compression
    hygiene: Hygiene
    export: Export
    pages: ExportPages
    tasks: Tasks
    agents: Agents
    quarantine: Quarantine
    people: People
    approval: Approval
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
        vault=vault,
        screening=screening,
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
        approval=Approval(memory=memory, people=people, store=ports.store, policy=ports.human),
        summarizes=ports.summarizer is not None,
    )
