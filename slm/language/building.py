"""From plain settings to a summarizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .anthropic_messages import AnthropicMessages
from .guarded import Guarded
from .openai_chat import OpenAIChat
from .purse import Price, Purse
from .summarizer import ModelSummarizer

if TYPE_CHECKING:
    from ...core.ports import Chunker, Clock, Meter, TokenCounter


def build_summarizer(
    provider: Literal["openai", "anthropic"],
    *,
    model: str,
    window: int,
    api_key: str,
    base_url: str | None,
    timeout_seconds: float,
    concurrency: int,
    daily_micros: int,
    price: Price,
    meter: Meter,
    clock: Clock,
    counter: TokenCounter,
    chunker: Chunker,
) -> ModelSummarizer:
    """Return a summarizer; nothing is imported, opened or sent before its first summary."""
    maker = OpenAIChat if provider == "openai" else AnthropicMessages
    endpoint = maker(model=model, window=window, api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)
    return ModelSummarizer(
        model=Guarded(endpoint, concurrency=concurrency),
        provider=provider,
        counter=counter,
        chunker=chunker,
        purse=Purse(meter=meter, price=price, clock=clock, daily_micros=daily_micros),
    )
