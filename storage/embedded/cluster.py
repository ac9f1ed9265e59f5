"""A PostgreSQL data directory: made, checked, and asked who serves it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from ...core.errors import SettingsError, StoreFullError, StoreUnavailableError
from . import platform
from .binaries import MAJOR, program

SUPERUSER = "postgres"
PASSWORD_FILE = "superuser-password"


def data_path(data_dir: Path) -> Path:
    """Return where the cluster of this major version lies."""
    return data_dir / f"pg{MAJOR}"


def check_major(data_dir: Path) -> None:
    """Refuse data of another major version, which this server cannot read.

    Raises:
        SettingsError: with the commands that move them.
    """
    data = data_path(data_dir)
    others = sorted(
        path.parent for path in (*data_dir.glob("pg*/PG_VERSION"),) if path.read_text().strip() != str(MAJOR)
    )
    if not others or (data.exists() and data not in others):
        return
    old = others[-1]
    version = (old / "PG_VERSION").read_text().strip()
    raise SettingsError(
        f"{old} holds data of PostgreSQL {version}, and the bundled server is {MAJOR}; to move them, run with the programs "
        f"of PostgreSQL {version}: postgres -D {old} -k {data_dir} & pg_dumpall -h {data_dir} -U {SUPERUSER} "
        f"> {data_dir}/memory.sql; then move {old} away, and run: palimpsest load-server {data_dir}/memory.sql"
    )


def ensure_cluster(data_dir: Path, run_as: str | None) -> Path:
    """Return the data directory, made by ``initdb`` when it is missing.

    It is made beside its place and renamed, so that an interrupted ``initdb`` never stands in the way.

    Raises:
        SettingsError: the data are of another major version.
        StoreFullError: the disk is full.
        StoreUnavailableError: ``initdb`` failed otherwise.
    """
    data = data_path(data_dir)
    check_major(data_dir)
    if (data / "PG_VERSION").exists():
        return data
    for leftover in data_dir.glob(f"{data.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = data_dir / f"{data.name}.new-{os.getpid()}"
    password = data_dir / PASSWORD_FILE
    try:
        if not password.exists():
            _write_private(password, secrets.token_urlsafe(24))
        _initdb(fresh, password, run_as)
        fresh.rename(data)
    except OSError as error:
        raise platform.disk_error(error, data_dir) from error
    return data


def _initdb(fresh: Path, password: Path, run_as: str | None) -> None:
    command = [
        *(*platform.unprivileged(run_as, fresh), str(program("initdb"))),
        *("--pgdata", str(fresh), "--username", SUPERUSER, f"--pwfile={password}"),
        *("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync", "--no-instructions"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=fresh.parent)
    if done.returncode == 0:
        return
    shutil.rmtree(fresh, ignore_errors=True)
    if "No space left" in done.stderr:
        raise StoreFullError()
    reason = " ".join(done.stderr.split())[-300:]
    raise StoreUnavailableError(f"The bundled PostgreSQL could not make its data directory {fresh.parent}: {reason}")


def _write_private(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(text + "\n")


def served_by(data: Path) -> int | None:
    """Return the pid of the server of this data directory, proven by its command line; None when none is."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if platform.is_server(pid, data) else None


def drop_stale_pid(data: Path) -> None:
    """Take away a ``postmaster.pid`` that names no server of this directory: a reused pid would block every start."""
    if served_by(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)
