"""What a small model learns from, and the adapters that come of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ExampleKind = Literal["compress", "facts", "answer"]
"""What an example teaches: to shorten a text, to take facts out of it as JSON, to answer a question from it."""

EXAMPLE_KINDS: tuple[ExampleKind, ...] = ("compress", "facts", "answer")

JSON_KINDS: frozenset[ExampleKind] = frozenset({"facts"})
"""Of these the completion is JSON."""

Split = Literal["train", "held", "golden"]
"""What an example is for: to train on, to judge a training by, or to judge all trainings by, always the same ones."""

AdapterState = Literal[
    "training", "trained", "refused", "published", "loaded", "active", "retired", "tainted", "failed"
]
"""Where an adapter is on its way: ``trained`` before the gate, ``refused`` by it, ``published`` as files that nothing
changes any more, ``loaded`` into the server of the model, ``active`` where it answers, ``retired`` after that. A
``tainted`` one learned from what is gone since; a ``failed`` one never came to its end."""

ADAPTER_STATES: tuple[AdapterState, ...] = (
    "training",
    "trained",
    "refused",
    "published",
    "loaded",
    "active",
    "retired",
    "tainted",
    "failed",
)


@dataclass(frozen=True, slots=True, repr=False)
class ExampleDraft:
    """What a model is asked, and the answer that it should have given; without a repr, as it is somebody's text.

    ``system`` is the instruction, empty where the prompt is all. ``teacher`` says who gave the answer.
    ``source_sha256`` (hex) is of the text that it is about: all examples of a source are in the same split.
    ``item_id`` is the item that holds that text, None where a person gave it.
    """

    kind: ExampleKind
    system: str
    prompt: str
    completion: str
    teacher: str
    source_sha256: str
    split: Split
    item_id: str | None = None

    @property
    def sha256(self) -> str:
        """Return what two examples share that teach the same."""
        parts = (self.kind, self.system, self.prompt, self.completion)
        return hashlib.sha256(b"\x00".join(part.encode() for part in parts)).hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class Example(ExampleDraft):
    """An example as it is kept; once ``revoked_at`` it is trained on no more."""

    example_id: int = 0
    created_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Lesson:
    """An item and a summary of it that somebody better than the small model wrote: what an example may be made of."""

    item_id: str
    title: str | None
    content: bytes
    sha256: str
    summary: str
    summary_tokens: int
    teacher: str


@dataclass(frozen=True, slots=True)
class ExampleCount:
    """How many examples of a kind and a split there are, and how many of them are revoked."""

    kind: ExampleKind
    split: Split
    examples: int
    revoked: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter as the registry knows it.

    ``stage`` is what a training does at the moment, and ``heartbeat_at`` when ``owner``, who trains it, last said so.
    ``parent`` answered when it was trained, ``previous`` when it was promoted. ``share`` is the percentage of calls
    that a loaded one answers on trial. ``reason`` says why it is refused, failed or tainted. ``report`` has what was
    measured. ``manifest`` is the SHA-256 (hex) of its manifest. It learned from ``examples`` (their ids), which were
    made of ``items``.
    """

    name: str
    version: int
    state: AdapterState
    base_model: str
    owner: str
    created_at: datetime
    updated_at: datetime
    heartbeat_at: datetime
    stage: str | None = None
    parent: str | None = None
    previous: str | None = None
    share: int = 0
    reason: str | None = None
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])
    manifest: str | None = None
    examples: tuple[int, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdapterChange:
    """What is to become of an adapter; what is None stays as it is."""

    state: AdapterState | None = None
    stage: str | None = None
    share: int | None = None
    reason: str | None = None
    report: Mapping[str, Any] | None = None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Which adapters answer: the active one, and one on trial for some per cent of the calls."""

    active: str | None = None
    trial: str | None = None
    share: int = 0
