"""Merging without a model: every sentence once, in its own words."""

from collections.abc import Sequence

from ...core.sameness import Judge
from ..sentences import split_sentences


class ExtractiveMerger:
    """A Merger that keeps each sentence of each text, but for those that say the same as one before.

    Nothing that a text says is lost.
    """

    def __init__(self, judge: Judge) -> None:
        """``judge`` says which sentences say the same."""
        self._judge = judge

    @property
    def name(self) -> str:
        """See Merger."""
        return "sentences-1"

    async def merge(self, namespace: str, thread: str, texts: Sequence[str]) -> str:
        """See Merger."""
        kept: list[str] = []
        for sentence in (one for text in texts for one in split_sentences(text)):
            if all(self._judge.compare(known, sentence) != "same" for known in kept):
                kept.append(sentence if sentence[-1] in ".!?:;" else f"{sentence}.")
        return " ".join(kept)
