"""A language model that says what a test wants it to say."""

from collections.abc import Callable, Mapping

from palimpsest.core.models import Completion, TextUsage


class Model:
    """A TextModel that does what a function says, and keeps what it was asked."""

    def __init__(
        self,
        says: Callable[[str, str, int], str | Exception],
        window: int = 4000,
        *,
        name: str = "test-model",
        counts: bool = False,
    ) -> None:
        """``counts`` makes it tell how many of its own tokens a text has: two a word."""
        self.name = name
        self._says = says
        self._counts = counts
        self.window = window
        self.asked: list[tuple[str, str, int]] = []
        self.schemas: list[Mapping[str, object] | None] = []
        self.closed = False

    async def count(self, text: str) -> int | None:
        return 2 * len(text.split()) if self._counts else None

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        self.schemas.append(schema)
        self.asked.append((system, prompt, max_tokens))
        answer = self._says(system, prompt, max_tokens)
        if isinstance(answer, Exception):
            raise answer
        used = TextUsage(self.name, len((system + prompt).split()), len(answer.split()))
        return Completion(answer, used, finished=True)

    async def aclose(self) -> None:
        self.closed = True


def always(answer: str | Exception) -> Callable[[str, str, int], str | Exception]:
    """What a model says that says one thing only."""

    def says(system: str, prompt: str, max_tokens: int) -> str | Exception:
        return answer

    return says
