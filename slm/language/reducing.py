"""One text on its way to a summary: parted where a model's window is too small for it, and shortened level by level."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence

from ...core.models import Completion, Kind
from ...core.paging import fit
from ...core.ports import Chunker, TokenCounter
from . import facts
from .metered import Metered

MOST_PIECE_TOKENS = 8000
"""Longer parts lose their details, even where the window is larger."""
LEVELS = 4
SHRINKS_BY = 0.8
"""A level whose outcome is longer than this share of what went in is the last one."""
SLACK = 1.15
LEAST_TOKENS = 60
_FRAME_TOKENS = 100
"""The task's sentence, the title and the lines between which the text stands."""
_TEMPLATE_TOKENS = 350
_SAFETY = 0.8
"""For a model that counts tokens otherwise than we do and does not say how."""
_OWN_SAFETY = 0.97
_SMALL_WINDOW = 8192


class Reducer:
    """Shortens one text with one model; all of its calls have one key, so that one adapter makes them all."""

    def __init__(
        self,
        *,
        model: Metered,
        counter: TokenCounter,
        chunker: Chunker,
        system: str,
        namespace: str,
        thread: str,
        key: str,
    ) -> None:
        """``system`` is the instruction of a level; call ``measure`` before anything else."""
        self.by = model.name
        """Who gave the last answer."""
        self._model = model
        self._counter = counter
        self._chunker = chunker
        self._system = system
        self._namespace = namespace
        self._thread = thread
        self._key = key
        self._ratio: float | None = None
        self._template = _TEMPLATE_TOKENS

    async def measure(self, text: str) -> None:
        """Learn how many of the model's own tokens there are to one of the counter's, where the model tells."""
        counted = self.count(text)
        own = await self._model.own_count(text)
        template = await self._model.own_count(self._system) if own else None
        if own and counted and template is not None:
            self._ratio = own / counted
            self._template = template + _FRAME_TOKENS

    def count(self, text: str) -> int:
        """Return the text's tokens by the counter of the memory."""
        return self._counter.count(text).tokens

    def answer_tokens(self, budget: int) -> int:
        """Return how many tokens one call may be asked for: a small window must leave room for what is to be read."""
        window = self._model.window
        return min(budget, max(LEAST_TOKENS, window // 10 if window < _SMALL_WINDOW else window // 4))

    def piece_tokens(self, budget: int) -> int:
        """Return how many of the counter's tokens of a text one call may hold."""
        answer = self.answer_tokens(budget)
        if self._ratio is None:
            room = (self._model.window - self._template - answer) * _SAFETY
        else:
            room = (self._model.window - self._template - bound(answer)) / self._ratio * _OWN_SAFETY
        return max(200, min(int(room), MOST_PIECE_TOKENS))

    async def reduce(self, text: str, kind: Kind, title: str | None, budget: int) -> str:
        """Shorten level by level until what is left has so many tokens, or nothing shrinks any more.

        Where one answer can hold the budget, the last call writes it as a whole; else the parts stand side by side.
        """
        answer = self.answer_tokens(budget)
        level = 0
        while True:
            level += 1
            pieces = await self._pieces(text, kind, title, budget)
            if len(pieces) == 1:
                return await self.ask(pieces[0], title, answer)
            share = max(LEAST_TOKENS, min(1000, self.piece_tokens(budget) // 5))
            if budget > answer:
                share = max(LEAST_TOKENS, min(share, answer, budget // len(pieces)))
            parts = await asyncio.gather(*(self.ask(piece, title, share) for piece in pieces))
            checked = [facts.checked(part, piece) for part, piece in zip(parts, pieces, strict=True)]
            kept = [part for part in checked if part]
            shorter = "\n\n".join(kept)
            size, before = self.count(shorter), self.count(text)
            if budget > answer and size <= budget * SLACK:
                return shorter
            if size > SHRINKS_BY * before or level == LEVELS:
                return self._spread(kept, budget) if size < before else ""
            text, kind = shorter, "prose"

    async def ask(self, piece: str, title: str | None, tokens: int) -> str:
        """Return a piece shortened to about so many tokens."""
        task = f"Shorten it to at most {tokens} tokens (about {tokens * 3 // 4} words)."
        prompt = framed(piece, f"The text is called {title!r}. {task}" if title else task)
        answer = await self.answer(self._system, prompt, bound(tokens))
        return answer.text if answer.finished else whole_sentences(answer.text)

    async def answer(self, system: str, prompt: str, most: int) -> Completion:
        """Ask the model on the text's account."""
        answer = await self._model.ask(
            self._namespace, self._thread, "summary", system, prompt, max_tokens=most, key=self._key
        )
        self.by = answer.by
        return answer

    def trimmed(self, text: str, budget: int) -> str:
        """Return a text up to the last whole sentence within the budget, which it may pass a little."""
        if self.count(text) <= budget * SLACK:
            return text
        piece, _ = fit(text, int(budget * SLACK), self._counter)
        return whole_sentences(piece)

    def _spread(self, parts: Sequence[str], budget: int) -> str:
        """Return of each part the beginning, so that the end of the text is not what is lost."""
        if self.count("\n\n".join(parts)) <= budget * SLACK:
            return "\n\n".join(parts)
        share = max(20, budget // max(1, len(parts)))
        return "\n\n".join(filter(None, (self.trimmed(part, share) for part in parts)))

    async def _pieces(self, text: str, kind: Kind, title: str | None, budget: int) -> list[str]:
        """Part a text at its own borders into pieces that the window holds, by the model's own count if it has one."""
        most = self.piece_tokens(budget)
        pieces = [text] if self.count(text) <= most else self._parted(text, kind, title, most)
        if self._ratio is None:
            return pieces
        room = self._model.window - self._template - bound(self.answer_tokens(budget))
        found: list[str] = []
        for piece, own in zip(pieces, await asyncio.gather(*map(self._model.own_count, pieces)), strict=True):
            # Denser than the rest of the text: tables, numbers, other scripts.
            found += self._cut(piece, max(50, int(most * room / own * 0.9))) if own and own > room else [piece]
        return found

    def _parted(self, text: str, kind: Kind, title: str | None, most: int) -> list[str]:
        content = text.encode()
        pieces: list[str] = []
        start, held = 0, 0
        for span in self._chunker.split(text, kind, title):
            size = self.count(content[span.start : span.end].decode(errors="replace"))
            if held and held + size > most:
                pieces.append(content[start : span.start].decode(errors="replace"))
                start, held = span.start, 0
            held += size
        pieces.append(content[start:].decode(errors="replace"))
        return [part for piece in pieces for part in self._cut(piece, most)]

    def _cut(self, piece: str, most: int) -> list[str]:
        """Cut a piece without borders wherever it is full."""
        parts: list[str] = []
        while self.count(piece) > most * (1.1 if self._ratio is None else 1.0):
            head, _ = fit(piece, most, self._counter)
            if not head:
                break
            parts.append(head)
            piece = piece[len(head) :]
        return [*parts, piece] if piece.strip() else parts


def bound(tokens: int) -> int:
    """Return how long an answer may get that is to have so many tokens; what is too long is cut at a sentence."""
    return int(tokens * 1.5) + 40


def framed(text: str, task: str) -> str:
    """Return the prompt: the task, and the text between lines that it cannot contain, since they name its hash."""
    mark = f"=== {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]} ==="
    return f"{task}\n\n{mark}\n{text}\n{mark}"


def whole_sentences(text: str) -> str:
    """Return a cut text up to its last whole sentence or line, or as it is when there is none."""
    ends: Sequence[int] = [match.end() for match in re.finditer(r"[.!?](?=\s|\Z)|\n", text)]
    return text[: ends[-1]].strip() if ends else text.strip()
