"""The commands about the past against a real database: history, undo, trust, purge and its scrub."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

import pytest

from palimpsest.server.cli import main


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[None, None, None]:
    """A database of the test's own: a scrub rewrites all of it."""
    for name in ("DATABASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", str(tmp_path / "memory"))
    monkeypatch.setenv("PALIMPSEST_IDLE_SECONDS", "0")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_history_undo_trust_and_purge(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "tea.md").write_text("Oolong steeps for four minutes, says qzxpurgedqzx.")
    (notes / "web.md").write_text("Oolong steeps for an hour, says a page.")
    assert run(capsys, "import", str(notes / "tea.md")) == (0, "1 added\n")
    assert run(capsys, "import", str(notes / "web.md"), "--untrusted") == (0, "1 added\n")
    code, out = run(capsys, "history", "--hash")
    assert code == 0
    web, tea = [line.split()[3] for line in out.splitlines()[:2]]
    before = out.splitlines()[2].removeprefix("State: ")
    assert len(before) == 64
    _, out = run(capsys, "search", "oolong")
    assert tea in out
    assert web not in out
    assert run(capsys, "trust", web, "high") == (0, f"{web} has high trust and stands at archived.\n")
    _, out = run(capsys, "history", web)
    assert [line.split()[2] for line in out.splitlines()] == ["relabel", "add"]
    code, out = run(capsys, "undo", "--check")
    assert code == 0
    assert out.splitlines()[0] == f"Undid relabel of {web}: the item is now updated."
    assert out.splitlines()[2] == f"State now:    {before}"
    assert run(capsys, "history", "task_1")[0] == 1

    code, out = run(capsys, "purge", tea)
    assert (code, out.splitlines()[0]) == (0, f"Purged {tea} with its 1 versions.")
    assert "--scrub does that now" in out
    code, out = run(capsys, "purge", "--scrub")
    assert (code, out.splitlines()[-1]) == (
        0,
        "Nothing of what was purged is left on disk. Backups and dumps have their own.",
    )
    holding = [
        path for path in (tmp_path / "memory").rglob("*") if path.is_file() and b"qzxpurgedqzx" in path.read_bytes()
    ]
    assert holding == []
    assert "1 items, 0 forgotten" in run(capsys, "stats")[1]
    code, out = run(capsys, "doctor")
    assert code == 0
    assert "the bundled PostgreSQL logs no statements and no parameters" in out
