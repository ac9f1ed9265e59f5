"""The commands dump and load over the in-memory store: files, refusals, and what they say."""

from __future__ import annotations

import argparse
import os
import resource
import stat
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from palimpsest.core.errors import ConflictError, InvalidInputError, NotFoundError, StoreUnavailableError
from palimpsest.core.export import ContentIndexer, Export
from palimpsest.core.memory import NewMemory
from palimpsest.server.cli import build_parser
from palimpsest.server.commands import dump, load
from palimpsest.server.settings import Settings
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import BUDGETS, HashEmbedder, ParagraphChunker, WordLexicon
from .parts import ME, Parts, build_parts

INDEXER = ContentIndexer(chunker=ParagraphChunker(), lexicon=WordLexicon(), embedder=HashEmbedder())
SETTINGS = Settings(namespace="mine")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A memory that the commands open in place of the real one."""
    made = build_parts()

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncGenerator[Export, None]:
        yield Export(store=made.store, indexer=INDEXER)

    monkeypatch.setattr(dump, "open_export", opened)
    monkeypatch.setattr(load, "open_export", opened)
    return made


async def fill(parts: Parts, count: int = 3) -> None:
    for number in range(count):
        await parts.memory.add(ME, NewMemory(f"Text {number} of the memory", thread=f"t{number % 2}"))


def call(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(arguments)


async def run_dump(*arguments: str) -> int:
    return await dump.run(SETTINGS, call("dump", *arguments))


async def run_load(*arguments: str) -> int:
    return await load.run(SETTINGS, call("load", *arguments))


async def items(parts: Parts, namespace: str = "mine") -> int:
    return (await parts.store.state(namespace, "", budgets=BUDGETS)).items


async def test_a_dump_is_a_file_for_its_owner_alone(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(parts)
    path = tmp_path / "memory.jsonl"
    assert await run_dump(str(path)) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    lines = path.read_bytes().count(b"\n")
    told = capsys.readouterr().out
    assert told == f"Dumped {lines - 2} records ({path.stat().st_size:,} bytes) of the namespace mine to {path}.\n"


async def test_a_dump_to_stdout_is_the_same_bytes(
    parts: Parts, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    await fill(parts)
    path = tmp_path / "memory.jsonl"
    await run_dump(str(path))
    capfdbinary.readouterr()
    for arguments in ((), ("-",)):
        assert await run_dump(*arguments) == 0
        assert capfdbinary.readouterr().out == path.read_bytes()


async def test_a_thread_can_be_dumped_alone(parts: Parts, tmp_path: Path) -> None:
    await fill(parts)
    path = tmp_path / "memory.jsonl"
    assert await run_dump(str(path), "--thread", "t0") == 0
    assert path.read_bytes().count(b'"type":"item"') == 2
    with pytest.raises(NotFoundError):
        await run_dump(str(tmp_path / "other.jsonl"), "--thread", "none")
    assert list(tmp_path.iterdir()) == [path]


async def test_a_file_that_exists_is_replaced_by_force_only(parts: Parts, tmp_path: Path) -> None:
    await fill(parts)
    path = tmp_path / "memory.jsonl"
    path.write_text("precious")
    with pytest.raises(InvalidInputError, match="exists; pass --force"):
        await run_dump(str(path))
    assert path.read_text() == "precious"
    assert await run_dump(str(path), "--force") == 0
    assert path.read_bytes().startswith(b'{"counts"')
    assert list(tmp_path.iterdir()) == [path]


async def test_a_file_that_appears_meanwhile_is_left(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.jsonl"

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncGenerator[Export, None]:
        yield Export(store=parts.store, indexer=INDEXER)
        path.write_text("precious")

    monkeypatch.setattr(dump, "open_export", opened)
    with pytest.raises(InvalidInputError, match="exists; pass --force"):
        await run_dump(str(path))
    assert [one.read_text() for one in tmp_path.iterdir()] == ["precious"]


async def test_a_failure_on_the_way_leaves_the_old_file_and_no_other(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_text("the last good one")

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncGenerator[Export, None]:
        yield Export(store=parts.store, indexer=INDEXER)
        raise StoreUnavailableError

    monkeypatch.setattr(dump, "open_export", opened)
    with pytest.raises(StoreUnavailableError):
        await run_dump(str(path), "--force")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["the last good one"]


@contextmanager
def files_of_at_most(size: int) -> Generator[None, None, None]:
    """A disk that is full, as far as this process can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_one_sentence_and_leaves_nothing(parts: Parts, tmp_path: Path) -> None:
    await fill(parts, 40)
    path = tmp_path / "memory.jsonl"
    with files_of_at_most(10_000), pytest.raises(InvalidInputError, match=r"cannot be written \(File too large\)"):
        await run_dump(str(path))
    assert list(tmp_path.iterdir()) == []


