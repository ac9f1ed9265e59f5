"""What language models answer, and what that used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextUsage:
    """What one call of a language model used: ``cached_tokens`` are those of ``prompt_tokens`` billed as cached."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A language model's answer; ``finished`` is False when it was cut at the token limit.

    ``by`` names the provider and the model, as what is made of the answer says; empty before it was paid for.
    """

    text: str
    usage: TextUsage
    finished: bool
    by: str = ""
