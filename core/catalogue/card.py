"""One model: its window, the shares of it at which a thread is compressed, and its prices."""

import math
from dataclasses import dataclass
from decimal import Decimal

from ..budget import SAFE, TRIGGER
from ..models import TextUsage


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's figures: window and most output in tokens, trigger and safe as shares of the window.

    Prices are US dollars for a million tokens, which is also millionths of a dollar for one token; None is unknown or
    not sold by the maker. ``as_of`` is the day or month at which ``source`` said so, None where that is not known.
    """

    name: str
    provider: str
    window: int
    max_output: int | None = None
    trigger: float = TRIGGER
    safe: float = SAFE
    input_usd: Decimal | None = None
    cached_usd: Decimal | None = None
    output_usd: Decimal | None = None
    source: str = ""
    as_of: str | None = None
    aliases: tuple[str, ...] = ()

    def cost_micros(self, usage: TextUsage) -> int | None:
        """Return what one call cost, in millionths of a US dollar, rounded up; None where a needed price is unknown.

        Cached tokens cost the cached price, or the input price where there is none; they never exceed the prompt's.
        """
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        parts = (
            (usage.prompt_tokens - cached, self.input_usd),
            (cached, self.input_usd if self.cached_usd is None else self.cached_usd),
            (usage.completion_tokens, self.output_usd),
        )
        cost = Decimal(0)
        for tokens, price in parts:
            if tokens > 0 and price is None:
                return None
            cost += max(tokens, 0) * (price or 0)
        return math.ceil(cost)

    def value_micros(self, tokens: int) -> int | None:
        """Return what so many input tokens cost once, in millionths of a US dollar, rounded up; None where unknown."""
        return None if self.input_usd is None else math.ceil(max(tokens, 0) * self.input_usd)
