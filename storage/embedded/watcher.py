"""Stops the bundled server when nobody uses it: a small process of its own, which survives its clients.

Clients hold a shared lock on ``clients.lock``, which the kernel frees when they die, however they die. The watcher
waits for the exclusive lock: nobody is left. It then waits as many seconds as the latest client asked for, and stops
the server unless somebody came back. The decision is made under ``server.lock``, so that it never crosses a start.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import postmaster, system

CLIENTS, SERVER, WATCHER = "clients.lock", "server.lock", "watcher.lock"
_ARRIVAL = "clients.idle"
_STEP_SECONDS = 0.25
_TRIES, _TRY_SECONDS = 25, 0.02

# -I and -S skip the user's and the site's start-up code, and this stub the package above, which costs 100 times more.
_PROGRAM = (
    "import sys, types; package = types.ModuleType('embedded'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['embedded'] = package; from embedded.watcher import main; main(sys.argv[2])"
)


def command(data: Path) -> Sequence[str]:
    """Return the command that watches the server of ``data``."""
    return [sys.executable, "-I", "-S", "-c", _PROGRAM, str(Path(__file__).parent), str(data)]


def note_arrival(folder: Path, idle_seconds: float) -> None:
    """Tell the watcher that a client came, and how long it is to wait after the last one left."""
    path = folder / _ARRIVAL
    try:
        path.write_text(f"{idle_seconds:.3f}\n")
    except OSError:
        # A full disk must not keep anyone from reading: the mark is then the time alone.
        with contextlib.suppress(OSError):
            os.utime(path)


def main(data_path: str) -> None:
    """Watch until the server of ``data_path`` is stopped; return at once when another watcher does."""
    data = Path(data_path)
    folder = data.parent
    watching = system.FileLock(folder / WATCHER)
    clients, server = system.FileLock(folder / CLIENTS), system.FileLock(folder / SERVER)
    if not _take(watching):
        return
    while True:
        clients.acquire(wait=True)
        arrival = _latest_arrival(folder)
        clients.release()
        _linger(data, arrival)
        server.acquire(wait=True)
        if _latest_arrival(folder) == arrival and clients.acquire():
            postmaster.stop(data)
            # In this order: whoever comes next finds the watcher's place vacant.
            for lock in (watching, server, clients):
                lock.release()
            return
        server.release()


def is_there(folder: Path) -> bool:
    """Whether a watcher lives.

    Raises:
        OSError: its lock cannot be opened.
    """
    # Shared, so that two who ask at once do not take each other for the watcher.
    place = system.FileLock(folder / WATCHER)
    vacant = place.acquire(shared=True)
    place.release()
    return not vacant


def _take(place: system.FileLock) -> bool:
    # More than once: somebody may be asking whether a watcher is there.
    for _ in range(_TRIES):
        if place.acquire():
            return True
        time.sleep(_TRY_SECONDS)
    return False


def _latest_arrival(folder: Path) -> tuple[int, float]:
    path = folder / _ARRIVAL
    came, idle_seconds = 0, 0.0
    with contextlib.suppress(OSError, ValueError):
        came = path.stat().st_mtime_ns
        idle_seconds = float(path.read_text())
    return came, idle_seconds


def _linger(data: Path, arrival: tuple[int, float]) -> None:
    family = system.FileLock(data.parent / postmaster.LOCK_FILE)
    end = time.monotonic() + arrival[1]
    while (left := end - time.monotonic()) > 0 and _latest_arrival(data.parent) == arrival:
        time.sleep(min(left, _STEP_SECONDS))
        if not system.IS_WINDOWS and family.acquire():
            family.release()
            return
