"""Asking about the bundled server and stopping it, without holding it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from ...core.errors import SettingsError, StoreUnavailableError
from . import cluster, launch, postmaster, privilege, system, watcher
from .attach import attached, until
from .binaries import MAJOR
from .config import Description, EmbeddedConfig

_TRIES, _TRY_SECONDS = 10, 0.02


async def describe(config: EmbeddedConfig) -> Description:
    """Say where the server is, whether it runs, and what it takes on disk; starts, writes and raises nothing."""
    folder = privilege.settle(config.data_dir, config.run_as, probe=False)
    data = cluster.data_path(folder)
    try:
        endpoint = await attached(data)
    except SettingsError:
        endpoint = None
    pid, size = await asyncio.gather(asyncio.to_thread(postmaster.proven_pid, data), asyncio.to_thread(_size, data))
    return Description(data, pid, size, endpoint, MAJOR, launch.log_path(folder))


async def stop(config: EmbeddedConfig) -> bool:
    """Stop the server if nobody uses it, and say whether it is stopped.

    Raises:
        StoreUnavailableError: it is still starting, or did not stop in time.
    """
    folder = privilege.settle(config.data_dir, config.run_as, probe=False)
    data = cluster.data_path(folder)
    if not data.exists():
        return True
    deadline = time.monotonic() + config.start_timeout_seconds
    starting, use = system.FileLock(folder / watcher.SERVER), system.FileLock(folder / watcher.CLIENTS)
    await until(starting.acquire, folder, deadline)
    try:
        if not await _taken(use):
            return False
        if not await asyncio.to_thread(postmaster.stop, data):
            raise StoreUnavailableError(f"The bundled PostgreSQL in {folder} does not stop; its log may say why.")
    finally:
        use.release()
        starting.release()
    # It leaves by itself; after that, nothing of ours touches the folder any more.
    await until(lambda: not watcher.is_there(folder), folder, deadline)
    # Started by hand, a server is left to whoever started it.
    return postmaster.proven_pid(data) is None


async def _taken(use: system.FileLock) -> bool:
    # More than once: the watcher holds it for a moment when the last client has left.
    for _ in range(_TRIES):
        if use.acquire():
            return True
        await asyncio.sleep(_TRY_SECONDS)
    return False


def _size(data: Path) -> int:
    total = 0
    for file in data.rglob("*"):
        try:
            total += file.lstat().st_size if file.is_file() else 0
        except OSError:
            # A running server removes files under our eyes.
            continue
    return total
