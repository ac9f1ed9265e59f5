"""A language model behind a bound on concurrency, retries, and a breaker for when it is down."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping

from ...core.errors import TextModelUnavailableError
from ...core.models import Completion
from ...core.ports import TextModel

ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 20.0
"""An endpoint that asks for a longer wait is left to the job's own schedule."""
OPENS_AFTER = 5
OPEN_SECONDS = 60.0


class Guarded:
    """Passes calls on, a few at a time; tries again what may pass; and leaves an endpoint alone that keeps failing.

    After ``OPENS_AFTER`` unavailabilities in a row every call is refused for ``OPEN_SECONDS``; then one call is let
    through, and what becomes of it decides for the others (the circuit breaker of Nygard, Release It!, 2007).
    """

    def __init__(
        self,
        inner: TextModel,
        *,
        concurrency: int = 2,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seed: int | None = None,
    ) -> None:
        """``seconds`` is a clock that only moves forward; ``seed`` makes the waits' jitter repeatable."""
        self._inner = inner
        self._slots = asyncio.Semaphore(concurrency)
        self._seconds = seconds
        self._sleep = sleep
        # Jitter keeps processes from trying again at the same moment; nothing secret hangs on it.
        self._random = random.Random(seed)
        self._failures = 0
        self._closed_until = float("-inf")
        self._trying = False

    @property
    def name(self) -> str:
        """See TextModel."""
        return self._inner.name

    @property
    def window(self) -> int:
        """See TextModel."""
        return self._inner.window

    async def aclose(self) -> None:
        """See TextModel."""
        await self._inner.aclose()

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """See TextModel."""
        async with self._slots:
            attempt = 1
            while True:
                try:
                    return await self._once(system, prompt, max_tokens, schema)
                except TextModelUnavailableError as error:
                    wait = self._wait(attempt, error.retry_after_seconds)
                    if attempt >= ATTEMPTS or wait > LONGEST_WAIT_SECONDS or self._is_open():
                        raise
                    attempt += 1
                await self._sleep(wait)

    async def count(self, text: str) -> int | None:
        """See TextModel; nothing is counted while the endpoint is left alone."""
        return None if self._is_open() else await self._inner.count(text)

    async def _once(self, system: str, prompt: str, max_tokens: int, schema: Mapping[str, object] | None) -> Completion:
        self._check()
        half_open = self._failures >= OPENS_AFTER
        self._trying = half_open or self._trying
        try:
            answer = await self._inner.complete(system, prompt, max_tokens=max_tokens, schema=schema)
        except TextModelUnavailableError:
            self._failures += 1
            if self._failures >= OPENS_AFTER:
                self._closed_until = self._seconds() + OPEN_SECONDS
            raise
        except BaseException:
            # A refusal is an answer: the endpoint is there.
            self._failures = 0
            raise
        finally:
            if half_open:
                self._trying = False
        self._failures = 0
        return answer

    def _check(self) -> None:
        left = self._closed_until - self._seconds()
        if left > 0 or (self._failures >= OPENS_AFTER and self._trying):
            raise TextModelUnavailableError(
                f"The language model {self.name} failed {self._failures} times in a row and is left alone for a while.",
                retry_after_seconds=max(left, 1.0),
            )

    def _is_open(self) -> bool:
        return self._closed_until > self._seconds()

    def _wait(self, attempt: int, asked: float | None) -> float:
        own = 2.0 ** (attempt - 1) * (0.5 + self._random.random() / 2)
        return max(own, asked or 0.0)
