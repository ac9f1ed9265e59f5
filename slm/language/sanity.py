"""Answers that are none: the instruction said again, or the same words over and over, as small models sometimes do."""

import zlib

from ...core.errors import UnusableAnswerError

_OPENING = 60
"""So many characters of an instruction, said again, are no chance."""
_LONG = 400
_LEAST_SHARE = 0.1
"""Prose deflates to a third of its bytes or more, a sentence said twenty times to less than a tenth."""


def check_sane(model: str, system: str, prompt: str, text: str) -> None:
    """Pass an answer on.

    Raises:
        UnusableAnswerError: it repeats the instruction, the prompt's beginning or itself.
    """
    said = _plain(text)
    opening = _plain(system)[:_OPENING]
    asked = _plain(prompt)[:_OPENING]
    if (len(opening) == _OPENING and opening in said) or (len(asked) == _OPENING and said.startswith(asked)):
        raise UnusableAnswerError(
            f"The language model {model} repeats what it was told to do; what needs no model serves instead."
        )
    content = text.encode(errors="replace")
    if len(content) >= _LONG and len(zlib.compress(content)) < _LEAST_SHARE * len(content):
        raise UnusableAnswerError(
            f"The language model {model} says the same over and over; what needs no model serves instead."
        )


def _plain(text: str) -> str:
    return " ".join(text.split())
