"""The bundled PostgreSQL: started at the first need, shared by all processes of a user, stopped when nobody is left."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from . import cluster, folders, launch, postmaster, privilege, system, watcher
from .attach import attached, check_socket, pause, until
from .config import EmbeddedConfig, Endpoint

_LAUNCHES_ON_TCP = 5


class EmbeddedServer:
    """Holds the server while it is open: an async context manager that gives the endpoint.

    A child that is forked without exec shares the hold, so that the server stays as long as such a child lives.
    """

    def __init__(self, config: EmbeddedConfig) -> None:
        """Nothing is started or written here."""
        self._config = config
        self._use: system.FileLock | None = None
        self._folder = config.data_dir
        self._children: list[int] = []

    async def __aenter__(self) -> Endpoint:
        """Attach to the running server, or start it.

        Raises:
            SettingsError: it cannot run here as configured; the message says what to do.
            StoreUnavailableError: it did not start.
            StoreFullError: there is no room for its data.
        """
        config = self._config
        deadline = time.monotonic() + config.start_timeout_seconds
        folder = self._folder = await asyncio.to_thread(privilege.settle, config.data_dir, config.run_as)
        folders.make_private(folder, *privilege.owner(folder, config.run_as))
        use = system.FileLock(folder / watcher.CLIENTS)
        # The watcher holds this lock for itself while it stops the server.
        await until(lambda: use.acquire(shared=True), folder, deadline)
        try:
            watcher.note_arrival(folder, config.idle_seconds)
            endpoint = await attached(cluster.data_path(folder)) or await self._started(deadline)
            self._ensure_watcher()
        except BaseException:
            use.release()
            raise
        self._use = use
        return endpoint

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; the watcher stops the server when nobody else holds it."""
        use, self._use = self._use, None
        if use is None:
            return
        try:
            # Somebody may have killed it meanwhile, and the server must not stay for ever.
            self._ensure_watcher()
        finally:
            use.release()
            self._children = [child for child in self._children if not system.has_ended(child)]

    async def _started(self, deadline: float) -> Endpoint:
        folder = self._folder
        starting = system.FileLock(folder / watcher.SERVER)
        await until(starting.acquire, folder, deadline)
        try:
            if (endpoint := await attached(cluster.data_path(folder))) is not None:
                return endpoint
            who = await asyncio.to_thread(launch.prepare, folder, self._config.run_as)
            # Before the server, so that a kill -9 of this process leaves none unwatched.
            self._ensure_watcher()
            return await self._brought_up(who, deadline)
        finally:
            starting.release()

    async def _brought_up(self, who: privilege.Identity, deadline: float) -> Endpoint:
        folder, data = self._folder, cluster.data_path(self._folder)
        launches_left = _LAUNCHES_ON_TCP if self._config.tcp else 1
        child: int | None = None
        log_start = launch.log_size(folder)
        while (endpoint := await attached(data)) is None:
            if child is not None and system.has_ended(child):
                child = None
                if launches_left == 0:
                    raise launch.failure(folder, log_start)
            if child is None and launches_left and (child := self._launched(who)) is not None:
                launches_left -= 1
            check_socket(data)
            await pause(folder, deadline)
        return endpoint

    def _launched(self, who: privilege.Identity) -> int | None:
        data = cluster.data_path(self._folder)
        family = system.FileLock(self._folder / postmaster.LOCK_FILE)
        # Held by every process of a server that starts, recovers or ends: then there is nothing to do but wait.
        with folders.disk_errors(self._folder):
            if not family.acquire():
                return None
        try:
            # One that was started by hand does not hold the lock.
            if postmaster.proven_pid(data) is not None:
                return None
            child = launch.launch(self._config, self._folder, who, family)
        finally:
            family.release()
        self._children.append(child)
        return child

    def _ensure_watcher(self) -> None:
        with folders.disk_errors(self._folder):
            if not watcher.is_there(self._folder):
                command = watcher.command(cluster.data_path(self._folder))
                self._children.append(system.spawn(command, launch.log_path(self._folder)))
