"""Language models that are asked in turn, each call paid for and noted on the namespace's account."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.errors import SpendingLimitError, TextModelError, TextModelUnavailableError, UnusableAnswerError
from .asking import Asker, asked_by
from .purse import Account, Purse

if TYPE_CHECKING:
    from ...core.models import Completion
    from ...core.ports import TextModel

_BYTES_A_TOKEN = 3
"""Hardly a text has more tokens than a third of its bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A model, who provides it (as what it makes will say), and who pays for it."""

    provider: str
    model: TextModel
    purse: Purse


class Metered:
    """One language model, or several of which the next is asked where one cannot answer.

    Retries, the bound on concurrency and the breaker are each model's own, so that one that is down costs no time.
    """

    def __init__(self, *members: Member) -> None:
        """Take at least one; the first is asked first."""
        self._members = members

    @property
    def name(self) -> str:
        """Name the providers and models, in the order in which they are asked."""
        return ", then ".join(f"{one.provider}:{one.model.name}" for one in self._members)

    @property
    def window(self) -> int:
        """Return how many tokens prompt and answer may have together: what every one of the models can hold."""
        return min(one.model.window for one in self._members)

    def each(self) -> tuple[Metered, ...]:
        """Return the models singly, for whoever asks a model with a larger window otherwise."""
        return tuple(Metered(one) for one in self._members)

    async def own_count(self, text: str) -> int | None:
        """Return the most tokens that a text has for any of the models, None where one does not tell."""
        counts = [await one.model.count(text) for one in self._members]
        return max((one for one in counts if one is not None), default=None) if None not in counts else None

    async def count(self, text: str) -> int:
        """Return the tokens that a text has for the models, or the most it could have where they do not tell."""
        own = await self.own_count(text)
        return len(text.encode(errors="replace")) // _BYTES_A_TOKEN + 1 if own is None else own

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
        key: str | None = None,
    ) -> Completion:
        """Return the first usable answer; its ``by`` says whose it is.

        ``purpose`` is a word for the account; ``key`` is the same for all calls about one thing, so that one adapter
        of a model answers them all.

        Raises:
            TextModelUnavailableError: try again later.
            SpendingLimitError: try again tomorrow.
            UnusableAnswerError: the answers were not usable, and asking again would cost again.
            TextModelError: the endpoints refuse such calls.
        """
        account = Account(namespace, thread, purpose)
        asker = Asker(namespace, key or hashlib.sha256(prompt.encode(errors="replace")).hexdigest())
        failures: list[TextModelError] = []
        for one in self._members:
            try:
                with asked_by(asker):
                    answer = await one.purse.complete(
                        account, one.model, system, prompt, max_tokens=max_tokens, schema=schema
                    )
            except TextModelError as failure:
                failures.append(failure)
            else:
                return dataclasses.replace(answer, by=f"{one.provider}:{answer.usage.model}")
        raise decisive(failures)

    async def aclose(self) -> None:
        """Free the models' connections; calling it twice is allowed."""
        for one in self._members:
            await one.model.aclose()


def decisive(failures: Sequence[TextModelError]) -> TextModelError:
    """Return which of several models' failures, in the order in which they were asked, says when to ask again.

    An unusable answer of the last one ends it, for it would be paid for again. Else what passes soonest decides.
    """
    if isinstance(failures[-1], UnusableAnswerError):
        return failures[-1]
    for kind in (TextModelUnavailableError, SpendingLimitError):
        found = [one for one in failures if isinstance(one, kind)]
        if found:
            return found[0]
    return failures[-1]