async def test_a_device_is_never_replaced_by_a_file(parts: Parts) -> None:
    with pytest.raises(InvalidInputError, match="no ordinary file"):
        await run_dump("/dev/full", "--force")
    assert Path("/dev/full").is_char_device()


async def test_a_link_stays_and_leads_to_the_new_dump(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real.jsonl", tmp_path / "link.jsonl"
    real.write_text("old")
    link.symlink_to(real)
    assert await run_dump(str(link), "--force") == 0
    assert link.is_symlink()
    assert real.read_bytes().startswith(b'{"counts"')
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "is a folder"), ("none/memory.jsonl", "No such file or directory"), ("file/memory.jsonl", "Not a directory")],
)
async def test_a_place_that_cannot_be_written_is_refused(parts: Parts, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match=reason):
        await run_dump(str(tmp_path / name))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


async def test_a_long_name_has_room_for_its_part(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    assert await run_dump(str(path)) == 0
    assert list(tmp_path.iterdir()) == [path]


async def dumped(parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    await fill(parts)
    path = tmp_path / "memory.jsonl"
    await run_dump(str(path))
    capsys.readouterr()
    return path


async def test_a_load_says_what_it_did(parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = await dumped(parts, tmp_path, capsys)
    assert await run_load(str(path)) == 0
    assert capsys.readouterr().out == (
        "Loaded nothing new from the dump into mine; here already: 2 threads, 3 items, 3 contents, 3 events.\n"
    )
    assert await run_load(str(path), "--into", "second", "--dry-run") == 0
    told = capsys.readouterr().out
    assert told.startswith("Would load 2 threads, 3 items, 3 contents, ")
    assert told.endswith(" from the dump of mine into second; here already: nothing.\n")
    assert await items(parts, "second") == 0
    assert await run_load(str(path), "--into", "second") == 0
    told = capsys.readouterr().out
    assert told.startswith("Loaded 2 threads, 3 items, 3 contents, ")
    assert "Words can be searched at once" in told
    assert await items(parts, "second") == 3


async def test_a_dump_of_another_namespace_needs_to_be_told_where(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await dumped(parts, tmp_path, capsys)
    other = Settings(namespace="other")
    with pytest.raises(InvalidInputError, match=r"'mine' and this memory is 'other'.*--into other"):
        await load.run(other, call("load", str(path)))
    assert await load.run(other, call("load", str(path), "--into", "other")) == 0
    with pytest.raises(InvalidInputError, match="no name for a namespace"):
        await load.run(other, call("load", str(path), "--into", "no name!"))


async def test_a_conflict_loads_nothing(parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = await dumped(parts, tmp_path, capsys)
    await parts.memory.add(ME, NewMemory("Text 3 of the memory", thread="t0"))
    page = await parts.memory.list_items(ME)
    for item in page.items[1:]:
        await parts.memory.forget(ME, item.item_id, "purge")
    twin = page.items[1]
    await parts.memory.add(ME, NewMemory("Text 2 of the memory", thread=twin.thread))
    with pytest.raises(ConflictError, match="here already"):
        await run_load(str(path))
    assert await items(parts) == 2


async def test_files_that_are_no_dump_are_refused(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        await run_load(str(tmp_path / "none"))
    with pytest.raises(InvalidInputError, match="Is a directory"):
        await run_load(str(tmp_path))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InvalidInputError, match="This is no dump"):
        await run_load(str(tmp_path / "text"))
    reading, writing = os.pipe()
    try:
        with pytest.raises(InvalidInputError, match="no file that can be read twice"):
            await run_load(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)
    assert isinstance(parts.store, InMemoryStore)
    assert await items(parts) == 0
