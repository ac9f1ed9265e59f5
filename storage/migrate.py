"""Migrations and functions, under an advisory lock, each with a ledger of checksums.

Migrations are numbered files, applied in order and once. Files of functions are applied whenever they changed, after
the migrations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..core.errors import SettingsError, StoreError
from . import dialect
from .failures import translated
from .queries import fill

if TYPE_CHECKING:
    from .pool import Connection

_LOCK = 0x70616C696D707365  # "palimpse" in ASCII
_NAME = re.compile(r"(\d{4})_\w+\.sql\Z")
_ROUTINE = re.compile(r"\w+\.sql\Z")
_LEAST_PGVECTOR = (0, 8, 4)
_LEAST_POSTGRES = 160_000


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: ``sql`` with its placeholders, ``checksum`` the SHA-256 of that text in hex."""

    number: int
    name: str
    sql: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Routine:
    """A file of functions that replace what they were before: as Migration, without a number."""

    name: str
    sql: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles besides the owner: ``app`` is bound by row-level security, ``search`` owns the search functions."""

    app: str = "palimpsest_app"
    search: str = "palimpsest_search"


def migrations() -> Sequence[Migration]:
    """Return all migrations in order."""
    found = _files("palimpsest.storage.migrations", _NAME)
    return [Migration(int(name[:4]), name, sql, checksum) for name, sql, checksum in found]


def routines() -> Sequence[Routine]:
    """Return all files of functions, by name."""
    return [Routine(*found) for found in _files("palimpsest.storage.functions", _ROUTINE)]


def _files(package: str, pattern: re.Pattern[str]) -> list[tuple[str, str, str]]:
    """Return (name, text, checksum) of a package's files, by name."""
    found = sorted((e for e in files(package).iterdir() if pattern.match(e.name)), key=lambda e: e.name)
    texts = [(entry.name, entry.read_text(encoding="utf-8")) for entry in found]
    return [(name, sql, hashlib.sha256(sql.encode()).hexdigest()) for name, sql in texts]


async def migrate(
    owner: Mapping[str, Any], roles: Roles, *, embedding_model: str, dimensions: int, leading: int | None = None
) -> list[str]:
    """Bring the database at ``owner`` (arguments of ``asyncpg.connect``) to the newest schema.

    Makes the roles where they are missing and the login may, grants the login membership of them, and makes the
    index of ``embedding_model``, over its ``leading`` dimensions where they are given. Safe to run from many processes
    at once. Returns the names of the migrations and files of functions that were applied.

    Raises:
        SettingsError: the server or pgvector is too old, or the login may not do what is needed.
        StoreError: a migration was refused, or an applied one has changed since.
    """
    import asyncpg

    with translated():
        connection = await asyncpg.connect(**owner, statement_cache_size=0)
        try:
            indexed = dialect.indexed_dimensions(dimensions, leading)
            if await _is_current(connection, embedding_model, dimensions, indexed):
                return []
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                await _check_version(connection)
                schema = await _ensure_vector(connection)
                await _ensure_roles(connection, roles)
                names = {"app": roles.app, "search": roles.search, "vectors": schema}
                done = [*await _apply(connection, names), *await _replace(connection, names)]
                if indexed is not None:
                    await connection.execute(dialect.vector_index(embedding_model, dimensions, indexed, schema))
                await connection.execute(
                    "INSERT INTO palimpsest.indexed_models VALUES ($1, $2, $3) "
                    "ON CONFLICT (model_id, dimensions) DO UPDATE SET indexed_dimensions = excluded.indexed_dimensions",
                    embedding_model,
                    dimensions,
                    indexed,
                )
            return done
        except asyncpg.InsufficientPrivilegeError as error:
            raise SettingsError(
                f"The database login may not prepare the schema ({error}); give it CREATEROLE and CREATE on the "
                "database, or set PALIMPSEST_DATABASE_OWNER_URL to a login that may."
            ) from error
        finally:
            await connection.close()


async def _is_current(connection: Connection, model_id: str, dimensions: int, indexed: int | None) -> bool:
    if await connection.fetchval("SELECT to_regclass('palimpsest.functions')") is None:
        return False
    found = await connection.fetch(
        "SELECT true AS numbered, name, checksum FROM palimpsest.migrations "
        "UNION ALL SELECT false, name, checksum FROM palimpsest.functions"
    )
    applied = {row["name"]: row["checksum"] for row in found if row["numbered"]}
    functions = {row["name"]: row["checksum"] for row in found if not row["numbered"]}
    if applied != {m.name: m.checksum for m in migrations()} or _changed(functions):
        return False
    known = await connection.fetchval(
        "SELECT true FROM palimpsest.indexed_models "
        "WHERE model_id = $1 AND dimensions = $2 AND indexed_dimensions IS NOT DISTINCT FROM $3",
        *(model_id, dimensions, indexed),
    )
    return bool(known)


