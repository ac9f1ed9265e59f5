"""The commands `tasks` and `agents`, over an in-memory store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest

from palimpsest.core.calls import Caller, NewTask
from palimpsest.core.models import TaskReceipt
from palimpsest.server.app import Application
from palimpsest.server.cli import main
from palimpsest.server.settings import Settings
from palimpsest.storage.inmemory import InMemoryStore

from ..applications import fake_application, fake_opener

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Generator[InMemoryStore, None, None]:
    """What the commands open."""
    kept = InMemoryStore()

    def application(_: Settings) -> Application:
        return fake_application(fake_opener(kept), drain_seconds=0)

    monkeypatch.setattr("palimpsest.server.commands.opened.Application", application)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(store: InMemoryStore, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and return its exit code and what it printed."""

    def command(*arguments: str) -> tuple[int, str]:
        code = main(arguments)
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return command


def make(store: InMemoryStore, title: str, **fields: Any) -> str:
    async def create() -> TaskReceipt:
        async with fake_application(fake_opener(store), drain_seconds=0) as application:
            session = await application.session("tester")
            return await session.services.tasks.create(Caller("default", "tester"), NewTask(title, **fields))

    return asyncio.run(create()).task.task_id


def test_tasks_are_listed_and_shown(store: InMemoryStore, run: Run) -> None:
    assert run("tasks") == (0, "0 of 0 tasks.\n")
    first = make(store, "first", description="all about it")
    make(store, "second", assignee="ann")
    code, out = run("tasks", "--limit", "1")
    assert (code, out.splitlines()) == (0, [f"{first} · first · open · priority 5", "1 of 2 tasks."])
    assert run("tasks", "--agent", "ann")[1].endswith("· for ann\n1 of 1 tasks.\n")
    assert run("tasks", "--status", "done") == (0, "0 of 0 tasks.\n")
    code, out = run("tasks", first)
    assert code == 0
    assert out.startswith(f"# Task {first}: first\n")
    assert "all about it" in out
    assert f"Packet of {first}, " in out
    assert "Tasks: 2 open." in run("stats")[1]


def test_agents_are_registered_and_listed(run: Run) -> None:
    assert run("agents") == (0, "0 agents.\n")
    code, out = run("agents", "--register", "ann", "--role", "smith", "--capability", "welding", "--capability", "x")
    assert code == 0
    assert out.startswith("Registered: ann · smith · welding, x · seen ")
    assert run("agents", "--register", "ann")[1].startswith("Seen: ann · smith · welding, x")
    assert run("agents")[1].endswith("\n1 agents.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tasks", "nonsense"), "is not a task id"),
        (("tasks", "task_0000000000001"), "No task"),
        (("tasks", "--status", "ready"), "no status"),
        (("agents", "--role", "smith"), "go with --register"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, out = run(*arguments)
    assert code == 1
    assert sentence in out
    assert out.count("\n") == 1
