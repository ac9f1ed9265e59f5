"""Answers by a language model: passages framed as data, its JSON checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel, Field, ValidationError

from ...core.errors import UnusableAnswerError
from ...core.framing import shown, unlike_headers
from ...core.models import Completion, DraftAnswer, GivenPassage, Quote
from ..language.prompts import read

_TEMPLATE_TOKENS = 500
_QUOTE_TOKENS = 250
"""Room for the quotes and the JSON around an answer."""
_SAFETY = 0.8
"""The model counts tokens otherwise than we do."""
_NUMBERED = re.compile(r"^\[(?=\d+\])", re.MULTILINE)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


class Asked(Protocol):
    """A language model whose calls are paid for."""

    @property
    def name(self) -> str:
        """Name the model as its endpoint knows it."""
        ...

    @property
    def window(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        ...

    async def count(self, text: str) -> int:
        """Return the tokens that a text has for the model, or the most it could have."""
        ...

    async def ask(
        self,
        namespace: str,
        thread: str,
        purpose: str,
        system: str,
        prompt: str,
        *,
        max_tokens: int,
        schema: Mapping[str, object] | None = None,
    ) -> Completion:
        """Return the model's answer, which follows ``schema`` where one is given."""
        ...


class Cited(BaseModel):
    """What an answer rests on."""

    passage: int
    quote: str = Field(max_length=2_000)


class Answered(BaseModel):
    """What the model must answer with."""

    found: bool
    answer: str = ""
    citations: list[Cited] = Field(default_factory=list[Cited], max_length=20)


SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "found": {"type": "boolean"},
        "answer": {"type": "string"},
        "citations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"passage": {"type": "integer"}, "quote": {"type": "string"}},
                "required": ["passage", "quote"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["found", "answer", "citations"],
    "additionalProperties": False,
}


class ModelAnswerer:
    """An Answerer over a language model."""

    def __init__(self, model: Asked) -> None:
        """Take the model; nothing is asked yet."""
        self._model = model
        self._version, self._instruction = read("answer")

    @property
    def name(self) -> str:
        """See Answerer."""
        return f"{self._model.name}/{self._version}"

    def room(self, max_tokens: int) -> int:
        """See Answerer."""
        return max(0, int((self._model.window - _TEMPLATE_TOKENS - _QUOTE_TOKENS - max_tokens) * _SAFETY))

    async def answer(
        self, namespace: str, thread: str, question: str, passages: Sequence[GivenPassage], *, max_tokens: int
    ) -> DraftAnswer:
        """See Answerer."""
        completion = await self._model.ask(
            namespace,
            thread,
            "answer",
            self._instruction,
            await self._prompt(question, passages, max_tokens),
            max_tokens=max_tokens + _QUOTE_TOKENS,
            schema=SCHEMA,
        )
        made = self._read(completion.text)
        text = " ".join(made.answer.split()) if made.found else ""
        # The model counts passages from 1.
        quotes = tuple(Quote(one.passage - 1, one.quote) for one in made.citations)
        return DraftAnswer(text or None, quotes, completion.by or self.name)

    async def _prompt(self, question: str, passages: Sequence[GivenPassage], max_tokens: int) -> str:
        """Return the prompt, without the last passages where the model counts more tokens than its window has."""
        room = self._model.window - max_tokens - _QUOTE_TOKENS
        for count in range(len(passages), 1, -1):
            prompt = framed(question, passages[:count])
            if await self._model.count(f"{self._instruction}\n{prompt}") <= room:
                return prompt
        return framed(question, passages[:1])

    def _read(self, text: str) -> Answered:
        found = _OBJECT.search(text)
        try:
            return Answered.model_validate_json(found.group() if found else text)
        except ValidationError as error:
            raise UnusableAnswerError(
                f"{self._model.name} answered the question with something that is not the JSON it was asked for."
            ) from error


def framed(question: str, passages: Sequence[GivenPassage]) -> str:
    """Return the prompt: passages between lines that they cannot contain, since they name their hash."""
    told = "\n\n".join(_passage(number, one) for number, one in enumerate(passages, start=1))
    mark = f"=== {hashlib.sha256(told.encode(errors='replace')).hexdigest()[:16]} ==="
    return f"{mark}\n{told}\n{mark}\n\nThe question: {question}"


def _passage(number: int, given: GivenPassage) -> str:
    item = given.item
    title = f", {shown(item.labels.title)}" if item.labels.title else ""
    doubt = ", UNTRUSTED" if item.labels.trust == "low" else ""
    newer = ", no longer valid" if item.superseded_by else ""
    # No line of a passage may pass for the beginning of another one.
    text = _NUMBERED.sub("(", unlike_headers(given.text))
    return f"[{number}] {item.happened_at:%A %Y-%m-%d}{title}{doubt}{newer}\n{text}"
