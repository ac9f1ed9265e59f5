"""What is sealed: its outline, which anyone may see, and its ciphertext."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Family = Literal["secret", "personal"]
"""What a finding is: something that opens a door, or something about a person."""

SealedState = Literal["sealed", "released", "purged"]
"""A released one is an ordinary item now; a purged one is gone. Of neither the ciphertext is kept."""

ScanAction = Literal["quarantine", "redact", "warn", "store"]
"""What becomes of a text in which something was found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in a text that holds what should not be lying about: ``text[start:end]``, of a ``kind`` by name."""

    kind: str
    family: Family
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext, and the key that opens it, itself encrypted under the master key ``key_id``.

    ``fingerprint`` (32 bytes) is the same for the same plaintext under the same master key, and tells nobody else
    anything: a bare hash of something as short as a password could be guessed at.
    """

    box: bytes
    wrapped_key: bytes
    key_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class SealedItem:
    """The outline of a sealed item; nothing of its text, not even its title.

    ``categories`` says how many findings of each kind it has, ``size_bytes`` how long the plaintext is; ``held`` is
    False where the ciphertext is not here: it is no longer sealed, or stayed behind when an outline was loaded.
    """

    item_id: str
    reason: str
    categories: Mapping[str, int]
    state: SealedState
    size_bytes: int
    key_id: str
    actor: str
    created_at: datetime
    settled_at: datetime | None = None
    held: bool = True


@dataclass(frozen=True, slots=True)
class SealedPage:
    """A page of sealed items, newest first."""

    items: tuple[SealedItem, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Sealing:
    """A commit of a sealed item; not ``added`` where the same text was sealed before, as ``item``."""

    item: SealedItem
    added: bool
    durable: bool


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A piece of a sealed text, shown for a purpose; ``start`` and ``end`` are byte offsets in its content."""

    item: SealedItem
    title: str | None
    text: str
    start: int
    end: int
    tokens: int
    next_cursor: str | None
