"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import TextModelError, UnusableAnswerError
from ...core.models import Completion, TextUsage
from .endpoint import Endpoint
from .refusals import empty, refused


class AnthropicMessages(Endpoint):
    """A TextModel over ``/v1/messages``."""

    provider = "anthropic"

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """See TextModel."""
        client = await self._connect()
        form = {} if schema is None else {"output_config": {"format": {"type": "json_schema", "schema": dict(schema)}}}
        try:
            answer = await client.messages.create(
                model=self._model,
                system=system,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=max_tokens,
                **form,
            )
            return self._checked(self._read(answer), schema)
        except TextModelError:
            raise
        except (self._sdk.AnthropicError, ValueError, TypeError, AttributeError) as error:
            raise self._translate(error) from error

    def _read(self, answer: Any) -> Completion:
        if answer.stop_reason == "refusal":
            raise UnusableAnswerError(refused(self._model))
        text = "".join(block.text for block in answer.content if block.type == "text")
        if not text.strip():
            raise UnusableAnswerError(empty(self._model))
        usage = answer.usage
        cached = usage.cache_read_input_tokens or 0
        # Tokens written to or read from the cache are not among the input tokens here.
        prompt = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
        counted = TextUsage(self._model, prompt, usage.output_tokens, cached)
        return Completion(text.strip(), counted, answer.stop_reason != "max_tokens")
