"""What the core asks of language models, and of who keeps account of their cost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from ..models import Completion, Kind, Rendition, TextUsage


class TextModel(Protocol):
    """A language model: a prompt to an answer."""

    @property
    def name(self) -> str:
        """Name the model as its endpoint knows it."""
        ...

    @property
    def window(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        ...

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """Return the model's answer to ``prompt`` under the instruction ``system``, of at most ``max_tokens``.

        ``schema`` is a JSON schema of an object that the answer's text is to follow. Providers differ in how strictly
        they keep to it: the text is JSON, and who asks checks the rest. The strict ones want ``additionalProperties``
        false and every property required, at each level.

        Raises:
            TextModelUnavailableError: not reached, busy, timed out, or its breaker is open.
            UnusableAnswerError: it answered nothing, or no JSON where a schema was given.
            TextModelError: the endpoint refused the call.
        """
        ...

    async def count(self, text: str) -> int | None:
        """Return how many of the model's own tokens a text has; None where only a paid call, or nobody, could tell."""
        ...

    async def aclose(self) -> None:
        """Free connections; calling it twice is allowed."""
        ...


class AdapterChoice(Protocol):
    """Which adapter of a small model answers whom."""

    async def choose(self, namespace: str, key: str) -> str | None:
        """Return the adapter's name, None for the model without one; the same for a key while nothing changes."""
        ...

    async def missing(self, namespace: str, name: str) -> None:
        """Take note that the server does not know this adapter; the model without it was asked instead."""
        ...


class LanguageWatch(Protocol):
    """How a small model's server does."""

    async def notes(self) -> tuple[str, ...]:
        """Return what is to be said of it, a sentence each, within a moment; that it is down is no failure."""
        ...


class Summarizer(Protocol):
    """Text to shorter text by a language model: better than a Compressor, but slow, paid and able to fail."""

    @property
    def name(self) -> str:
        """Name the method, its version and the model."""
        ...

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        """Return those of summary, brief and hint that the model could make; each is shorter than the text.

        What it costs is noted for the thread.

        Raises:
            TextModelUnavailableError: try again later.
            SpendingLimitError: try again tomorrow.
            UnusableAnswerError: the model's answers were not usable, and asking again would cost again.
            TextModelError: the endpoint refuses such calls.
        """
        ...


class Meter(Protocol):
    """The account of money spent on language models, kept for all processes of a namespace together."""

    async def spent_micros(self, namespace: str, since: datetime) -> int:
        """Return what was noted since then, in millionths of a US dollar."""
        ...

    async def note_usage(
        self, namespace: str, usage: TextUsage, *, micros: int | None, purpose: str, thread: str | None = None
    ) -> None:
        """Note one call, made for ``thread``; ``micros`` None when the model's price is unknown."""
        ...
