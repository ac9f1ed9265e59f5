"""Money: what a call may cost at most is checked before it, what it did cost is noted after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...core.errors import SpendingLimitError
from ...core.models import Completion, TextUsage
from ...core.ports import Clock, Meter, TextModel

Price = Callable[[TextUsage], int | None]
"""From what a call used to its cost in millionths of a US dollar; None where the model's price is unknown."""


@dataclass(frozen=True, slots=True)
class Account:
    """On whose account a call is made, and what for."""

    namespace: str
    thread: str
    purpose: str


class Purse:
    """Pays for calls, within a limit for each namespace and UTC day.

    Calls that run at the same moment in several processes may overshoot the limit by what those calls cost.
    """

    def __init__(self, *, meter: Meter, price: Price, clock: Clock, daily_micros: int = 0) -> None:
        """``daily_micros`` is in millionths of a US dollar, 0 for no limit."""
        self._meter = meter
        self._price = price
        self._clock = clock
        self._daily_micros = daily_micros
        self._promised: dict[str, int] = {}

    async def complete(
        self,
        account: Account,
        model: TextModel,
        system: str,
        prompt: str,
        *,
        max_tokens: int,
        schema: Mapping[str, object] | None = None,
    ) -> Completion:
        """Make a call and note what it used.

        Raises:
            SpendingLimitError: the day's money might not reach for it, or a price is unknown that a limit needs.
            TextModelError: see TextModel.
        """
        # Hardly a text has more tokens than a third of its bytes.
        most = TextUsage(model.name, len((system + prompt).encode()) // 3 + 50, max_tokens)
        promised = await self._promise(account.namespace, model.name, self._price(most))
        try:
            answer = await model.complete(system, prompt, max_tokens=max_tokens, schema=schema)
        finally:
            self._promised[account.namespace] = self._promised.get(account.namespace, 0) - promised
        await self._meter.note_usage(
            account.namespace,
            answer.usage,
            micros=self._price(answer.usage),
            purpose=account.purpose,
            thread=account.thread,
        )
        return answer

    async def _promise(self, namespace: str, model: str, cost: int | None) -> int:
        if not self._daily_micros:
            return 0
        if cost is None:
            raise SpendingLimitError(
                f"The price of {model} is not known, so the daily limit cannot be kept; name it in "
                "PALIMPSEST_MODELS_FILE (input_usd and output_usd, 0 for a model of your own), or set "
                "PALIMPSEST_SUMMARIZER_DAILY_USD to 0."
            )
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        spent = await self._meter.spent_micros(namespace, midnight) + self._promised.get(namespace, 0)
        if spent + cost > self._daily_micros:
            raise SpendingLimitError(
                f"Today's {spent / 1_000_000:.4f} US dollars and this call's {cost / 1_000_000:.4f} at most would pass "
                f"the daily limit of {self._daily_micros / 1_000_000:.4f}; it goes on after midnight UTC, or raise "
                "PALIMPSEST_SUMMARIZER_DAILY_USD."
            )
        self._promised[namespace] = self._promised.get(namespace, 0) + cost
        return cost
