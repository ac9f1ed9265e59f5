"""Counts by the model's own provider: one round trip a text, and only when somebody chose it and gave a key."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from ...core.models import TokenCount
from ...core.ports import TokenCounter

Ask = Callable[[str], int | None]
"""Asks a provider for a text's tokens; None when it cannot be had. Message framing (a few tokens) is included."""

TIMEOUT_SECONDS = 5.0
_PAUSE_SECONDS = 60.0
_REMEMBERED = 1024


class ProviderCounter:
    """Counts by asking; after a failure it estimates, says so, and leaves the provider alone for a minute."""

    def __init__(
        self, name: str, ask: Ask, *, fallback: TokenCounter, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Take how to ask, and who counts when there is no answer; ``seconds`` is a clock that only moves forward."""
        self._name = name
        self._ask = ask
        self._fallback = fallback
        self._seconds = seconds
        self._silent_until = float("-inf")
        self._known: OrderedDict[bytes, int] = OrderedDict()

    @property
    def name(self) -> str:
        """Name the provider and the model."""
        return self._name

    def count(self, text: str) -> TokenCount:
        """Return the provider's count, or the fallback's with the reason in its name. Blocks for up to 5 s."""
        if not text:
            return TokenCount(0, self._name)
        key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        tokens = self._known.get(key)
        if tokens is None and self._seconds() >= self._silent_until:
            tokens = self._ask(text)
            if tokens is None:
                self._silent_until = self._seconds() + _PAUSE_SECONDS
            else:
                self._known[key] = tokens
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        if tokens is not None:
            return TokenCount(tokens, self._name)
        estimate = self._fallback.count(text)
        return TokenCount(estimate.tokens, f"{estimate.counter}, as {self._name} did not answer")


def anthropic_counter(
    model: str,
    api_key: str,
    *,
    fallback: TokenCounter,
    base_url: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> ProviderCounter:
    """Return a counter that asks Anthropic's count_tokens."""
    import anthropic

    client = anthropic.Anthropic(api_key=api_key, base_url=base_url, timeout=timeout_seconds, max_retries=0)

    def ask(text: str) -> int | None:
        try:
            return client.messages.count_tokens(model=model, messages=[{"role": "user", "content": text}]).input_tokens
        except anthropic.AnthropicError:
            return None

    return ProviderCounter(f"anthropic {model}", ask, fallback=fallback)


def openai_counter(
    model: str,
    api_key: str,
    *,
    fallback: TokenCounter,
    base_url: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> ProviderCounter:
    """Return a counter that asks OpenAI's responses.input_tokens.count."""
    import openai

    client = openai.OpenAI(api_key=api_key, base_url=base_url, timeout=timeout_seconds, max_retries=0)

    def ask(text: str) -> int | None:
        try:
            return client.responses.input_tokens.count(model=model, input=text).input_tokens
        except openai.OpenAIError:
            return None

    return ProviderCounter(f"openai {model}", ask, fallback=fallback)
