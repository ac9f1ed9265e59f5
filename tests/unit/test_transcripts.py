"""Session files of agents as turns, and their import: streamed, resumed, repeated."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from palimpsest.core.errors import InvalidInputError
from palimpsest.core.models import NewTurn
from palimpsest.server import transcripts
from palimpsest.server.cli import build_parser
from palimpsest.server.commands import importing
from palimpsest.server.commands.importing_transcripts import Wanted, add_transcripts
from palimpsest.server.transcripts import Transcript
from palimpsest.tools.access import Session

from .parts import ME, Parts, build_parts


def claude(kind: str, content: Any, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "message": {"role": kind, "content": content},
        "uuid": name,
        "sessionId": "5f0c-11",
        "timestamp": "2025-10-01T12:00:00.123Z",
        **more,
    }


def codex(role: str, text: str, kind: str = "output_text") -> dict[str, Any]:
    payload = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    return {"timestamp": "2025-10-01T12:00:00Z", "type": "response_item", "payload": payload}


def written(folder: Path, name: str, lines: Sequence[dict[str, Any] | str]) -> Path:
    path = folder / name
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[NewTurn], Transcript]:
    transcript = Transcript(path, "transcript:test")
    return list(transcript.turns()), transcript


CLAUDE = [
    {"type": "summary", "summary": "About a bug"},
    claude("user", "Why does it fail?", "u1"),
    claude("assistant", [{"type": "thinking", "thinking": "hm"}], "a0"),
    claude("assistant", [{"type": "text", "text": "Let me look."}], "a1"),
    claude("assistant", [{"type": "tool_use", "name": "Bash", "input": {}}], "a2"),
    claude("user", [{"type": "tool_result", "content": "out"}], "u2"),
    claude("user", "<command-name>/clear</command-name>", "u3"),
    claude("user", "Caveat: generated", "u4", isMeta=True),
    claude("assistant", [{"type": "text", "text": "Deep inside"}], "a3", isSidechain=True),
    claude("assistant", [{"type": "text", "text": "Here:"}, {"type": "text", "text": "a typo."}], "a4"),
]


def test_a_session_of_claude_code_gives_what_was_said(tmp_path: Path) -> None:
    turns, transcript = read(written(tmp_path, "5f0c.jsonl", CLAUDE))
    assert [(turn.role, turn.content, turn.turn_id) for turn in turns] == [
        ("user", "Why does it fail?", "u1"),
        ("assistant", "Let me look.", "a1"),
        ("assistant", "Here:\n\na typo.", "a4"),
    ]
    assert turns[0].date == "2025-10-01T12:00:00.123Z"
    assert transcript.session == "claude-code:5f0c-11"
    assert dict(transcript.left_out) == {
        "summary": 1,
        "thinking": 1,
        "tool_use": 1,
        "tool_result": 1,
        "the client's own": 2,
        "of a sub-agent": 1,
    }


def test_a_rollout_of_codex_gives_what_was_said(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"timestamp": "2025-10-01T11:59:00Z", "type": "session_meta", "payload": {"id": "0199/a b"}},
        codex("developer", "rules"),
        codex("user", "<environment_context>\n</environment_context>", "input_text"),
        codex("user", "Add a flag", "input_text"),
        {"type": "event_msg", "payload": {"type": "user_message", "message": "Add a flag"}},
        {"type": "response_item", "payload": {"type": "reasoning", "summary": []}},
        {"type": "response_item", "payload": {"type": "function_call", "name": "shell"}},
        codex("assistant", "Added."),
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "An older file's line"}]},
    ]
    turns, transcript = read(written(tmp_path, "rollout.jsonl", lines))
    assert [(turn.role, turn.content, turn.turn_id) for turn in turns] == [
        ("user", "Add a flag", "line-4"),
        ("assistant", "Added.", "line-8"),
        ("user", "An older file's line", "line-9"),
    ]
    assert transcript.session == "codex:0199-a-b"
    assert dict(transcript.left_out) == {
        "session_meta": 1,
        "a message of developer": 1,
        "the client's own": 1,
        "event_msg": 1,
        "response_item of reasoning": 1,
        "response_item of function_call": 1,
    }


def test_plain_lines_give_role_or_speaker_id_and_date(tmp_path: Path) -> None:
    lines: list[dict[str, Any] | str] = [
        {"role": "user", "content": "one", "id": 7, "date": "2024-05-01"},
        "",
        {"speaker": "Ann", "content": [{"type": "text", "text": "two"}], "timestamp": "2024-05-02T10:00Z"},
        {"role": None, "speaker": 5, "content": "no name"},
        {"role": "user", "content": 12},
        {"role": "user", "content": [{"type": "image"}]},
        {"note": "nothing said"},
        "[1, 2]",
        '{"role": "user", "content": "cut her',
    ]
    turns, transcript = read(written(tmp_path, "talk.jsonl", lines))
    assert turns == [
        NewTurn("user", "one", "7", "2024-05-01"),
        NewTurn("Ann", "two", "line-3", "2024-05-02T10:00Z"),
        NewTurn("", "no name", "line-4"),
    ]
    assert transcript.session == "transcript:test"
    assert dict(transcript.left_out) == {
        "without content": 1,
        "image": 1,
        "of an unknown shape": 1,
        "line 8 is cut or no JSON object": 1,
        "line 9 is cut or no JSON object": 1,
    }


def test_a_line_without_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MOST_LINE_BYTES", 1000)
    long = {"role": "user", "content": "x" * 3_000_000}
    turns, transcript = read(written(tmp_path, "long.jsonl", [long, {"role": "user", "content": "after"}]))
    assert turns == [NewTurn("user", "after", "line-2")]
    assert dict(transcript.left_out) == {"line 1 is cut or no JSON object": 1}


def session_of(parts: Parts) -> Session:
    return Session(parts.services, ME, wake=lambda: None)


async def count_items(parts: Parts) -> int:
    return (await parts.memory.list_items(ME, limit=1)).total


async def test_ten_imports_of_a_growing_file_keep_each_turn_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = build_parts()
    session, paths = session_of(parts), [str(tmp_path)]
    written(tmp_path, "notes.txt", ["no transcript"])
    path = written(tmp_path, "5f0c.jsonl", CLAUDE)
    with path.open("a") as stream:
        stream.write('{"type": "user", "uuid": "u9", "message": {"role": "user", "con')
    first = await add_transcripts(session, paths, Wanted())
    assert +first == {"added": 3}
    told = capsys.readouterr().out
    assert "5f0c.jsonl as claude-code:5f0c-11: 3 added\n" in told
    assert "  left out: 2 times the client's own\n" in told
    assert "  left out: line 11 is cut or no JSON object\n" in told
    written(tmp_path, "5f0c.jsonl", [*CLAUDE, claude("user", "Thanks", "u9")])
    assert +(await add_transcripts(session, paths, Wanted())) == {"added": 1, "known": 3}
    for _ in range(9):
        assert +(await add_transcripts(session, paths, Wanted())) == {"known": 4}
    assert await count_items(parts) == 4


async def test_turns_that_cannot_be_kept_are_left_out_and_the_others_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palimpsest.server.commands.importing_transcripts.BATCH", 2)
    lines: list[dict[str, Any]] = [{"role": "user", "content": f"turn {place}"} for place in range(5)]
    lines[1]["date"] = "2024-02-30"
    lines[2]["role"] = ""
    lines[3]["content"] = ""
    parts = build_parts()
    path = written(tmp_path, "talk talk.jsonl", lines)
    counts = await add_transcripts(session_of(parts), [str(path)], Wanted(window="summarising"))
    assert +counts == {"added": 2, "empty": 1}
    told = capsys.readouterr().out
    assert "talk talk.jsonl as transcript:talk-talk: 2 added, 1 empty" in told
    assert "left out: The date '2024-02-30' does not exist" in told
    assert "left out: It has no role" in told
    page = await parts.memory.list_items(ME)
    assert {(item.thread, item.source["tool"]) for item in page.items} == {("transcript:talk-talk", "import")}


async def test_a_file_of_nothing_known_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "data.jsonl", [{f"key{place}": 1, "type": f"kind{place}"} for place in range(30)])
    counts = await add_transcripts(session_of(build_parts()), [str(path)], Wanted())
    assert counts.total() == 0
    told = capsys.readouterr().out
    assert told.startswith("data.jsonl: no turns\n")
    assert "left out: 30 lines in all" in told


async def test_a_session_may_be_named_for_one_file_only(tmp_path: Path) -> None:
    parts = build_parts()
    one = written(tmp_path, "a.jsonl", CLAUDE)
    await add_transcripts(session_of(parts), [str(one)], Wanted(session="mine", thread="work"))
    item = (await parts.memory.list_items(ME)).items[0]
    assert (item.thread, item.source["session"]) == ("work", "mine")
    written(tmp_path, "b.jsonl", CLAUDE)
    with pytest.raises(InvalidInputError, match="--session names one conversation, and there are 2 files"):
        await add_transcripts(session_of(parts), [str(tmp_path)], Wanted(session="mine"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["import", "x", "--session", "s"], "pass --transcripts, too"),
        (["import", "x", "--window", "sliding"], "pass --transcripts, too"),
        (["import", "x", "--transcripts", "--tag", "t"], "Turns bear no tags"),
    ],
)
async def test_options_that_do_not_go_together_are_refused(given: list[str], reason: str) -> None:
    arguments: argparse.Namespace = build_parser().parse_args(given)
    with pytest.raises(InvalidInputError, match=reason):
        await importing.run(None, arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
