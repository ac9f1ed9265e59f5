"""Taking what was purged off the disk: a deleted row's bytes stay in tables, statistics and the write-ahead log.

PostgreSQL overwrites them some day; this makes it do so now. Tables are rewritten, the log is run through once, and
its old segments are removed instead of kept for reuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .failures import translated

if TYPE_CHECKING:
    from .pool import Connection

LOCK_SECONDS = 60
"""So long a table is waited for that others use."""
_MOST_SEGMENTS = 256
_WITHOUT_TEXT = ("chunk_vectors",)
"""Rewriting vectors would build their index again, which takes minutes; they hold numbers only."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What was done, and what could not be: a sentence each, with what helps."""

    done: tuple[str, ...]
    missing: tuple[str, ...]


async def scrub(owner: Mapping[str, Any]) -> Scrubbed:
    """Rewrite all tables and run the write-ahead log through; ``owner`` is the login that owns the schema.

    Tables are locked while they are rewritten, one at a time.

    Raises:
        StoreError: the database cannot be reached, or a table could not be rewritten.
    """
    import asyncpg

    done: list[str] = []
    missing: list[str] = []
    with translated():
        connection = await asyncpg.connect(**owner, statement_cache_size=0)
        try:
            missing += await _in_the_way(connection)
            await connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            tables, skipped = await _rewrite(connection)
            if tables:
                done.append(f"{tables} tables were rewritten")
            if skipped:
                missing.append(_TABLES.format(", ".join(skipped)))
            if await _is_rewritten(connection, "pg_catalog.pg_statistic", "FULL"):
                done.append("the planner's statistics, which quote frequent values, were rewritten")
            else:
                missing.append(_STATISTICS)
            try:
                segments = await _renew_log(connection)
                done.append(f"the write-ahead log was run through ({segments} segments)")
            except asyncpg.InsufficientPrivilegeError:
                missing.append(_LOG)
        finally:
            await connection.close()
    return Scrubbed(tuple(done), tuple(missing))


async def _rewrite(connection: Connection) -> tuple[int, list[str]]:
    """Return how many tables were rewritten, and the names of those that were not."""
    found = await connection.fetch(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'palimpsest'::regnamespace AND c.relkind = 'r'"
        " ORDER BY c.relname"
    )
    skipped: list[str] = []
    rewritten = 0
    for row in found:
        name = f'palimpsest."{row["relname"]}"'
        if row["relname"] in _WITHOUT_TEXT:
            await connection.execute(f"VACUUM {name}")
        # ANALYZE writes the statistics anew.
        elif await _is_rewritten(connection, name, "FULL, ANALYZE"):
            rewritten += 1
        else:
            skipped.append(row["relname"])
    return rewritten, skipped


async def _is_rewritten(connection: Connection, table: str, options: str) -> bool:
    """Vacuum a table, and say whether it lies in another file now: one that is not the login's is only warned of."""
    before = await connection.fetchval("SELECT pg_relation_filenode($1::text::regclass)", table)
    await connection.execute(f"VACUUM ({options}) {table}")
    return bool(before != await connection.fetchval("SELECT pg_relation_filenode($1::text::regclass)", table))


async def _in_the_way(connection: Connection) -> list[str]:
    """Return what keeps deleted rows alive, or has copies of the log."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid()"
        "   AND a.backend_xmin IS NOT NULL AND a.backend_type = 'client backend') AS sessions,"
        " (SELECT count(*) FROM pg_prepared_xacts) AS prepared,"
        " (SELECT count(*) FROM pg_replication_slots) AS slots,"
        " current_setting('archive_mode') <> 'off' AS archived"
    )
    assert row is not None
    told: list[str] = []
    if row["sessions"] or row["prepared"]:
        told.append(
            "Transactions that are still open may see rows that were deleted since; run this again when they are over."
        )
    if row["slots"]:
        told.append("Replication slots keep the write-ahead log; replicas have copies until they have caught up.")
    if row["archived"]:
        told.append("The write-ahead log is archived; what was purged stays in the archive until that is deleted.")
    return told


async def _renew_log(connection: Connection) -> int:
    """Let every segment of the log be written over or removed."""
    await connection.execute("CHECKPOINT")
    await connection.execute("ALTER SYSTEM SET wal_recycle = off")
    try:
        await connection.execute("SELECT pg_reload_conf()")
        # Segments kept for reuse still have their old bytes: a switch fills each with zeros.
        held: int = await connection.fetchval("SELECT count(*) FROM pg_ls_waldir()")
        segments = min(_MOST_SEGMENTS, held)
        for _ in range(segments + 1):
            await connection.execute("SELECT pg_logical_emit_message(false, 'palimpsest', '')")
            await connection.execute("SELECT pg_switch_wal()")
        # Removed is what lies before the checkpoint before.
        for _ in range(2):
            await connection.execute("CHECKPOINT")
    finally:
        await connection.execute("ALTER SYSTEM RESET wal_recycle")
        await connection.execute("SELECT pg_reload_conf()")
    return segments


_TABLES = (
    "This login may not rewrite {}: it does not own them; set PALIMPSEST_DATABASE_OWNER_URL to the login that migrates."
)
_STATISTICS = (
    "This login may not rewrite pg_statistic, which quotes frequent values of short columns; as a superuser run "
    "VACUUM FULL pg_catalog.pg_statistic in this database."
)
_LOG = (
    "This login may not run the write-ahead log through; as a superuser set wal_recycle = off and run CHECKPOINT and "
    "SELECT pg_switch_wal() until the files in pg_wal of before are gone, or wait until they are overwritten."
)
