"""Disks that refuse, and data of another major version: said in a sentence, and moved by the command in it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from palimpsest.core.errors import SettingsError, StoreUnavailableError
from palimpsest.storage.embedded import EmbeddedServer, binaries, move, privilege, system

from .embedded_clients import ask, config_in, grown, stopped

OLD_MAJOR = 16

_ON_A_DISK = """
set -e
mount -t tmpfs -o size={size},mode=0700 tmpfs {folder}
{prepare}
exec {python} -c {program}
"""

_START = """
import asyncio
from pathlib import Path
from palimpsest.core.errors import PalimpsestError
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer

async def main():
    try:
        async with EmbeddedServer(EmbeddedConfig(Path({folder!r}), idle_seconds=0)):
            print("started")
    except PalimpsestError as error:
        print(type(error).__name__, error)

asyncio.run(main())
"""


def start_on_a_disk(folder: Path, *, size: str, prepare: str = "") -> str:
    """Start the server on a file system of its own, in a namespace of its own; return what came of it."""
    program = _START.format(folder=str(folder))
    script = _ON_A_DISK.format(
        size=size,
        folder=shlex.quote(str(folder)),
        prepare=prepare,
        python=shlex.quote(sys.executable),
        program=shlex.quote(program),
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare of util-linux makes the disk")
@pytest.mark.parametrize("size", ["64k", "10m"], ids=["no room", "room for half"])
def test_a_disk_that_is_full_at_the_first_start_is_named(tmp_path: Path, size: str) -> None:
    said = start_on_a_disk(tmp_path, size=size)
    assert said.startswith("StoreFullError The disk that holds the memory is full"), said


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare of util-linux makes the disk")
def test_a_disk_that_fills_up_between_two_starts_is_named(tmp_path: Path) -> None:
    cluster = grown(tmp_path).data_dir
    (tmp_path / "disk").mkdir()
    disk = shlex.quote(str(tmp_path / "disk"))
    prepare = (
        f"cp -r {shlex.quote(str(cluster))}/. {disk}; chmod 700 {disk}/pg18; cat /dev/zero > {disk}/filler || true"
    )
    said = start_on_a_disk(tmp_path / "disk", size="60m", prepare=prepare + " 2>/dev/null")
    assert said.startswith("StoreFullError"), said


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare of util-linux makes the disk")
def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    said = start_on_a_disk(tmp_path, size="1m", prepare=f"mount -o remount,ro {shlex.quote(str(tmp_path))}")
    assert said.startswith("StoreUnavailableError The memory's directory")
    assert "Read-only file system" in said


async def test_initdb_that_fails_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_in(tmp_path)
    # PostgreSQL keeps names with this beginning for itself.
    monkeypatch.setattr("palimpsest.storage.embedded.cluster.SUPERUSER", "pg_reserved")
    with pytest.raises(StoreUnavailableError, match="could not make its data directory"):
        async with EmbeddedServer(config):
            raise AssertionError
    assert not list(config.data_dir.glob("pg18*"))
    await stopped(config)


def old_cluster(folder: Path) -> Path:
    """Make a cluster of an older major version with something in it; return its data directory."""
    programs = binaries.programs_folder(OLD_MAJOR)
    if programs is None:
        pytest.skip("the wheel carries no other major version")
    folder.mkdir(mode=0o700)
    old, sockets = folder / f"pg{OLD_MAJOR}", folder / "run"
    sockets.mkdir(mode=0o700)
    prefix = privilege.identity(folder, None).prefix
    quiet: dict[str, Any] = {
        "env": system.environment(),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "check": True,
    }
    subprocess.run([*prefix, str(programs / "initdb"), "-D", str(old), "-U", "postgres", "--no-sync"], **quiet)
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(old), "-w", "-o", f"-h '' -k '{sockets}'"]
    subprocess.run([*control, "start"], **quiet)
    fill = (
        "CREATE EXTENSION vector; CREATE ROLE reader; CREATE TABLE kept (line text, v halfvec(2));"
        "INSERT INTO kept SELECT 'CREATE ROLE postgres;', '[1,2]' FROM generate_series(1, 500)"
    )
    psql = [str(programs / "psql"), "-h", str(sockets), "-U", "postgres", "-c", fill]
    subprocess.run(psql, **quiet)
    subprocess.run([*control, "stop"], **quiet)
    return old


async def test_the_command_in_the_refusal_moves_the_data_of_another_major(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    old = old_cluster(config.data_dir)
    with pytest.raises(SettingsError, match=f"data of PostgreSQL {OLD_MAJOR}") as caught:
        async with EmbeddedServer(config):
            raise AssertionError
    found = re.search("`(.*)`", str(caught.value))
    assert found is not None
    done = subprocess.run(found[1], shell=True, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert str(config.data_dir / "pg18") in done.stdout
    async with EmbeddedServer(config) as endpoint:
        connection = await asyncpg.connect(**asdict(endpoint))
        assert await connection.fetchval("SELECT count(*) FROM kept WHERE line = 'CREATE ROLE postgres;'") == 500
        assert await connection.fetchval("SELECT min(v::text) FROM kept") == "[1,2]"
        assert await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'reader'") == 1
        await connection.close()
    assert (old / "PG_VERSION").read_text().strip() == str(OLD_MAJOR), "the old one is as it was"
    await stopped(config)


async def test_a_move_of_what_cannot_be_moved_changes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = grown(tmp_path)
    data = config.data_dir / "pg18"
    programs = binaries.program("postgres").parent
    for old, carried, words in (
        (tmp_path, programs, "must be a PostgreSQL data directory"),
        (data, programs, "is not overwritten"),
        (data, tmp_path, "folder of its `postgres`"),
    ):
        assert move.main([str(old), "--programs", str(carried)]) == 1
        assert words in capfd.readouterr().err
    # Data that its own server refuses: those of the bundled version, said to be another's.
    damaged = data.rename(config.data_dir / "pg17")
    (damaged / "PG_VERSION").write_text("17\n")
    assert move.main([str(damaged), "--programs", str(programs)]) == 1
    assert "did not start" in capfd.readouterr().err
    assert not list(config.data_dir.glob("pg18*"))


async def test_a_move_waits_for_nobody_who_uses_the_memory(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = grown(tmp_path)
    programs = str(binaries.program("postgres").parent)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
        old = config.data_dir / "pg17"
        shutil.copytree(config.data_dir / "pg18", old, ignore=shutil.ignore_patterns("*"))
        (old / "PG_VERSION").write_text("17\n")
        (config.data_dir / "pg18").rename(config.data_dir / "elsewhere")
        assert move.main([str(old), "--programs", programs]) == 1
        assert "Somebody uses the memory" in capfd.readouterr().err
        (config.data_dir / "elsewhere").rename(config.data_dir / "pg18")
    await stopped(config)
