"""From plain settings to language models that are paid for, and to the summaries that they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .anthropic_messages import AnthropicMessages
from .chain import SummarizerChain
from .guarded import Guarded
from .metered import Member, Metered
from .openai_chat import OpenAIChat
from .purse import Price, Purse
from .summarizer import ModelSummarizer
from .vllm import VllmModel

if TYPE_CHECKING:
    from ...core.models import TextUsage
    from ...core.ports import AdapterChoice, Chunker, Clock, Meter, Summarizer, TokenCounter
    from .vllm import Style


def build_external(
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
) -> Member:
    """Return a provider's model; nothing is imported, opened or sent before it is first asked."""
    maker = OpenAIChat if provider == "openai" else AnthropicMessages
    endpoint = maker(model=model, window=window, api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)
    purse = Purse(meter=meter, price=price, clock=clock, daily_micros=daily_micros)
    return Member(provider, Guarded(endpoint, concurrency=concurrency), purse)


def build_small(
    *,
    model: str,
    window: int,
    api_key: str,
    base_url: str,
    timeout_seconds: float,
    style: Style | None,
    concurrency: int,
    meter: Meter,
    clock: Clock,
    adapters: AdapterChoice | None = None,
) -> Member:
    """Return a small model on a server of one's own, which costs nothing a call."""
    endpoint = VllmModel(
        model=model,
        window=window,
        api_key=api_key,
        base_url=base_url,
        timeout_seconds=timeout_seconds,
        style=style,
        adapters=adapters,
    )
    purse = Purse(meter=meter, price=_free, clock=clock)
    return Member("vllm", Guarded(endpoint, concurrency=concurrency), purse)


def _free(usage: TextUsage) -> int:
    return 0


def build_summarizer(language: Metered, *, counter: TokenCounter, chunker: Chunker) -> Summarizer:
    """Return what writes summaries with the models, each by the measure of its own window."""
    return SummarizerChain(
        [ModelSummarizer(model=one, counter=counter, chunker=chunker) for one in language.each()], name=language.name
    )
