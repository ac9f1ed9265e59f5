"""What the core asks of the outside; each method's docstring is its contract."""

from .answering import Answerer
from .facts import FactExtractor
from .language import AdapterChoice, LanguageWatch, Meter, Summarizer, TextModel
from .learning import AdapterFiles, AdapterHost, Teaching
from .merging import Clusterer, Merger
from .parts import Chunker, Clock, Compressor, Embedder, Indexer, LexicalEncoder, Speller, TimeReader, TokenCounter
from .sealing import Asked, Detector, HumanGate, Sealer
from .store import Store
from .store_consolidation import ConsolidationStore
from .store_conversations import ConversationStore
from .store_dumps import DumpStore
from .store_facts import FactStore
from .store_items import ItemStore, Redraft
from .store_jobs import JobStore
from .store_learning import LearningStore
from .store_ledger import LedgerStore
from .store_people import PeopleStore
from .store_quarantine import QuarantineStore
from .store_search import SearchStore
from .store_sources import SourceStore
from .store_spaces import SpaceStore
from .store_tasks import TaskStore

__all__ = [
    "AdapterChoice",
    "AdapterFiles",
    "AdapterHost",
    "Answerer",
    "Asked",
    "Chunker",
    "Clock",
    "Clusterer",
    "Compressor",
    "ConsolidationStore",
    "ConversationStore",
    "Detector",
    "DumpStore",
    "Embedder",
    "FactExtractor",
    "FactStore",
    "HumanGate",
    "Indexer",
    "ItemStore",
    "JobStore",
    "LanguageWatch",
    "LearningStore",
    "LedgerStore",
    "LexicalEncoder",
    "Merger",
    "Meter",
    "PeopleStore",
    "QuarantineStore",
    "Redraft",
    "Sealer",
    "SearchStore",
    "SourceStore",
    "SpaceStore",
    "Speller",
    "Store",
    "Summarizer",
    "TaskStore",
    "Teaching",
    "TextModel",
    "TimeReader",
    "TokenCounter",
]
