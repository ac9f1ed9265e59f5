"""A PostgreSQL data directory: made, or refused because another major version wrote it."""

from __future__ import annotations

import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from ...core.errors import SettingsError, StoreFullError, StoreUnavailableError
from . import folders, privilege, system
from .binaries import MAJOR, program, programs_folder
from .postmaster import fsync_folder

SUPERUSER = "postgres"
PASSWORD_FILE = "superuser-password"


def data_path(folder: Path) -> Path:
    """Return where the cluster of this major version lies."""
    return folder / f"pg{MAJOR}"


def ensure(folder: Path, who: privilege.Identity) -> Path:
    """Return the data directory, made by ``initdb`` when it is missing.

    It is made beside its place and renamed once it is whole and on disk, so that an interrupted ``initdb`` never stands
    in the way. To be called under the server's lock.

    Raises:
        SettingsError: the data are of another major version, or are no data of PostgreSQL.
        StoreFullError: the disk is full.
        StoreUnavailableError: the disk refuses, or ``initdb`` failed otherwise.
    """
    data = data_path(folder)
    for leftover in folder.glob(f"{data.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if (data / "PG_VERSION").exists():
        _check_own_major(data)
        return data
    _check_others(folder, data)
    fresh = folder / f"{data.name}.new-{secrets.token_hex(6)}"
    try:
        with folders.disk_errors(folder):
            make(fresh, folder / PASSWORD_FILE, who)
            fresh.rename(data)
            fsync_folder(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return data


def make(fresh: Path, password: Path, who: privilege.Identity) -> None:
    """Run ``initdb`` on ``fresh``, which is on disk when this returns; the password is made when its file is missing.

    Raises:
        StoreFullError: the disk is full.
        StoreUnavailableError: ``initdb`` failed otherwise.
    """
    if not password.exists():
        folders.write_private(password, secrets.token_urlsafe(24) + "\n")
    privilege.give(password, who)
    # With its fsync (0.08 s of 0.6): an acknowledged write is worth nothing in a catalog that a power cut tears.
    command = [
        *(*who.prefix, str(program("initdb")), "--pgdata", str(fresh)),
        *("--username", SUPERUSER, f"--pwfile={password}", "--auth-local=trust", "--auth-host=scram-sha-256"),
        *(
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd=fresh.parent,
        env=system.environment(),
    )
    if done.returncode == 0:
        return
    if folders.looks_full(fresh.parent, done.stderr):
        raise StoreFullError()
    reason = " ".join(done.stderr.split())[-300:]
    raise StoreUnavailableError(f"The bundled PostgreSQL could not make its data directory in {fresh.parent}: {reason}")


def _check_own_major(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        right = data.with_name(f"pg{version}")
        rename = f"mv {shlex.quote(str(data))} {shlex.quote(str(right))} && "
        raise SettingsError(_refusal(data, version, rename + _move_command(right, version)))


def _check_others(folder: Path, data: Path) -> None:
    if data.exists():
        if any(data.iterdir()):
            raise SettingsError(f"{data} holds something that is no PostgreSQL data directory; move it away.")
        # Somebody made the empty folder to say that a new cluster is meant, whatever lies beside it.
        return
    others = {int(path.read_text().strip()): path.parent for path in folder.glob("pg[0-9][0-9]/PG_VERSION")}
    if others:
        major, old = max(others.items())
        raise SettingsError(_refusal(old, str(major), _move_command(old, str(major))))


def _refusal(old: Path, version: str, command: str) -> str:
    return (
        f"{old} holds data of PostgreSQL {version}, which the bundled PostgreSQL {MAJOR} cannot read; move them with "
        f"`{command}`, which pipes pg_dumpall into psql and leaves the old directory as it is."
    )


def _move_command(old: Path, version: str) -> str:
    carried = programs_folder(int(version)) if version.isdigit() else None
    found = carried or Path(f"/usr/lib/postgresql/{version}/bin")
    words = [sys.executable, "-m", "palimpsest.storage.embedded.move", str(old), "--programs", str(found)]
    return shlex.join(words)
