"""The command line's parts that need no database."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

import pytest

from palimpsest.core.errors import InvalidInputError, PalimpsestError, StoreFullError
from palimpsest.core.memory import Caller
from palimpsest.server.cli import CLIENTS, build_parser, main
from palimpsest.server.commands import demo, importing
from palimpsest.server.commands.client_config import block, command, secrets_set
from palimpsest.server.commands.doctor import check_folder, settings_lines
from palimpsest.server.commands.importing import Found, add_files, find_files, read_text, wait_until_embedded
from palimpsest.server.settings import Settings, load_settings

from ..applications import fake_application, fake_opener
from ..fakes import HashEmbedder


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    for name in ("serve", "demo", "doctor", "migrate", "config", "import", "search", "get", "undo", "stats", "stop"):
        assert f"    {name} " in shown or f"    {name}\n" in shown


def test_every_command_has_a_module_that_runs_it() -> None:
    actions = build_parser()._actions  # pyright: ignore[reportPrivateUsage]
    (commands,) = [action for action in actions if isinstance(action.choices, dict)]
    folder = Path(importing.__file__).parent
    assert commands.choices is not None
    for parser in dict(commands.choices).values():
        assert isinstance(parser, argparse.ArgumentParser)
        assert (folder / f"{parser.get_default('module')}.py").exists()


def test_a_wrong_call_is_two() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--transport", "pigeon"])
    assert caught.value.code == 2


def test_a_failure_is_one_sentence_and_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_PORT", "x")
    assert main(["stats"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("palimpsest: PALIMPSEST_PORT: ")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(("error", "code"), [(StoreFullError(), 1), (KeyboardInterrupt(), 130)])
def test_failures_of_commands_have_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def failing(*_: object) -> int:
        raise error

    monkeypatch.setattr("palimpsest.server.commands.stats.run", failing)
    assert main(["stats"]) == code
    assert ("disk" in capsys.readouterr().err) == (code == 1)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_clients_block_starts_this_installation_with_absolute_paths(client: str) -> None:
    printed = block(client, {"PALIMPSEST_DATA_DIR": "memories", "PALIMPSEST_THREAD": "t", "HOME": "/h"})
    (servers,) = printed.values()
    assert list(printed) == ["servers" if client == "vscode" else "mcpServers"]
    entry = servers["palimpsest"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][-1] == "serve"
    assert entry["env"] == {"PALIMPSEST_DATA_DIR": str(Path("memories").absolute()), "PALIMPSEST_THREAD": "t"}
    assert ("type" in entry) == (client in ("claude-code", "vscode"))


def test_without_settings_the_block_has_no_environment() -> None:
    assert "env" not in block("cursor", {})["mcpServers"]["palimpsest"]


def test_secrets_never_enter_a_block() -> None:
    environment = {
        "PALIMPSEST_BEARER_TOKEN": "hidden",
        "PALIMPSEST_DATABASE_URL": "hidden",
        "DATABASE_URL": "hidden",
        "OPENAI_API_KEY": "hidden",
    }
    assert "hidden" not in json.dumps(block("claude-desktop", environment))
    assert secrets_set(environment) == sorted(environment)


def test_config_prints_json_to_stdout_and_advice_to_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hidden")
    assert main(["config", "claude-code"]) == 0
    shown = capsys.readouterr()
    assert "palimpsest" in json.loads(shown.out)["mcpServers"]
    assert "claude mcp add palimpsest" in shown.err
    assert "OPENAI_API_KEY" in shown.err
    assert "hidden" not in shown.out + shown.err


def test_without_a_script_beside_python_the_module_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert command() == [str(tmp_path / "python"), "-m", "palimpsest", "serve"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of every kind."""
    root = tmp_path / "project"
    for name, content in {
        "a.py": b"print('x')\r\n",
        "docs/b.md": "# Übersicht\n".encode(),
        "docs/latin.txt": b"caf\xe9",
        "image.png": b"\x89PNG\r\n\x1a\n\x00\x00",
        "empty.txt": b" \n",
        "large.txt": b"x" * 2000,
        "report.txt": b"%PDF-1.4 no zero byte",
        ".git/config": b"[core]",
        "node_modules/x/index.js": b"1",
        "x.egg-info/PKG-INFO": b"1",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "link").symlink_to(root)
    return root


