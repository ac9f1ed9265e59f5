"""What differs between operating systems: file locks, detached processes, proof of a process, dropped rights.

It imports the standard library only, so that the watcher starts within milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

IS_WINDOWS = sys.platform == "win32"
_PROC = Path("/proc")
_INHERITED_FD = 19
_WINDOWS_POLL_SECONDS = 0.25

AS_USER = """
import os, sys
group, user = int(sys.argv[1]), int(sys.argv[2])
os.setgroups([])
os.setgid(group)
os.setuid(user)
os.execv(sys.argv[3], sys.argv[3:])
"""

# Root becomes user 1000 of a namespace of its own: the files stay root's, and PostgreSQL does not see root.
# os.unshare exists from Python 3.12.
IN_NAMESPACE = """
import os, sys
user, group = os.geteuid(), os.getegid()
if hasattr(os, "unshare"):
    os.unshare(os.CLONE_NEWUSER)
else:
    import ctypes
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise OSError(ctypes.get_errno(), "unshare")
for name, line in (("setgroups", "deny"), ("uid_map", f"1000 {user} 1"), ("gid_map", f"1000 {group} 1")):
    with open(f"/proc/self/{name}", "w") as stream:
        stream.write(line)
os.execv(sys.argv[1], sys.argv[1:])
"""


class FileLock:
    """A lock on a file that the kernel frees when its last holder dies, however it dies.

    POSIX: ``flock``, which a child process shares through an inherited descriptor. Windows: byte-range locks of
    ``msvcrt``; a shared lock takes one byte of a range of 512, an exclusive one all of them.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it is made when first locked."""
        self._path = path
        self._file: int | None = None

    def acquire(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Take the lock, at once or after any wait, and say whether it was taken.

        Raises:
            OSError: the file cannot be opened or locked at all.
        """
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            taken = _lock(self._file, shared=shared, wait=wait)
        except BaseException:
            self.release()
            raise
        if not taken:
            self.release()
        return taken

    def fileno(self) -> int:
        """Return the descriptor of the locked file."""
        if self._file is None:
            raise ValueError("the lock is not held")
        return self._file

    def release(self) -> None:
        """Let go; without effect when nothing is held, and children that inherited the lock keep it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


if sys.platform == "win32":  # pragma: no cover - follows the documentation of msvcrt.locking
    import msvcrt

    def _lock(file: int, *, shared: bool, wait: bool) -> bool:
        while True:
            for place in range(512) if shared else (0,):
                os.lseek(file, place, os.SEEK_SET)
                try:
                    msvcrt.locking(file, msvcrt.LK_NBLCK, 1 if shared else 512)
                except OSError:
                    continue
                return True
            if not wait:
                return False
            time.sleep(_WINDOWS_POLL_SECONDS)

    def spawn(command: Sequence[str], log: Path, inherit: FileLock | None = None) -> int:
        """Start a process that outlives this one; ``inherit`` is ignored, as Windows does not pass locks on."""
        import subprocess

        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command, creationflags=flags, env=environment(), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
        return process.pid

    def has_ended(child: int) -> bool:
        """Whether a process that this one started has ended."""
        return _command_line(child) is None

    def end_quickly(pid: int, *, at_once: bool = False) -> None:
        """Ask a server for a fast shutdown; ``at_once`` gives up an orderly end (the next start recovers)."""
        # PostgreSQL's emulation of signals there: a byte into the process's pipe (its src/port/kill.c).
        try:
            with open(rf"\\.\pipe\pgsignal_{pid}", "r+b", buffering=0) as pipe:  # noqa: PTH123 - no file
                pipe.write(bytes([3 if at_once else 2]))
                pipe.read(1)
        except OSError:
            return

else:
    import fcntl

    def _lock(file: int, *, shared: bool, wait: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def spawn(command: Sequence[str], log: Path, inherit: FileLock | None = None) -> int:
        """Start a process in a session of its own, so that a client's Ctrl-C does not reach it; return its pid.

        It writes to ``log`` and inherits nothing but the lock ``inherit``, which is then held as long as it or any
        child of it lives.
        """
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        if inherit is not None:
            held = inherit.fileno()
            # A duplicate under another number loses the close-on-exec mark.
            actions.append((os.POSIX_SPAWN_DUP2, held, _INHERITED_FD + (held == _INHERITED_FD)))
        return os.posix_spawn(command[0], list(command), environment(), file_actions=actions, setsid=True)

    def has_ended(child: int) -> bool:
        """Whether a process that this one started has ended; buries it if so."""
        try:
            return os.waitpid(child, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def end_quickly(pid: int, *, at_once: bool = False) -> None:
        """Ask a server for a fast shutdown; ``at_once`` gives up an orderly end (the next start recovers)."""
        try:
            os.kill(pid, signal.SIGQUIT if at_once else signal.SIGINT)
        except ProcessLookupError:
            return


def environment() -> Mapping[str, str]:
    """Return the environment for PostgreSQL's programs: no ``PG…`` of the user's, and messages in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def is_root() -> bool:
    """Whether this process has root's rights, with which PostgreSQL refuses to run."""
    return not IS_WINDOWS and os.geteuid() == 0


def prefix_as_user(user: int, group: int) -> tuple[str, ...]:
    """Return what to put before a command so that root runs it as another user."""
    return (sys.executable, "-I", "-S", "-c", AS_USER, str(group), str(user))


def prefix_in_namespace() -> tuple[str, ...]:
    """Return what to put before a command so that root runs it as an ordinary user of a namespace of its own."""
    return (sys.executable, "-I", "-S", "-c", IN_NAMESPACE)


def serves(pid: int, data: Path) -> bool:
    """Whether the process is the postmaster of this data directory; no other process may ever be signalled."""
    if not (_PROC / "self").exists():  # pragma: no cover - macOS and Windows, after their documentation
        line = (_command_line(pid) or "").replace('"', "")
        name, _, rest = line.partition(" -D ")
        return Path(name).stem == "postgres" and (rest == str(data) or rest.startswith(f"{data} -"))
    try:
        # Empty for a zombie: a dead postmaster that nobody has buried serves nobody.
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        if Path(os.fsdecode(words[0])).name != "postgres":
            return False
        if os.fsencode(data) in [value for word, value in pairwise(words) if word == b"-D"]:
            return True
        # Started by hand with a relative path: a postmaster's working directory is its data directory.
        return (_PROC / str(pid) / "cwd").readlink() == data
    except OSError:
        return False


def processes() -> Iterator[int]:
    """Yield the pids that can be seen; none on systems without /proc."""
    for entry in _PROC.iterdir() if _PROC.exists() else ():
        if entry.name.isdigit():
            yield int(entry.name)


def _command_line(pid: int) -> str | None:  # pragma: no cover - not on Linux
    import subprocess

    if IS_WINDOWS:
        query = f'(Get-CimInstance Win32_Process -Filter "ProcessId={pid}").CommandLine'
        command = ["powershell", "-NoProfile", "-Command", query]
    else:
        command = ["ps", "-ww", "-p", str(pid), "-o", "command="]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
