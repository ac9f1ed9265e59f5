"""Chats kept as JSON, written out as one turn a line: the messages of an API call, an export, lines of events."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from .json_shape import Json, parse_json

_SPEAKER = ("speaker", "role", "author", "name", "from", "sender", "user", "username", "user_name")
_SAID = ("content", "text", "message", "body", "value", "utterance")
_DATE = ("date", "timestamp", "created_at", "time", "ts", "sent_at", "create_time", "datetime")
_LISTS = ("messages", "turns", "conversation", "chat", "dialogue", "conversations", "items", "history", "transcript")
_MOSTLY = 0.8
_MAX_DEPTH = 6
_EARLIEST, _LATEST = 300_000_000, 100_000_000_000_000


def transcript(text: str) -> str | None:
    """Return the turns of a chat as ``[date] speaker: words``, None when the JSON is no chat."""
    if '"' not in text or text.lstrip()[:1] not in ("{", "["):
        return None
    found = parse_json(text)
    turns = list(_turns(found[0], 0)) if found is not None else []
    return "\n".join(turns) if len(turns) >= 2 else None


def _turns(value: Json, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        lists = [value[key] for key in _LISTS if isinstance(value.get(key), list | dict)]
        if lists:
            yield from _turns(lists[0], depth + 1)
    elif isinstance(value, list):
        read = [_turn(entry) for entry in value]
        found = [turn for turn in read if turn is not None]
        if found and len(found) >= _MOSTLY * len(value):
            yield from found
        else:
            for entry in value:
                yield from _turns(entry, depth + 1)


def _turn(entry: Json) -> str | None:
    if not isinstance(entry, dict):
        return None
    inner = entry.get("message")
    fields: Mapping[str, Json] = {**entry, **inner} if isinstance(inner, dict) else entry
    speaker = next((name for key in _SPEAKER if (name := _name(fields.get(key)))), "")
    said = next((words for key in _SAID if (words := _words(fields.get(key)))), "")
    if not speaker or not said:
        return None
    date = next((day for key in _DATE if (day := _day(fields.get(key)))), "")
    line = f"{speaker}: {' '.join(said.split())}"
    return f"[{date}] {line}" if date else line


def _name(value: Json) -> str:
    """Return a speaker's name, capital first, so that a turn begins with it."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "role", "username", "id") if isinstance(value.get(key), str)), "")
    name = " ".join(value.split()).replace(":", "") if isinstance(value, str) else ""
    return name[:1].upper() + name[1:40]


def _words(value: Json) -> str:
    """Return what was said: a string, or the texts of an array of parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return next((words for key in ("text", "content", "parts") if (words := _words(value.get(key)))), "")
    if isinstance(value, list):
        return " ".join(words for part in value[:100] if not isinstance(part, list) and (words := _words(part)))
    return ""


def _day(value: Json) -> str:
    """Return a date and time to the minute, from ISO text or from seconds or milliseconds since 1970."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and _EARLIEST < value < _LATEST:
        seconds = value / 1000 if value > _EARLIEST * 100 else value
        try:
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
        except (OverflowError, OSError, ValueError):
            return ""
    if not isinstance(value, str):
        return ""
    try:
        return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""
