"""The folders of the bundled server: private to their owner, and what a refusing disk means."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import SettingsError, StoreError, StoreFullError, StoreUnavailableError
from . import system
from .postmaster import SHORT_FOLDER_PREFIX

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernels' limits are 107 (Linux) and 103 (macOS)."""

_SOCKET_FILE = "/.s.PGSQL.5432"
_LITTLE_ROOM_BYTES = 2 * 1024 * 1024
# PostgreSQL splits its list of socket folders at commas and honours quotes in it.
_PLAIN_PATH = re.compile(r"[\w./+=@ -]*[\w./+=@-]")


def make_private(folder: Path, owner: int, group: int) -> None:
    """Make a folder of ``owner`` with mode 0700 unless it is there; change nothing of one that is.

    Raises:
        SettingsError: it belongs to neither this user nor ``owner``, others may write to it, or it is a link.
        StoreError: it cannot be made.
    """
    with disk_errors(folder):
        try:
            folder.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            pass
        else:
            _hand_over(folder, owner, group)
        found = folder.lstat()
    if system.IS_WINDOWS:  # pragma: no cover - a user's own folders are private there
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
        raise SettingsError(f"{folder} belongs to another user or is a link; remove it, or set another directory.")
    if found.st_mode & 0o022:
        raise SettingsError(f"{folder} can be written by other users; run `chmod go-w {folder}`, or set another.")


def _hand_over(folder: Path, owner: int, group: int) -> None:
    if system.is_root() and owner != os.geteuid():
        os.chown(folder, owner, group)


def make_socket_folder(folder: Path, runtime_dir: Path | None, owner: int, group: int) -> Path:
    """Return a private folder for the socket whose path is short enough for the kernel.

    It lies in ``runtime_dir`` if that is given, else beside the data; where the path would be too long, in ``/tmp``
    under a random name. Clients find it in ``postmaster.pid``, so that their environments need not agree.

    Raises:
        SettingsError: somebody else has a hand in that folder.
        StoreError: it cannot be made.
    """
    digest = hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    wanted = folder / "run" if runtime_dir is None else runtime_dir.expanduser().absolute() / f"palimpsest-{digest}"
    if len(os.fsencode(wanted)) + len(_SOCKET_FILE) <= LONGEST_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(wanted)):
        make_private(wanted, owner, group)
        return wanted
    with disk_errors(Path("/tmp")):
        short = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER_PREFIX, dir="/tmp"))
        _hand_over(short, owner, group)
    return short


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


@contextmanager
def disk_errors(folder: Path) -> Generator[None]:
    """Translate what the disk answers to errors of the store."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, folder) from error


def disk_error(error: OSError, folder: Path) -> StoreError:
    """Return the store's error for one of the disk's."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError()
    return StoreUnavailableError(
        f"The memory's directory {folder} cannot be written ({error.strerror}); check its owner, its mode and its disk."
    )


def looks_full(folder: Path, said: str) -> bool:
    """Whether a program of PostgreSQL failed for want of room: by what it ``said`` (in English), or by the disk."""
    return os.strerror(errno.ENOSPC) in said or shutil.disk_usage(folder).free < _LITTLE_ROOM_BYTES
