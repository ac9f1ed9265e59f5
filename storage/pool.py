"""Connections, and transactions that are bound to one namespace and to the role that row-level security binds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import StoreUnavailableError
from .failures import translated

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

COMMAND_TIMEOUT_SECONDS = 60.0
ACQUIRE_TIMEOUT_SECONDS = 30.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """How to connect: ``connect`` are arguments of ``asyncpg.connect``; ``role`` is taken in each transaction unless
    the login already is that role; without ``statement_cache`` a transaction pooler may stand between."""

    connect: Mapping[str, Any]
    role: str | None
    vector_schema: str
    size: int = 4
    statement_cache: bool = True


class Pool:
    """A pool of connections that gives out transactions, never bare connections."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], role: str | None) -> None:
        """Use ``open_pool``."""
        self._pool = pool
        self._role = role

    @asynccontextmanager
    async def transaction(self, namespace: str) -> AsyncGenerator[Connection, None]:
        """Give a connection inside a transaction of ``namespace``: committed at the end, rolled back on any error.

        Begin, role and namespace travel in one message; all are local to the transaction, so that transaction
        poolers may hand the connection on.

        Raises:
            StoreError: with its subclasses, for whatever the database or the way to it refuses.
        """
        with translated():
            connection = await self._begin(self._prelude(namespace))
            try:
                try:
                    yield connection
                except BaseException:
                    if not connection.is_closed():
                        await connection.execute("ROLLBACK")
                    raise
                await _commit(connection)
            finally:
                await self._pool.release(connection)

    async def restart(self, connection: Connection, namespace: str) -> None:
        """Begin a transaction anew that has written nothing yet: it lets go of every row that it holds."""
        await connection.execute(f"ROLLBACK;{self._prelude(namespace)}")

    def _prelude(self, namespace: str) -> str:
        role = f'SET LOCAL ROLE "{self._role}";' if self._role else ""
        return f"BEGIN;{role}SELECT set_config('palimpsest.namespace', {_literal(namespace)}, true)"

    async def _begin(self, prelude: str) -> PoolConnectionProxy[asyncpg.Record]:
        import asyncpg

        # A server that was restarted leaves dead connections in the pool; before the first statement of a transaction
        # it costs nothing to take another one.
        for attempt in range(_ATTEMPTS):
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS)
            try:
                await connection.execute(prelude)
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                connection.terminate()
                await self._pool.release(connection)
                if attempt == _ATTEMPTS - 1:
                    raise
            except BaseException:
                # Cancelled in the middle: what the connection is in is not known.
                connection.terminate()
                await self._pool.release(connection)
                raise
            else:
                return connection
        raise StoreUnavailableError

    async def aclose(self) -> None:
        """Close all connections; the ones in use are given a moment."""
        import asyncio

        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except (TimeoutError, OSError):
            self._pool.terminate()


async def _commit(connection: Connection) -> None:
    import asyncpg

    try:
        await connection.execute("COMMIT")
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise StoreUnavailableError(
            "The connection broke while the database was committing, so the outcome is unknown; "
            "repeat the call: what was already written is recognised and not written twice."
        ) from error


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def _roll_back(connection: Connection) -> None:
    # asyncpg's own reset undoes session settings, which are never made here; it costs a round trip each time.
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


async def open_pool(config: PoolConfig) -> Pool:
    """Open a pool.

    Raises:
        StoreUnavailableError: the database cannot be reached.
    """
    import asyncpg
    from pgvector.asyncpg import register_vector

    async def prepare(connection: Connection) -> None:
        await register_vector(connection, schema=config.vector_schema)  # type: ignore[arg-type]

    with translated():
        pool = await asyncpg.create_pool(
            **config.connect,
            min_size=1,
            max_size=config.size,
            init=prepare,
            reset=_roll_back,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            statement_cache_size=100 if config.statement_cache else 0,
        )
    return Pool(pool, config.role)
