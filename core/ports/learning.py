"""What the core asks of what serves adapters, keeps their files, and words what is asked of the model."""

from collections.abc import Sequence
from typing import Protocol

from ..models import Adapter, Lesson


class AdapterHost(Protocol):
    """A server of the model that takes adapters while it runs."""

    async def load(self, name: str, path: str) -> None:
        """Load an adapter under a name; one that is loaded stays.

        Raises:
            TextModelUnavailableError: the server cannot be reached.
            TextModelError: it refuses the adapter.
        """
        ...

    async def unload(self, name: str) -> None:
        """Let go of an adapter; one that is not loaded is no failure."""
        ...

    async def loaded(self) -> frozenset[str]:
        """Return the names of the adapters that are loaded."""
        ...

    async def say(self, name: str, system: str, prompt: str, *, max_tokens: int) -> str:
        """Return the answer of an adapter, always the likeliest.

        Raises:
            TextModelError: it gives none.
        """
        ...


class AdapterFiles(Protocol):
    """The files of published adapters."""

    async def verified(self, adapter: Adapter) -> str:
        """Return where the server of the model finds an adapter's files, all of which are as they were published.

        Raises:
            AdapterError: missing, altered, of another base model, or of a rank that is not served.
        """
        ...


class Teaching(Protocol):
    """How lessons are worded as the model will be asked when it serves."""

    def prompt(self, lesson: Lesson) -> tuple[str, str] | None:
        """Return instruction and prompt for a lesson's summary, None where the model would not be asked at once."""
        ...

    def is_sound(self, completion: str, source: str) -> bool:
        """Say whether an answer names nothing that its source does not have."""
        ...

    def probes(self) -> Sequence[tuple[str, str]]:
        """Return instructions and prompts that every adapter must be able to answer."""
        ...
