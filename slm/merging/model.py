"""Merging by a language model, with every fact of the statements checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...core.errors import UnusableAnswerError
from ...core.sameness import said
from ..language import facts

if TYPE_CHECKING:
    from ..language.metered import Metered

_PURPOSE = "merge"
_LEAST_TOKENS = 60
_TEMPLATE_TOKENS = 350
_MOST_NAMES = 200


class _Answer(BaseModel):
    """What the model is to answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1, max_length=8000)


SCHEMA = _Answer.model_json_schema()


class ModelMerger:
    """A Merger over a language model: its text is taken only if it names all that its statements name, and nothing
    else."""

    def __init__(self, model: Metered) -> None:
        """Take the model; nothing is asked of it here."""
        self._model = model
        raw = files("palimpsest.slm.merging.prompts").joinpath("merge.md").read_text(encoding="utf-8")
        version, _, self._prompt = raw.partition("\n")
        self._version = version.removeprefix("<!--").removesuffix("-->").strip()

    @property
    def name(self) -> str:
        """See Merger."""
        return f"{self._model.name}/{self._version}"

    async def merge(self, namespace: str, thread: str, texts: Sequence[str]) -> str:
        """See Merger."""
        source = "\n".join(" ".join(text.split()) for text in texts)
        tokens = await self._model.count(source)
        bound = max(_LEAST_TOKENS, tokens) + 40
        if tokens + bound + _TEMPLATE_TOKENS > self._model.window:
            raise UnusableAnswerError("The statements are too long for the language model's window.")
        mark = f"=== {hashlib.sha256(source.encode(errors='replace')).hexdigest()[:16]} ==="
        answer = await self._model.ask(
            namespace,
            thread,
            _PURPOSE,
            self._prompt.strip(),
            f"{mark}\n{source}\n{mark}",
            max_tokens=bound,
            schema=SCHEMA,
        )
        try:
            text = " ".join(_Answer.model_validate_json(answer.text).text.split())
        except ValidationError as error:
            raise UnusableAnswerError("The language model's answer is not of the form that was asked.") from error
        return _checked(text, source)


def _checked(text: str, source: str) -> str:
    """Return a text that names what its source names.

    Raises:
        UnusableAnswerError: it names less, or more.
    """
    if not text or facts.checked(text, source) != text:
        raise UnusableAnswerError("The language model's text names what the statements do not have.")
    words = set(said(text).words)
    named = [word for line in source.splitlines() for word in _named(line)]
    if any(word not in text for word in facts.carried(source, _MOST_NAMES)) or not words.issuperset(named):
        raise UnusableAnswerError("The language model's text leaves out what the statements name.")
    return text


def _named(line: str) -> list[str]:
    """Return what a text must not lose of a statement: numbers, what is written with a capital, and negations."""
    told = said(line)
    return [
        word
        for place, (word, plain) in enumerate(zip(told.words, told.plain, strict=True))
        if any(sign.isdigit() for sign in word) or (place and not plain and word != "?") or word in _NEGATING
    ]


_NEGATING = frozenset({"not", "no", "never", "without", "except", "unless"})
