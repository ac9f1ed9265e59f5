"""Checks of what callers hand in: each refusal is one sentence that says what is wrong and what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .errors import InvalidInputError
from .models import DETAILS, MEMORY_TYPES, STANDINGS, TRUSTS, Detail, Filters, MemoryType, Standing, Trust

MAX_QUERY_BYTES = 100_000
MAX_LABEL = 200
MAX_TAGS = 50
# A microsecond within what a datetime can be: to PostgreSQL's driver its ends are infinite.
EARLIEST = datetime(1, 1, 1, 0, 0, 0, 1, UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999_998, UTC)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].+)?\Z", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATA_URI = re.compile(r"\s*data:(image|audio|video|application/pdf)[^,]{0,100};base64,", re.IGNORECASE)
_BINARY_TYPES = re.compile(
    r"(image|audio|video|font)/|application/(pdf|zip|octet-stream|gzip|x-tar|vnd\.)", re.IGNORECASE
)
_BINARY_HEADS = {
    "%PDF-": "a PDF",
    "\x89PNG": "a PNG image",
    "\ufffdPNG": "a PNG image",
    "GIF89a": "a GIF image",
    "GIF87a": "a GIF image",
    "PK\x03\x04": "a zip archive",
    "\x7fELF": "a program",
    "iVBORw0KGgo": "a PNG image in base64",
    "/9j/4AAQ": "a JPEG image in base64",
    "JVBERi0": "a PDF in base64",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a namespace accepts; sizes in bytes of UTF-8, 0 for a store without a limit."""

    max_item_bytes: int = 16_000_000
    max_store_bytes: int = 0


def encode_content(content: str, content_type: str, limits: Limits) -> bytes:
    """Return the content's UTF-8 bytes.

    Raises:
        InvalidInputError: empty, too large, not text, or not encodable.
    """
    if not content or content.isspace():
        raise InvalidInputError("The content is empty; pass the text to remember in `content`.")
    _refuse_binary(content, content_type)
    if (lone := _SURROGATE.search(content)) is not None:
        raise InvalidInputError(
            f"The content has half a surrogate pair (U+{ord(lone.group()):04X}) at character {lone.start()}, "
            "which no UTF-8 text can carry; decode the source again (it was cut inside an emoji) and resend."
        )
    data = content.encode()
    if len(data) > limits.max_item_bytes:
        raise InvalidInputError(
            f"The content is {len(data):,} bytes, above the limit of {limits.max_item_bytes:,} for one item; "
            "split it at natural borders into several items, or raise PALIMPSEST_MAX_ITEM_BYTES."
        )
    return data


def _refuse_binary(content: str, content_type: str) -> None:
    found = next((what for head, what in _BINARY_HEADS.items() if content.startswith(head)), None)
    if found is None and (uri := _DATA_URI.match(content)) is not None:
        found = f"{uri.group(1).lower()} data in base64"
    if found is None and _BINARY_TYPES.match(content_type):
        found = content_type
    if found is not None:
        raise InvalidInputError(
            f"This is {found}, and Palimpsest keeps text only; extract its text or describe it in words, "
            "add that, and put the file's path into the title."
        )


def check_query(query: str) -> str:
    """Return the query, stripped.

    Raises:
        InvalidInputError: empty or longer than 100,000 bytes.
    """
    query = _SURROGATE.sub("\ufffd", query).replace("\x00", " ").strip()
    if not query:
        raise InvalidInputError("The query is empty; say in a few words what to look for.")
    if (size := len(query.encode())) > MAX_QUERY_BYTES:
        raise InvalidInputError(
            f"The query is {size:,} bytes, above the limit of {MAX_QUERY_BYTES:,}; search for the words that matter."
        )
    return query


def check_priority(priority: int) -> int:
    """Return a priority from 0 to 10."""
    if isinstance(priority, bool) or not 0 <= priority <= 10:
        raise InvalidInputError(f"The priority is {priority!r}; it must be a whole number from 0 (least) to 10 (most).")
    return priority


def check_trust(trust: str) -> Trust:
    """Return a level of trust."""
    for level in TRUSTS:
        if level == trust:
            return level
    raise InvalidInputError(f"{trust[:60]!r} is no level of trust; use {', '.join(TRUSTS)}.")


