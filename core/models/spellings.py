"""Words as they are spelled, with what the index knows them by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word, without case and accents, and the key of its term; see SparseTerms."""

    word: str
    key: int
