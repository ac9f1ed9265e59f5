"""Processes that use a bundled server, and bounded waiting for what they cause."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

import palimpsest
from palimpsest.storage.embedded import EmbeddedConfig, Endpoint, cluster, describe, postmaster, privilege

PATIENCE_SECONDS = 30.0

_PROGRAM = """
import asyncio, json, os, sys
from dataclasses import asdict
from pathlib import Path
import palimpsest
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer

async def main():
    fields = json.loads(sys.argv[1])
    paths = {name: Path(fields.pop(name)) for name in ("data_dir", "runtime_dir") if fields[name]}
    async with EmbeddedServer(EmbeddedConfig(**{**fields, **paths})) as endpoint:
        print(json.dumps(asdict(endpoint)), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Client:
    """A process that holds the server until it is told to leave or is killed."""

    process: asyncio.subprocess.Process

    async def endpoint(self) -> Endpoint:
        """Wait until it has attached."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)
        assert line, "the client failed"
        return Endpoint(**json.loads(line))

    async def kill(self) -> None:
        """End it with SIGKILL."""
        if self.process.returncode is None:
            self.process.kill()
        await asyncio.wait_for(self.process.communicate(), PATIENCE_SECONDS)

    async def leave(self) -> None:
        """Let it end in order."""
        # Without an input, communicate would leave the pipe open.
        await asyncio.wait_for(self.process.communicate(b""), PATIENCE_SECONDS)


@asynccontextmanager
async def client(config: EmbeddedConfig, *, python: str = sys.executable, **options: Any) -> AsyncGenerator[Client]:
    """Start a process that attaches; it is killed at the end if it still runs."""
    arguments = json.dumps(asdict(config), default=str)
    pipe = asyncio.subprocess.PIPE
    command = (python, "-c", _PROGRAM, arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, **options)
    started = Client(process)
    try:
        yield started
    finally:
        await started.kill()


def config_in(folder: Path, **fields: Any) -> EmbeddedConfig:
    """Return how to serve ``folder / "data"``, where nothing is yet: the server stops with its last client."""
    return replace(EmbeddedConfig(folder / "data", idle_seconds=0.0, shared_buffers_mb=128), **fields)


def grown(folder: Path, **fields: Any) -> EmbeddedConfig:
    """Return the same where a cluster is already: a copy of one made once for the run."""
    config = config_in(folder, **fields)
    template = folder.parent / "embedded-template"
    if not template.exists():
        template.mkdir(mode=0o700)
        cluster.ensure(template, privilege.identity(template, None))
    shutil.copytree(template, config.data_dir)
    return config


async def eventually(claim: Callable[[], bool]) -> None:
    """Wait until the claim holds; fail after a bounded time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():
            await asyncio.sleep(0.01)


async def stopped(config: EmbeddedConfig) -> None:
    """Wait until neither the server nor its watcher runs."""
    data = (await describe(config)).data
    await eventually(lambda: postmaster.proven_pid(data) is None and watcher_pid(data) is None)


def watcher_pid(data: Path) -> int | None:
    """Return the pid of the process that watches over ``data``."""
    wanted = os.fsencode(data)
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if wanted in words and any(b"embedded.watcher" in word for word in words):
            return int(entry.name)
    return None


def is_running(pid: int) -> bool:
    """Whether a process runs: one that ended and that nobody has buried does not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def ask(endpoint: Endpoint, query: str) -> Any:
    """Return the one value that a query gives."""
    connection = await asyncpg.connect(**asdict(endpoint), timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def server_pid(config: EmbeddedConfig) -> int:
    """Return the pid of the running server."""
    pid = (await describe(config)).pid
    assert pid is not None
    return pid


def python_of(user: int) -> dict[str, Any] | None:
    """Return how another user runs this package, as options of ``client``; None when it can reach no such Python.

    A virtual environment's Python often lies under a home that others cannot enter; the system's may do instead.
    """
    root = Path(palimpsest.__file__).parent
    path = [str(root / ".typing"), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    environment = {"PYTHONPATH": os.pathsep.join(path), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    options: dict[str, Any] = {"user": user, "group": user, "extra_groups": [], "cwd": "/", "env": environment}
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run([python, "-c", "import palimpsest.storage.embedded, asyncpg"], check=True, **options)
        except (OSError, subprocess.CalledProcessError):
            continue
        return {**options, "python": python}
    return None
