"""For whom a language model is asked: told beside the call, for one that serves each namespace in its own way."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """The namespace that asks, and a key that is the same for all calls about one thing, such as an item."""

    namespace: str
    key: str


_asker: ContextVar[Asker | None] = ContextVar("palimpsest_asker", default=None)


@contextmanager
def asked_by(asker: Asker) -> Generator[None]:
    """Say who asks, until the block ends."""
    token = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(token)


def who_asks() -> Asker | None:
    """Return who asks; None where nobody said so."""
    return _asker.get()
