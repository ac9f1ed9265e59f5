"""Moves the data of another PostgreSQL major version into a cluster of the bundled one.

    python -m palimpsest.storage.embedded.move DATA_DIR/pg17 --programs /usr/lib/postgresql/17/bin

Both servers run, the old one under its own programs; the new pg_dumpall is piped into psql. The old directory stays as
it is, and the new one takes its place only when everything has arrived.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ...core.errors import PalimpsestError, SettingsError, StoreUnavailableError
from . import cluster, folders, postmaster, privilege, system, tuning, watcher
from .binaries import program

_READY_SECONDS = 120.0
_POLL_SECONDS = 0.05
_PORT = "5432"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="palimpsest.storage.embedded.move", description=__doc__)
    parser.add_argument("old", type=Path, help="the data directory of the other major version")
    parser.add_argument("--programs", type=Path, required=True, help="the folder of that version's programs")
    parser.add_argument("--run-as", help="as PALIMPSEST_RUN_AS_USER")
    options = parser.parse_args(arguments)
    try:
        new = move(options.old.expanduser().resolve(), options.programs.expanduser().resolve(), options.run_as)
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{new} holds the data now; {options.old} is as it was, and may be removed.")
    return 0


def move(old: Path, programs: Path, run_as: str | None = None) -> Path:
    """Copy everything in ``old`` into a new cluster beside it, and return its path.

    Raises:
        SettingsError: there is no such directory or program, or the new cluster exists already.
        StoreError: the copy failed; nothing has changed.
    """
    folder = old.parent
    data = cluster.data_path(folder)
    if not (old / "PG_VERSION").exists() or not (programs / "postgres").exists():
        raise SettingsError(f"{old} must be a PostgreSQL data directory and {programs} the folder of its `postgres`.")
    if data.exists():
        raise SettingsError(f"{data} exists already, and is not overwritten; move it away first.")
    who = privilege.identity(folder, run_as)
    fresh = folder / f"{data.name}.new-{secrets.token_hex(6)}"
    with _alone(folder), folders.disk_errors(folder):
        try:
            cluster.make(fresh, folder / cluster.PASSWORD_FILE, who)
            new = (program("postgres"), fresh, tuning.options())
            with _served(programs / "postgres", old, (), who) as source, _served(*new, who) as target:
                _copy(source, target)
            fresh.rename(data)
            postmaster.fsync_folder(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return data


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    locks = [system.FileLock(folder / name) for name in (watcher.SERVER, watcher.CLIENTS)]
    try:
        if not all(lock.acquire() for lock in locks):
            raise StoreUnavailableError(
                f"Somebody uses the memory in {folder}; close every such program and try again."
            )
        yield
    finally:
        for lock in locks:
            lock.release()


@contextmanager
def _served(postgres: Path, data: Path, options: Sequence[str], who: privilege.Identity) -> Generator[Path]:
    """Run a server for a while, on a socket in a folder of its own; give that folder."""
    if postmaster.proven_pid(data) is not None:
        raise StoreUnavailableError(f"A server runs on {data}; stop it and try again.")
    with tempfile.TemporaryDirectory(prefix="palimpsest-move-", dir="/tmp") as name:
        sockets = Path(name)
        privilege.give(sockets, who)
        words = [*who.prefix, str(postgres), "-D", str(data), "-h", "", "-k", name, "-p", _PORT, *options]
        log = sockets / "log"
        with log.open("wb") as stream:
            server = subprocess.Popen(words, stdout=stream, stderr=stream, env=system.environment(), cwd="/")
        try:
            _wait_until_ready(server, sockets, log)
            yield sockets
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], sockets: Path, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while subprocess.run([*_tool("pg_isready", sockets), "--quiet"], check=False, env=system.environment()).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise StoreUnavailableError(
                f"The server in {log.parent} did not start; the last that it said is: {said[-1]}"
            )
        time.sleep(_POLL_SECONDS)


def _copy(source: Path, target: Path) -> None:
    environment = system.environment()
    with (
        subprocess.Popen(_tool("pg_dumpall", source), stdout=subprocess.PIPE, env=environment) as dump,
        subprocess.Popen(
            [*_tool("psql", target), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname=postgres"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
        ) as restore,
    ):
        assert dump.stdout is not None
        assert restore.stdin is not None
        with suppress(BrokenPipeError), restore.stdin:
            in_roles = True
            for line in dump.stdout:
                in_roles = in_roles and not line.startswith(b"\\connect")
                # The new cluster has its superuser already.
                if not (in_roles and line == f"CREATE ROLE {cluster.SUPERUSER};\n".encode()):
                    restore.stdin.write(line)
    if dump.returncode or restore.returncode:
        raise StoreUnavailableError("pg_dumpall or psql failed, as said above; nothing has changed.")


def _tool(name: str, sockets: Path) -> list[str]:
    return [str(program(name)), f"--host={sockets}", f"--port={_PORT}", f"--username={cluster.SUPERUSER}"]


if __name__ == "__main__":
    sys.exit(main())
