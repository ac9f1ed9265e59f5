"""Reads are noted in memory and written in batches."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import StoreUnavailableError
from palimpsest.core.usage import UsageLog
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import START, draft

LATER = START + timedelta(days=1)


class Unreachable(InMemoryStore):
    """A store that is away until told otherwise."""

    away = True

    async def touch(self, namespace: str, item_ids: Sequence[str], at: datetime) -> None:
        if self.away:
            raise StoreUnavailableError
        await super().touch(namespace, item_ids, at)


async def test_reads_are_written_once_in_each_namespace() -> None:
    store, usage = InMemoryStore(), UsageLog()
    one, other = draft("a", "one"), draft("b", "other")
    await store.add("a", one, budgets=fixed_budget(10))
    await store.add("b", other, budgets=fixed_budget(10))
    usage.note("a", one.item_id, START)
    usage.note("a", one.item_id, LATER)
    usage.note("b", other.item_id, START)
    assert await usage.flush(store) == 2
    assert (await store.get("a", one.item_id)).last_used_at == LATER
    assert (await store.get("b", other.item_id)).last_used_at == START
    assert await usage.flush(store) == 0


async def test_a_failed_flush_keeps_its_notes() -> None:
    store, usage = Unreachable(), UsageLog()
    made = draft("a", "text")
    await store.add("a", made, budgets=fixed_budget(10))
    usage.note("a", made.item_id, LATER)
    with pytest.raises(StoreUnavailableError):
        await usage.flush(store)
    store.away = False
    assert await usage.flush(store) == 1
    assert (await store.get("a", made.item_id)).last_used_at == LATER
