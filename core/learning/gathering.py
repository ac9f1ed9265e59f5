"""Training examples: gathered with consent from what is better than the small model, and given by people."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, LearningError
from ..models import EXAMPLE_KINDS, ExampleCount, ExampleDraft, ExampleKind, Lesson
from ..ports import Detector, Store, Teaching
from .examples import TEACHERS, split_of

MOST_CHARACTERS = 100_000
_AT_ONCE = 100
NO_CONSENT = (
    "Nothing is learned from this namespace: PALIMPSEST_LEARNING is off. Set it to on where everybody whose texts are "
    "here agrees."
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a gathering found: new examples, and how many were left out for which reason."""

    new: int
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class GivenExample:
    """An example that a person gives; ``source`` is the text that it is about, the prompt itself where it has none."""

    kind: str
    prompt: str
    completion: str
    source: str | None = None
    system: str = ""


class Gathering:
    """Finds examples; nothing at all without ``consent``."""

    def __init__(
        self, *, store: Store, detector: Detector | None, teaching: Teaching, own: Sequence[str], consent: bool
    ) -> None:
        """``own`` are the beginnings of compressors' names that are the small model itself: it never teaches."""
        self._store = store
        self._detector = detector
        self._teaching = teaching
        self._own = tuple(own)
        self._consent = consent

    async def gather(self, namespace: str) -> Gathered:
        """Take in what better models and clients wrote since.

        Raises:
            LearningError: there is no consent.
        """
        self._check()
        new, left_out = 0, Counter[str]()
        after: str | None = None
        while True:
            found = await self._store.lessons(
                namespace, teachers=TEACHERS, strangers=self._own, after=after, limit=_AT_ONCE
            )
            # Looking for secrets takes long enough to starve other calls on the event loop.
            drafts = await asyncio.to_thread(self._drafts, found, left_out)
            new += await self._store.put_examples(namespace, drafts)
            if len(found) < _AT_ONCE:
                return Gathered(new, dict(left_out))
            after = found[-1].item_id

    async def take(self, namespace: str, given: Sequence[GivenExample], *, person: str) -> Gathered:
        """Take in examples that a person wrote or corrected.

        Raises:
            LearningError: there is no consent.
            InvalidInputError: one is not acceptable; nothing was kept.
        """
        self._check()
        left_out = Counter[str]()
        drafts: list[ExampleDraft] = []
        for place, one in enumerate(given, 1):
            kind = _checked(one, place)
            if self._has_secret(one.system, one.prompt, one.completion):
                left_out["holds a secret"] += 1
                continue
            source = hashlib.sha256((one.source or one.prompt).encode()).hexdigest()
            drafts.append(
                ExampleDraft(kind, one.system, one.prompt, one.completion, f"person:{person}", source, split_of(source))
            )
        return Gathered(await self._store.put_examples(namespace, drafts), dict(left_out))

    async def counts(self, namespace: str) -> Sequence[ExampleCount]:
        """Count what is kept."""
        return await self._store.count_examples(namespace)

    def _check(self) -> None:
        if not self._consent:
            raise LearningError(NO_CONSENT)

    def _drafts(self, lessons: Sequence[Lesson], left_out: Counter[str]) -> list[ExampleDraft]:
        drafts: list[ExampleDraft] = []
        for lesson in lessons:
            source = lesson.content.decode(errors="replace")
            asked = self._teaching.prompt(lesson)
            if asked is None:
                left_out["too long for one call"] += 1
            elif self._has_secret(asked[1], lesson.summary):
                left_out["holds a secret"] += 1
            elif not self._teaching.is_sound(lesson.summary, source):
                left_out["names what its text does not have"] += 1
            else:
                split = split_of(lesson.sha256)
                drafts.append(
                    ExampleDraft(
                        "compress", *asked, lesson.summary, lesson.teacher, lesson.sha256, split, lesson.item_id
                    )
                )
        return drafts

    def _has_secret(self, *texts: str) -> bool:
        # Whatever the policy for items: what is trained into a model cannot be taken out of it again.
        return self._detector is not None and any(self._detector.secrets(text) for text in texts)


def _checked(one: GivenExample, place: int) -> ExampleKind:
    for text, what in ((one.system, "system"), (one.prompt, "prompt"), (one.completion, "completion")):
        if (not text.strip() and what != "system") or "\x00" in text or len(text) > MOST_CHARACTERS:
            raise InvalidInputError(
                f"The {what} of example {place} is empty, has a NUL or more than {MOST_CHARACTERS:,} characters; "
                "nothing was kept."
            )
    for kind in EXAMPLE_KINDS:
        if kind == one.kind:
            return kind
    raise InvalidInputError(
        f"Example {place} is of kind {one.kind[:40]!r}; use {', '.join(EXAMPLE_KINDS)}. Nothing was kept."
    )
