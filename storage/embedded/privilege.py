"""As whom the bundled PostgreSQL runs, and where its data then lie: it refuses to run as root."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import SettingsError
from . import system
from .binaries import MAJOR, program
from .folders import disk_errors

SHARED_PLACE = Path("/var/lib/palimpsest")
"""Where root's data go when another user has to run the server: one that root's home would lock out."""

_FALLBACK_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs PostgreSQL: what to put before its commands, and whose its files are."""

    prefix: tuple[str, ...]
    owner: int
    group: int


def settle(data_dir: Path, run_as: str | None, *, probe: bool = True) -> Path:
    """Return the folder of the data: ``data_dir``, or for root without user namespaces one under ``SHARED_PLACE``.

    Where data lie already decides; only a first start asks the system (a process of about 20 ms), and not if ``probe``
    is False.
    """
    folder = data_dir.expanduser().resolve()
    if not system.is_root() or run_as is not None or (folder / f"pg{MAJOR}").exists():
        return folder
    if SHARED_PLACE in folder.parents:
        return folder
    shared = SHARED_PLACE / hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    if (shared / f"pg{MAJOR}").exists():
        return shared
    if not probe or namespaces_allowed() or _fallback_user() is None:
        return folder
    with disk_errors(SHARED_PLACE):
        SHARED_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return shared


def identity(folder: Path, run_as: str | None) -> Identity:
    """Return as whom to run PostgreSQL with the data in ``folder``.

    Raises:
        SettingsError: this is root, and there is no way to drop its rights.
    """
    if system.IS_WINDOWS:  # pragma: no cover - PostgreSQL drops an administrator's rights by itself there
        return Identity((), 0, 0)
    if not system.is_root():
        return Identity((), os.geteuid(), os.getegid())
    if run_as is None and namespaces_allowed():
        return Identity(system.prefix_in_namespace(), os.geteuid(), os.getegid())
    user = run_as or (_fallback_user() if SHARED_PLACE in folder.parents else None)
    if user is None:
        raise SettingsError(
            "PostgreSQL does not run as root, and user namespaces are not allowed here; run palimpsest as an ordinary "
            "user, set PALIMPSEST_RUN_AS_USER to one that exists (for example nobody) with PALIMPSEST_DATA_DIR under "
            f"{SHARED_PLACE}, or set DATABASE_URL."
        )
    return _as_user(user)


def owner(folder: Path, run_as: str | None) -> tuple[int, int]:
    """Return the user and group whose ``folder`` is to be, without asking whether that user can run PostgreSQL.

    Raises:
        SettingsError: there is no such user.
    """
    if system.IS_WINDOWS:  # pragma: no cover
        return 0, 0
    user = (run_as or (_fallback_user() if SHARED_PLACE in folder.parents else None)) if system.is_root() else None
    if user is None:
        return os.geteuid(), os.getegid()
    who = _as_user(user)
    return who.owner, who.group


def namespaces_allowed() -> bool:
    """Whether root may run PostgreSQL in a user namespace here: containers often refuse it."""
    return _runs(system.prefix_in_namespace())


def can_use(who: Identity, folder: Path) -> bool:
    """Whether that user reaches both the programs and ``folder``."""
    return _runs((*who.prefix, "/bin/sh", "-c", 'test -w "$0" && test -x "$0" && exec "$@"', str(folder)))


def give(path: Path, who: Identity) -> None:
    """Hand a file or folder of ours, with all that is in it, to the user who runs PostgreSQL; only root needs to."""
    if not system.is_root() or path.lstat().st_uid == who.owner:
        return
    # The folder itself last: an interrupted change is then taken up again.
    for each in (*path.rglob("*"), path):
        os.chown(each, who.owner, who.group, follow_symlinks=False)


def _runs(prefix: tuple[str, ...]) -> bool:
    command = [*prefix, str(program("postgres")), "--version"]
    done = subprocess.run(command, capture_output=True, check=False, cwd="/", env=system.environment())
    return done.returncode == 0


def _as_user(user: str) -> Identity:
    import pwd

    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(f"There is no user {user!r} here; set PALIMPSEST_RUN_AS_USER to one that exists.") from None
    if found.pw_uid == 0:
        raise SettingsError(
            "PALIMPSEST_RUN_AS_USER names root, as whom PostgreSQL does not run; name an ordinary user."
        )
    return Identity(system.prefix_as_user(found.pw_uid, found.pw_gid), found.pw_uid, found.pw_gid)


def _fallback_user() -> str | None:
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _FALLBACK_USERS if name in known), None)