def check_name(name: str, what: str) -> str:
    """Return a thread's or namespace's name: 1 to 100 letters, digits and ``._:/@-``."""
    if not _NAME.match(name):
        raise InvalidInputError(
            f"{name[:60]!r} is no name for a {what}; use 1 to 100 letters, digits and "
            ". _ : / @ -, starting with a letter or digit."
        )
    return name


def check_label(text: str | None, what: str) -> str | None:
    """Return a one-line label of at most 200 characters, or None when it is blank."""
    if text is None:
        return None
    text = " ".join(_SURROGATE.sub("\ufffd", text).replace("\x00", " ").split())
    if len(text) > MAX_LABEL:
        raise InvalidInputError(f"The {what} has {len(text)} characters; {MAX_LABEL} are allowed.")
    return text or None


def check_text(text: str, what: str) -> str:
    """Return a text of several lines without what PostgreSQL's text cannot keep.

    Raises:
        InvalidInputError: it is empty.
    """
    cleaned = _SURROGATE.sub("\ufffd", text).replace("\x00", " ").strip()
    if not cleaned:
        raise InvalidInputError(f"The {what} is empty; write it and pass it again.")
    return cleaned


def check_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return distinct tags in the order given; each a one-line label."""
    cleaned = tuple(dict.fromkeys(tag for tag in (check_label(raw, "tag") for raw in tags) if tag))
    if len(cleaned) > MAX_TAGS:
        raise InvalidInputError(f"{len(cleaned)} tags are too many; {MAX_TAGS} are allowed.")
    return cleaned


def check_memory_type(value: str) -> MemoryType:
    """Return one of the four memory types."""
    if value not in MEMORY_TYPES:
        raise InvalidInputError(f"{value[:60]!r} is no memory type; use one of {', '.join(MEMORY_TYPES)}.")
    return value


def check_detail(value: str) -> Detail:
    """Return one of the levels of detail."""
    if value not in DETAILS:
        raise InvalidInputError(f"{value[:60]!r} is no level of detail; use one of {', '.join(DETAILS)}.")
    return value


def check_standing(value: str) -> Standing:
    """Return one of the levels at which an item stands in its thread's block."""
    if value not in STANDINGS:
        raise InvalidInputError(f"{value[:60]!r} is no level of detail; use one of {', '.join(STANDINGS)}.")
    return value


def check_days(value: float | None) -> float | None:
    """Return a positive number of days, at most a hundred years, or None."""
    if value is not None and not 0 < value <= 36_525:
        raise InvalidInputError(f"The number of days is {value!r}; it must be above 0 and at most 36,525.")
    return value


def check_moment(text: str | None) -> datetime | None:
    """Return an ISO date or time of the years 1 to 9999, in UTC; a date is its midnight, UTC unless it says otherwise.

    Raises:
        InvalidInputError: it is written otherwise, or there is no such day.
    """
    if text is None:
        return None
    written = text.strip()
    reason = "is no ISO date"
    if _MOMENT.match(written):
        try:
            moment = datetime.fromisoformat(written)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return min(max(moment, EARLIEST), LATEST)
        except (ValueError, OverflowError):
            reason = "does not exist"
    raise InvalidInputError(
        f"The date {written[:40]!r} {reason}; write a day of the years 0001 to 9999 as 2026-05-31, "
        "or with its time as 2026-05-31T14:30Z."
    )


def check_share(value: float, highest: float) -> float:
    """Return a share of the window above 0, at most ``highest``."""
    if not 0 < value <= highest:
        raise InvalidInputError(
            f"The share is {value!r}; it must be above 0 and at most {highest:g}, the thread's trigger: 0.2 is a fifth."
        )
    return value


def check_range(value: int, low: int, high: int, what: str) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not low <= value <= high:
        raise InvalidInputError(f"{what} is {value!r}; it must be from {low:,} to {high:,}.")
    return value


def check_filters(filters: Filters | None) -> Filters:
    """Return filters whose texts are cleaned as labels are, so that they can equal what is stored."""
    if filters is None:
        return Filters()
    return replace(
        filters,
        thread=None if filters.thread is None else check_name(filters.thread, "thread"),
        content_type=check_label(filters.content_type, "content type"),
        memory_type=None if filters.memory_type is None else check_memory_type(filters.memory_type),
        tags=check_tags(filters.tags),
        min_priority=None if filters.min_priority is None else check_priority(filters.min_priority),
    )