async def _check_version(connection: Connection) -> None:
    number = int(await connection.fetchval("SELECT current_setting('server_version_num')"))
    if number < _LEAST_POSTGRES:
        raise SettingsError(
            f"The database is PostgreSQL {number // 10_000}; version 16 or newer is needed: upgrade it, "
            "or unset DATABASE_URL to use the bundled one."
        )


async def _ensure_vector(connection: Connection) -> str:
    find = (
        "SELECT n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'vector'"
    )
    row = await connection.fetchrow(find)
    if row is None:
        import asyncpg

        try:
            await connection.execute("CREATE EXTENSION vector SCHEMA public")
        except (asyncpg.UndefinedFileError, asyncpg.FeatureNotSupportedError) as error:
            raise SettingsError(
                "The database server has no pgvector; install pgvector 0.8.4 or newer there "
                "(the image pgvector/pgvector has it), or unset DATABASE_URL to use the bundled one."
            ) from error
        row = await connection.fetchrow(find)
    assert row is not None
    version = tuple(int(part) for part in re.findall(r"\d+", row["extversion"])[:3])
    if version < _LEAST_PGVECTOR:
        raise SettingsError(
            f"The database has pgvector {row['extversion']}, whose HNSW indexes can be damaged; update it to 0.8.4 or "
            "newer and run ALTER EXTENSION vector UPDATE."
        )
    return str(row["nspname"])


async def _ensure_roles(connection: Connection, roles: Roles) -> None:
    for role in (roles.app, roles.search):
        name = fill(':"role"', {"role": role})
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {name} NOLOGIN NOSUPERUSER NOBYPASSRLS")
        member = await connection.fetchval(
            "SELECT rolsuper OR pg_has_role(current_user, $1, 'SET') FROM pg_roles WHERE rolname = current_user", role
        )
        if not member:
            # PostgreSQL 16 gives a role's maker ADMIN over it, but not SET.
            await connection.execute(f"GRANT {name} TO current_user WITH SET TRUE, INHERIT FALSE")


async def _apply(connection: Connection, names: Mapping[str, str]) -> list[str]:
    await connection.execute(
        "CREATE SCHEMA IF NOT EXISTS palimpsest; "
        "CREATE TABLE IF NOT EXISTS palimpsest.migrations (number integer PRIMARY KEY, name text NOT NULL, "
        "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()); "
        "CREATE TABLE IF NOT EXISTS palimpsest.indexed_models (model_id text NOT NULL, dimensions integer NOT NULL, "
        "PRIMARY KEY (model_id, dimensions)); "
        "ALTER TABLE palimpsest.indexed_models ADD COLUMN IF NOT EXISTS indexed_dimensions integer"
    )
    applied = {row["number"]: row for row in await connection.fetch("SELECT * FROM palimpsest.migrations")}
    done: list[str] = []
    for migration in migrations():
        if (row := applied.pop(migration.number, None)) is not None:
            if row["checksum"] != migration.checksum:
                raise StoreError(
                    f"Migration {migration.name} was applied with another text than this version has; "
                    "install the version that made this database, or restore a backup."
                )
            continue
        await connection.execute(fill(migration.sql, names))
        await connection.execute(
            "INSERT INTO palimpsest.migrations (number, name, checksum) VALUES ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
        done.append(migration.name)
    if applied:
        newest = max(applied)
        raise StoreError(
            f"The database was made by a newer version (migration {newest:04d} is unknown here); upgrade palimpsest."
        )
    return done


def _changed(known: Mapping[str, str]) -> Sequence[Routine]:
    """Return the files of functions of which the database has not this text; ``known`` are checksums by name."""
    return [routine for routine in routines() if known.get(routine.name) != routine.checksum]


async def _replace(connection: Connection, names: Mapping[str, str]) -> list[str]:
    if await connection.fetchval("SELECT to_regclass('palimpsest.functions')") is None:
        # Only where a test stops at an earlier migration.
        return []
    found = await connection.fetch("SELECT name, checksum FROM palimpsest.functions")
    changed = _changed({row["name"]: row["checksum"] for row in found})
    for routine in changed:
        await connection.execute(fill(routine.sql, names))
        await connection.execute(
            "INSERT INTO palimpsest.functions (name, checksum) VALUES ($1, $2) "
            "ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()",
            routine.name,
            routine.checksum,
        )
    return [routine.name for routine in changed]
