"""vLLM as the server of adapters: loads and unloads them while it runs."""

from __future__ import annotations

from contextlib import suppress

from ...core.errors import AdapterError, TextModelError, UnknownTextModelError
from ..language.vllm import STOPS
from ..language.vllm_admin import VllmAdmin
from .training import Template

_FOR_LATER = (401, 403, 408, 429, 502, 503, 504)
"""With these statuses a server says nothing of the adapter."""


class VllmHost(VllmAdmin):
    """An AdapterHost over a vLLM server."""

    def __init__(
        self,
        *,
        model: str,
        window: int = 0,
        api_key: str,
        base_url: str,
        timeout_seconds: float,
        template: Template | None,
    ) -> None:
        """``template`` makes a prompt of an instruction and a prompt, None for the model's own chat form."""
        super().__init__(
            model=model, window=window, api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds
        )
        self._template = template

    async def load(self, name: str, path: str) -> None:
        """See AdapterHost."""
        try:
            await self.load_adapter(name, path)
        except TextModelError as error:
            status = getattr(error.__cause__, "status_code", None)
            if status is None or status in _FOR_LATER:
                raise
            # Somebody else may have been faster: that is refused, too.
            if name not in await self.loaded():
                raise AdapterError(_refused(name, int(status))) from error

    async def unload(self, name: str) -> None:
        """See AdapterHost."""
        with suppress(UnknownTextModelError):
            await self.unload_adapter(name)

    async def loaded(self) -> frozenset[str]:
        """See AdapterHost."""
        # A model without a parent is a base model.
        return frozenset(one.name for one in await self.list_models() if one.parent is not None)

    async def say(self, name: str, system: str, prompt: str, *, max_tokens: int) -> str:
        """See AdapterHost."""
        client = await self._connect()
        try:
            if self._template is None:
                turns = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
                said = await client.chat.completions.create(
                    model=name, messages=turns, max_tokens=max_tokens, temperature=0
                )
                return str(said.choices[0].message.content or "")
            said = await client.completions.create(
                model=name,
                prompt=self._template(system, prompt),
                max_tokens=max_tokens,
                temperature=0,
                stop=list(STOPS),
            )
            return str(said.choices[0].text or "")
        except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise self._translate(error) from error


def _refused(name: str, status: int) -> str:
    if status == 404:
        return (
            f"The server of the small model does not find {name} (404), or takes no adapters while it runs (set "
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING there); PALIMPSEST_LEARNING_SERVED_DIR says where it sees them."
        )
    return (
        f"The server of the small model refused the adapter {name} ({status}): it is damaged, does not fit the model, "
        "or has a higher rank than is served; what answered before goes on."
    )
