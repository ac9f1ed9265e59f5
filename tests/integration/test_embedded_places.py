"""Where the bundled server lies, who may reach it, and as whom it runs."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from palimpsest.core.errors import SettingsError, StoreUnavailableError
from palimpsest.storage.embedded import EmbeddedServer, describe, launch, privilege
from palimpsest.storage.embedded.cluster import PASSWORD_FILE

from .embedded_clients import ask, client, config_in, grown, python_of, server_pid, stopped

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = 65534


@pytest.fixture
def reachable() -> Generator[Path]:
    """A folder that other users can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_everything_of_ours_is_private_and_nothing_else_is_touched(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {path: path.stat() for path in (closed, *closed.parents)}
    config = config_in(closed)
    async with EmbeddedServer(config) as endpoint:
        data = (await describe(config)).data
        assert mode(config.data_dir) == mode(data) == mode(Path(endpoint.host)) == 0o700
        for file in config.data_dir.iterdir():
            assert file.is_dir() or mode(file) & 0o077 == 0 or file.name == "clients.idle"
    await stopped(config)
    for path, found in before.items():
        assert (path.stat().st_mode, path.stat().st_uid) == (found.st_mode, found.st_uid)


@pytest.mark.parametrize("name", ["a" * 120, "with, comma", 'with "quotes"', "Gedächtnis"])
async def test_any_data_path_gets_a_socket_that_works(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(mode=0o700)
    grown(tmp_path)
    config = config_in(tmp_path / name)
    (tmp_path / "data").rename(config.data_dir)
    async with EmbeddedServer(config) as endpoint:
        folder = Path(endpoint.host)
        assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 100
        assert mode(folder) == 0o700
        assert await ask(endpoint, "SELECT 1") == 1
    await stopped(config)
    assert folder.exists() == (folder.parent == config.data_dir), "what lay outside is gone"


async def test_clients_find_the_socket_whatever_their_own_settings_say(tmp_path: Path, reachable: Path) -> None:
    first = grown(tmp_path, runtime_dir=reachable / "one")
    second = config_in(tmp_path, runtime_dir=reachable / "two")
    async with (
        EmbeddedServer(first) as one,
        EmbeddedServer(second) as two,
        EmbeddedServer(config_in(tmp_path)) as three,
    ):
        assert one == two == three
        assert Path(one.host).parent == reachable / "one"
    await stopped(first)


async def test_a_data_directory_reached_by_a_link_is_the_same_one(tmp_path: Path) -> None:
    config = grown(tmp_path)
    (tmp_path / "link").symlink_to(config.data_dir)
    async with EmbeddedServer(config) as direct, EmbeddedServer(replace(config, data_dir=tmp_path / "link")) as linked:
        assert direct == linked
    await stopped(config)


async def test_a_linked_socket_folder_is_refused(tmp_path: Path) -> None:
    config = grown(tmp_path)
    (config.data_dir / "run").symlink_to(tmp_path)
    with pytest.raises(SettingsError, match="is a link"):
        async with EmbeddedServer(config):
            raise AssertionError
    await stopped(config)


async def test_a_data_directory_that_others_can_write_is_refused(tmp_path: Path) -> None:
    config = grown(tmp_path)
    config.data_dir.chmod(0o777)
    with pytest.raises(SettingsError, match="chmod go-w"):
        async with EmbeddedServer(config):
            raise AssertionError


@ROOT_ONLY
async def test_root_can_have_the_server_run_by_another_user(reachable: Path) -> None:
    config = config_in(reachable, run_as="nobody")
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
        assert Path(f"/proc/{await server_pid(config)}").stat().st_uid == NOBODY
        data = (await describe(config)).data
        assert data.stat().st_uid == config.data_dir.stat().st_uid == NOBODY
        assert reachable.stat().st_uid == 0
        # Attaching works in the same way.
        async with EmbeddedServer(config) as again:
            assert again == endpoint
    await stopped(config)
    # Back to a namespace: the cluster is handed back, and its contents are as they were.
    back = replace(config, run_as=None, data_dir=reachable / "moved")
    back.data_dir.mkdir(mode=0o700)
    data.rename(back.data_dir / data.name)
    async with EmbeddedServer(back) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
    await stopped(back)


@ROOT_ONLY
async def test_a_folder_that_the_other_user_cannot_reach_is_named(tmp_path: Path) -> None:
    config = config_in(tmp_path, run_as="nobody")
    tmp_path.chmod(0o700)
    with pytest.raises(SettingsError, match="PALIMPSEST_DATA_DIR"):
        async with EmbeddedServer(config):
            raise AssertionError
    await stopped(config)


@ROOT_ONLY
async def test_root_without_namespaces_falls_back_to_a_user_and_a_place_that_it_reaches(
    tmp_path: Path, reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privilege, "SHARED_PLACE", reachable)
    monkeypatch.setattr(privilege, "_FALLBACK_USERS", ("nobody",))
    monkeypatch.setattr(privilege, "namespaces_allowed", lambda: False)
    config = config_in(tmp_path)
    async with EmbeddedServer(config) as endpoint:
        assert await ask(endpoint, "SELECT 1") == 1
        found = await describe(config)
        assert found.data.parent.parent == reachable
        assert found.data.stat().st_uid == NOBODY
        assert not config.data_dir.exists()
    await stopped(config)


@ROOT_ONLY
async def test_a_second_user_of_the_machine_is_not_locked_out(tmp_path: Path, reachable: Path) -> None:
    options = python_of(NOBODY)
    if options is None:
        pytest.skip("nobody can reach no Python with these packages here")
    theirs = config_in(reachable, data_dir=reachable / "home" / "data")
    theirs.data_dir.parent.mkdir(mode=0o700)
    os.chown(theirs.data_dir.parent, NOBODY, NOBODY)
    ours = grown(tmp_path)
    async with EmbeddedServer(ours) as endpoint, client(theirs, **options) as other:
        assert await other.endpoint() != endpoint
        pid = (await describe(theirs)).pid
        assert pid is not None
        assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
    await stopped(theirs)
    await stopped(ours)


async def test_on_tcp_a_password_is_required_and_only_this_machine_is_served(tmp_path: Path) -> None:
    config = grown(tmp_path, tcp=True)
    async with EmbeddedServer(config) as endpoint, EmbeddedServer(config) as again:
        assert again == endpoint
        assert endpoint.host == "127.0.0.1"
        assert endpoint.password
        assert endpoint.password not in repr(endpoint)
        assert mode(config.data_dir / PASSWORD_FILE) == 0o600
        assert await ask(endpoint, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(endpoint, "SHOW unix_socket_directories") == ""
        for wrong in ("", "guess"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await ask(replace(endpoint, password=wrong), "SELECT 1")
        # Another address of the same machine.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", endpoint.port), timeout=5).close()
    await stopped(config)


async def test_on_tcp_a_lost_or_wrong_password_is_named(tmp_path: Path) -> None:
    config = grown(tmp_path, tcp=True)
    password = config.data_dir / PASSWORD_FILE
    async with EmbeddedServer(config):
        right = password.read_text()
        password.write_text("wrong\n")
        with pytest.raises(SettingsError, match="refuses the password"):
            async with EmbeddedServer(config):
                raise AssertionError
        password.unlink()
        with pytest.raises(SettingsError, match="cannot be read"):
            async with EmbeddedServer(config):
                raise AssertionError
        assert (await describe(config)).endpoint is None
        password.write_text(right)
    await stopped(config)


async def test_a_taken_port_is_tried_again_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = grown(tmp_path, tcp=True)
    free = launch._free_port  # pyright: ignore[reportPrivateUsage]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [free(), taken.getsockname()[1]]
        monkeypatch.setattr(launch, "_free_port", lambda: ports.pop() if ports else free())
        async with EmbeddedServer(config) as endpoint:
            assert endpoint.port != taken.getsockname()[1]
    await stopped(config)


async def test_a_server_that_never_gets_its_port_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = grown(tmp_path, tcp=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(launch, "_free_port", lambda: taken.getsockname()[1])
        with pytest.raises(StoreUnavailableError, match="FATAL"):
            async with EmbeddedServer(config):
                raise AssertionError
    await stopped(config)
