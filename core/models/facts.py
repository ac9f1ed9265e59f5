"""Facts: what was read off a text, and what is known of it by now."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .items import Item, Trust

IMPORTANCES: Mapping[int, int] = {1: 3, 2: 4, 3: 5, 4: 6, 5: 8}
"""The priority that an item has for a fact's importance."""

_MARKS = re.compile(r"[^\w+#@/.:%-]+")
_ARTICLE = re.compile(r"(?:the|an?|my|our) (?=\S)")


def folded(text: str) -> str:
    """Return a text as facts are compared by: without case, accents of typing, punctuation and a leading article."""
    plain = unicodedata.normalize("NFKC", text).translate({0x2019: "'"}).casefold().replace("'s ", " ")
    return _ARTICLE.sub("", " ".join(_MARKS.sub(" ", plain).split()).strip(" .:-"), count=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """That a relation of a subject has a value ("Alice", "employer", "Acme").

    ``single`` says that the relation has one value at a time, so that a later one replaces it. ``importance`` is 1 to
    5; ``valid_from`` is since when it is so, where the text said that; ``extractor`` names what read it.
    """

    subject: str
    relation: str
    value: str
    single: bool = False
    importance: int = 3
    valid_from: datetime | None = None
    extractor: str = ""

    @property
    def subject_key(self) -> str:
        """The subject as it is looked for."""
        return folded(self.subject)

    @property
    def slot(self) -> int:
        """A hash (signed 64 bits) of what can be said once: of the value as well where there may be many."""
        said = (folded(self.subject), folded(self.relation), *(() if self.single else (folded(self.value),)))
        return int.from_bytes(hashlib.blake2b("\x00".join(said).encode(), digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True)
class FoundFact:
    """A fact in a text: as a sentence of its own, and where the text says it (bytes in UTF-8)."""

    fact: Fact
    text: str
    start: int
    end: int
    memory_type: Literal["semantic", "procedural"] = "semantic"


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that an item holds.

    It is so from the item's ``happened_at`` on, until ``valid_to`` where a later one of its lineage replaced it.
    ``rivals`` are items that say otherwise while nothing tells which of them is right.
    """

    item: Item
    fact: Fact
    valid_to: datetime | None = None
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldFact:
    """That an item is a source of a fact: what search needs of the latter."""

    source_id: str
    item_id: str
    lineage: str | None
    happened_at: datetime


Verdict = Literal["new", "repeat", "update", "older", "contradiction"]
"""What a fact is to what is known: ``older`` is an update that came late, with its place before what is known."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """What became of a found fact, or would: ``item_id`` is the fact's item, None where it was not written."""

    found: FoundFact
    verdict: Verdict
    item_id: str | None
    of: str | None = None
    """The item that it repeats, replaces or contradicts."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A text to read facts off: who speaks (None where nobody does), when, and on whose account."""

    namespace: str
    thread: str
    item_id: str
    text: str
    speaker: str | None
    at: datetime
    trust: Trust = "normal"
