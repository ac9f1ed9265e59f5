"""What the bundled server is told, and what it answers: where it is and how to connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from . import system


@dataclass(frozen=True, slots=True)
class EmbeddedConfig:
    """Where the data lie and how the server is run.

    ``data_dir`` holds the cluster in a folder named after its major version. ``runtime_dir`` is where the socket's
    folder is made, beside the data unless given. ``run_as`` is the user that root drops to; without it, root uses a
    user namespace. ``idle_seconds`` is how long the server stays after its last client, by the latest client's
    wish. ``tcp`` listens on 127.0.0.1 with a password instead of on a socket: the only way on Windows.
    """

    data_dir: Path
    runtime_dir: Path | None = None
    run_as: str | None = None
    idle_seconds: float = 45.0
    start_timeout_seconds: float = 120.0
    shared_buffers_mb: int | None = None
    tcp: bool = system.IS_WINDOWS


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to connect: arguments of ``asyncpg.connect``; ``host`` is the socket's folder, or 127.0.0.1."""

    host: str
    port: int
    user: str
    password: str | None = field(repr=False)
    database: str


@dataclass(frozen=True, slots=True)
class Description:
    """What ``doctor`` shows.

    ``pid`` is None while no server can be proven to run, ``endpoint`` while none answers; ``data_bytes`` is what the
    data take on disk, ``major`` the version that this release runs.
    """

    data: Path
    pid: int | None
    data_bytes: int
    endpoint: Endpoint | None
    major: int
    log: Path
