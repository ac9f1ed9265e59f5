"""The commands against a real database, as a person would run them."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

import pytest

from palimpsest.server.cli import main
from palimpsest.server.commands import demo


@pytest.fixture(autouse=True)
def settings(
    monkeypatch: pytest.MonkeyPatch, memory_dir: Path, request: pytest.FixtureRequest
) -> Generator[None, None, None]:
    """The suite's database, a namespace of the test's own, and the log as it was before."""
    for name in ("DATABASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", str(memory_dir))
    monkeypatch.setenv("PALIMPSEST_IDLE_SECONDS", "0")
    monkeypatch.setenv("PALIMPSEST_NAMESPACE", f"cli-{abs(hash(request.node.name))}")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    return code, capsys.readouterr().out


def test_transcripts_are_imported_once_and_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_text('{"role": "user", "content": "Oolong steeps for four minutes."}\n{"role": "user", "con')
    code, out = run(capsys, "import", "--transcripts", str(path), "--session", "tea")
    assert (code, out) == (0, "talk.jsonl as tea: 1 added\n  left out: line 2 is cut or no JSON object\n1 added\n")
    assert run(capsys, "import", "--transcripts", str(path), "--session", "tea")[1].endswith("\n1 known\n")
    _, out = run(capsys, "search", "oolong", "--thread", "tea", "--limit", "1")
    assert "user: Oolong steeps for four minutes." in out


def test_import_search_get_undo_and_stats(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "tea.md").write_bytes(b"# Tea\r\n\r\nOolong steeps for four minutes.\r\n")
    (folder / "long.md").write_text("\n\n".join(f"Paragraph {n} about pumps. " * 30 for n in range(20)))
    code, out = run(capsys, "import", str(folder), "--thread", "kitchen", "--tag", "notes")
    assert (code, out) == (0, "2 added\n")
    assert run(capsys, "import", str(folder), "--thread", "kitchen") == (0, "2 duplicate\n")

    code, out = run(capsys, "search", "how", "long", "does", "oolong", "steep", "--thread", "kitchen", "--limit", "1")
    assert code == 0
    item_id, *_ = out.split()
    assert "notes/tea.md" in out
    assert "four minutes" in out
    assert "1 more items match" in out
    assert "dense" not in out
    _, out = run(capsys, "search", "oolong", "--thread", "kitchen", "--explain")
    assert "words +" in out
    assert " meaning +" in out

    assert main(["get", item_id, "--detail", "full"]) == 0
    assert capsys.readouterr().out.encode() == (folder / "tea.md").read_bytes()

    code, out = run(capsys, "stats")
    assert code == 0
    assert "2 items, 0 forgotten" in out
    assert "Thread kitchen" in out

    code, out = run(capsys, "undo", "--list")
    assert code == 0
    assert out.count("add  mem_") == 2
    code, out = run(capsys, "undo")
    assert code == 0
    assert out.startswith("Undid add of mem_")
    assert "1 items, 1 forgotten" in run(capsys, "stats")[1]


def test_a_search_without_a_match_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "search", "nothing")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["get", "nonsense"], "is not an item id"),
        (["get", "mem_0000000000001"], "exists in this namespace"),
        (["undo"], "undo"),
        (["import", "/nonexistent/place"], "/nonexistent/place does not exist."),
        (["search", "x", "--thread", "no name!"], "is no name for a thread"),
    ],
)
def test_failures_are_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("palimpsest: ")
    assert sentence in shown.err
    assert shown.err.count("\n") == 1


def test_the_doctor_finds_a_working_server_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "doctor")
    assert code == 0, out
    assert out.count("\nok  ") == 9
    assert "row-level security binds the role palimpsest_app" in out
    assert "all-MiniLM-L6-v2" in out


def test_the_doctor_names_what_is_ill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("PALIMPSEST_HOST", "0.0.0.0")

    def broken(_: object) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("palimpsest.server.commands.doctor.choose_counter", broken)
    code, out = run(capsys, "doctor")
    assert code == 1
    assert out.count("\nFAIL ") == 3
    assert "cannot be reached" in out
    assert "PALIMPSEST_BEARER_TOKEN" in out
    assert "not foreseen: RuntimeError: no such thing" in out


def test_migrate_says_when_nothing_is_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "stats")
    assert run(capsys, "migrate") == (0, "The database is at this version's schema.\n")


def test_migrate_reaches_the_database_that_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABASE_OWNER_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert main(["migrate"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_stop_leaves_a_server_that_is_used_and_says_when_none_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, out = run(capsys, "stop")
    assert (code, "in use" in out) == (1, True)
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", str(tmp_path))
    code, out = run(capsys, "stop")
    assert (code, "does not run" in out) == (0, True)


def test_the_demo_gets_every_byte_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "PACKAGES", ("json",))
    monkeypatch.setattr(demo, "ORIGINAL", "json/decoder.py")
    monkeypatch.setattr(demo, "documents", lambda: iter(()))
    code, out = run(capsys, "demo", "--data-dir", str(tmp_path))
    assert code == 0, out
    assert "identical, byte for byte" in out
    assert out.count("evidence:") == 5
    assert "in all" in out
