"""Filling a large store: `Memory.add` in several processes, many adds a transaction, search indexes made at the end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import random
import shutil
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.ids import parse_item_id
from palimpsest.core.models import MEMORY_TYPES
from palimpsest.slm.lexical import WordEncoder
from palimpsest.storage.migrate import migrations
from palimpsest.storage.pool import Pool

from . import corpus
from .stores import Bench, attach_bench, open_bench

if TYPE_CHECKING:
    from palimpsest.storage.pool import Connection

CALLER = Caller("bench")
THREADS = 2000
"""Each holds 0.05 % of a store, and at most 250 items."""
PROCESSES = 4
"""More than there are cores: an add waits for the database in turn with computing."""
_FIRST = 1000
_BATCH = 200
_SAMPLE = 25
_REPORT_EVERY = 20_000
_WINDOW = 10_000_000
_READY = "ready.json"
_COPY_THREAD = "copies"
_OWN = frozenset(
    "item_id thread position header_tokens cost created_at updated_at happened_at event_id at".split()  # noqa: SIM905
)
"""Columns by which two items with the same text differ; the header has the id, so that its tokens may differ too."""


def memories(texts: Sequence[str]) -> list[NewMemory]:
    """Return the texts with the labels that filters are measured by.

    Half are documents, a tenth bears the tag ``tenth``, a hundredth the tag ``hundredth``, and a two-thousandth lies in
    each thread, where its texts are those that were added one after another.
    """
    source = random.Random(5)
    made: list[NewMemory] = []
    for number, text in enumerate(texts):
        tags = [f"topic-{source.randrange(50)}"]
        tags += ["tenth"] if source.random() < 0.1 else []
        tags += ["hundredth"] if source.random() < 0.01 else []
        made.append(
            NewMemory(
                text,
                thread=f"notes-{number * THREADS // len(texts):04d}",
                memory_type="document" if source.random() < 0.5 else source.choice(MEMORY_TYPES[1:]),
                priority=source.randrange(11),
                tags=tags,
            )
        )
    return made


class _OneTransaction(Pool):
    """A pool whose transactions are all part of the one that is open on a connection; what fails is undone alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self, namespace: str) -> AsyncGenerator[Connection, None]:
        if not self._connection.is_in_transaction():
            yield self._connection
            return
        await self._connection.execute("SAVEPOINT part")
        try:
            yield self._connection
        except BaseException:
            await self._connection.execute("ROLLBACK TO part; RELEASE part")
            raise
        await self._connection.execute("RELEASE part")


@asynccontextmanager
async def batching(bench: Bench) -> AsyncGenerator[Connection, None]:
    """Let everything that the store does be part of the transactions of one connection, which it gives."""
    own = bench.store._pool  # pyright: ignore[reportPrivateUsage]
    async with own._pool.acquire() as connection:  # pyright: ignore[reportPrivateUsage]
        # Commits need not reach the disk.
        await connection.execute("SET synchronous_commit = off")
        bench.store._pool = _OneTransaction(connection)  # pyright: ignore[reportPrivateUsage]
        try:
            yield connection
        finally:
            await connection.execute("RESET synchronous_commit")
            bench.store._pool = own  # pyright: ignore[reportPrivateUsage]


async def _add_part(folder: Path, part: int, new: Sequence[NewMemory]) -> None:
    # No block fills its window, however dear a thread's texts are: items stay as they were added.
    async with attach_bench(folder, window=_WINDOW) as bench, batching(bench) as connection:
        for start in range(0, len(new), _BATCH):
            async with connection.transaction():
                for one in new[start : start + _BATCH]:
                    receipt = await bench.memory.add(CALLER, one)
                    # Some passages of a document differ in their white space only.
                    assert receipt.outcome in ("added", "duplicate"), receipt.outcome
                    assert not receipt.steps, "items must stay as they were added"
            if (start + _BATCH) % _REPORT_EVERY == 0:
                print(f"  process {part}: {start + _BATCH} of {len(new)}", flush=True)


def _process(folder: Path, part: int, new: Sequence[NewMemory]) -> None:
    asyncio.run(_add_part(folder, part, new))


async def _in_processes(folder: Path, new: Sequence[NewMemory]) -> None:
    """Add in several processes; a thread's items all go through one, so that none waits for another's thread."""
    spawn = multiprocessing.get_context("spawn")
    parts = [
        spawn.Process(
            target=_process, args=(folder, part, [one for one in new if int(one.thread[-4:]) % PROCESSES == part])
        )
        for part in range(PROCESSES)
    ]
    for part in parts:
        part.start()
    for part in parts:
        await asyncio.to_thread(part.join)
    assert all(part.exitcode == 0 for part in parts), "a process failed; what it said is above"


async def _drop_search_indexes(connection: Connection) -> list[str]:
    """Drop the indexes that are dear to grow, and return the statements that make them."""
    found = await connection.fetch(
        "SELECT x.indexrelid::regclass::text AS name, pg_get_indexdef(x.indexrelid) AS statement FROM pg_index x"
        " JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam"
        " WHERE c.relnamespace = 'palimpsest'::regnamespace AND a.amname IN ('gin', 'hnsw')"
    )
    for row in found:
        await connection.execute(f"DROP INDEX {row['name']}")
    return [row["statement"] for row in found]


