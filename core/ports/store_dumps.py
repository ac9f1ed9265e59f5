"""Everything of a namespace out of a store, and back in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, Protocol

from .parts import Indexer

if TYPE_CHECKING:
    # Records check themselves when they are made, which takes long to import and is needed for dumps only.
    from ..dump_records import Record, Restored, Tally


class DumpStore(Protocol):
    """Everything of a namespace out of a store, and back in."""

    def export(
        self, namespace: str, *, thread: str | None = None, sealed: bool = False
    ) -> AsyncGenerator[Tally | Record, None]:
        """Give all that cannot be made again from the rest, as of one moment: the tally, then records in dump order.

        With ``thread`` only that thread, its items and what belongs to them. Of sealed items the outline only, or with
        ``sealed`` their ciphertext too. Nothing is held but a few records at a
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
