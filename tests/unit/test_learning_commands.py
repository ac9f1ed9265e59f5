"""The commands of `slm` that are about learning, over an in-memory store and a loopback server of adapters."""

from __future__ import annotations

import json
import logging
import stat
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from palimpsest.server.cli import main
from palimpsest.server.learning import Learning, build_learning
from palimpsest.server.settings import Settings
from palimpsest.storage.inmemory import InMemoryStore

from ..contract.adapter_server import KEY, Server, serve
from .learning_parts import PROGRAM

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def run(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Generator[Run, None, None]:
    """Run a command and return its exit code and what it printed; learning is on, and the trainer plays its part."""
    store = InMemoryStore()

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncGenerator[Learning, None]:
        yield build_learning(settings, store)

    def command(*arguments: str) -> tuple[int, str]:
        code = main(["slm", *arguments])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    (tmp_path / "fake.py").write_text(PROGRAM)
    (tmp_path / "mode").write_text("good")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "fake.py"}" "$3"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("palimpsest.server.commands.slm_learning.open_learning", opened)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with serve(server) as address:
        for name, value in {
            "LEARNING": "on",
            "LEARNING_PYTHON": str(python),
            "LEARNING_ADAPTERS_DIR": str(tmp_path / "adapters"),
            "LEARNING_LEAST_HELD": "3",
            "SLM_BASE_URL": address,
            "SLM_API_KEY": KEY,
            "SLM_PROMPT_STYLE": "completions",
            "DATA_DIR": str(tmp_path),
        }.items():
            monkeypatch.setenv(f"PALIMPSEST_{name}", value)
        yield command
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def examples(tmp_path: Path) -> str:
    """A file of examples."""
    lines = [{"kind": "compress", "prompt": f"Shorten {number}.", "completion": "Short."} for number in range(80)]
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return str(path)


def test_a_model_learns_and_serves_and_goes_back(run: Run, server: Server, examples: str, tmp_path: Path) -> None:
    code, shown = run("examples", "--add", examples)
    assert (code, shown.splitlines()[0]) == (0, "80 new examples")
    code, shown = run("train")
    assert code == 0, shown
    assert "compress  held" in shown
    assert "Let it answer with: palimpsest slm promote slm-default-v0001" in shown
    code, shown = run("promote")
    assert code == 0, shown
    assert "trial question 3: slm-default-v0001 says this." in shown
    assert shown.endswith("Answering: slm-default-v0001.\n")
    assert server.adapters == {"slm-default-v0001": str(tmp_path / "adapters" / "slm-default-v0001")}
    code, shown = run("promote")
    assert (code, "No adapter waits to be promoted" in shown) == (1, True)
    assert run("train")[0] == 0
    assert run("promote", "slm-default-v0002", "--share", "10")[1].endswith(
        "Answering: slm-default-v0001; slm-default-v0002 answers 10 per cent on trial.\n"
    )
    server.adapters.clear()
    assert run("reload")[0] == 0
    assert sorted(server.adapters) == ["slm-default-v0001", "slm-default-v0002"]
    code, shown = run("rollback", "--reason", "it stammers")
    assert (code, shown) == (0, "Answering: slm-default-v0001.\n")
    assert run("rollback") == (0, "Answering: the base model.\n")
    code, shown = run("rollback")
    assert (code, shown) == (1, "palimpsest: No adapter answers; there is nothing to roll back.\n")
    assert server.adapters == {}


def test_the_registry_is_shown_with_its_reasons(run: Run, examples: str, tmp_path: Path) -> None:
    run("examples", "--add", examples)
    (tmp_path / "mode").write_text("crashes")
    code, shown = run("train")
    assert code == 1
    assert "slm-default-v0001  failed" in shown
    assert "The trainer ended with code 1 while training (3 of 9): ValueError." in shown
    assert run("train", "--replay", "1.5")[1].startswith("palimpsest: --replay is a share")
    (tmp_path / "mode").write_text("good")
    run("train")
    _, shown = run("status")
    assert shown.splitlines()[0].startswith("slm-default-v0002  published")
    assert "Answering: the base model." in shown


def test_without_consent_nothing_is_learned(run: Run, examples: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIMPSEST_LEARNING", "off")
    told = "Learning is off, so nothing was gathered; PALIMPSEST_LEARNING=on is everybody's consent.\n"
    assert run("examples") == (0, told)
    for arguments in (("examples", "--add", examples), ("train",)):
        code, shown = run(*arguments)
        assert (code, "PALIMPSEST_LEARNING is off" in shown) == (1, True)


def test_without_a_server_nothing_is_promoted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PALIMPSEST_SLM_BASE_URL")
    code, shown = run("rollback")
    assert (code, "set PALIMPSEST_SLM_BASE_URL" in shown) == (1, True)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("no json", "Line 2 of"),
        ('{"kind": "facts"}', "needs a JSON object with kind, prompt and completion"),
        ('{"kind": "facts", "prompt": 1, "completion": "b"}', "has a value that is no text"),
        ('["a"]', "is no example"),
    ],
)
def test_a_file_of_something_else_is_refused_by_its_line(run: Run, tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"kind": "facts", "prompt": "a", "completion": "b"}\n' + line + "\n")
    code, shown = run("examples", "--add", str(path))
    assert (code, sentence in shown) == (1, True), shown
    assert "cannot be read as text" in run("examples", "--add", str(tmp_path / "none"))[1]
    assert run("examples") == (0, "0 new examples\n")
