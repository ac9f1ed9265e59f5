"""What the core asks of the outside; each method's docstring is its contract."""

from .language import Meter, Summarizer, TextModel
from .parts import Chunker, Clock, Compressor, Embedder, Indexer, LexicalEncoder, Speller, TimeReader, TokenCounter
from .sealing import Asked, Detector, HumanGate, Sealer
from .store import Store
from .store_dumps import DumpStore
from .store_items import ItemStore, Redraft
from .store_jobs import JobStore
from .store_ledger import LedgerStore
from .store_people import PeopleStore
from .store_quarantine import QuarantineStore
from .store_search import SearchStore
from .store_spaces import SpaceStore
from .store_tasks import TaskStore

__all__ = [
    "Asked",
    "Chunker",
    "Clock",
    "Compressor",
    "Detector",
    "DumpStore",
    "Embedder",
    "HumanGate",
    "Indexer",
    "ItemStore",
    "JobStore",
    "LedgerStore",
    "LexicalEncoder",
    "Meter",
    "PeopleStore",
    "QuarantineStore",
    "Redraft",
    "Sealer",
    "SearchStore",
    "SpaceStore",
    "Speller",
    "Store",
    "Summarizer",
    "TaskStore",
    "TextModel",
    "TimeReader",
    "TokenCounter",
]
