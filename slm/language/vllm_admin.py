"""A vLLM server as those see it who run it: its models and adapters, and how it does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from ...core.errors import TextModelError, TextModelUnavailableError
from .endpoint import Endpoint
from .vllm_metrics import ServerFigures, describe_figures, parse_metrics

WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model, or an adapter of the model ``parent``, that a server has under ``name``; ``window`` if it says so."""

    name: str
    parent: str | None
    window: int | None


class VllmAdmin(Endpoint):
    """What a vLLM server can be asked and told besides answering.

    Adapters can only be loaded and unloaded where the server runs with ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=true``.
    """

    provider: ClassVar = "openai"
    key_setting: ClassVar[str] = "PALIMPSEST_SLM_API_KEY"

    async def list_models(self) -> tuple[ServedModel, ...]:
        """Return the models and adapters that the server has loaded.

        Raises:
            TextModelError: the server does not answer, or not so.
        """
        answer = await self._call("get", "/models")
        try:
            return tuple(
                ServedModel(str(one["id"]), one.get("parent"), one.get("max_model_len")) for one in answer["data"]
            )
        except (TypeError, KeyError, AttributeError):
            raise TextModelError(f"The server of {self._model} answered something that is no list of models.") from None

    async def load_adapter(self, name: str, path: str) -> None:
        """Load an adapter from a folder that the server sees, under a name that was never another's.

        Raises:
            TextModelUnavailableError: the server does not answer, or could not read or hold the adapter.
            TextModelError: it refuses: the name is taken, the folder is missing, or it loads none while it runs.
        """
        await self._call("post", "/load_lora_adapter", {"lora_name": name, "lora_path": path})

    async def unload_adapter(self, name: str) -> None:
        """Let an adapter go.

        Raises:
            UnknownTextModelError: the server has none of that name.
            TextModelError: see ``load_adapter``.
        """
        await self._call("post", "/unload_lora_adapter", {"lora_name": name})

    async def figures(self) -> ServerFigures | None:
        """Return how the server does; None where it tells no figures of vLLM's.

        Raises:
            TextModelError: it does not answer.
        """
        assert self._base_url is not None
        root = self._base_url.rstrip("/").removesuffix("/v1")
        try:
            told = await self._call("get", f"{root}/metrics")
        except TextModelUnavailableError:
            raise
        except TextModelError:
            return None
        return parse_metrics(told) if isinstance(told, str) else None

    async def notes(self) -> tuple[str, ...]:
        """See LanguageWatch."""
        try:
            # The SDK's import is not the server's slowness.
            await self._connect()
            async with asyncio.timeout(WATCH_SECONDS):
                figures = await self.figures()
        except (TextModelError, TimeoutError):
            return (f"The small model {self._model} does not answer now; what needs no model serves instead.",)
        return (f"Small model {self._model}: {describe_figures(figures) if figures else 'its server is there'}.",)

    async def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        client = await self._connect()
        sent: dict[str, Any] = {} if body is None else {"body": body}
        # Loading answers with a sentence, /metrics with lines, the rest with JSON.
        kind: Any = object if path == "/models" else str
        try:
            return await getattr(client, method)(path, cast_to=kind, **sent)
        except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise self._translate(error) from error
