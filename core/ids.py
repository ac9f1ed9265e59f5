"""Ids made by us: 63-bit numbers that sort by time, written as short lower-case text."""

import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Literal

from .errors import InvalidInputError

Subject = Literal["item", "thread", "task", "agent", "request"]
"""What has an id, and a history; a thread's id is for the history alone, everywhere else it goes by its name."""

ITEM_PREFIX = "mem_"
PREFIXES: Mapping[Subject, str] = {
    "item": ITEM_PREFIX,
    "thread": "thread_",
    "task": "task_",
    "agent": "agent_",
    "request": "ask_",
}
_GIVEN_BY: Mapping[Subject, str] = {
    "item": "memory_search and memory_list give them",
    "thread": "`palimpsest history` gives them",
    "task": "task_list gives them",
    "agent": "agent_list gives them",
    "request": "human_list gives them",
}
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 13
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = (50, 40, 30, 20, 10, 0)
_EPOCH_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
_RANDOM_BITS = 22
LARGEST = (1 << 63) - 1


class Numbers:
    """A source of 63-bit ids that rise with every call, also within a millisecond and when the clock steps back."""

    def __init__(self) -> None:
        """Start below every id of now."""
        self._lock = threading.Lock()
        self._last = 0

    def new(self) -> int:
        """Return a new id: 41 bits of milliseconds since 2024, then 22 random bits."""
        elapsed = time.time_ns() // 1_000_000 - _EPOCH_MS
        fresh = (elapsed << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)) & LARGEST
        with self._lock:
            # The number after a new one stays free: a statement may take both. The random part of the step keeps
            # processes apart that share a millisecond.
            self._last = max(fresh, self._last + 2 + secrets.randbits(8))
            return self._last


_NUMBERS = Numbers()


def new_number() -> int:
    """Return a new id, larger than all that this process made before."""
    return _NUMBERS.new()


def number_at(seconds_from_now: float) -> int:
    """Return the least id that may be made at a moment so many seconds from now; negative ones are past."""
    elapsed = time.time_ns() // 1_000_000 - _EPOCH_MS + round(seconds_from_now * 1000)
    return max(0, elapsed) << _RANDOM_BITS & LARGEST


def public_id(subject: Subject, number: int) -> str:
    """Write a number as the id of a subject."""
    # A search writes hundreds of them: two letters at a time.
    return PREFIXES[subject] + _ALPHABET[number >> 60] + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def parse_id(subject: Subject, text: str) -> int:
    """Read the id of a subject.

    Raises:
        InvalidInputError: the text is not one.
    """
    prefix = PREFIXES[subject]
    digits = text.removeprefix(prefix)
    number = 0
    if text.startswith(prefix) and len(digits) == _LENGTH and all(letter in _VALUES for letter in digits):
        for letter in digits:
            number = number << 5 | _VALUES[letter]
        if number <= LARGEST:
            return number
    shown = text if len(text) <= 40 else text[:40] + "…"
    article = "an" if subject[0] in "aeiou" else "a"
    raise InvalidInputError(
        f"{shown!r} is not {article} {subject} id; ids look like {prefix}0123456789abc; {_GIVEN_BY[subject]}."
    )


def parse_any_id(text: str) -> tuple[Subject, int]:
    """Read the id of any subject.

    Raises:
        InvalidInputError: the text is not one.
    """
    for subject, prefix in PREFIXES.items():
        if text.startswith(prefix):
            return subject, parse_id(subject, text)
    return "item", parse_id("item", text)


def thread_number(thread: str) -> int:
    """Return a thread's number for the history, which has no text: a hash of its name."""
    return int.from_bytes(hashlib.sha256(thread.encode()).digest()[:8], "big") >> 1


def format_item_id(number: int) -> str:
    """Write a number as an item id."""
    return public_id("item", number)


def new_item_id() -> str:
    """Return a new item id."""
    return format_item_id(new_number())


def parse_item_id(text: str) -> int:
    """Read an item id.

    Raises:
        InvalidInputError: the text is not an id.
    """
    return parse_id("item", text)
