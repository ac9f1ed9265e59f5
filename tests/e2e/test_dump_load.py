"""Dump and load against a real database, as a person would run them."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from palimpsest.core.dump_lines import End, Header, encode_end, encode_header, encode_record
from palimpsest.core.dump_records import ContentRecord, ItemRecord, Record, Tally, ThreadRecord, place, type_names
from palimpsest.core.ids import format_item_id
from palimpsest.server.cli import main

from .conftest import environment

LONG = "\n\n".join(f"## Part {n}\n\nThe pump number {n} leaks at the flange. " * 20 for n in range(10))


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch, memory_dir: Path) -> Generator[str, None, None]:
    """The suite's database, a namespace of the test's own, and the log as it was before."""
    for name in ("DATABASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    name = f"dump-{secrets.token_hex(6)}"
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", str(memory_dir))
    monkeypatch.setenv("PALIMPSEST_IDLE_SECONDS", "0")
    monkeypatch.setenv("PALIMPSEST_NAMESPACE", name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield name
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "tea.md").write_bytes(b"# Tea\r\n\r\nOolong steeps for four minutes. \xf0\x9f\x8d\xb5\r\n")
    (folder / "long.md").write_text(LONG)
    (folder / "other.txt").write_text("Nothing to do with tea.")
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    return code, capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("palimpsest: ")
    assert shown.err.count("\n") == 1
    return shown.err


def middle(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[1:-2]


def test_a_memory_moves_to_another_namespace_and_works_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, notes: Path, namespace: str, tmp_path: Path
) -> None:
    first, second, third = (tmp_path / f"{name}.jsonl" for name in ("first", "second", "third"))
    for name in ("tea.md", "long.md", "other.txt"):
        run(capsys, "import", str(notes / name), "--thread", "kitchen")
    run(capsys, "undo")
    assert run(capsys, "dump", str(first))[0] == 0
    assert run(capsys, "dump", str(second))[0] == 0
    assert first.read_bytes() == second.read_bytes()
    assert "exists; pass --force" in refused(capsys, "dump", str(second))

    code, out = run(capsys, "load", str(first))
    assert (code, "Loaded nothing new" in out) == (0, True)
    copy = f"{namespace}-copy"
    code, out = run(capsys, "load", str(first), "--into", copy, "--dry-run")
    assert (code, out.startswith("Would load 1 thread, 3 items, 3 contents, ")) == (0, True)
    code, out = run(capsys, "load", str(first), "--into", copy)
    assert (code, out.startswith("Loaded 1 thread, 3 items, 3 contents, ")) == (0, True)

    monkeypatch.setenv("PALIMPSEST_NAMESPACE", copy)
    assert run(capsys, "dump", str(third))[0] == 0
    assert middle(third) == middle(first)
    assert "of the namespace" in refused(capsys, "load", str(first))
    assert "2 items, 1 forgotten" in run(capsys, "stats")[1]
    _, out = run(capsys, "search", "oolong", "--thread", "kitchen", "--limit", "1")
    item_id, *_ = out.split()
    assert main(["get", item_id]) == 0
    assert capsys.readouterr().out.encode() == (notes / "tea.md").read_bytes()
    # What was imported last was forgotten; the import before it is the next to be undone.
    assert run(capsys, "undo")[1].startswith("Undid add of mem_")
    assert "1 items, 2 forgotten" in run(capsys, "stats")[1]
    run(capsys, "dump", str(second), "--force")
    assert middle(second) != middle(first)


def test_a_thread_moves_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, notes: Path, namespace: str, tmp_path: Path
) -> None:
    run(capsys, "import", str(notes / "tea.md"), "--thread", "kitchen")
    run(capsys, "import", str(notes / "other.txt"), "--thread", "garden")
    path = tmp_path / "garden.jsonl"
    assert run(capsys, "dump", str(path), "--thread", "garden")[0] == 0
    assert "no thread 'cellar'" in refused(capsys, "dump", str(tmp_path / "x"), "--thread", "cellar")
    run(capsys, "load", str(path), "--into", f"{namespace}-copy")
    monkeypatch.setenv("PALIMPSEST_NAMESPACE", f"{namespace}-copy")
    out = run(capsys, "stats")[1]
    assert "1 items, 0 forgotten" in out
    assert "Thread garden" in out
    assert "kitchen" not in out


def test_bad_files_are_refused_in_one_sentence_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], notes: Path, namespace: str, tmp_path: Path
) -> None:
    run(capsys, "import", str(notes), "--thread", "kitchen")
    good = tmp_path / "good.jsonl"
    run(capsys, "dump", str(good))
    dumped = good.read_bytes()
    header, *lines = dumped.split(b"\n")
    bad = {
        "empty": (b"", "This is no dump"),
        "cut": (dumped[: len(dumped) // 2], "The dump is cut"),
        "without an end": (b"\n".join([header, *lines[:-2], b""]), "The dump is cut"),
        "changed": (dumped.replace(b"four minutes", b"five minutes"), "is not the one with its SHA-256"),
        "relabelled": (dumped.replace(b'"priority":5', b'"priority":6', 1), "The dump was changed"),
        "order": (b"\n".join([header, lines[1], lines[0], *lines[2:]]), "no thread|out of order|no item"),
        "newer": (dumped.replace(b'"palimpsest_dump":1', b'"palimpsest_dump":2'), "made by a newer version"),
        "text": (b"Dear diary\n", "This is no dump"),
        "no json": (b"\n".join([header, b"Dear diary", *lines]), "Line 2 is not JSON"),
        "twice": (b"\n".join([header, lines[0], *lines]), "Line 3 repeats"),
        "foreign": (
            dumped.replace(b'"type":"thread"', b'"namespace":"x","type":"thread"', 1),
            "which no thread has|not",
        ),
        "long": (header + b"\n" + b"x" * 100_000_000, "is longer than"),
        "more": (dumped + dumped, "goes on behind its last line"),
    }
    for name, (raw, reason) in bad.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(raw)
        told = refused(capsys, "load", str(path), "--into", f"{namespace}-copy")
        assert any(part in told for part in reason.split("|")), (name, told)
    assert run(capsys, "dump", str(tmp_path / "copy.jsonl"))[0] == 0
    assert (tmp_path / "copy.jsonl").read_bytes() == dumped


def test_a_conflict_is_one_sentence_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], notes: Path, tmp_path: Path
) -> None:
    run(capsys, "import", str(notes / "tea.md"))
    path = tmp_path / "before.jsonl"
    run(capsys, "dump", str(path))
    run(capsys, "undo")
    told = refused(capsys, "load", str(path))
    assert "is here already, but not the same; nothing was loaded" in told
    assert "0 items, 1 forgotten" in run(capsys, "stats")[1]


def test_a_dump_to_stdout_is_the_same_and_a_full_disk_is_told(
    memory_dir: Path, namespace: str, notes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "import", str(notes), "--thread", "kitchen")
    path = tmp_path / "file.jsonl"
    run(capsys, "dump", str(path))
    here = environment(memory_dir, PALIMPSEST_NAMESPACE=namespace)
    command = [sys.executable, "-m", "palimpsest", "dump"]
    piped = subprocess.run(command, env=here, capture_output=True, check=True, timeout=120)
    assert piped.stdout == path.read_bytes()
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(command, env=here, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False)
    assert told.returncode == 1
    assert told.stderr == b"palimpsest: The dump cannot be written to stdout (No space left on device); it is cut.\n"


def large_dump(path: Path, namespace: str, items: int) -> None:
    """Write a dump of many items without any store."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    records: list[Record] = [ThreadRecord(thread="main", model=None, entries=items, compressions=0, created_at=at)]
    for number in range(items):
        content = f"Text number {number}. ".encode() * 50
        facts: dict[str, Any] = {
            "item_id": format_item_id(number + 1),
            "version": 1,
            "sha256": hashlib.sha256(content).hexdigest(),
            "tokens": 250,
            "token_counter": "test",
            "created_at": at,
        }
        records.append(
            ItemRecord(
                **facts,
                thread="main",
                state="active",
                title=None,
                content_type="text/plain",
                memory_type="document",
                priority=5,
                pinned=False,
                tags=(),
                size_bytes=len(content),
                source={},
                updated_at=at,
                last_used_at=None,
                detail="full",
                position=number + 1,
                header_tokens=10,
                cost=260,
                expires_at=None,
                happened_at=at,
            )
        )
        records.append(ContentRecord(**facts, content=content, encoding="utf-8"))
    records.sort(key=place)
    counts = dict.fromkeys(type_names(), 0) | {"thread": 1, "item": items, "content": items}
    lines = [encode_header(Header(namespace, Tally(counts))), *map(encode_record, records)]
    body = b"".join(lines)
    path.write_bytes(body + encode_end(End(len(records), hashlib.sha256(body).hexdigest())))