def test_files_are_found_in_order_without_the_folders_that_tools_fill(folder: Path) -> None:
    titles = [found.title for found in find_files([folder, folder / "a.py"])]
    assert titles == [
        "project/a.py",
        "project/docs/b.md",
        "project/docs/latin.txt",
        "project/empty.txt",
        "project/image.png",
        "project/large.txt",
        "project/report.txt",
        "a.py",
    ]
    with pytest.raises(InvalidInputError, match="does not exist"):
        list(find_files([folder / "nothing"]))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("docs/latin.txt", "not UTF-8"),
        ("image.png", "binary"),
        ("empty.txt", "empty"),
        ("large.txt", "too large"),
        ("gone.txt", "unreadable"),
    ],
)
def test_what_is_no_text_is_left_out_with_its_reason(folder: Path, name: str, reason: str) -> None:
    assert read_text(folder / name, 1000) == (None, reason)


def test_texts_are_read_exactly(folder: Path) -> None:
    assert read_text(folder / "a.py", 1000) == ("print('x')\r\n", "")


async def test_an_import_adds_once_and_counts_what_it_left_out(folder: Path) -> None:
    async with fake_application() as application:
        session = await application.session("t")
        for expected in ("added", "duplicate"):
            counts = await add_files(session, list(find_files([folder])), thread="p", tags=["x"], most_bytes=1000)
            assert counts == {
                expected: 2,
                "refused (no text)": 1,
                "left out (not UTF-8)": 1,
                "left out (binary)": 1,
                "left out (empty)": 1,
                "left out (too large)": 1,
            }
        page = await session.memory.list_items(Caller("default"))
        titles = {item.labels.title: item for item in page.items}
        assert set(titles) == {"project/a.py", "project/docs/b.md"}
        assert titles["project/a.py"].labels.content_type == "text/x-python"
        assert titles["project/a.py"].labels.tags == ("x",)


async def test_an_import_waits_until_all_is_searchable_by_meaning(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("\n\n".join(f"part {n}" for n in range(40)))
    async with fake_application() as application:
        session = await application.session("t")
        found = [Found(tmp_path / "long.txt", "long.txt")]
        assert await add_files(session, found, thread="p", tags=[], most_bytes=10_000) == {"added": 1}
        async with asyncio.timeout(30):
            await wait_until_embedded(session)
        assert (await session.memory.state(session.caller)).counts.chunks_pending == 0


async def test_an_import_gives_up_waiting_when_nothing_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importing, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(importing, "_POLL_SECONDS", 0.05)
    (tmp_path / "long.txt").write_text("\n\n".join(f"part {n}" for n in range(40)))
    embedder = HashEmbedder()
    embedder.failure = "broken"
    async with fake_application(fake_opener(embedder=embedder), drain_seconds=0) as application:
        session = await application.session("t")
        await add_files(session, [Found(tmp_path / "long.txt", "l")], thread="p", tags=[], most_bytes=10_000)
        await wait_until_embedded(session)
    assert "40 chunks are not searchable by meaning yet" in capsys.readouterr().out


def test_the_demo_uses_the_standard_library_and_the_projects_documents() -> None:
    titles = [file.title for file in demo.code_base()]
    assert demo.ORIGINAL in titles
    assert {title.partition("/")[0] for title in titles} == set(demo.PACKAGES)
    assert any(file.title == "docs/settings.md" for file in demo.documents())


def test_the_demo_touches_no_memory_but_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PALIMPSEST_NAMESPACE", "mine")
    monkeypatch.setenv("DATABASE_URL", "postgresql://precious")
    environment = demo.clean_environment(tmp_path)
    assert "DATABASE_URL" not in environment
    assert {name for name in environment if name.startswith("PALIMPSEST_")} == {
        "PALIMPSEST_DATA_DIR",
        "PALIMPSEST_IDLE_SECONDS",
    }


async def test_the_doctor_tells_a_full_or_forbidden_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "folder")
    assert "bytes free" in await check_folder(settings)

    def forbidden(*_: object) -> bool:
        return False

    def full(_: object) -> argparse.Namespace:
        return argparse.Namespace(free=1000)

    monkeypatch.setattr("os.access", forbidden)
    with pytest.raises(PalimpsestError, match="cannot be written"):
        await check_folder(settings)
    monkeypatch.setattr("shutil.disk_usage", full)
    with pytest.raises(PalimpsestError, match="free some space"):
        await check_folder(settings)


def test_the_doctor_shows_every_setting_and_no_secret() -> None:
    settings = load_settings({"DATABASE_URL": "postgresql://u:hidden@h/d"})
    shown = "\n".join(settings_lines(settings))
    assert "hidden" not in shown
    for name in Settings.model_fields:
        assert f"  {name} = " in shown
