"""What callers hand to the services: who they are, what to keep, and what to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import validation
from .models import Labels


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call runs: its namespace, and the client's name for the history."""

    namespace: str
    actor: str = "client"


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
    ``source`` says by which way it came (``tool``); of the items it is ``derived_from`` it has the least trust.
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
