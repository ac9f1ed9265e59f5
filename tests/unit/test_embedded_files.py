"""What the bundled server's files say, whom they belong to, and which process is believed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from palimpsest.core.errors import SettingsError, StoreFullError, StoreUnavailableError
from palimpsest.storage.embedded import folders, launch, postmaster, system, watcher

WHOLE = "4711\n/data/pg18\n1763690000\n5432\n/data/run\n\n  5 6\nready   \n"


def write_pid_file(data: Path, text: str) -> Path:
    data.mkdir(exist_ok=True)
    (data / "postmaster.pid").write_text(text)
    return data


def test_a_whole_pid_file_tells_pid_socket_and_readiness(tmp_path: Path) -> None:
    said = postmaster.read_pid_file(write_pid_file(tmp_path, WHOLE))
    assert (said.pid, said.port, said.host, said.ready) == (4711, 5432, None, True)
    assert said.socket == Path("/data/run/.s.PGSQL.5432")


def test_a_server_on_tcp_tells_its_address_and_no_socket(tmp_path: Path) -> None:
    text = "4711\n/data/pg18\n1763690000\n40123\n\n127.0.0.1\n  5 6\nstarting\n"
    said = postmaster.read_pid_file(write_pid_file(tmp_path, text))
    assert (said.port, said.host, said.socket, said.ready) == (40123, "127.0.0.1", None, False)


@pytest.mark.parametrize("text", ["", "4711", "\n\n\n", "no number\n" * 3, "-5\n", "99999999999999\n", "²\n"])
def test_a_torn_pid_file_names_no_process(tmp_path: Path, text: str) -> None:
    said = postmaster.read_pid_file(write_pid_file(tmp_path, text))
    assert (said.pid, said.port, said.socket, said.ready) == (None, None, None, False)


def test_a_missing_pid_file_says_nothing(tmp_path: Path) -> None:
    assert postmaster.read_pid_file(tmp_path).pid is None


def test_a_pid_file_cut_anywhere_can_be_read(tmp_path: Path) -> None:
    for length in range(len(WHOLE)):
        said = postmaster.read_pid_file(write_pid_file(tmp_path, WHOLE[:length]))
        assert said.pid in (None, 4711)
        assert said.port in (None, 5432)


def named_postgres(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A process whose first word is ``postgres``, as a server's would be."""
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [str(folder / "postgres"), "-c", code, *words]
    process = subprocess.Popen(command, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_only_a_postgres_of_exactly_this_directory_is_proven(tmp_path: Path) -> None:
    data = tmp_path / "pg18"
    with named_postgres(tmp_path, "-D", str(data)) as process:
        try:
            assert system.serves(process.pid, data)
            assert not system.serves(process.pid, tmp_path / "pg1")
            assert not system.serves(process.pid, tmp_path / "pg18" / "other")
            assert postmaster.proven_pid(data) == process.pid, "found without a pid file"
        finally:
            process.kill()
    assert not system.serves(process.pid, data), "it is gone"


def test_a_process_that_only_mentions_the_directory_is_not_proven(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", "postgres", "-D", str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        try:
            assert not system.serves(process.pid, tmp_path)
        finally:
            process.kill()


def test_a_server_started_in_its_directory_by_a_relative_path_is_proven(tmp_path: Path) -> None:
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    words = ["postgres", "-c", code, "-D", "."]
    with subprocess.Popen(
        words, executable=sys.executable, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            assert system.serves(process.pid, tmp_path)
        finally:
            process.kill()


def test_a_zombie_serves_nobody(tmp_path: Path) -> None:
    process = named_postgres(tmp_path, "-D", str(tmp_path))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not system.serves(process.pid, tmp_path)
    assert Path(f"/proc/{process.pid}").exists(), "nobody has buried it yet"
    process.communicate()


def test_shared_locks_go_together_and_an_exclusive_one_goes_alone(tmp_path: Path) -> None:
    first, second, third = (system.FileLock(tmp_path / "lock") for _ in range(3))
    assert first.acquire(shared=True)
    assert second.acquire(shared=True)
    assert not third.acquire()
    first.release()
    second.release()
    second.release()
    assert third.acquire(wait=True)
    assert not first.acquire(shared=True)
    third.release()
    with pytest.raises(ValueError, match="not held"):
        third.fileno()


def test_a_lock_that_cannot_be_had_at_all_leaves_no_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(system, "_lock", refuse)
    lock = system.FileLock(tmp_path / "lock")
    with pytest.raises(OSError, match="No locks"):
        lock.acquire()
    with pytest.raises(ValueError, match="not held"):
        lock.fileno()


def test_an_inherited_lock_is_held_until_the_child_is_killed(tmp_path: Path) -> None:
    lock, other = system.FileLock(tmp_path / "lock"), system.FileLock(tmp_path / "lock")
    assert lock.acquire()
    child = system.spawn(["/bin/sleep", "60"], tmp_path / "log", lock)
    try:
        lock.release()
        assert not other.acquire()
        assert not system.has_ended(child)
        assert os.getsid(child) == child, "a session of its own"
    finally:
        os.kill(child, signal.SIGKILL)
    assert other.acquire(wait=True)
    other.release()
    os.waitpid(child, 0)
    assert system.has_ended(child)
    system.end_quickly(child)


def test_postgres_settings_of_the_user_do_not_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/elsewhere")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    found = system.environment()
    assert "PGDATA" not in found
    assert found["LC_ALL"] == "C"


def test_a_watcher_leaves_when_another_one_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_TRIES", 1)
    place = system.FileLock(tmp_path / watcher.WATCHER)
    assert place.acquire()
    assert watcher.is_there(tmp_path)
    watcher.main(str(tmp_path / "pg18"))
    place.release()
    assert not watcher.is_there(tmp_path)


@pytest.mark.parametrize("idle_seconds", [0.0, 30.0])
def test_a_watcher_leaves_when_nobody_uses_a_server_that_is_gone(tmp_path: Path, idle_seconds: float) -> None:
    client = system.FileLock(tmp_path / watcher.CLIENTS)
    assert client.acquire(shared=True)
    watcher.note_arrival(tmp_path, idle_seconds)
    watching = threading.Thread(target=watcher.main, args=(str(tmp_path / "pg18"),))
    watching.start()
    watching.join(0.1)
    assert watching.is_alive(), "somebody is there"
    client.release()
    watching.join(20)
    assert not watching.is_alive()


def test_a_full_disk_keeps_nobody_from_arriving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher.note_arrival(tmp_path, 1.5)
    before = (tmp_path / "clients.idle").stat().st_mtime_ns

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    watcher.note_arrival(tmp_path, 1.5)
    assert (tmp_path / "clients.idle").stat().st_mtime_ns > before


def test_a_server_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    family = system.FileLock(tmp_path / postmaster.LOCK_FILE)
    assert family.acquire()
    assert not postmaster.stop(tmp_path / "pg18", patience_seconds=0.02)
    family.release()
    assert postmaster.stop(tmp_path / "pg18", patience_seconds=0.02)


def test_what_a_dead_server_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    short, other = tmp_path / f"{postmaster.SHORT_FOLDER_PREFIX}x", tmp_path / "run"
    for folder in (short, other):
        folder.mkdir()
        (folder / ".s.PGSQL.5432").touch()
        (folder / ".s.PGSQL.5432.lock").touch()
        data = write_pid_file(tmp_path / "pg18", f"1\n{tmp_path}\n1\n5432\n{folder}\n\n1 2\nready\n")
        postmaster.forget_dead(data)
        assert not (data / "postmaster.pid").exists()
    assert not short.exists()
    assert sorted(path.name for path in other.iterdir()) == [".s.PGSQL.5432", ".s.PGSQL.5432.lock"]


def test_a_short_folder_with_something_else_in_it_stays(tmp_path: Path) -> None:
    short = tmp_path / f"{postmaster.SHORT_FOLDER_PREFIX}x"
    short.mkdir()
    (short / "notes").touch()
    postmaster.remove_short_folder(postmaster.PidFile(1, 5432, short, None, True))
    assert (short / "notes").exists()


def test_a_private_folder_is_made_with_its_parents_and_others_keep_their_modes(tmp_path: Path) -> None:
    me = os.geteuid(), os.getegid()
    tmp_path.chmod(0o711)
    folders.make_private(tmp_path / "a" / "b", *me)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    (tmp_path / "a" / "b").chmod(0o750)
    folders.make_private(tmp_path / "a" / "b", *me)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o750
    assert tmp_path.stat().st_mode & 0o777 == 0o711


def test_a_linked_or_open_folder_is_refused(tmp_path: Path) -> None:
    me = os.geteuid(), os.getegid()
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SettingsError, match="is a link"):
        folders.make_private(tmp_path / "link", *me)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(SettingsError, match="chmod go-w"):
        folders.make_private(tmp_path / "open", *me)
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        folders.make_private(tmp_path / "file" / "below", *me)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(SettingsError, match="another user"):
        folders.make_private(tmp_path / "theirs", os.geteuid(), os.getegid())


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StoreFullError), (errno.EROFS, StoreUnavailableError)])
def test_what_the_disk_answers_becomes_an_error_of_the_store(
    tmp_path: Path, number: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught, folders.disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("LOG:  starting\nFATAL:  the reason\nLOG:  ended\n", StoreUnavailableError, "FATAL:  the reason"),
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', StoreFullError, "full"),
        ("cannot execute", StoreUnavailableError, "cannot execute"),
        ("", StoreUnavailableError, "nothing"),
    ],
)
def test_a_failed_start_says_why(tmp_path: Path, said: str, kind: type[Exception], words: str) -> None:
    log = launch.log_path(tmp_path)
    log.write_text("FATAL:  an older failure\n")
    start = launch.log_size(tmp_path)
    with log.open("a") as stream:
        stream.write(said)
    failure = launch.failure(tmp_path, start)
    assert isinstance(failure, kind)
    assert words in str(failure)


def test_a_missing_log_has_no_size_and_says_nothing(tmp_path: Path) -> None:
    assert launch.log_size(tmp_path) == 0
    assert "nothing" in str(launch.failure(tmp_path, 0))
