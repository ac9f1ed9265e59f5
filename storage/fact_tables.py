"""Facts, written with their items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING

from ..core.ids import format_item_id, parse_item_id
from ..core.models import Fact, ItemDraft, KnownFact, ToldFact
from . import rows
from .rows import Row
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection


class FactTables(Tables):
    """What items tell as facts, found by slot, by subject and by source."""

    async def known_facts(
        self, namespace: str, thread: str, wanted: Sequence[tuple[int, datetime]]
    ) -> Sequence[Sequence[KnownFact]]:
        """See Store."""
        slots, moments = [slot for slot, _ in wanted], [at for _, at in wanted]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["known_facts"], namespace, thread, slots, moments)
        return [[_known(row) for row in found if row["place"] == place] for place in range(1, len(wanted) + 1)]

    async def list_facts(
        self, namespace: str, *, subject: str | None, thread: str | None, superseded: bool, limit: int
    ) -> Sequence[KnownFact]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["list_facts"], namespace, subject, thread, superseded, limit)
        return [_known(row) for row in found]

    async def told_facts(self, namespace: str, item_ids: Sequence[str]) -> Sequence[ToldFact]:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id in item_ids]
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["told_facts"], namespace, numbers)
        return [_told(row) for row in found]

    async def put_fact(self, connection: Connection, namespace: str, draft: ItemDraft) -> None:
        """Note the fact of a draft that was added in this transaction, if it has one."""
        fact = draft.fact
        if fact is not None:
            await connection.execute(
                self._queries["put_fact"],
                namespace,
                parse_item_id(draft.item_id),
                bytes.fromhex(draft.sha256),
                *astuple(fact),
                fact.subject_key,
                fact.slot,
            )


def _known(row: Row) -> KnownFact:
    fact = Fact(
        row["subject"],
        row["relation"],
        row["value"],
        row["single"],
        row["importance"],
        row["valid_from"],
        row["extractor"],
    )
    rivals = tuple(format_item_id(number) for number in row["rivals"] or ())
    return KnownFact(rows.item(row), fact, row["valid_to"], rivals)


def _told(row: Row) -> ToldFact:
    source, item = format_item_id(row["source_id"]), format_item_id(row["item_id"])
    return ToldFact(source, item, rows.item_id_or_none(row["lineage"]), row["happened_at"])
