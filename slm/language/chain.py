"""Summaries by the first of several models that can write one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.errors import TextModelError
from .metered import decisive

if TYPE_CHECKING:
    from ...core.models import Kind, Rendition
    from ...core.ports import Summarizer


class SummarizerChain:
    """A Summarizer that asks the next one where one fails; each rendition names whose it is."""

    def __init__(self, summarizers: Sequence[Summarizer], *, name: str) -> None:
        """Take at least one; the first is asked first."""
        self._summarizers = tuple(summarizers)
        self._name = name

    @property
    def name(self) -> str:
        """See Summarizer."""
        return self._name

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        """See Summarizer."""
        failures: list[TextModelError] = []
        for one in self._summarizers:
            try:
                return await one.summarize(namespace, thread, text, kind, title, tokens)
            except TextModelError as failure:
                failures.append(failure)
        raise decisive(failures)
