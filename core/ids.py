"""Ids made by us: 63-bit numbers that sort by time, written as short lower-case text."""

import secrets
import threading
import time

from .errors import InvalidInputError

ITEM_PREFIX = "mem_"
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


def format_item_id(number: int) -> str:
    """Write a number as an item id."""
    # A search writes hundreds of them: two letters at a time.
    return ITEM_PREFIX + _ALPHABET[number >> 60] + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def new_item_id() -> str:
    """Return a new item id."""
    return format_item_id(new_number())


def parse_item_id(text: str) -> int:
    """Read an item id.

    Raises:
        InvalidInputError: the text is not an id.
    """
    digits = text.removeprefix(ITEM_PREFIX)
    number = 0
    if text.startswith(ITEM_PREFIX) and len(digits) == _LENGTH and all(letter in _VALUES for letter in digits):
        for letter in digits:
            number = number << 5 | _VALUES[letter]
        if number <= LARGEST:
            return number
    shown = text if len(text) <= 40 else text[:40] + "…"
    raise InvalidInputError(
        f"{shown!r} is not an item id; ids look like {ITEM_PREFIX}0123456789abc; "
        "memory_search and memory_list give them."
    )
