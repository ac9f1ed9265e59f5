"""Summaries by a language model: by parts where a text is longer than the window, with every fact checked."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence

from ...core.errors import UnusableAnswerError
from ...core.models import Detail, Kind, Rendition
from ...core.paging import fit
from ...core.ports import Chunker, TextModel, TokenCounter
from . import facts
from .prompts import read
from .purse import Account, Purse

MOST_SUMMARY_TOKENS = 4000
MOST_PIECE_TOKENS = 8000
"""Longer parts lose their details, even where the window is larger."""
LEVELS = 4
SHRINKS_BY = 0.8
"""A level whose outcome is longer than this share of what went in is the last one."""
SLACK = 1.15
_LEAST_TOKENS = 60
_TEMPLATE_TOKENS = 350
_SAFETY = 0.8
"""The model counts tokens otherwise than we do."""
_HINT = re.compile(r"^\s*\**hint\**\s*:\s*\**\s*(.+)$", re.IGNORECASE | re.MULTILINE)


class ModelSummarizer:
    """A Summarizer over a TextModel."""

    def __init__(
        self, *, model: TextModel, provider: str, counter: TokenCounter, chunker: Chunker, purse: Purse
    ) -> None:
        """``chunker`` says where a text may be parted; ``provider`` is named in what is made."""
        self._model = model
        self._provider = provider
        self._counter = counter
        self._chunker = chunker
        self._purse = purse
        self._summary = read("summary")
        self._brief = read("brief")

    @property
    def name(self) -> str:
        """See Summarizer."""
        return f"{self._provider}:{self._model.name}/{self._summary[0]}"

    async def aclose(self) -> None:
        """Free the model's connections."""
        await self._model.aclose()

    async def summarize(
        self, namespace: str, thread: str, text: str, kind: Kind, title: str | None, tokens: int
    ) -> tuple[Rendition, ...]:
        """See Summarizer."""
        account = Account(namespace, thread, "summary")
        budget = min(max(_LEAST_TOKENS, tokens // 10), MOST_SUMMARY_TOKENS)
        draft = await self._reduce(account, text, kind, title, budget)
        summary = self._finished(draft, text, budget)
        made = [self._rendition("summary", summary, tokens)]
        made += await self._shorter(account, summary, text, tokens)
        return tuple(one for one in made if one is not None)

    async def _reduce(self, account: Account, text: str, kind: Kind, title: str | None, budget: int) -> str:
        """Shorten level by level until one call can write the rest, or nothing shrinks any more."""
        current, current_kind = text, kind
        for level in range(LEVELS):
            pieces = self._pieces(current, current_kind, title, budget)
            if len(pieces) == 1:
                return await self._ask(account, pieces[0], title, budget)
            share = max(_LEAST_TOKENS, min(1000, self._piece_tokens(budget) // 5))
            parts = await asyncio.gather(*(self._ask(account, piece, title, share) for piece in pieces))
            checked = [facts.checked(part, piece) for part, piece in zip(parts, pieces, strict=True)]
            shorter = "\n\n".join(part for part in checked if part)
            if self._count(shorter) > SHRINKS_BY * self._count(current) or level == LEVELS - 1:
                return shorter if self._count(shorter) < self._count(current) else ""
            current, current_kind = shorter, "prose"
        return current

    def _piece_tokens(self, budget: int) -> int:
        room = int((self._model.window - _TEMPLATE_TOKENS - budget) * _SAFETY)
        return max(200, min(room, MOST_PIECE_TOKENS))

    def _pieces(self, text: str, kind: Kind, title: str | None, budget: int) -> list[str]:
        """Part a text at its own borders into pieces that the window holds."""
        most = self._piece_tokens(budget)
        if self._count(text) <= most:
            return [text]
        content = text.encode()
        pieces: list[str] = []
        start, held = 0, 0
        for span in self._chunker.split(text, kind, title):
            size = self._count(content[span.start : span.end].decode(errors="replace"))
            if held and held + size > most:
                pieces.append(content[start : span.start].decode(errors="replace"))
                start, held = span.start, 0
            held += size
        pieces.append(content[start:].decode(errors="replace"))
        return [part for piece in pieces for part in self._cut(piece, most)]

    def _cut(self, piece: str, most: int) -> list[str]:
        """Cut a piece without borders wherever it is full."""
        parts: list[str] = []
        while self._count(piece) > most * 1.1:
            head, _ = fit(piece, most, self._counter)
            if not head:
                break
            parts.append(head)
            piece = piece[len(head) :]
        return [*parts, piece] if piece.strip() else parts

    async def _ask(self, account: Account, piece: str, title: str | None, tokens: int) -> str:
        task = f"Shorten it to at most {tokens} tokens (about {tokens * 3 // 4} words)."
        prompt = _framed(piece, f"The text is called {title!r}. {task}" if title else task)
        # Some room for models that count otherwise; what is too long is cut at a sentence afterwards.
        bound = int(tokens * 1.5) + 40
        answer = await self._purse.complete(account, self._model, self._summary[1], prompt, max_tokens=bound)
        return answer.text if answer.finished else _whole_sentences(answer.text)

    async def _shorter(self, account: Account, summary: str, source: str, tokens: int) -> list[Rendition | None]:
        """Return brief and hint, or nothing where the model's answer holds neither."""
        budget = max(_LEAST_TOKENS, tokens // 50)
        prompt = _framed(summary, f"Write the shorter summary in at most {budget} tokens, then the hint.")
        answer = await self._purse.complete(
            account, self._model, self._brief[1], prompt, max_tokens=int(budget * 1.5) + 80
        )
        hint = _HINT.search(answer.text)
        brief = facts.checked(_HINT.sub("", answer.text).strip(), source)
        made: list[Rendition | None] = []
        if brief:
            made.append(self._rendition("brief", self._trimmed(brief, budget), tokens))
        if hint is not None and (line := facts.checked(hint.group(1).strip(), source)):
            made.append(self._rendition("hint", " ".join(line.split())[:300], tokens))
        return made

    def _finished(self, draft: str, source: str, budget: int) -> str:
        """Return a draft with its facts checked and some carried beside it, within its budget.

        Raises:
            UnusableAnswerError: hardly anything of it stood the check, or it is the source itself.
        """
        body = facts.checked(draft, source)
        if self._count(body) < max(8, self._count(draft) // 4):
            raise UnusableAnswerError(
                f"The summary by {self._model.name} names what its text does not have, or says nothing; "
                "the extractive one stays."
            )
        known = [name for name in facts.carried(source, 40) if name not in body]
        line = "Also named: " + ", ".join(known)
        line, _ = fit(line, budget // 6, self._counter) if known else ("", 0)
        body = self._trimmed(body, budget - self._count(line))
        line = line.rpartition(",")[0] if line and not line.endswith(known[-1]) else line
        return f"{body}\n\n{line}" if line else body

    def _trimmed(self, text: str, budget: int) -> str:
        if self._count(text) <= budget * SLACK:
            return text
        piece, _ = fit(text, int(budget * SLACK), self._counter)
        return _whole_sentences(piece)

    def _rendition(self, detail: Detail, text: str, tokens: int) -> Rendition | None:
        count = self._count(text)
        return Rendition(detail, text, count, self.name) if text and count < tokens else None

    def _count(self, text: str) -> int:
        return self._counter.count(text).tokens


def _framed(text: str, task: str) -> str:
    """Return the prompt: the task, and the text between lines that it cannot contain, since they name its hash."""
    mark = f"=== {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]} ==="
    return f"{task}\n\n{mark}\n{text}\n{mark}"


def _whole_sentences(text: str) -> str:
    """Return a cut text up to its last whole sentence or line, or as it is when there is none."""
    ends: Sequence[int] = [match.end() for match in re.finditer(r"[.!?](?=\s|\Z)|\n", text)]
    return text[: ends[-1]].strip() if ends else text.strip()
