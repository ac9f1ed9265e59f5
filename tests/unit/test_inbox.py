"""The command `inbox`, over an in-memory store."""

from __future__ import annotations

import asyncio
import builtins
import getpass
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core.calls import NewMemory
from palimpsest.core.models import HumanRequest, Said
from palimpsest.core.people import Question
from palimpsest.server.app import Application
from palimpsest.server.cli import main
from palimpsest.server.commands import inbox
from palimpsest.server.settings import Settings
from palimpsest.storage.inmemory import InMemoryStore
from palimpsest.tools.access import Session

from ..applications import fake_application, fake_opener

FORM = {"type": "object", "properties": {"days": {"type": "integer"}, "name": {"type": "string"}}, "required": ["days"]}


class Desk:
    """The memory that the command opens, and what an agent asks of it."""

    def __init__(self) -> None:
        self.store = InMemoryStore()

    def application(self) -> Application:
        return fake_application(fake_opener(self.store), drain_seconds=0)

    def ask(self, question: str, **given: object) -> str:
        async def asking() -> HumanRequest:
            async with self.application() as application:
                session = await application.session("agent")
                asked = Question(question, **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
                return (await session.services.people.ask(session.caller, asked, Said()))[0]

        return asyncio.run(asking()).request_id

    def add(self, text: str, title: str) -> str:
        async def adding() -> str:
            async with self.application() as application:
                session = await application.session("agent")
                return (await session.memory.add(session.caller, NewMemory(text, title=title))).item.item_id

        return asyncio.run(adding())

    def status(self, request_id: str) -> tuple[str, object]:
        request = asyncio.run(self.store.get_request("default", request_id))
        return request.status, request.answer


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A memory at a terminal."""
    made = Desk()

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncGenerator[Session, None]:
        async with made.application() as application:
            yield await application.session("command line")

    monkeypatch.setattr(inbox, "open_session", opened)
    monkeypatch.setattr(inbox, "at_terminal", lambda: True)
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    return made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person types; then comes Ctrl-D."""
    lines: list[str] = []

    def read(_: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr(builtins, "input", read)
    return lines


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["inbox", *arguments])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_an_empty_inbox_says_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys) == (0, "0 questions wait for a person.\n")


def test_a_question_is_shown_with_all_that_a_person_must_know(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "at_terminal", lambda: False)
    item_id = desk.add("a text", "notes/\x1b[2Jtea.md")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    desk.ask("Which colour?\nIt is for the roof.", choices=["red", "blue"], urgency="high", subject_id=item_id)
    desk.ask("How long?", form=FORM, deadline=tomorrow.isoformat(), default='{"days": 3}')
    desk.ask("Why?", deadline=tomorrow.isoformat(), subject_id="task_0000000000001")
    desk.ask("About what is gone?", subject_id="mem_0000000000001")
    code, out = run(capsys)
    assert code == 0
    assert "4 questions wait for a person." in out
    assert "from agent, high urgency\n  Which colour?\n  It is for the roof.\n" in out
    assert f"About {item_id}: notes/" in out
    assert "\x1b" not in out
    assert "Choices: 1 red, 2 blue" in out
    assert "Fields: days (a whole number); name (a text)" in out
    assert f'Until {tomorrow:%Y-%m-%d %H:%M} UTC; then the answer is {{"days": 3}}.' in out
    assert "then it expires." in out
    assert "About task_0000000000001\n" in out
    assert "mem_0000000000001: no longer here" in out
    assert "Answer in a terminal: palimpsest inbox answer" in out


