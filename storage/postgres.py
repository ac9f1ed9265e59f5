"""The Store on PostgreSQL, and how one is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import SettingsError
from .consolidation_tables import ConsolidationTables
from .conversation_tables import ConversationTables
from .export_tables import ExportTables
from .fact_tables import FactTables
from .failures import translated
from .item_tables import ItemTables
from .job_tables import JobTables
from .learning_tables import LearningTables
from .ledger_tables import LedgerTables
from .migrate import Roles, migrate, migrations
from .pool import Pool, PoolConfig, open_pool
from .quarantine_tables import QuarantineTables
from .queries import fill, load
from .rows import Row
from .search_tables import SearchTables
from .source_tables import SourceTables
from .space_tables import SpaceTables
from .task_tables import TaskTables


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server said of itself when the store was opened; ``login_is_app`` when no SET ROLE is needed."""

    version: str
    pgvector: str
    vector_schema: str
    durable: bool
    login_is_app: bool


class PostgresStore(
    ConsolidationTables,
    ItemTables,
    LedgerTables,
    SearchTables,
    SpaceTables,
    JobTables,
    TaskTables,
    QuarantineTables,
    SourceTables,
    FactTables,
    ConversationTables,
    LearningTables,
    ExportTables,
):
    """Every method of Store is a named query and a row mapper; see the families it is made of."""

    def __init__(
        self, pool: Pool, queries: Mapping[str, str], facts: ServerFacts, *, embedding_model: str, label: str
    ) -> None:
        """Use ``open_store``."""
        super().__init__(pool, queries, durable=facts.durable, embedding_model=embedding_model)
        self._label = f"{label} {facts.version}, pgvector {facts.pgvector}"

    async def describe(self) -> str:
        """See Store."""
        async with self._pool.transaction("-") as connection:
            await connection.fetchval("SELECT 1")
        return self._label

    async def aclose(self) -> None:
        """See Store."""
        await self._pool.aclose()


async def open_store(
    app: Mapping[str, Any],
    *,
    owner: Mapping[str, Any] | None = None,
    roles: Roles | None = None,
    embedding_model: str,
    dimensions: int,
    leading: int | None = None,
    pool_size: int = 4,
    statement_cache: bool = True,
    label: str = "PostgreSQL",
) -> PostgresStore:
    """Migrate as ``owner`` (default: ``app``, unless that login is the application role itself) and open the store.

    ``app`` and ``owner`` are arguments of ``asyncpg.connect``.

    Raises:
        StoreUnavailableError: the database cannot be reached.
        SettingsError: the server is unsuitable, or the login can neither be nor become the application role.
    """
    roles = roles or Roles()
    if owner is not None or await _login(app) != roles.app:
        await migrate(owner or app, roles, embedding_model=embedding_model, dimensions=dimensions, leading=leading)
    facts = await _inspect(app, roles)
    config = PoolConfig(
        connect=app,
        role=None if facts.login_is_app else roles.app,
        vector_schema=facts.vector_schema,
        size=pool_size,
        statement_cache=statement_cache,
    )
    names = {"vectors": facts.vector_schema, "app": roles.app, "search": roles.search}
    return PostgresStore(await open_pool(config), load(names), facts, embedding_model=embedding_model, label=label)


async def _login(connect: Mapping[str, Any]) -> str:
    import asyncpg

    with translated():
        connection = await asyncpg.connect(**connect, statement_cache_size=0)
        try:
            return str(await connection.fetchval("SELECT current_user"))
        finally:
            await connection.close()


async def _inspect(connect: Mapping[str, Any], roles: Roles) -> ServerFacts:
    import asyncpg

    newest = migrations()[-1].number
    with translated():
        connection = await asyncpg.connect(**connect, statement_cache_size=0)
        try:
            async with connection.transaction():
                row = await connection.fetchrow(_FACTS, roles.app)
                assert row is not None
                _check_role(row, roles)
                await connection.execute(fill('SET LOCAL ROLE :"role"', {"role": roles.app}))
                applied = await connection.fetchval("SELECT max(number) FROM palimpsest.migrations")
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
            raise SettingsError(_NO_SCHEMA) from error
        finally:
            await connection.close()
    if applied != newest:
        raise SettingsError(
            f"The database's schema is at migration {applied}, this version needs {newest}; "
            "run `palimpsest migrate` with the owner's login."
        )
    return ServerFacts(
        version=str(row["version"]).split()[0],
        pgvector=row["extversion"],
        vector_schema=row["nspname"],
        durable=row["durable"],
        login_is_app=row["login"] == roles.app,
    )


_NO_SCHEMA = "The database has no schema yet; run `palimpsest migrate` with the owner's login."
_FACTS = (
    "SELECT current_user AS login, current_setting('server_version') AS version, e.extversion, n.nspname,"
    " current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off' AS durable,"
    " r.rolsuper OR r.rolbypassrls AS unbound, pg_has_role(current_user, r.oid, 'SET') AS may_become"
    " FROM (SELECT 1) AS one LEFT JOIN pg_roles r ON r.rolname = $1"
    " LEFT JOIN pg_extension e ON e.extname = 'vector' LEFT JOIN pg_namespace n ON n.oid = e.extnamespace"
)


def _check_role(row: Row, roles: Roles) -> None:
    if row["extversion"] is None or row["may_become"] is None:
        raise SettingsError(_NO_SCHEMA)
    if not row["may_become"]:
        raise SettingsError(
            f"The login {row['login']!r} can neither be nor become the role {roles.app!r}; "
            f"as the owner run GRANT {roles.app} TO {row['login']} WITH SET TRUE."
        )
    if row["unbound"]:
        raise SettingsError(
            f"The role {roles.app!r} may bypass row-level security; run ALTER ROLE {roles.app} NOSUPERUSER NOBYPASSRLS."
        )
