"""What callers hand to the services: who they are, what to keep, and what to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import validation
from .models import Fact, Labels, Origin

MAX_ACTOR = 200
"""Characters that the history keeps of who and why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call runs: its namespace, and the client's name for the history."""

    namespace: str
    actor: str = "client"

    def because(self, reason: str | None) -> "Caller":
        """Return the caller with its reason, as the history shows it."""
        if not reason:
            return self
        # The history keeps neither lone surrogates nor NUL, as PostgreSQL's text cannot.
        words = reason.encode(errors="replace").decode().replace("\x00", " ").split()
        return replace(self, actor=f"{self.actor}: {' '.join(words)}"[:MAX_ACTOR])


@dataclass(frozen=True, slots=True)
class Period:
    """When what is looked for happened, in a caller's words: dates, moments, or phrases such as "last week".

    ``as_of`` asks for what was valid then.
    """

    since: str | None = None
    until: str | None = None
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class NewMemory:
    """What a client hands over to be kept.

    ``model`` is the one whose window the thread has from now on; ``date`` (ISO) is when it happened, now unless given.
    ``source`` says by which way it came (``tool``); of the items it is ``derived_from`` it has the least trust;
    ``origins`` are places in them, where they are known.
    ``fact`` is what it tells; where it ``joins``, other facts of its slot are its versions.
    ``released`` is the id of the sealed item that this was, which a person let out: it keeps it, and is not scanned.
    """

    content: str
    title: str | None = None
    content_type: str = "text/plain"
    memory_type: str = "document"
    priority: int = 5
    pinned: bool = False
    tags: Sequence[str] = ()
    thread: str = "main"
    idempotency_key: str | None = None
    model: str | None = None
    expires_in_days: float | None = None
    date: str | None = None
    source: Mapping[str, str] = field(default_factory=dict[str, str])
    trust: str = "normal"
    derived_from: Sequence[str] = ()
    origins: Sequence[Origin] = ()
    fact: Fact | None = None
    joins: bool = False
    released: str | None = None

    @property
    def made_from(self) -> tuple[str, ...]:
        """The ids of the items that it is made from, each once."""
        return tuple(dict.fromkeys((*self.derived_from, *(origin.item_id for origin in self.origins))))

    @property
    def places(self) -> tuple[Origin, ...]:
        """The places that it is made from: all of an item where no place is known."""
        placed = {origin.item_id for origin in self.origins}
        return (*self.origins, *(Origin(item_id) for item_id in self.made_from if item_id not in placed))

    def labels(self) -> Labels:
        """Return the labels.

        Raises:
            InvalidInputError: one of them is not acceptable.
        """
        return Labels(
            title=validation.check_label(self.title, "title"),
            content_type=validation.check_label(self.content_type, "content type") or "text/plain",
            memory_type=validation.check_memory_type(self.memory_type),
            priority=validation.check_priority(self.priority),
            pinned=self.pinned,
            tags=validation.check_tags(self.tags),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What to change about an item; None leaves a field as it is.

    ``content`` needs ``expected_sha256``; ``detail`` is where the item is to stand in its thread's block.
    """

    content: str | None = None
    expected_sha256: str | None = None
    title: str | None = None
    content_type: str | None = None
    memory_type: str | None = None
    priority: int | None = None
    pinned: bool | None = None
    tags: Sequence[str] | None = None
    thread: str | None = None
    detail: str | None = None
    date: str | None = None
    trust: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return replace(self, expected_sha256=None) == Change()

    @property
    def labels_given(self) -> bool:
        """Whether a label or the thread is to change."""
        return replace(self, content=None, expected_sha256=None, detail=None) != Change()

    def labels(self, before: Labels) -> Labels:
        """Return the labels that follow ``before``.

        Raises:
            InvalidInputError: one of them is not acceptable.
        """
        return Labels(
            title=before.title if self.title is None else validation.check_label(self.title, "title"),
            content_type=before.content_type
            if self.content_type is None
            else validation.check_label(self.content_type, "content type") or "text/plain",
            memory_type=before.memory_type
            if self.memory_type is None
            else validation.check_memory_type(self.memory_type),
            priority=before.priority if self.priority is None else validation.check_priority(self.priority),
            pinned=before.pinned if self.pinned is None else self.pinned,
            tags=before.tags if self.tags is None else validation.check_tags(self.tags),
            trust=before.trust if self.trust is None else validation.check_trust(self.trust),
        )


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task as a client asks for it; ``due`` is an ISO date or time."""

    title: str
    description: str = ""
    priority: int = 5
    depends_on: Sequence[str] = ()
    item_ids: Sequence[str] = ()
    due: str | None = None
    assignee: str | None = None
    capability: str | None = None


@dataclass(frozen=True, slots=True)
class TaskEdit:
    """What a client wants changed; None leaves a field as it is, an empty text clears it."""

    status: str | None = None
    agent: str | None = None
    note: str | None = None
    title: str | None = None
    description: str | None = None
    priority: int | None = None
    depends_on: Sequence[str] | None = None
    item_ids: Sequence[str] | None = None
    due: str | None = None
    assignee: str | None = None
    capability: str | None = None
