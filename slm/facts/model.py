"""Facts by a language model: asked with a schema, and believed only as far as the text has the words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ...core.errors import UnusableAnswerError
from ...core.models import Fact, FoundFact, Telling

if TYPE_CHECKING:
    from ..language.metered import Metered

MOST_FACTS = 12
"""Of one text; a model that finds more lists trifles."""
_ANSWER_TOKENS = 900
_SAFETY = 0.7
"""The model counts tokens otherwise than bytes do."""
_BYTES_A_TOKEN = 3
_SHORTEST_QUOTE = 6
_WORD = re.compile(r"\w+")
_Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Answered(BaseModel):
    """A fact as a model answers it."""

    model_config = ConfigDict(extra="ignore")
    fact: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=400)]
    subject: _Short
    relation: _Short
    value: _Short
    single: bool
    importance: Annotated[int, Field(ge=1, le=5)]
    valid_from: str | None
    kind: Literal["fact", "rule"]
    quote: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class _Answer(BaseModel):
    facts: list[Any]


_PROPERTIES: dict[str, Any] = {
    **{name: {"type": "string", "maxLength": 200} for name in ("fact", "subject", "relation", "value", "quote")},
    "single": {"type": "boolean"},
    "importance": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
    "valid_from": {"type": ["string", "null"]},
    "kind": {"type": "string", "enum": ["fact", "rule"]},
}
_FACT: dict[str, Any] = {
    "type": "object",
    "properties": _PROPERTIES,
    "required": list(_PROPERTIES),
    "additionalProperties": False,
}
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"facts": {"type": "array", "items": _FACT}},
    "required": ["facts"],
    "additionalProperties": False,
}
"""What an answer must look like."""


class ModelExtractor:
    """A FactExtractor over a language model."""

    def __init__(self, model: Metered) -> None:
        """Take the model; nothing is asked of it here, and it stays its owner's to close."""
        self._model = model
        found = files("palimpsest.slm.facts.prompts").joinpath("facts.md").read_text(encoding="utf-8")
        version, _, self._system = found.partition("\n")
        self._version = version.removeprefix("<!--").removesuffix("-->").strip()

    @property
    def name(self) -> str:
        """See FactExtractor."""
        return f"{self._model.name}/{self._version}"

    async def extract(self, telling: Telling) -> Sequence[FoundFact]:
        """See FactExtractor; of a text that is longer than the window the beginning is read."""
        text = self._fitting(telling.text)
        answer = await self._model.ask(
            telling.namespace,
            telling.thread,
            "facts",
            self._system,
            _prompt(text, telling),
            max_tokens=_ANSWER_TOKENS,
            schema=SCHEMA,
        )
        answered = _parse(answer.text, self._model.name)
        by = f"{answer.by}/{self._version}"
        found = [fact for one in answered if (fact := _found(one, text, telling, by)) is not None]
        if answered and not found:
            raise UnusableAnswerError(f"All facts by {answer.by} are made up; the rules stand in.")
        return found

    async def aclose(self) -> None:
        """See FactExtractor."""

    def _fitting(self, text: str) -> str:
        system = len(self._system.encode()) // _BYTES_A_TOKEN
        room = int((self._model.window - _ANSWER_TOKENS - system - 150) * _SAFETY) * _BYTES_A_TOKEN
        return text.encode()[: max(600, room)].decode(errors="ignore")


def _prompt(text: str, telling: Telling) -> str:
    who = f"{telling.speaker} said this" if telling.speaker else "This was written"
    mark = f"=== {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]} ==="
    return f"{who} on {telling.at:%A, %Y-%m-%d}. Read the facts off it.\n\n{mark}\n{text}\n{mark}"


def _parse(text: str, model: str) -> list[Answered]:
    """Return the facts of an answer that are as they must be.

    Raises:
        UnusableAnswerError: it is no object with a list of facts, or none of those is as it must be.
    """
    try:
        answer = _Answer.model_validate_json(_unfenced(text))
    except (ValidationError, RecursionError):
        raise UnusableAnswerError(f"The facts by {model} are not as they were asked for; the rules stand in.") from None
    facts: list[Answered] = []
    for one in answer.facts[:MOST_FACTS]:
        with suppress(ValidationError):
            facts.append(Answered.model_validate(one))
    if answer.facts and not facts:
        raise UnusableAnswerError(f"None of the facts by {model} is as it was asked for; the rules stand in.")
    return facts


def _unfenced(text: str) -> str:
    found = re.search(r"```(?:json)?\s*(.*?)```", text, re.DOTALL)
    return found.group(1) if found else text


def _found(one: Answered, text: str, telling: Telling, name: str) -> FoundFact | None:
    """Return a fact with its place, None where the text does not have its quote, or its value is made up."""
    place = _place(one.quote, text)
    if place is None or not _is_backed(one, text, telling):
        return None
    subject = one.subject
    if subject.casefold() in ("i", "me", "user", "the user", "speaker", "the speaker"):
        subject = telling.speaker or subject
    if subject.casefold() in ("user", "human", "me", "i"):
        subject = "The user"
    fact = Fact(subject, one.relation.casefold(), one.value, one.single, one.importance, _day(one.valid_from), name)
    return FoundFact(fact, one.fact, *place, "procedural" if one.kind == "rule" else "semantic")


def _place(quote: str, text: str) -> tuple[int, int] | None:
    """Return where a text has a quote (bytes), whatever its white space and case; None where it has not."""
    words = [re.escape(word) for word in quote.split()]
    if len(quote) < _SHORTEST_QUOTE and len(words) < 2:
        return None
    found = re.search(r"\s+".join(words), text, re.IGNORECASE)
    if found is None:
        return None
    start = len(text[: found.start()].encode())
    return start, start + len(found.group().encode())


def _is_backed(one: Answered, text: str, telling: Telling) -> bool:
    """Say whether most words of the value, and every number of it and of the fact's sentence, are in the text."""
    said = {word.casefold() for word in _WORD.findall(text)}
    dated = {f"{telling.at.year}", *_WORD.findall(one.valid_from or "")}
    numbers = {word for word in _WORD.findall(f"{one.value} {one.fact}") if word[0].isdigit()}
    if not numbers <= said | dated:
        return False
    words = [word.casefold() for word in _WORD.findall(one.value)]
    return sum(word in said for word in words) * 2 >= len(words)


def _day(text: str | None) -> datetime | None:
    """Read a day; one that does not exist is none."""
    try:
        return None if text is None else datetime.combine(date.fromisoformat(text[:10]), time(), UTC)
    except ValueError:
        return None
