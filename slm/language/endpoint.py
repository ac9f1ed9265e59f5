"""What clients of language models share: the SDK at the first use, and failures in the core's words."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal

from ...core.errors import TextModelError, TextModelUnavailableError, UnknownTextModelError, UnusableAnswerError
from ...core.models import Completion
from .refusals import is_json, no_json

Provider = Literal["openai", "anthropic"]
LONGEST_RETRY_SECONDS = 3600.0
_BUSY = (408, 409, 425, 429)
_CLIENTS = {"openai": "AsyncOpenAI", "anthropic": "AsyncAnthropic"}


class Endpoint:
    """One model at one endpoint; nothing is imported, opened or sent before the first call.

    The two providers' SDKs name their errors alike, so that one translation serves both.
    """

    provider: ClassVar[Provider]
    key_setting: ClassVar[str] = "PALIMPSEST_SUMMARIZER_API_KEY"

    def __init__(
        self,
        *,
        model: str,
        window: int,
        api_key: str,
        base_url: str | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        """Take the endpoint (None: the provider's own), its key (any text where none is needed) and the model.

        ``window`` is how many tokens prompt and answer may have together.
        """
        self._model = model
        self._window = window
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._sdk: Any = None
        self._client: Any = None
        self._closed = False

    @property
    def name(self) -> str:
        """Name the model."""
        return self._model

    @property
    def window(self) -> int:
        """Return the model's window in tokens."""
        return self._window

    async def aclose(self) -> None:
        """Close the connections; calling it twice is allowed."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def count(self, text: str) -> int | None:
        """See TextModel: these endpoints do not tell."""
        return None

    def _checked(self, answer: Completion, schema: Mapping[str, object] | None) -> Completion:
        if schema is not None and not is_json(answer.text):
            raise UnusableAnswerError(no_json(self._model))
        return answer

    async def _connect(self) -> Any:
        if self._sdk is None:
            # The import takes a second or two, too long for the event loop.
            self._sdk = await asyncio.to_thread(importlib.import_module, self.provider)
        if self._closed:
            raise TextModelError("The language model's client is closed.")
        if self._client is None:
            # Retries are Guarded's: the SDK's own would neither be counted nor stop at an open breaker.
            self._client = getattr(self._sdk, _CLIENTS[self.provider])(
                api_key=self._api_key, base_url=self._base_url, timeout=self._timeout_seconds, max_retries=0
            )
        return self._client

    def _translate(self, error: Exception) -> TextModelError:
        """Return the core's error for one of the SDK's; no key and no part of the text is in it."""
        sdk, where = self._sdk, f"The endpoint of the language model {self._model}"
        if isinstance(error, sdk.APITimeoutError):
            return TextModelUnavailableError(f"{where} did not answer within {self._timeout_seconds:g} s.")
        if isinstance(error, sdk.APIStatusError):
            return self._of_status(where, error)
        if isinstance(error, sdk.APIConnectionError):
            return TextModelUnavailableError(f"{where} cannot be reached, or cut the connection.")
        return TextModelError(f"{where} answered something that is no completion.")

    def _of_status(self, where: str, error: Any) -> TextModelError:
        status = int(error.status_code)
        if status in (401, 403):
            return TextModelError(f"{where} refused the key ({status}); set {self.key_setting}.")
        if status == 404:
            return UnknownTextModelError(f"{where} knows no such model, or is no such endpoint (404).")
        if status in _BUSY or status >= 500:
            wait = retry_after(error.response.headers.get("retry-after"))
            return TextModelUnavailableError(f"{where} is busy or failing ({status}).", retry_after_seconds=wait)
        return TextModelError(f"{where} refused the request ({status}); is the text longer than its window?")


def retry_after(header: str | None, *, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number, or an HTTP date), an hour at most."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_SECONDS) if seconds == seconds else None
