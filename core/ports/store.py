"""Where everything is kept."""

from typing import Protocol

from .store_consolidation import ConsolidationStore
from .store_conversations import ConversationStore
from .store_dumps import DumpStore
from .store_facts import FactStore
from .store_items import ItemStore
from .store_jobs import JobStore
from .store_learning import LearningStore
from .store_ledger import LedgerStore
from .store_people import PeopleStore
from .store_quarantine import QuarantineStore
from .store_search import SearchStore
from .store_sources import SourceStore
from .store_spaces import SpaceStore
from .store_tasks import TaskStore


class Store(
    ItemStore,
    LedgerStore,
    SearchStore,
    SpaceStore,
    SourceStore,
    FactStore,
    JobStore,
    TaskStore,
    PeopleStore,
    QuarantineStore,
    ConversationStore,
    ConsolidationStore,
    LearningStore,
    DumpStore,
    Protocol,
):
    """Where items are kept. Every method acts inside one namespace and in one transaction: all of it or nothing.

    Ids are strings `mem_…` outside and numbers inside. Every method may raise StoreUnavailableError; writes may raise
    StoreFullError.
    """

    async def describe(self) -> str:
        """Say what keeps the items, after a round trip to it ("embedded PostgreSQL 18.4, pgvector 0.8.5")."""
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...
