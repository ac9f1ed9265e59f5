"""A thread's budget from its model's card."""

from decimal import Decimal
from functools import lru_cache

from ..budget import Budget, Budgets
from .lookup import ModelCatalogue

REMEMBERED = 64
"""Models whose budgets are kept: names near to an unknown one take milliseconds to find, at every add."""
_MICROS = Decimal(1_000_000)


def catalogue_budgets(catalogue: ModelCatalogue, *, default_model: str | None, default_window: int) -> Budgets:
    """Return budgets by the catalogue; a thread without a model has ``default_model``, or else ``default_window``."""

    @lru_cache(REMEMBERED)
    def budget_of(model: str | None) -> Budget:
        asked = model or default_model
        choice = catalogue.choose(asked, default_window)
        card = choice.card
        return Budget(
            card.window,
            card.trigger,
            card.safe,
            model=card.name if asked and choice.note is None else None,
            note=choice.note,
            micros_per_million=None if card.input_usd is None else round(card.input_usd * _MICROS),
        )

    return budget_of
