"""One bundled server for all processes of a user: started once, shared, and stopped when nobody is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import asyncpg
import pytest

from palimpsest.core.errors import StoreUnavailableError
from palimpsest.storage.embedded import EmbeddedServer, describe, stop, watcher

from .embedded_clients import ask, client, config_in, eventually, grown, is_running, server_pid, stopped, watcher_pid


async def test_six_processes_at_once_start_one_server(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(client(config)) for _ in range(6)]
        endpoints = await asyncio.gather(*(each.endpoint() for each in clients))
        assert len(set(endpoints)) == 1
        # The connection of a client that killed itself would be no proof; each process asks for itself.
        starts = await asyncio.gather(*(ask(each, "SELECT pg_postmaster_start_time()") for each in endpoints))
        assert len(set(starts)) == 1
    assert (tmp_path / "data" / "postgres.log").read_text().count("starting PostgreSQL") == 1
    await stopped(config)


async def test_the_server_outlives_the_killed_process_that_started_it(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with client(config) as starter:
        await starter.endpoint()
        async with client(config) as other:
            endpoint = await other.endpoint()
            connection = await asyncpg.connect(**asdict(endpoint))
            pid = await server_pid(config)
            await starter.kill()
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
            assert await server_pid(config) == pid
    await stopped(config)


async def test_killing_every_client_ends_the_server_and_its_watcher(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with client(config) as first, client(config) as second:
        await asyncio.gather(first.endpoint(), second.endpoint())
        data = (await describe(config)).data
        pids = [await server_pid(config), watcher_pid(data) or 0]
        assert all(is_running(pid) for pid in pids)
        await asyncio.gather(first.kill(), second.kill())
        await stopped(config)
        assert not [pid for pid in pids if is_running(pid)]


async def test_a_server_stays_warm_between_short_clients_until_it_is_stopped(tmp_path: Path) -> None:
    config = grown(tmp_path, idle_seconds=60.0)
    async with EmbeddedServer(config):
        pid = await server_pid(config)
    async with EmbeddedServer(config):
        assert await server_pid(config) == pid
        assert not await stop(config), "it is used"
    assert await stop(config)
    assert (await describe(config)).pid is None
    assert await stop(config), "stopped already"
    await stopped(config)


async def test_the_wish_of_the_latest_client_decides_how_long_the_server_stays(tmp_path: Path) -> None:
    brief = grown(tmp_path)
    patient = config_in(tmp_path, idle_seconds=60.0)
    async with EmbeddedServer(patient), EmbeddedServer(brief):
        pass
    await stopped(brief)
    async with EmbeddedServer(brief), EmbeddedServer(patient):
        pid = await server_pid(brief)
    async with EmbeddedServer(brief):
        assert await server_pid(brief) == pid
    await stopped(brief)


async def test_nothing_runs_in_a_folder_that_was_never_used(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    assert await stop(config)
    found = await describe(config)
    assert (found.pid, found.endpoint, found.data_bytes) == (None, None, 0)
    assert not config.data_dir.exists(), "asking writes nothing"


async def test_attaching_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = grown(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    async with EmbeddedServer(config) as first:
        await eventually(lambda: watcher_pid(config.data_dir / "pg18") is not None)
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", refuse)
            patch.setattr(os, "posix_spawn", refuse)
            async with EmbeddedServer(config) as second:
                assert second == first
    await stopped(config)


async def test_a_killed_watcher_is_replaced_when_a_client_leaves(tmp_path: Path) -> None:
    config = grown(tmp_path)
    data = config.data_dir / "pg18"
    async with client(config) as used:
        await used.endpoint()
        await eventually(lambda: watcher_pid(data) is not None)
        pid = watcher_pid(data)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not watcher.is_there(config.data_dir))
        await used.leave()
    await stopped(config)


async def test_the_server_is_out_of_reach_of_a_terminals_interrupt(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with EmbeddedServer(config):
        pid = await server_pid(config)
        assert os.getsid(pid) == pid
        assert os.getpgid(pid) != os.getpgid(0)
    await stopped(config)


async def test_the_server_is_durable_deterministic_and_has_pgvector(tmp_path: Path) -> None:
    config = grown(tmp_path)
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "max_connections": "200",
        "jit": "off",
        "TimeZone": "UTC",
        "shared_buffers": "128MB",
    }
    async with EmbeddedServer(config) as endpoint:
        connection = await asyncpg.connect(**asdict(endpoint))
        shown = {name: await connection.fetchval(f"SHOW {name}") for name in wanted}
        assert shown == wanted
        locale = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'postgres'"
        assert await connection.fetchval(locale) == "b C.UTF-8"
        await connection.execute("CREATE EXTENSION vector")
        version = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        assert tuple(map(int, version.split("."))) >= (0, 8, 4)
        await connection.close()
    await stopped(config)


async def test_the_log_repeats_nothing_that_a_client_said(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with EmbeddedServer(config) as endpoint:
        connection = await asyncpg.connect(**asdict(endpoint))
        await connection.execute("CREATE TABLE diary (day text PRIMARY KEY)")
        await connection.execute("INSERT INTO diary VALUES ($1)", "a-secret-day")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO diary VALUES ($1)", "a-secret-day")
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute("SELEKT 'a-secret-day'")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute("SELECT 'a-secret-day'::int")
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        busy = asyncio.create_task(connection.execute("SELECT pg_sleep(60), 'a-secret-day'"))
        other = await asyncpg.connect(**asdict(endpoint))
        running = f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend} AND query LIKE '%sleep%'"
        async with asyncio.timeout(10):
            while not await other.fetchval(running):
                await asyncio.sleep(0.01)
        # A crash makes the server write down what the dead process was doing.
        os.kill(backend, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        for each in (connection, other):
            each.terminate()
        # A shutdown in the middle of PostgreSQL's handling of a crash can stall until the watcher's patience ends.
        log = config.data_dir / "postgres.log"
        await eventually(lambda: log.read_text().count("ready to accept connections") == 2)
    assert "terminated by signal 9" in log.read_text()
    assert "a-secret-day" not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    await stopped(config)


async def test_a_long_log_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    config.data_dir.mkdir(mode=0o700)
    (config.data_dir / "postgres.log").write_bytes(b"old\n" * 300_000)
    async with EmbeddedServer(config):
        assert (config.data_dir / "postgres.log").stat().st_size < 10_000
        assert (config.data_dir / "postgres.log.old").stat().st_size == 1_200_000
    await stopped(config)


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    config = grown(tmp_path, shared_buffers_mb=2**40)
    with pytest.raises(StoreUnavailableError, match="FATAL"):
        async with EmbeddedServer(config):
            raise AssertionError
    await stopped(config)


async def test_a_start_that_takes_too_long_is_given_up_and_the_server_stops(tmp_path: Path) -> None:
    config = config_in(tmp_path, start_timeout_seconds=0.0)
    with pytest.raises(StoreUnavailableError, match="not ready in time"):
        async with EmbeddedServer(config):
            raise AssertionError
    await stopped(config)


async def test_leaving_twice_or_without_having_come_does_nothing(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    server = EmbeddedServer(config)
    await server.__aexit__(None, None, None)
    assert not config.data_dir.exists()
