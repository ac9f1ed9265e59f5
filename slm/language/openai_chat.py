"""OpenAI's chat completions, and whatever else speaks them: vLLM, Ollama, LM Studio, llama.cpp and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import TextModelError, UnusableAnswerError
from ...core.models import Completion, TextUsage
from .endpoint import Endpoint
from .refusals import empty, refused


class OpenAIChat(Endpoint):
    """A TextModel over ``/chat/completions``."""

    provider = "openai"

    @property
    def bound(self) -> str:
        """Return the name of the answer's bound: OpenAI's newer models take only the new one, other servers the old."""
        return "max_completion_tokens" if self._base_url is None else "max_tokens"

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """See TextModel."""
        client = await self._connect()
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        try:
            answer = await client.chat.completions.create(
                model=self._model, messages=messages, **{self.bound: max_tokens}, **self._form(schema)
            )
            return self._checked(self._read(answer, system + prompt), schema)
        except TextModelError:
            raise
        except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise self._translate(error) from error

    def _read(self, answer: Any, sent: str) -> Completion:
        choice = answer.choices[0]
        if getattr(choice.message, "refusal", None) or choice.finish_reason == "content_filter":
            raise UnusableAnswerError(refused(self._model))
        text = choice.message.content
        if not isinstance(text, str) or not text.strip():
            raise UnusableAnswerError(empty(self._model))
        return Completion(text.strip(), self._usage(answer, sent, text, self._model), choice.finish_reason != "length")

    def _usage(self, answer: Any, sent: str, text: str, model: str) -> TextUsage:
        usage = answer.usage
        if usage is None:
            # Some servers do not count: four bytes a token is what is charged for here then.
            return TextUsage(model, len(sent.encode()) // 4 + 1, len(text.encode()) // 4 + 1)
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        return TextUsage(model, usage.prompt_tokens or 0, usage.completion_tokens or 0, cached)

    def _form(self, schema: Mapping[str, object] | None) -> dict[str, Any]:
        if schema is None:
            return {}
        form = {"name": "answer", "schema": dict(schema), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": form}}
