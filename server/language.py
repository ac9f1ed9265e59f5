"""Which language models are set, and what is made of them: the small one of one's own first, then a provider's."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from ..core.clock import SystemClock
from ..core.errors import SettingsError

if TYPE_CHECKING:
    from ..core.catalogue import ModelCatalogue
    from ..core.ports import AdapterChoice, Answerer, Chunker, Meter, Summarizer, TokenCounter
    from ..slm.language.metered import Member, Metered
    from ..slm.language.vllm import Style, VllmModel
    from ..slm.language.vllm_admin import VllmAdmin
    from .settings import Settings

MOST_LANES = 4
UNKNOWN_MODEL_WINDOW = 8192
"""What a provider's model is taken to hold when the catalogue does not know it."""


class SmallServer(TypedDict):
    """The small model and where it is served, as all its clients take it."""

    model: str
    window: int
    api_key: str
    base_url: str
    timeout_seconds: float


def choose_language(
    settings: Settings, catalogue: ModelCatalogue, meter: Meter, *, adapters: AdapterChoice | None = None
) -> Metered | None:
    """Return the language models that are set, in the order in which they are asked; None where none is.

    Nothing is imported or sent before the first question. Whoever calls this closes it. ``adapters`` says which
    adapter of the small model answers whom.

    Raises:
        SettingsError: a provider has neither a key nor an endpoint that may need none.
    """
    members = [
        one for one in (_small(settings, meter, adapters), _external(settings, catalogue, meter)) if one is not None
    ]
    if not members:
        return None
    from ..slm.language.metered import Metered

    return Metered(*members)


def choose_summarizer(language: Metered | None, counter: TokenCounter, chunker: Chunker) -> Summarizer | None:
    """Return what writes summaries; None without a language model."""
    if language is None:
        return None
    from ..slm.language.building import build_summarizer

    return build_summarizer(language, counter=counter, chunker=chunker)


def choose_answerer(language: Metered | None) -> Answerer | None:
    """Return what answers questions; None without a language model."""
    if language is None:
        return None
    from ..slm.answers.model import ModelAnswerer

    return ModelAnswerer(language)


def summarizing_lanes(settings: Settings) -> int:
    """Return how many items are summarized at once: a model of one's own is fast with many calls at a time."""
    return 1 if settings.slm_base_url is None else min(MOST_LANES, settings.slm_concurrency)


def small_server(settings: Settings) -> SmallServer | None:
    """Return where the small model is served; None where no such model is set."""
    if settings.slm_base_url is None:
        return None
    return SmallServer(
        model=settings.slm_model,
        window=settings.slm_window,
        # Servers without a key take any.
        api_key=settings.slm_api_key.get_secret_value() if settings.slm_api_key else "none",
        base_url=settings.slm_base_url,
        timeout_seconds=settings.slm_timeout_seconds,
    )


def choose_admin(settings: Settings) -> VllmAdmin | None:
    """Return the small model's server as those see it who run it; None where no such model is set."""
    server = small_server(settings)
    if server is None:
        return None
    from ..slm.language.vllm_admin import VllmAdmin

    return VllmAdmin(**server)


def choose_probe(settings: Settings) -> VllmModel | None:
    """Return the small model itself, to see whether it generates: no breaker, no account. None where none is set."""
    server = small_server(settings)
    if server is None:
        return None
    from ..slm.language.vllm import VllmModel

    return VllmModel(**server, style=_style(settings))


def _style(settings: Settings) -> Style | None:
    return None if settings.slm_prompt_style == "auto" else settings.slm_prompt_style


def _small(settings: Settings, meter: Meter, adapters: AdapterChoice | None) -> Member | None:
    server = small_server(settings)
    if server is None:
        return None
    from ..slm.language.building import build_small

    return build_small(
        **server,
        style=_style(settings),
        concurrency=settings.slm_concurrency,
        meter=meter,
        clock=SystemClock(),
        adapters=adapters,
    )


def _external(settings: Settings, catalogue: ModelCatalogue, meter: Meter) -> Member | None:
    if settings.summarizer == "none" or settings.summarizer_model is None:
        return None
    from ..slm.language.building import build_external

    own = settings.openai_api_key if settings.summarizer == "openai" else settings.anthropic_api_key
    key = settings.summarizer_api_key or own
    if key is None and settings.summarizer_base_url is None:
        raise SettingsError(
            f"The summarizer {settings.summarizer} needs a key (PALIMPSEST_SUMMARIZER_API_KEY, or the provider's own), "
            "or the address of an endpoint that needs none (PALIMPSEST_SUMMARIZER_BASE_URL)."
        )
    card = catalogue.choose(settings.summarizer_model, UNKNOWN_MODEL_WINDOW).card
    return build_external(
        settings.summarizer,
        model=settings.summarizer_model,
        window=card.window,
        api_key=key.get_secret_value() if key else "none",
        base_url=settings.summarizer_base_url,
        timeout_seconds=settings.summarizer_timeout_seconds,
        concurrency=settings.summarizer_concurrency,
        daily_micros=round(settings.summarizer_daily_usd * 1_000_000),
        price=card.cost_micros,
        meter=meter,
        clock=SystemClock(),
    )