def position(process: subprocess.Popen[bytes], path: Path) -> int:
    """Return how far a process has read a file, 0 when it has not opened it."""
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if link.readlink() == path:
                facts = Path(f"/proc/{process.pid}/fdinfo/{link.name}").read_text()
                return int(facts.split("pos:")[1].split()[0])
    return 0


def test_a_load_that_is_killed_leaves_nothing_and_a_further_one_works(
    memory_dir: Path, namespace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "large.jsonl"
    large_dump(path, namespace, 2000)
    here = environment(memory_dir, PALIMPSEST_NAMESPACE=namespace)
    process = subprocess.Popen([sys.executable, "-m", "palimpsest", "load", str(path)], env=here)
    deadline = time.monotonic() + 120
    furthest, here_now = 0, 0
    # The first reading only checks; it is the second one that writes.
    while not (0 < here_now < furthest):
        furthest, here_now = max(furthest, here_now), position(process, path)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.005)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    run(capsys, "dump", str(tmp_path / "nothing.jsonl"))
    assert middle(tmp_path / "nothing.jsonl") == []
    code, out = run(capsys, "load", str(path))
    assert (code, out.startswith("Loaded 1 thread, 2,000 items, 2,000 contents from the dump into")) == (0, True)
    run(capsys, "dump", str(tmp_path / "again.jsonl"))
    assert (tmp_path / "again.jsonl").read_bytes() == path.read_bytes()
