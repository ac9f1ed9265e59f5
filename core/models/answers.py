"""Questions answered from memory, each answer with what it rests on."""

from dataclasses import dataclass
from typing import Literal

from .items import Item
from .search import Evidence

AnswerOutcome = Literal["answered", "passages", "not_in_memory"]
"""``passages``: nobody could put the best of them into an answer."""


@dataclass(frozen=True, slots=True)
class GivenPassage:
    """A passage that an answer may rest on; ``start`` is its byte offset in the item's content."""

    item: Item
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What an answer claims to rest on: words of one of the passages given, counted from 0."""

    passage: int
    words: str


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """What a language model made of a question and passages; ``text`` is None where they do not answer it."""

    text: str | None
    quotes: tuple[Quote, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of an item that an answer rests on, at these byte offsets of its content."""

    item_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the memory has on a question.

    An ``answered`` one has at least one citation, each of which is in the passages that the model was given.
    ``passages`` has the best passages as citations, ``not_in_memory`` none.
    """

    outcome: AnswerOutcome
    text: str | None
    citations: tuple[Citation, ...]
    evidence: Evidence
    answered_by: str | None = None
    notes: tuple[str, ...] = ()
