"""The bundled PostgreSQL: started at the first need, shared by all processes of a user, stopped when nobody is left."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ...core.errors import SettingsError, StoreUnavailableError
from . import cluster, platform, tuning
from .binaries import program

_LONGEST_SOCKET_FOLDER = 90
_POLL_SECONDS = 0.02
PORT = 5432
"""Names the socket's file; no TCP port is opened on POSIX."""


@dataclass(frozen=True, slots=True)
class EmbeddedConfig:
    """Where the data lie and how the server is run.

    ``data_dir`` holds the cluster in a folder named after its major version; ``run_as`` is the user to drop to where
    this is root and user namespaces are refused; ``tcp`` listens on 127.0.0.1 with a password instead of on a socket.
    """

    data_dir: Path
    runtime_dir: Path | None = None
    run_as: str | None = None
    idle_seconds: float = 45.0
    start_timeout_seconds: float = 180.0
    shared_buffers_mb: int | None = None
    tcp: bool = platform.IS_WINDOWS


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to connect: arguments of ``asyncpg.connect``."""

    host: str
    port: int
    user: str
    password: str | None
    database: str


@dataclass(frozen=True, slots=True)
class Description:
    """What `doctor` shows: ``pid`` is None while the server does not run; ``data_bytes`` is what it takes on disk."""

    data: Path
    pid: int | None
    data_bytes: int
    endpoint: Endpoint | None


class EmbeddedServer:
    """Holds the server while it is open: an async context manager that gives the endpoint."""

    def __init__(self, config: EmbeddedConfig) -> None:
        """Nothing is started or written here."""
        self._config = config
        self._folder = config.data_dir.expanduser().absolute()
        self._use = platform.FileLock(self._folder / "clients.lock")

    async def __aenter__(self) -> Endpoint:
        """Attach to the running server, or start it.

        Raises:
            SettingsError: it cannot run here as configured; the message says what to do.
            StoreUnavailableError: it did not start.
            StoreFullError: there is no room for its data.
        """
        _private_folder(self._folder)
        deadline = time.monotonic() + self._config.start_timeout_seconds
        # The watcher holds this lock for itself while it stops the server.
        while not self._use.acquire(shared=True):
            await _pause(deadline, self._folder)
        try:
            # Before the server starts, so that it is watched even if this process dies in the middle.
            self._watch()
            endpoint = self._endpoint()
            if endpoint is None or not await _answers(endpoint):
                endpoint = await self._start(deadline)
            return endpoint
        except BaseException:
            self._use.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; the watcher stops the server when nobody else holds it."""
        self._use.release()

    async def _start(self, deadline: float) -> Endpoint:
        starting = platform.FileLock(self._folder / "server.lock")
        while not starting.acquire():
            await _pause(deadline, self._folder)
        try:
            data = await asyncio.to_thread(cluster.ensure_cluster, self._folder, self._config.run_as)
            endpoint = self._endpoint()
            if endpoint is not None and await _answers(endpoint):
                return endpoint
            process: int | None = None
            if cluster.served_by(data) is None:
                cluster.drop_stale_pid(data)
                process = self._launch(data)
            return await self._ready(data, process, deadline)
        finally:
            starting.release()

    def _launch(self, data: Path) -> int:
        sockets = self._socket_folder()
        if self._config.tcp:
            port = _free_port()
            listen = ["-h", "127.0.0.1", "-p", str(port), "-k", ""]
            _write(self._folder / "port", str(port))
        else:
            listen = ["-h", "", "-k", str(sockets), "-p", str(PORT)]
        command = [
            *platform.unprivileged(self._config.run_as, data),
            *(str(program("postgres")), "-D", str(data), *listen),
            *tuning.options(self._config.shared_buffers_mb),
        ]
        return _detach(command, self._folder / "postgres.log")

    async def _ready(self, data: Path, process: int | None, deadline: float) -> Endpoint:
        while True:
            endpoint = self._endpoint()
            if endpoint is not None and await _answers(endpoint):
                return endpoint
            if process is not None and _ended(process):
                raise StoreUnavailableError(
                    f"The bundled PostgreSQL did not start; its log {self._folder / 'postgres.log'} says why."
                )
            await _pause(deadline, data)

    def _endpoint(self) -> Endpoint | None:
        if not self._config.tcp:
            return Endpoint(str(self._socket_folder()), PORT, cluster.SUPERUSER, None, "postgres")
        try:
            port = int((self._folder / "port").read_text())
            password = (self._folder / cluster.PASSWORD_FILE).read_text().strip()
        except (OSError, ValueError):
            return None
        return Endpoint("127.0.0.1", port, cluster.SUPERUSER, password, "postgres")

    def _socket_folder(self) -> Path:
        base = self._config.runtime_dir or _runtime_base()
        digest = hashlib.blake2b(str(self._folder).encode(), digest_size=5).hexdigest()
        owner = os.geteuid() if not platform.IS_WINDOWS else 0
        folder = base / f"palimpsest-{owner}-{digest}"
        if len(str(folder)) > _LONGEST_SOCKET_FOLDER:
            folder = Path("/tmp") / folder.name
        if not self._config.tcp:
            _private_folder(folder)
        return folder

    def _watch(self) -> None:
        if platform.IS_WINDOWS:  # pragma: no cover - there the server stays until the user logs off or stops it
            return
        # Whoever holds this lock is the watcher; a free one means that it died or was never started.
        vacant = platform.FileLock(self._folder / "watcher.lock")
        if not vacant.acquire():
            return
        vacant.release()
        script = Path(__file__).with_name("watcher.py")
        data = cluster.data_path(self._folder)
        arguments = [str(self._folder), str(data), str(self._config.idle_seconds)]
        _detach([sys.executable, "-S", "-E", str(script), *arguments], self._folder / "postgres.log")


