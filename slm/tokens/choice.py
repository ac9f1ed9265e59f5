"""Which counter a setting means."""

from ...core.errors import SettingsError
from ...core.ports import TokenCounter
from .estimate import EstimatingCounter
from .exact import VOCABULARIES, TiktokenCounter, find_vocabulary
from .provider import TIMEOUT_SECONDS, anthropic_counter, openai_counter

ENCODING = "o200k_base"


def choose_counter(
    setting: str = "auto",
    *,
    anthropic_api_key: str | None = None,
    anthropic_base_url: str | None = None,
    openai_api_key: str | None = None,
    openai_base_url: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> TokenCounter:
    """Return the counter for ``auto``, ``estimate``, ``tiktoken[:ENCODING]``, ``anthropic:MODEL`` or ``openai:MODEL``.

    ``auto`` is tiktoken where its o200k vocabulary is on this machine and the estimate elsewhere; only the last two
    ever use the network.

    Raises:
        SettingsError: no such counter, no vocabulary for tiktoken, or no key for a provider.
    """
    estimate = EstimatingCounter()
    kind, _, detail = setting.strip().partition(":")
    if kind == "auto" and not detail:
        return estimate if find_vocabulary(ENCODING) is None else TiktokenCounter(ENCODING, fallback=estimate)
    if kind == "estimate" and not detail:
        return estimate
    if kind == "tiktoken":
        return _tiktoken(detail or ENCODING, estimate)
    if kind == "anthropic" and detail:
        key = _key(anthropic_api_key, kind, "ANTHROPIC_API_KEY")
        return anthropic_counter(
            detail, key, fallback=estimate, base_url=anthropic_base_url, timeout_seconds=timeout_seconds
        )
    if kind == "openai" and detail:
        key = _key(openai_api_key, kind, "OPENAI_API_KEY")
        return openai_counter(detail, key, fallback=estimate, base_url=openai_base_url, timeout_seconds=timeout_seconds)
    raise SettingsError(
        f"{setting[:60]!r} is no token counter; use auto, estimate, tiktoken, tiktoken:{ENCODING}, anthropic:MODEL or "
        "openai:MODEL."
    )


def _tiktoken(encoding: str, fallback: TokenCounter) -> TokenCounter:
    if encoding not in VOCABULARIES:
        raise SettingsError(f"{encoding[:60]!r} is no known encoding; use {' or '.join(VOCABULARIES)}.")
    if find_vocabulary(encoding) is None:
        raise SettingsError(
            f"tiktoken's vocabulary {encoding} is not on this machine and palimpsest downloads nothing; put the file "
            f"{VOCABULARIES[encoding][0]} into a folder, name that folder in TIKTOKEN_CACHE_DIR, or use auto."
        )
    return TiktokenCounter(encoding, fallback=fallback)


def _key(value: str | None, provider: str, variable: str) -> str:
    if not value:
        raise SettingsError(f"Counting tokens by {provider} needs a key; set {variable}, or use auto.")
    return value
