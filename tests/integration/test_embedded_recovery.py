"""After crashes and with leftovers: the next client gets the server and its data, and no stranger is harmed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from palimpsest.core.errors import StoreUnavailableError
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer, describe, postmaster, stop, system
from palimpsest.storage.embedded.binaries import program
from palimpsest.storage.embedded.privilege import identity

from .embedded_clients import ask, client, config_in, eventually, grown, is_running, server_pid, stopped, watcher_pid


@pytest.fixture
def stranger() -> Generator[subprocess.Popen[bytes]]:
    """A living process that has nothing to do with us."""
    with subprocess.Popen(["/bin/sleep", "600"]) as process:
        yield process
        process.kill()


async def test_the_next_client_recovers_what_was_acknowledged_before_a_crash(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with EmbeddedServer(config) as endpoint:
        await ask(endpoint, "CREATE TABLE kept (n int)")
        await ask(endpoint, "INSERT INTO kept SELECT generate_series(1, 1000)")
        pid = await server_pid(config)
        os.kill(pid, signal.SIGKILL)
        # It is a child of this process, which has not buried it: a zombie, which must not be taken for a server.
        async with EmbeddedServer(config) as again:
            assert await server_pid(config) != pid
            assert await ask(again, "SELECT count(*) FROM kept") == 1000
    await stopped(config)


async def test_a_pid_file_that_names_a_stranger_neither_blocks_nor_harms(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    config = grown(tmp_path)
    data = config.data_dir / "pg18"
    text = f"{stranger.pid}\n{data}\n1763690000\n5432\n{config.data_dir / 'run'}\n\n  5432 1\nready   \n"
    (data / "postmaster.pid").write_text(text)
    (config.data_dir / "run").mkdir(mode=0o700)
    (config.data_dir / "run" / ".s.PGSQL.5432.lock").write_text(text)
    assert (await describe(config)).pid is None
    assert await stop(config)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
        assert await server_pid(config) != stranger.pid
    await stopped(config)
    assert stranger.poll() is None, "it lives"


@pytest.mark.parametrize("text", ["", "12", "garbage\n" * 3, "\0" * 50, "1\n" * 12], ids=range(5))
async def test_a_torn_pid_file_does_not_block_a_start(tmp_path: Path, text: str) -> None:
    config = grown(tmp_path)
    (config.data_dir / "pg18" / "postmaster.pid").write_text(text)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
    await stopped(config)


async def test_an_interrupted_initdb_does_not_block_the_next_start(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    async with client(config) as killed:
        await eventually(lambda: any(config.data_dir.glob("pg18.new-*/base")))
        await killed.kill()
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
    await stopped(config)


async def test_leftovers_of_an_interrupted_initdb_are_removed(tmp_path: Path) -> None:
    config = grown(tmp_path)
    (config.data_dir / "pg18.new-0123" / "base").mkdir(parents=True)
    async with EmbeddedServer(config):
        assert not list(config.data_dir.glob("*.new-*"))
    await stopped(config)


async def test_a_starter_killed_before_its_server_is_ready_leaks_nothing(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with client(config) as killed:
        await eventually((config.data_dir / "postgres.lock").exists)
        await killed.kill()
    await stopped(config)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
    await stopped(config)


async def test_a_second_server_is_never_started_beside_a_living_one(tmp_path: Path) -> None:
    config = grown(tmp_path)
    pid_file = config.data_dir / "pg18" / "postmaster.pid"
    async with EmbeddedServer(config):
        pid = await server_pid(config)
        whole = pid_file.read_text()
        pid_file.write_text("torn")
        hasty = grown_already(config, start_timeout_seconds=0.3)
        with pytest.raises(StoreUnavailableError, match="not ready in time"):
            async with EmbeddedServer(hasty):
                raise AssertionError
        assert await server_pid(config) == pid, "found by its command line alone"
        pid_file.write_text(whole)
    await stopped(config)
    assert (config.data_dir / "postgres.log").read_text().count("starting PostgreSQL") == 1


def grown_already(config: EmbeddedConfig, *, start_timeout_seconds: float) -> EmbeddedConfig:
    return EmbeddedConfig(data_dir=config.data_dir, idle_seconds=0, start_timeout_seconds=start_timeout_seconds)


async def test_a_server_whose_socket_was_removed_is_named(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with EmbeddedServer(config) as endpoint:
        (Path(endpoint.host) / ".s.PGSQL.5432").unlink()
        with pytest.raises(StoreUnavailableError, match="somebody removed its socket"):
            async with EmbeddedServer(config):
                raise AssertionError
    await stopped(config)


async def test_a_server_started_by_hand_is_used_and_left_alone(tmp_path: Path) -> None:
    config = grown(tmp_path)
    data, sockets = config.data_dir / "pg18", tmp_path / "by-hand"
    sockets.mkdir()
    who = identity(config.data_dir, None)
    command = [*who.prefix, str(program("postgres")), "-D", str(data), "-h", "", "-k", str(sockets)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=system.environment()) as by_hand:
        try:
            # The name of the program is postgres only once the rights are dropped.
            await eventually(lambda: system.serves(by_hand.pid, data))
            async with EmbeddedServer(config) as endpoint:
                assert endpoint.host == str(sockets)
                assert await ask(endpoint, "SELECT 1") == 1
                assert await server_pid(config) == by_hand.pid
            await eventually(lambda: watcher_pid(data) is None)
            assert not await stop(config), "it runs on"
            assert by_hand.poll() is None
        finally:
            by_hand.send_signal(signal.SIGINT)
    await stopped(config)


async def test_a_server_that_does_not_end_in_order_is_ended_at_once_and_loses_nothing(tmp_path: Path) -> None:
    config = grown(tmp_path, idle_seconds=60.0)
    data = config.data_dir / "pg18"
    async with EmbeddedServer(config) as endpoint:
        await ask(endpoint, "CREATE TABLE kept (n int)")
        pid = await server_pid(config)
    # Nothing but SIGKILL, or patience, ends a stopped process; at once is SIGQUIT, which waits until it runs again.
    os.kill(pid, signal.SIGSTOP)
    ending = asyncio.create_task(asyncio.to_thread(postmaster.stop, data, patience_seconds=0.2))
    assert not await ending, "it did not end in time"
    os.kill(pid, signal.SIGCONT)
    await eventually(lambda: not is_running(pid))
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT count(*) FROM kept") == 0
    assert await stop(config)


async def test_every_process_killed_at_a_random_moment_leaks_nothing_and_the_data_stay(tmp_path: Path) -> None:
    config = grown(tmp_path)
    async with EmbeddedServer(config) as endpoint:
        await ask(endpoint, "CREATE TABLE kept (n int)")
    for delay in (0.0, 0.15, 0.2, 0.25, 0.3, 0.4):
        async with client(config) as first, client(config) as second:
            with pytest.raises(TimeoutError):
                # The moment is the test: there is nothing to wait for.
                await asyncio.wait_for(asyncio.Event().wait(), delay)
            await first.kill()
            await second.kill()
    await stopped(config)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT count(*) FROM kept") == 0
    await stopped(config)
