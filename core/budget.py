"""What a thread may hold: a model's window, and the shares of it at which its items step down."""

import math
from collections.abc import Callable
from dataclasses import dataclass

TRIGGER = 0.75
SAFE = 0.85
HYSTERESIS = 0.15
"""Target and trigger lie this share of the window apart, so that one compression lasts for many adds."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A thread's room in tokens: ``window``, and ``trigger`` and ``safe`` as shares of it.

    ``model`` is the one whose window this is, None for the default window; ``note`` says what had to be assumed.
    ``micros_per_million`` is what a million input tokens cost, in millionths of a US dollar, None where unknown.
    """

    window: int
    trigger: float = TRIGGER
    safe: float = SAFE
    model: str | None = None
    note: str | None = None
    micros_per_million: int | None = None

    @property
    def trigger_tokens(self) -> int:
        """Return the most tokens that the block may have: one more is at the trigger, and its items step down."""
        return math.ceil(self.window * self.trigger) - 1

    @property
    def target_tokens(self) -> int:
        """Return how many tokens the block has at most after that, where its pinned items let it."""
        return int(self.window * max(self.trigger - HYSTERESIS, self.trigger / 2))

    def micros(self, tokens: int) -> int | None:
        """Return what so many input tokens cost, in millionths of a US dollar; None where the price is unknown."""
        return None if self.micros_per_million is None else round(tokens * self.micros_per_million / 1_000_000)

    def tokens_of(self, share: float) -> int:
        """Return a share of the window in tokens."""
        return int(self.window * share)


Budgets = Callable[[str | None], Budget]
"""From a thread's model, None where it has none, to its budget."""


def fixed_budget(window: int) -> Budgets:
    """Return budgets that give every thread the same window."""
    budget = Budget(window)
    return lambda model: budget
