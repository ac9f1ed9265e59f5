"""Attaching to a server that runs: found by what it wrote into its data directory, believed only when it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from ...core.errors import SettingsError, StoreUnavailableError
from . import cluster, postmaster, system
from .config import Endpoint
from .folders import disk_errors

_POLL_SECONDS = 0.02
_HANDSHAKE_SECONDS = 10.0


def advertised(data: Path) -> Endpoint | None:
    """Return where the server of ``data`` says it listens, which may be out of date; None when it says nothing."""
    said = postmaster.read_pid_file(data)
    if said.socket is not None and said.port is not None:
        return Endpoint(str(said.socket_folder), said.port, cluster.SUPERUSER, None, "postgres")
    # Whoever listens on a stale port must not be told the password: here the process has to be proven.
    if said.host is None or said.port is None or said.pid is None or not system.serves(said.pid, data):
        return None
    try:
        password = (data.parent / cluster.PASSWORD_FILE).read_text().strip()
    except OSError:
        raise SettingsError(
            f"The bundled PostgreSQL listens on TCP, and its password file {data.parent / cluster.PASSWORD_FILE} "
            "cannot be read; put it back, or run as the user who owns it."
        ) from None
    return Endpoint(said.host, said.port, cluster.SUPERUSER, password, "postgres")


async def attached(data: Path) -> Endpoint | None:
    """Return the endpoint of the server of ``data`` if it runs and answers.

    Raises:
        SettingsError: it runs and refuses the password.
    """
    endpoint = advertised(data)
    return endpoint if endpoint is not None and await _answers(endpoint) else None


async def _answers(endpoint: Endpoint) -> bool:
    import asyncpg

    try:
        connection = await asyncpg.connect(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            database=endpoint.database,
            timeout=_HANDSHAKE_SECONDS,
            ssl=False,
            statement_cache_size=0,
        )
        await connection.close(timeout=_HANDSHAKE_SECONDS)
    except asyncpg.TooManyConnectionsError:
        return True
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise SettingsError(
            f"The bundled PostgreSQL refuses the password in its file {cluster.PASSWORD_FILE}; put the right one back."
        ) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # Also "the database system is starting up": not ready yet is not answering, nor is ending meanwhile.
        return False
    return True


def check_socket(data: Path) -> None:
    """Refuse to wait for a server that is ready and whose socket somebody removed: it will never answer again.

    Raises:
        StoreUnavailableError: that is so.
    """
    said = postmaster.read_pid_file(data)
    if not said.ready or said.pid is None or said.socket is None or said.socket.exists():
        return
    if system.serves(said.pid, data):
        raise StoreUnavailableError(
            f"The bundled PostgreSQL runs, but somebody removed its socket {said.socket}; close every program that "
            "uses this memory and wait until it has stopped, then try again."
        )


async def until(attempt: Callable[[], bool], folder: Path, deadline: float) -> None:
    """Try until it succeeds; ``deadline`` is a time of ``time.monotonic``.

    Raises:
        StoreError: the deadline passed, or the disk refuses.
    """
    with disk_errors(folder):
        while not attempt():
            await pause(folder, deadline)


async def pause(folder: Path, deadline: float) -> None:
    """Wait for the next attempt.

    Raises:
        StoreUnavailableError: the deadline passed.
    """
    if time.monotonic() > deadline:
        raise StoreUnavailableError(
            f"The bundled PostgreSQL in {folder} is not ready in time; it may be recovering after a crash, so try "
            "again in a while."
        )
    await asyncio.sleep(_POLL_SECONDS)
