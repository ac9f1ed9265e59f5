"""Telling whether two texts say the same with one fact changed: which items are versions of each other.

Nothing here asks a model. A text has a few keys; another one that shares a key is compared with it word by word, and
passes only where one value changed behind a phrase that gives a thing one value at a time. A missed pair costs little,
a wrong one ranks an item under another: every doubt is a no.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

from .clauses import one_value_changed
from .models import Kind, Labels
from .wording import Wording, shingles, worded

MAX_BYTES = 65_536
"""Longer texts are no one's versions: reading and comparing them would be felt in an add."""
FEWEST_WORDS = 3
SHORT = 60
"""Up to so many words a text is a statement, compared as a whole; a longer one is a document."""
_SPREAD = 4
"""By so many words a version may be longer or shorter."""
_LIKENESS = 0.8
_PERMUTATIONS = ((0x9E3779B1, 0x7F4A7C15), (0x85EBCA6B, 0x27D4EB2F), (0xC2B2AE35, 0x165667B1))
_KINDS: tuple[Kind, ...] = ("prose", "code", "json", "table")

Likeness = Literal["retyped", "version"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What finds texts that may be versions of this one: keys of their heads, middles and tails (signed 32 bits)."""

    heads: tuple[int, ...]
    middles: tuple[int, ...]
    tails: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A text as versions of it are looked for: the three keys that it is found by, and what finds the others."""

    head: int
    middle: int
    tail: int
    probe: Probe
    wording: Wording
    title: str | None
    kind: Kind

    def finds(self, other: "Frame") -> bool:
        """Say whether the texts share a key, so that they are compared."""
        probe = self.probe
        return other.head in probe.heads or other.middle in probe.middles or other.tail in probe.tails

    @property
    def nominees(self) -> int:
        """How many of the texts that share a key are compared with this one, the newest."""
        return 16 if len(self.wording.plain) <= SHORT else 4


def frame(namespace: str, text: str, labels: Labels, kind: Kind) -> Frame | None:
    """Return the frame of a text, None where it can have no versions.

    What happened stays true when more happens, so episodic items have none; nor have conversations and logs, texts of
    fewer than three words, and texts beyond 64 KiB. Short texts must be prose, other documents must have a title.
    """
    if labels.memory_type == "episodic" or kind not in _KINDS or len(text) > MAX_BYTES:
        return None
    wording = worded(text)
    words = wording.plain
    if len(words) < FEWEST_WORDS or (kind != "prose" and (len(words) <= SHORT or labels.title is None)):
        return None
    head, middle, tail, probe = _statement(namespace, words) if len(words) <= SHORT else _document(namespace, words)
    return Frame(head, middle, tail, probe, wording, labels.title, kind)


def likeness(new: Frame, text: str, title: str | None) -> Likeness | None:
    """Say what a known text is to a new one: the same but for its typing, another version, or None of these.

    Texts under different titles are never either.
    """
    if None not in (new.title, title) and new.title != title:
        return None
    known = worded(text)
    if new.kind == "prose" and new.wording.spelled == known.spelled:
        return "retyped"
    return "version" if _is_version(new, known, title) else None


def _is_version(new: Frame, known: Wording, title: str | None) -> bool:
    if new.kind == "prose" and (new.wording.plain == known.plain or one_value_changed(new.wording, known)):
        return True
    if title is None or new.title != title or min(len(new.wording.plain), len(known.plain)) <= SHORT:
        return False
    ours, theirs = shingles(new.wording.plain), shingles(known.plain)
    return len(ours & theirs) >= _LIKENESS * len(ours | theirs)


def _statement(namespace: str, words: tuple[str, ...]) -> tuple[int, int, int, Probe]:
    """Key a short text by its first and last 60 % and by 30 % at each end: a change spares at least one of them.

    How many words that is follows from the length of the text that is looked for, which is tried by up to 4 words.
    """
    count = len(words)
    lengths = range(max(FEWEST_WORDS, count - _SPREAD), count + _SPREAD + 1)
    wide = sorted({least for length in lengths if (least := _wide(length)) <= count})
    narrow = sorted({least for length in lengths if 2 * (least := _narrow(length)) < count})
    heads = {length: _key(namespace, "head", words[:length]) for length in wide}
    tails = {length: _key(namespace, "tail", words[-length:]) for length in wide}
    middles = {length: _key(namespace, "ends", words[:length] + words[-length:]) for length in narrow}
    probe = Probe(tuple(heads.values()), tuple(middles.values()), tuple(tails.values()))
    return heads[_wide(count)], middles[_narrow(count)], tails[_wide(count)], probe


def _wide(count: int) -> int:
    return math.ceil(0.6 * count)


def _narrow(count: int) -> int:
    return min(math.ceil(0.3 * count), (count - 1) // 2)


def _document(namespace: str, words: tuple[str, ...]) -> tuple[int, int, int, Probe]:
    """Key a document by three MinHash values of its shingles: each is shared as likely as the shingles are (Broder
    1997), so that of two documents with a likeness of 0.8 one in a hundred is missed."""
    found = shingles(words)
    low = [min((value * factor + offset) & 0xFFFFFFFF for value in found) for factor, offset in _PERMUTATIONS]
    head, middle, tail = (_key(namespace, f"least {place}", (str(value),)) for place, value in enumerate(low))
    return head, middle, tail, Probe((head,), (middle,), (tail,))


def _key(namespace: str, part: str, words: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\x00".join((namespace, part, *words)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, signed=True)
