"""Any endpoint that speaks OpenAI's embeddings API: OpenAI's own, or vLLM, Ollama, llama.cpp and the like."""

import asyncio
import importlib
from collections.abc import Sequence
from typing import Any

from ...core.errors import EmbedderError
from .vectors import check_vectors, drop_surrogates

OPENAI_URL = "https://api.openai.com/v1"
BATCH = 64
"""Texts a request."""
MAX_CHARACTERS = 8_000
"""Longer texts are cut: for one text beyond the model's window an endpoint refuses the whole request."""


class OpenAICompatibleEmbedder:
    """Sends texts to an endpoint; nothing is imported, opened or sent before the first use."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str,
        model: str,
        dimensions: int,
        timeout_seconds: float = 30.0,
        max_retries: int = 2,
        shorten: bool = False,
    ) -> None:
        """Take the endpoint (None: OpenAI's), a key (any text where none is needed) and the model.

        ``shorten`` asks the endpoint to cut its vectors down to ``dimensions``; models not trained for it refuse that.
        ``timeout_seconds`` holds for each try.
        """
        self._base_url = base_url or OPENAI_URL
        self._api_key = api_key
        self._model = model
        self._dimensions = dimensions
        self._timeout_seconds = timeout_seconds
        self._max_retries = max_retries
        self._shorten = shorten
        self._sdk: Any = None
        self._client: Any = None
        self._closed = False

    @property
    def model_id(self) -> str:
        """Name the model and its vectors' length; whoever serves it, its vectors are the same."""
        return f"openai/{self._model}/{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """Return the vectors' length as given."""
        return self._dimensions

    @property
    def leading(self) -> int | None:
        """Return None: whether its first numbers say more than the others is not known."""
        return None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector a text, in order; what lies beyond 8,000 characters is cut.

        Raises:
            EmbedderError: the endpoint cannot be reached, refuses or answers something else, or the embedder is closed.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            # An empty text is refused, with the whole request.
            batch = [drop_surrogates(text[:MAX_CHARACTERS]) or " " for text in texts[start : start + BATCH]]
            raw = await self._request(batch)
            vectors += check_vectors(raw, count=len(batch), dimensions=self._dimensions, source=self._model)
        return vectors

    async def aclose(self) -> None:
        """Close the connections; calling it twice is allowed."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _request(self, texts: list[str]) -> list[list[float]]:
        client = await self._connect()
        sdk = self._sdk
        # The SDK's default is base64, which not every endpoint knows.
        arguments: dict[str, Any] = {"model": self._model, "input": texts, "encoding_format": "float"}
        if self._shorten:
            arguments["dimensions"] = self._dimensions
        try:
            response = await client.embeddings.create(**arguments)
            entries = sorted(response.data, key=lambda entry: entry.index)
            return [[float(value) for value in entry.embedding] for entry in entries]
        except sdk.APITimeoutError as error:
            raise self._failure(f"did not answer within {self._timeout_seconds:g} s") from error
        except sdk.APIConnectionError as error:
            raise self._failure("cannot be reached") from error
        except sdk.AuthenticationError as error:
            raise self._failure("refused the key (401); set PALIMPSEST_EMBEDDING_API_KEY") from error
        except sdk.RateLimitError as error:
            raise self._failure("refused for now, too many requests or no credit (429)") from error
        except sdk.NotFoundError as error:
            raise self._failure(f"knows no model {self._model!r} (404), or is no such endpoint") from error
        except sdk.APIStatusError as error:
            raise self._failure(f"failed with status {error.status_code}") from error
        except (sdk.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise self._failure("answered something that is no list of embeddings") from error

    async def _connect(self) -> Any:
        if self._sdk is None:
            # The import takes half a second, too long for the event loop.
            self._sdk = await asyncio.to_thread(importlib.import_module, "openai")
        if self._closed:
            raise EmbedderError("The embedder is closed.")
        if self._client is None:
            self._client = self._sdk.AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._api_key,
                timeout=self._timeout_seconds,
                max_retries=self._max_retries,
            )
        return self._client

    def _failure(self, what: str) -> EmbedderError:
        return EmbedderError(f"The embedding endpoint {self._base_url} {what}.")
