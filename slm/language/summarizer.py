"""Summaries by a language model: by parts where a text is longer than the window, with every fact checked."""

from __future__ import annotations

import hashlib
import re

from ...core.errors import UnusableAnswerError
from ...core.models import Detail, Kind, Rendition
from ...core.paging import fit
from ...core.ports import Chunker, TokenCounter
from . import facts
from .metered import Metered
from .prompts import read
from .reducing import LEAST_TOKENS, Reducer, bound, framed

MOST_SUMMARY_TOKENS = 4000
_LEAST_SHARED = 0.3
"""Share of a summary's words that its text has too, by their first letters; good ones have twice that."""
_FEW_WORDS = 8
_HINT = re.compile(r"^\s*\**hint\**\s*:\s*\**\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{4,}")


class ModelSummarizer:
    """A Summarizer over a language model."""

    def __init__(self, *, model: Metered, counter: TokenCounter, chunker: Chunker) -> None:
        """``chunker`` says where a text may be parted."""
        self._model = model
        self._counter = counter
        self._chunker = chunker
        self._summary = read("summary")
        self._brief = read("brief")

    @property
    def name(self) -> str:
        """See Summarizer; a rendition names the adapter too that made it, if there was one."""
        return f"{self._model.name}/{self._summary[0]}"

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        """See Summarizer."""
        reducer = Reducer(
            model=self._model,
            counter=self._counter,
            chunker=self._chunker,
            system=self._summary[1],
            namespace=namespace,
            thread=thread,
            key=hashlib.sha256(text.encode(errors="replace")).hexdigest(),
        )
        await reducer.measure(text)
        budget = min(max(LEAST_TOKENS, tokens // 10), MOST_SUMMARY_TOKENS)
        summary = self._finished(reducer, await reducer.reduce(text, kind, title, budget), text, budget)
        made = [self._rendition(reducer, "summary", summary, tokens)]
        made += await self._shorter(reducer, summary, text, tokens)
        return tuple(one for one in made if one is not None)

    async def _shorter(self, reducer: Reducer, summary: str, source: str, tokens: int) -> list[Rendition | None]:
        """Return brief and hint, or nothing where the model's answer holds neither."""
        budget = reducer.answer_tokens(max(LEAST_TOKENS, tokens // 50))
        most = reducer.piece_tokens(budget)
        if reducer.count(summary) > most:
            summary = reducer.trimmed(await reducer.reduce(summary, "prose", None, most // 2), most // 2)
        prompt = framed(summary, f"Write the shorter summary in at most {budget} tokens, then the hint.")
        answer = await reducer.answer(self._brief[1], prompt, bound(budget) + 40)
        hint = _HINT.search(answer.text)
        brief = facts.checked(_HINT.sub("", answer.text).strip(), source)
        made: list[Rendition | None] = []
        if brief:
            made.append(self._rendition(reducer, "brief", reducer.trimmed(brief, budget), tokens))
        if hint is not None and (line := facts.checked(hint.group(1).strip(), source)):
            made.append(self._rendition(reducer, "hint", " ".join(line.split())[:300], tokens))
        return made

    def _finished(self, reducer: Reducer, draft: str, source: str, budget: int) -> str:
        """Return a draft with its facts checked and some carried beside it, within its budget.

        Raises:
            UnusableAnswerError: hardly anything of it stood the check, or it is about something else.
        """
        body = facts.checked(draft, source)
        if reducer.count(body) < max(8, reducer.count(draft) // 4) or not _related(body, source):
            raise UnusableAnswerError(
                f"The summary by {reducer.by} names what its text does not have, or says nothing; "
                "the extractive one stays."
            )
        known = [name for name in facts.carried(source, 40) if name not in body]
        line = "Also named: " + ", ".join(known)
        line, _ = fit(line, budget // 6, self._counter) if known else ("", 0)
        body = reducer.trimmed(body, budget - reducer.count(line))
        line = line.rpartition(",")[0] if line and not line.endswith(known[-1]) else line
        return f"{body}\n\n{line}" if line else body

    def _rendition(self, reducer: Reducer, detail: Detail, text: str, tokens: int) -> Rendition | None:
        count = reducer.count(text)
        made_by = f"{reducer.by}/{self._summary[0]}"
        return Rendition(detail, text, count, made_by) if text and count < tokens else None


def _related(summary: str, source: str) -> bool:
    """Return whether a summary has words in common with its text; where there are few words, it is believed."""
    said = [word[:4].lower() for word in _WORD.findall(summary)]
    known = {word[:4].lower() for word in _WORD.findall(source)}
    if len(said) < _FEW_WORDS or len(known) < _FEW_WORDS:
        return True
    return sum(word in known for word in said) >= _LEAST_SHARED * len(said)
