"""Launching the server process, and saying why one did not come up."""

from __future__ import annotations

import socket
from pathlib import Path

from ...core.errors import SettingsError, StoreError, StoreFullError, StoreUnavailableError
from . import cluster, folders, postmaster, privilege, system, tuning
from .binaries import program
from .config import EmbeddedConfig

PORT = 5432
"""Names the socket's file; no TCP port is opened where there are sockets."""

_LONGEST_LOG_BYTES = 1024 * 1024


def log_path(folder: Path) -> Path:
    """Return the server's log: starts, stops and crashes, and nothing that a client said."""
    return folder / "postgres.log"


def prepare(folder: Path, run_as: str | None) -> privilege.Identity:
    """Settle as whom the server runs and make its data directory if it is missing; to be called under its lock.

    Raises:
        SettingsError: it cannot run here as configured.
        StoreError: the data directory cannot be made.
    """
    who = privilege.identity(folder, run_as)
    if who.prefix and not privilege.can_use(who, folder):
        raise SettingsError(
            f"The user with id {who.owner}, as whom PostgreSQL is to run, cannot use {folder} or the programs in "
            f"{program('postgres').parent}; set PALIMPSEST_DATA_DIR to a directory under {privilege.SHARED_PLACE}, and "
            "install palimpsest where that user can read it."
        )
    cluster.ensure(folder, who)
    return who


def launch(config: EmbeddedConfig, folder: Path, who: privilege.Identity, family: system.FileLock) -> int:
    """Start the server, which inherits the lock ``family``, and return its pid.

    To be called with that lock held and no server proven to run.

    Raises:
        SettingsError: its socket's folder is in somebody else's hands.
        StoreError: the disk refuses.
    """
    data = cluster.data_path(folder)
    with folders.disk_errors(folder):
        postmaster.forget_dead(data)
        privilege.give(data, who)
        if config.tcp:
            listen = ["-h", "127.0.0.1", "-p", str(_free_port()), "-k", ""]
        else:
            sockets = folders.make_socket_folder(folder, config.runtime_dir, who.owner, who.group)
            privilege.give(sockets, who)
            postmaster.forget_socket(sockets, PORT)
            listen = ["-h", "", "-p", str(PORT), "-k", str(sockets)]
        log = log_path(folder)
        if log.exists() and log.stat().st_size > _LONGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.old"))
        command = [*who.prefix, str(program("postgres")), "-D", str(data), *listen]
        return system.spawn([*command, *tuning.options(config.shared_buffers_mb)], log, family)


def failure(folder: Path, log_start: int) -> StoreError:
    """Return why a server ended before it was ready, by what it wrote to its log since ``log_start`` (bytes)."""
    log = log_path(folder)
    try:
        with log.open("rb") as stream:
            stream.seek(log_start)
            said = stream.read(100_000).decode(errors="replace").strip()
    except OSError:
        said = ""
    if folders.looks_full(folder, said):
        return StoreFullError()
    fatal = (
        [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line] or said.splitlines() or ["nothing"]
    )
    return StoreUnavailableError(
        f"The bundled PostgreSQL did not start; the last that it said is: {fatal[-1]} (log: {log})"
    )


def log_size(folder: Path) -> int:
    """Return the log's length in bytes, 0 when there is none."""
    try:
        return log_path(folder).stat().st_size
    except OSError:
        return 0


def _free_port() -> int:
    # Somebody may take it before the server does, which then ends; its starter tries again with another.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
