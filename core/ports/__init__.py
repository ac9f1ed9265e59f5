"""What the core asks of the outside; each method's docstring is its contract."""

from .language import Meter, Summarizer, TextModel
from .parts import Chunker, Clock, Compressor, Embedder, Indexer, LexicalEncoder, Speller, TimeReader, TokenCounter
from .store import Store
from .store_dumps import DumpStore
from .store_items import ItemStore, Redraft
from .store_jobs import JobStore
from .store_ledger import LedgerStore
from .store_people import PeopleStore
from .store_search import SearchStore
from .store_spaces import SpaceStore

__all__ = [
    "Chunker",
    "Clock",
    "Compressor",
    "DumpStore",
    "Embedder",
    "Indexer",
    "ItemStore",
    "JobStore",
    "LedgerStore",
    "LexicalEncoder",
    "Meter",
    "PeopleStore",
    "Redraft",
    "SearchStore",
    "SpaceStore",
    "Speller",
    "Store",
    "Summarizer",
    "TextModel",
    "TimeReader",
    "TokenCounter",
]
