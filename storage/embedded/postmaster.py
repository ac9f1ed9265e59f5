"""The server of a data directory: what its pid file says, whether that is true, and how it is stopped.

It imports the standard library only, as the watcher does.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from . import system

LOCK_FILE = "postgres.lock"
"""In the folder above the data directory; held by the postmaster and every process that it forks."""

SHORT_FOLDER_PREFIX = "palimpsest-socket-"
_POLL_SECONDS = 0.02
_ASK_AGAIN_SECONDS = 5.0
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PidFile:
    """What ``postmaster.pid`` says; a field is None while its line is missing or torn."""

    pid: int | None
    port: int | None
    socket_folder: Path | None
    host: str | None
    ready: bool

    @property
    def socket(self) -> Path | None:
        """The socket's path, None when the server listens on TCP or has not said yet."""
        if self.socket_folder is None or self.port is None:
            return None
        return self.socket_folder / f".s.PGSQL.{self.port}"


def read_pid_file(data: Path) -> PidFile:
    """Read ``postmaster.pid``, whatever its state; every field is None when there is none.

    Its lines: pid, data directory, start time, port, socket directory, address, shared memory, status.
    https://www.postgresql.org/docs/18/storage-file-layout.html
    """
    try:
        text = (data / "postmaster.pid").read_text(errors="replace")
    except OSError:
        text = ""
    # A last line without its end may be half a line.
    lines = [line.strip() for line in text.split("\n")[:-1]]
    lines += [""] * (8 - len(lines))
    pid, port = _number(lines[0]), _number(lines[3])
    return PidFile(pid, port, Path(lines[4]) if lines[4] else None, lines[5] or None, lines[7] == "ready")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 2**31 else None


def proven_pid(data: Path) -> int | None:
    """Return the pid of this directory's postmaster, proven by its command line; None when none can be proven."""
    named = read_pid_file(data).pid
    if named is not None and system.serves(named, data):
        return named
    return next((pid for pid in system.processes() if system.serves(pid, data)), None)


def forget_dead(data: Path) -> None:
    """Take away the pid file that a dead server left: a pid used again, or a zombie, would make it block every start.

    Only for a caller that holds the lock ``LOCK_FILE`` and has found no proven pid: with its pid file gone, a living
    server would no longer keep a second one out.
    """
    left = read_pid_file(data)
    remove_short_folder(left)
    (data / "postmaster.pid").unlink(missing_ok=True)


def forget_socket(folder: Path, port: int) -> None:
    """Take away a dead server's socket and its lock file, which blocks a start as a pid file does.

    Only for a folder that serves one data directory, under the same conditions.
    """
    socket = folder / f".s.PGSQL.{port}"
    socket.unlink(missing_ok=True)
    socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)


def remove_short_folder(left: PidFile) -> None:
    """Remove the socket folder that was made outside the data folder for one run of the server."""
    folder = left.socket_folder
    if folder is None or left.port is None or not folder.name.startswith(SHORT_FOLDER_PREFIX):
        return
    try:
        forget_socket(folder, left.port)
        folder.rmdir()
    except OSError:
        # Somebody else's by now, or in use: it is only litter.
        return


def stop(data: Path, *, patience_seconds: float = _PATIENCE_SECONDS) -> bool:
    """Ask the server for a fast shutdown, wait until all its processes are gone, and say whether they are.

    After ``patience_seconds`` it is told to end at once, which loses nothing: the next start recovers.
    A server that somebody started by hand does not hold the lock, and is left alone.
    """
    family = system.FileLock(data.parent / LOCK_FILE)
    left = read_pid_file(data)
    began = time.monotonic()
    asked: tuple[int, float] | None = None
    while not _is_gone(family, data):
        waited = time.monotonic() - began
        if waited > 2 * patience_seconds:
            return False
        pid = proven_pid(data)
        if pid is not None and (asked is None or asked[0] != pid or waited - asked[1] > _ASK_AGAIN_SECONDS):
            system.end_quickly(pid, at_once=waited > patience_seconds)
            asked = (pid, waited)
        time.sleep(_POLL_SECONDS)
    family.release()
    remove_short_folder(left)
    return True


def _is_gone(family: system.FileLock, data: Path) -> bool:
    # Windows passes no locks on to children, so there the proof of the pid has to do.
    return family.acquire() and (not system.IS_WINDOWS or proven_pid(data) is None)


def fsync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` durable; without effect where folders cannot be opened."""
    if system.IS_WINDOWS:  # pragma: no cover
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
