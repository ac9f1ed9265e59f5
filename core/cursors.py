"""Opaque cursors: where the next page starts, bound to what is being paged."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from .errors import InvalidInputError

MAX_VERSION = 2**31 - 1


def _pack(kind: str, *fields: str | int) -> str:
    raw = json.dumps([kind, *fields], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpack(kind: str, cursor: str, *types: type) -> list[Any]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        fields = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        fields = None
    if not (
        isinstance(fields, list)
        and len(fields) == len(types) + 1  # pyright: ignore[reportUnknownArgumentType]
        and fields[0] == kind
        and all(type(value) is wanted for value, wanted in zip(fields[1:], types, strict=True))  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    ):
        raise InvalidInputError(
            "The cursor is not one that this tool returned; pass next_cursor unchanged, or leave it out to start over."
        )
    return fields[1:]  # pyright: ignore[reportUnknownVariableType]


def pack_read(item_id: str, version: int, detail: str, offset: int) -> str:
    """Return the cursor for reading on at byte ``offset``."""
    return _pack("read", item_id, version, detail, offset)


def parse_read(cursor: str, item_id: str) -> tuple[int, str, int]:
    """Return (version, detail, byte offset).

    Raises:
        InvalidInputError: the cursor is malformed or of another item.
    """
    of, version, detail, offset = _unpack("read", cursor, str, int, str, int)
    if of != item_id:
        raise InvalidInputError(
            f"The cursor belongs to item {of!r}, not {item_id!r}; pass the cursor with its own item_id."
        )
    if offset < 0 or not 1 <= version <= MAX_VERSION:
        raise InvalidInputError("The cursor points outside this item; leave cursor out to start over.")
    return version, detail, offset


def pack_list(created_at: datetime, item_id: str) -> str:
    """Return the cursor for listing on after the item."""
    return _pack("list", created_at.isoformat(), item_id)


def parse_list(cursor: str) -> tuple[datetime, str]:
    """Return (created_at, item_id) of the last item seen.

    Raises:
        InvalidInputError: the cursor is malformed.
    """
    at, item_id = _unpack("list", cursor, str, str)
    return _parse_moment(at), item_id


def pack_task(place: tuple[int, bool, datetime, str]) -> str:
    """Return the cursor for listing on after the task at a place in their order."""
    urgency, open_end, moment, task_id = place
    return _pack("tasks", urgency, int(open_end), moment.isoformat(), task_id)


def parse_task(cursor: str) -> tuple[int, bool, datetime, str]:
    """Return the place of the last task seen.

    Raises:
        InvalidInputError: the cursor is malformed.
    """
    urgency, open_end, at, task_id = _unpack("tasks", cursor, int, int, str, str)
    if not (-10 <= urgency <= 0 and open_end in (0, 1)):
        raise InvalidInputError("The cursor points outside the list; leave cursor out to start over.")
    return urgency, bool(open_end), _parse_moment(at), task_id


def _parse_moment(text: str) -> datetime:
    try:
        # A date without its zone, or at the end of time, was never packed here and cannot be compared.
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError("The cursor's date cannot be read; leave cursor out to start over.") from None
