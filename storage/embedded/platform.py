"""What differs between operating systems: file locks, whether a process is our server, and dropping root's rights."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ...core.errors import SettingsError, StoreFullError, StoreUnavailableError

IS_WINDOWS = sys.platform == "win32"


def disk_error(error: OSError, folder: Path) -> StoreUnavailableError | StoreFullError:
    """Return what to tell about a folder that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError()
    return StoreUnavailableError(
        f"The data directory {folder} cannot be written ({error.strerror}); check its owner and mode."
    )


class FileLock:
    """A lock on a file that the kernel frees when its holder dies, however it dies.

    POSIX: ``flock``. Windows: byte-range locks of ``msvcrt``; shared locks take one byte each of a range of 512.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it is made when first locked."""
        self._path = path
        self._file: int | None = None

    def acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if that is possible at once, and say whether it was."""
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            except OSError as error:
                raise disk_error(error, self._path.parent) from error
        if _lock(self._file, shared=shared):
            return True
        self.release()
        return False

    def release(self) -> None:
        """Let go; without effect when nothing is held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


if sys.platform == "win32":  # pragma: no cover - follows the documentation of msvcrt.locking
    import msvcrt

    def _lock(file: int, *, shared: bool) -> bool:
        places = range(512) if shared else (0,)
        length = 1 if shared else 512
        for place in places:
            os.lseek(file, place, os.SEEK_SET)
            try:
                msvcrt.locking(file, msvcrt.LK_NBLCK, length)
            except OSError:
                continue
            return True
        return False

else:
    import fcntl

    def _lock(file: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def command_line(pid: int) -> str | None:
    """Return a living process's command line, None when there is no such process or it is a zombie."""
    if IS_WINDOWS:  # pragma: no cover - follows the documentation of Get-CimInstance
        query = f'(Get-CimInstance Win32_Process -Filter "ProcessId={pid}").CommandLine'
        done = subprocess.run(
            ["powershell", "-NoProfile", "-Command", query], capture_output=True, text=True, timeout=10, check=False
        )
        return done.stdout.strip() or None
    from .watcher import command_line as posix_command_line

    return posix_command_line(pid)


def is_server(pid: int, data: Path) -> bool:
    """Whether the process is a postgres that serves this data directory; only such a pid may be signalled."""
    line = command_line(pid)
    return line is not None and "postgres" in line and f"-D {data}" in line


def unprivileged(run_as: str | None, data: Path) -> list[str]:
    """Return what to put before a command so that it does not run as root: PostgreSQL refuses to.

    Raises:
        SettingsError: this is root, and there is no way to drop its rights.
    """
    if IS_WINDOWS or os.geteuid() != 0:
        return []
    if run_as is not None:
        runner = shutil.which("setpriv")
        if runner is None:
            raise SettingsError("Running PostgreSQL as another user needs `setpriv` (package util-linux); install it.")
        _give_to(run_as, data)
        return [runner, f"--reuid={run_as}", f"--regid={_group(run_as)}", "--clear-groups"]
    unshare = shutil.which("unshare")
    prefix = [unshare or "unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if unshare is not None and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    raise SettingsError(
        "PostgreSQL does not run as root, and user namespaces are not allowed here; run palimpsest as an ordinary "
        "user, set PALIMPSEST_RUN_AS_USER to one that exists (for example nobody) with PALIMPSEST_DATA_DIR under "
        "/var/lib/palimpsest, or set DATABASE_URL."
    )


def _group(user: str) -> int:
    import pwd

    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        raise SettingsError(f"There is no user {user!r} here; set PALIMPSEST_RUN_AS_USER to one that exists.") from None


def _give_to(user: str, data: Path) -> None:
    import pwd

    group = _group(user)
    owner = pwd.getpwnam(user).pw_uid
    for path in (data, *data.rglob("*")) if data.exists() else ():
        os.chown(path, owner, group, follow_symlinks=False)
