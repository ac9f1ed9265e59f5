"""Transcripts of agents as turns: Claude Code's and Codex's session files, and plain lines of JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, cast

from ..core.models import NewTurn

MOST_LINE_BYTES = 64_000_000
"""A longer line is no turn; it is passed over without being held in memory at once."""
_CHUNK = 1 << 20
_SPEAKERS = ("user", "assistant")
_TEXTS = ("text", "input_text", "output_text")
_NOT_SAID = re.compile(r"\s*<(?:environment_context|user_instructions|permissions|system-reminder|command-)")
"""What clients put into a user's mouth."""
_NAME = re.compile(r"[^A-Za-z0-9._@-]+")
_MOST_NAME = 80


@dataclass(slots=True)
class Transcript:
    """A file of turns, read as it is gone through; ``left_out`` counts its other lines by what they are."""

    path: Path
    session: str
    left_out: Counter[str] = field(default_factory=Counter[str])
    _named: bool = False

    def turns(self) -> Iterator[NewTurn]:
        """Yield the turns in order; a line that cannot be read is counted, and those after it are read."""
        for number, raw in enumerate(_lines(self.path), start=1):
            if raw is not None and not raw.strip():
                continue
            found = None if raw is None else _object(raw)
            if found is None:
                self.left_out[f"line {number} is cut or no JSON object"] += 1
                continue
            self._notice_session(found)
            turn = turn_of(found, number)
            if isinstance(turn, NewTurn):
                yield turn
            else:
                self.left_out[turn] += 1

    def _notice_session(self, found: Mapping[str, Any]) -> None:
        """Take the name that the client gave the session where the file begins with it."""
        if self._named:
            return
        payload = found.get("payload")
        if found.get("type") == "session_meta" and isinstance(payload, dict):
            name, client = cast("dict[str, Any]", payload).get("id"), "codex"
        else:
            name, client = found.get("sessionId"), "claude-code"
        if isinstance(name, str) and name:
            self.session, self._named = session_name(client, name), True


def session_name(client: str, name: str) -> str:
    """Return a session's name that can be one of a thread, too."""
    return f"{client}:{_NAME.sub('-', name).strip('-')[:_MOST_NAME] or 'session'}"


def turn_of(found: Mapping[str, Any], number: int) -> NewTurn | str:
    """Return the turn that a line holds, or what the line is instead."""
    kind, payload = found.get("type"), found.get("payload")
    if isinstance(found.get("message"), dict) and kind in _SPEAKERS:
        return _of_claude_code(found, str(kind))
    if isinstance(payload, dict):
        inner = cast("dict[str, Any]", payload)
        if kind == "response_item" and inner.get("type") == "message":
            return _of_codex(inner, found.get("timestamp"), number)
        # An event repeats what a response item says.
        return f"{kind} of {inner.get('type')}" if kind == "response_item" else str(kind)
    if kind == "message" and isinstance(found.get("content"), list):
        return _of_codex(found, found.get("timestamp"), number)
    if "content" in found and ("role" in found or "speaker" in found):
        return _plain(found, number)
    return str(kind)[:60] if kind is not None else "of an unknown shape"


def _of_claude_code(found: Mapping[str, Any], kind: str) -> NewTurn | str:
    if found.get("isMeta"):
        return "the client's own"
    if found.get("isSidechain"):
        return "of a sub-agent"
    message = cast("dict[str, Any]", found["message"])
    text = _text_of(message.get("content"))
    if text is None:
        return _blocks_told(message.get("content"))
    if _NOT_SAID.match(text):
        return "the client's own"
    return _turn(message.get("role", kind), text, found.get("uuid"), found.get("timestamp"))


def _of_codex(message: Mapping[str, Any], timestamp: Any, number: int) -> NewTurn | str:
    role = message.get("role")
    if role not in _SPEAKERS:
        return f"a message of {role}"
    text = _text_of(message.get("content"))
    if text is None:
        return _blocks_told(message.get("content"))
    if _NOT_SAID.match(text):
        return "the client's own"
    return _turn(role, text, f"line-{number}", timestamp)


def _plain(found: Mapping[str, Any], number: int) -> NewTurn | str:
    text = _text_of(found["content"])
    if text is None:
        return _blocks_told(found["content"])
    name = found.get("id")
    date = found.get("date", found.get("timestamp"))
    speaker = found.get("role") or found.get("speaker")
    return _turn(speaker, text, f"line-{number}" if name in (None, "") else name, date)


def _turn(role: Any, text: str, name: Any, date: Any) -> NewTurn:
    told = role if isinstance(role, str) else ""
    return NewTurn(told, text, None if name is None else str(name), None if date is None else str(date))


def _text_of(content: Any) -> str | None:
    """Return what was said, None where nothing was: calls of tools and their results are no turns."""
    if isinstance(content, str):
        return content
    if not _is_list(content):
        return None
    blocks = _blocks(content)
    texts: Sequence[Any] = [one.get("text") for one in blocks if one.get("type") in _TEXTS]
    said = [text for text in texts if isinstance(text, str) and text.strip()]
    return "\n\n".join(said) if said else None


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _blocks(content: list[Any]) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", one) for one in content if isinstance(one, dict)]


def _blocks_told(content: Any) -> str:
    if not _is_list(content):
        return "without content"
    blocks = _blocks(content)
    return ", ".join(sorted({str(one.get("type"))[:40] for one in blocks})) or "without content"


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        found: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def _lines(path: Path) -> Iterator[bytes | None]:
    """Yield a file's lines, None for one that is too long."""
    with path.open("rb") as stream:
        while line := stream.readline(MOST_LINE_BYTES):
            if len(line) < MOST_LINE_BYTES or line.endswith(b"\n"):
                yield line
                continue
            while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
            yield None