async def describe(config: EmbeddedConfig) -> Description:
    """Say where the server is, whether it runs, and what it takes on disk; starts nothing."""
    folder = config.data_dir.expanduser().absolute()
    data = cluster.data_path(folder)
    pid = cluster.served_by(data)
    server = EmbeddedServer(config)
    endpoint = server._endpoint() if pid is not None else None  # pyright: ignore[reportPrivateUsage]
    size = sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) if data.exists() else 0
    return Description(data, pid, size, endpoint)


async def stop(config: EmbeddedConfig) -> bool:
    """Stop the server if nobody uses it; False when it runs and is used.

    Raises:
        StoreUnavailableError: it did not stop in time.
    """
    from . import watcher

    folder = config.data_dir.expanduser().absolute()
    data = cluster.data_path(folder)
    if cluster.served_by(data) is None:
        return True
    starting, use = platform.FileLock(folder / "server.lock"), platform.FileLock(folder / "clients.lock")
    deadline = time.monotonic() + config.start_timeout_seconds
    while not starting.acquire():
        await _pause(deadline, data)
    try:
        if not use.acquire():
            return False
        await asyncio.to_thread(watcher.stop, data)
        return True
    finally:
        use.release()
        starting.release()


async def _answers(endpoint: Endpoint) -> bool:
    import asyncpg

    try:
        connection = await asyncpg.connect(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            database=endpoint.database,
            timeout=10,
            statement_cache_size=0,
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # Also "the database system is starting up": not ready yet is not answering.
        return False
    await connection.close()
    return True


async def _pause(deadline: float, what: Path) -> None:
    if time.monotonic() > deadline:
        raise StoreUnavailableError(
            f"The bundled PostgreSQL in {what} is not ready in time; it may be recovering after a crash, so try again."
        )
    await asyncio.sleep(_POLL_SECONDS)


def _runtime_base() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    return Path(given) if given and Path(given).is_dir() else Path(tempfile.gettempdir())


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise platform.disk_error(error, folder) from error
    if platform.IS_WINDOWS:  # pragma: no cover
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SettingsError(f"{folder} belongs to somebody else or is a link; remove it, or set another directory.")
    if found.st_mode & 0o022:
        raise SettingsError(f"{folder} can be written by others; run chmod 700 on it.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)


def _detach(command: list[str], log: Path) -> int:
    """Start a process in a session of its own, so that a client's Ctrl-C does not reach it; return its pid."""
    if platform.IS_WINDOWS:  # pragma: no cover
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS  # type: ignore[attr-defined]
        return subprocess.Popen(command, creationflags=flags).pid  # pyright: ignore
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)


def _ended(process: int) -> bool:
    if platform.IS_WINDOWS:  # pragma: no cover
        return False
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True
