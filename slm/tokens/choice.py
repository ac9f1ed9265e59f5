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
    api_key: str | None = None,
    model: str | None = None,
    base_url: str | None = None,
    encoding: str = ENCODING,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> TokenCounter:
    """Return the counter for ``auto``, ``estimate``, ``tiktoken``, ``anthropic`` or ``openai``.

    ``auto`` is tiktoken where the vocabulary of ``encoding`` is on this machine and the estimate elsewhere; only the
    last two ever use the network, and need ``api_key`` and ``model``.

    Raises:
        SettingsError: no such counter, no vocabulary for tiktoken, or no key or model for a provider.
    """
    estimate = EstimatingCounter()
    if setting == "estimate":
        return estimate
    if setting == "auto":
        return estimate if find_vocabulary(encoding) is None else TiktokenCounter(encoding, fallback=estimate)
    if setting == "tiktoken":
        return _tiktoken(encoding, estimate)
    builder = {"anthropic": anthropic_counter, "openai": openai_counter}.get(setting)
    if builder is None:
        raise SettingsError(f"{setting[:60]!r} is no token counter; use auto, estimate, tiktoken, anthropic or openai.")
    if not api_key:
        raise SettingsError(f"Counting tokens by {setting} needs a key; set {setting.upper()}_API_KEY, or use auto.")
    if not model:
        raise SettingsError(f"Counting tokens by {setting} needs a model; set PALIMPSEST_TOKEN_MODEL, or use auto.")
    return builder(model, api_key, fallback=estimate, base_url=base_url, timeout_seconds=timeout_seconds)


def _tiktoken(encoding: str, fallback: TokenCounter) -> TokenCounter:
    if encoding not in VOCABULARIES:
        raise SettingsError(f"{encoding[:60]!r} is no known encoding; use {' or '.join(VOCABULARIES)}.")
    if find_vocabulary(encoding) is None:
        raise SettingsError(
            f"tiktoken's vocabulary {encoding} is not on this machine and palimpsest downloads nothing; put the file "
            f"{VOCABULARIES[encoding][0]} into a folder, name that folder in TIKTOKEN_CACHE_DIR, or use auto."
        )
    return TiktokenCounter(encoding, fallback=fallback)