def test_a_person_answers_declines_and_cancels(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = desk.ask("Which?", choices=["red", "blue"]), desk.ask("Why?"), desk.ask("When?")
    assert run(capsys, "answer", first, "Blue") == (0, f"{first} was answered: blue.\n")
    assert run(capsys, "decline", second) == (0, f"{second} was declined by a person.\n")
    assert run(capsys, "cancel", third) == (0, f"{third} was cancelled.\n")
    assert (desk.status(first), desk.status(second)[0]) == (("answered", "blue"), "declined")
    assert asyncio.run(desk.store.get_request("default", first)).answered_by == "ann"
    _, out = run(capsys)
    assert "Lately:" in out
    assert f"{first} was answered: blue" in out


def test_an_answer_may_have_several_words_or_be_a_form(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    free, form = desk.ask("Why?"), desk.ask("How long?", form=FORM)
    assert run(capsys, "answer", free, "because", "of", "that")[0] == 0
    assert run(capsys, "answer", form, '{"days": 3}')[0] == 0
    assert desk.status(free) == ("answered", "because of that")
    assert desk.status(form) == ("answered", {"days": 3})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["answer"], "Say which: palimpsest inbox answer ask_…"),
        (["answer", "{id}"], "Say what the answer is"),
        (["answer", "{id}", "green"], "'green' is none of the choices"),
        (["answer", "ask_0000000000001", "x"], "No request 'ask_0000000000001'"),
        (["decline", "nonsense"], "is not a request id"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_changes_nothing(
    arguments: list[str], sentence: str, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = desk.ask("Which?", choices=["red", "blue"])
    code, out = run(capsys, *(one.format(id=asked) for one in arguments))
    assert code == 1
    assert sentence in out
    assert out.count("\n") == 1
    assert desk.status(asked)[0] == "open"


def test_a_second_answer_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    asked = desk.ask("Which?", choices=["red", "blue"])
    run(capsys, "answer", asked, "red")
    code, out = run(capsys, "answer", asked, "blue")
    assert (code, desk.status(asked)) == (1, ("answered", "red"))
    assert "was answered: red; it can no longer be changed" in out


@pytest.mark.parametrize("action", [["answer", "{id}", "red"], ["decline", "{id}"], ["cancel", "{id}"]])
def test_without_a_terminal_nothing_is_taken_unless_it_is_set_so(
    action: list[str], desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "at_terminal", lambda: False)
    asked = desk.ask("Which?", choices=["red", "blue"])
    arguments = [one.format(id=asked) for one in action]
    code, out = run(capsys, *arguments)
    assert code == 1
    assert "from a person at a terminal only" in out
    assert desk.status(asked)[0] == "open"
    monkeypatch.setenv("PALIMPSEST_HUMAN_NEEDS_TERMINAL", "false")
    assert run(capsys, *arguments)[0] == 0
    assert desk.status(asked)[0] != "open"


def test_a_terminal_has_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    for stdin, stdout in ((True, True), (True, False), (False, True)):
        monkeypatch.setattr("sys.stdin.isatty", lambda stdin=stdin: stdin, raising=False)
        monkeypatch.setattr("sys.stdout.isatty", lambda stdout=stdout: stdout, raising=False)
        assert inbox.at_terminal() == (stdin and stdout)


def test_at_a_terminal_each_question_is_asked_in_turn(
    desk: Desk, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    by_number, by_name, refused, skipped = (
        desk.ask(question, choices=["red", "blue"]) for question in ("a?", "b?", "c?", "d?")
    )
    form, later = desk.ask("e?", form=FORM), desk.ask("f?")
    typed += ["2", "green", "red", "-", "", "soon", "Ann", "3", "Ann"]
    code, out = run(capsys)
    assert code == 0
    assert "'green' is none of the choices" in out
    assert "'days' must be a whole number" in out
    assert [desk.status(one) for one in (by_number, by_name, refused, skipped, form, later)] == [
        ("answered", "blue"),
        ("answered", "red"),
        ("declined", None),
        ("open", None),
        ("answered", {"days": 3, "name": "Ann"}),
        ("open", None),
    ]


def test_a_form_can_be_left_open_or_declined(desk: Desk, typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    left, declined = desk.ask("e?", form=FORM), desk.ask("f?", form=FORM)
    typed += ["", "", "-"]
    run(capsys)
    assert (desk.status(left)[0], desk.status(declined)[0]) == ("open", "declined")


def test_what_was_answered_meanwhile_is_said(
    desk: Desk, typed: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = desk.ask("a?", choices=["red", "blue"])

    async def answered_elsewhere(prompt: str) -> str:
        from palimpsest.core.models import Closing

        await desk.store.close_request("default", asked, Closing("answered", "bob", "cli", "red"))
        return "blue"

    monkeypatch.setattr(inbox, "_line", answered_elsewhere)
    assert "was answered: red; it can no longer be changed" in run(capsys)[1]


def test_a_person_without_an_account_has_a_name_too(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    asked = desk.ask("Why?")
    run(capsys, "answer", asked, "so")
    assert asyncio.run(desk.store.get_request("default", asked)).answered_by
    assert json.dumps(desk.status(asked)[1]) == '"so"'
