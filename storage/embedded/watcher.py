"""Stops the bundled server when nobody uses it: a process of its own that imports nothing but the standard library.

    python -S -E watcher.py FOLDER DATA IDLE_SECONDS

Clients hold a shared lock on FOLDER/clients.lock, which the kernel frees when they die. The watcher waits for the
exclusive lock: it means that nobody is left. It then waits IDLE_SECONDS, and stops the server unless somebody came
back.
The server's pid is trusted only by its command line.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path, data: Path, idle_seconds: float) -> None:
    """Watch until the server is stopped."""
    if not _try_lock(_open(folder / "watcher.lock")):
        return
    clients, server = _open(folder / "clients.lock"), _open(folder / "server.lock")
    while True:
        fcntl.flock(clients, fcntl.LOCK_EX)
        fcntl.flock(clients, fcntl.LOCK_UN)
        time.sleep(idle_seconds)
        fcntl.flock(server, fcntl.LOCK_EX)
        if _try_lock(clients):
            # The locks are freed by the end of this process, after the server's.
            stop(data)
            return
        fcntl.flock(server, fcntl.LOCK_UN)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def command_line(pid: int) -> str | None:
    """Return a living process's command line, None when there is no such process or it is a zombie."""
    process = Path(f"/proc/{pid}")
    if not Path("/proc/self/stat").exists():  # macOS
        done = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return done.stdout.strip() or None
    try:
        if (process / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return None
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip() or None
    except OSError:
        return None


def proven_pid(data: Path) -> int | None:
    """Return the pid in ``postmaster.pid`` if that process is this directory's server."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    line = command_line(pid)
    return pid if line is not None and "postgres" in line and f"-D {data}" in line else None


def stop(data: Path) -> None:
    """Ask the server for a fast shutdown and wait until it is gone."""
    asked = None
    while (pid := proven_pid(data)) is not None:
        if pid != asked:
            os.kill(pid, signal.SIGINT)
            asked = pid
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