async def add_all(bench: Bench, folder: Path, texts: Sequence[str]) -> Mapping[str, float]:
    """Fill an empty store, and return the seconds that each part took."""
    new = memories(texts)
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        seconds[name], clock = time.perf_counter() - clock, time.perf_counter()
        print(f"  {name}: {seconds[name]:.0f} s", flush=True)

    await bench.embedder.prepare(texts)
    lap("vectors")
    # From all over, so that the mean length of a passage is known from the beginning.
    first = set(range(0, len(new), max(1, len(new) // _FIRST)))
    for number in sorted(first):
        await bench.memory.add(CALLER, new[number])
    await bench.store.reweigh(CALLER.namespace, bench.lexicon)
    lap("first items, one by one")
    connection = await asyncpg.connect(**bench.connect)
    statements = await _drop_search_indexes(connection)
    await _in_processes(folder, [one for number, one in enumerate(new) if number not in first])
    lap("further items")
    await connection.execute("SET maintenance_work_mem = '1500MB'; SET max_parallel_maintenance_workers = 1")
    for statement in statements:
        await connection.execute(statement)
        lap(statement.split(" USING ")[1].split()[0] + " index")
    await bench.store.reweigh(CALLER.namespace, bench.lexicon)
    await connection.execute("VACUUM ANALYZE")
    lap("statistics")
    await connection.close()
    return seconds


async def check_alike(bench: Bench, texts: Sequence[str]) -> int:
    """Add some texts once more, one by one, and compare all their rows; return how many rows were compared.

    Raises:
        AssertionError: a row differs.
    """
    compared = 0
    new = memories(texts)
    connection = await asyncpg.connect(**bench.connect)
    for one in random.Random(3).sample(new, min(_SAMPLE, len(new))):
        receipt = await bench.memory.add(CALLER, NewMemory(one.content, thread=_COPY_THREAD, **_labels(one)))
        copy = parse_item_id(receipt.item.item_id)
        digest = hashlib.sha256(one.content.encode()).digest()
        original = await connection.fetchval(
            "SELECT item_id FROM palimpsest.items WHERE namespace_id = $1 AND sha256 = $2 AND item_id <> $3",
            *(CALLER.namespace, digest, copy),
        )
        for table in await _item_tables(connection):
            first, second = await _rows(connection, table, original), await _rows(connection, table, copy)
            assert first == second, f"{table}: {first} is not {second}"
            compared += len(first)
        await bench.memory.forget(CALLER, receipt.item.item_id, "purge")
    await connection.close()
    return compared


def _labels(one: NewMemory) -> dict[str, Any]:
    return {"memory_type": one.memory_type, "priority": one.priority, "tags": one.tags}


async def _item_tables(connection: Connection) -> list[str]:
    found = await connection.fetch(
        "SELECT c.table_name FROM information_schema.columns c WHERE c.table_schema = 'palimpsest'"
        " AND c.column_name = 'item_id' AND c.table_name NOT IN ('bare', 'jobs') ORDER BY 1"
    )
    return [row["table_name"] for row in found]


async def _rows(connection: Connection, table: str, item_id: int) -> list[dict[str, Any]]:
    found = await connection.fetch(
        f"SELECT to_jsonb(t.*)::text AS row FROM palimpsest.{table} t WHERE t.namespace_id = $1 AND t.item_id = $2"
        " ORDER BY 1",
        *(CALLER.namespace, item_id),
    )
    rows = [json.loads(row["row"]) for row in found]
    return sorted(({name: row[name] for name in row.keys() - _OWN} for row in rows), key=str)


async def _make_bare(bench: Bench) -> None:
    """Make a table of nothing but key and content, with the same bytes."""
    connection = await asyncpg.connect(**bench.connect)
    await connection.execute(
        'CREATE TABLE palimpsest.bare (namespace_id text COLLATE "C", item_id bigint, content bytea NOT NULL,'
        " PRIMARY KEY (namespace_id, item_id));"
        "INSERT INTO palimpsest.bare SELECT namespace_id, item_id, content FROM palimpsest.contents"
        " ON CONFLICT DO NOTHING;"
        "GRANT SELECT, INSERT, DELETE ON palimpsest.bare TO palimpsest_app"
    )
    await connection.execute("VACUUM ANALYZE palimpsest.bare")
    await connection.close()


def default_folder(items: int) -> Path:
    """Return where the store of so many items lies: another place for every schema and every way to encode words."""
    schema = hashlib.blake2b("".join(one.checksum for one in migrations()).encode(), digest_size=4).hexdigest()
    return corpus.cache_folder() / f"store-{items}-by-document-{schema}-{WordEncoder().version}"


async def ensure(folder: Path, items: int) -> None:
    """Make the store in ``folder`` unless it is there; what was begun and not finished is made anew."""
    ready = folder / _READY
    if ready.exists():
        return
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    texts = corpus.by_document(items)
    print(f"a store of {len(texts)} items in {folder}")
    async with open_bench(folder) as bench:
        seconds = await add_all(bench, folder, texts)
        print(f"  {await check_alike(bench, texts)} rows are those that adds one by one write")
        await _make_bare(bench)
    ready.write_text(json.dumps({"items": len(texts), "seconds": seconds}))
