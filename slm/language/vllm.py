"""A small language model on a server of one's own: vLLM, or what speaks as it does.

Models without a chat template, such as Phi-2, are asked by completions in the form that Phi-2 was trained with; the
others by chat. Which it is, the server is asked once: by a token generated in each form, for a server may call itself
healthy whose first generation kills it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ...core.errors import TextModelError, UnknownTextModelError, UnusableAnswerError
from ...core.models import Completion, TextUsage
from ...core.ports import AdapterChoice
from .asking import who_asks
from .openai_chat import OpenAIChat
from .refusals import empty
from .sanity import check_sane

Style = Literal["chat", "plain", "completions"]
"""``plain`` is chat without an instruction of its own, which some templates refuse."""
STYLES: tuple[Style, ...] = ("chat", "plain", "completions")
STOPS = ("\nInstruct:", "\nOutput:")
_REFUSED = (400, 404, 405, 413, 422, 501)
_TOO_MUCH = (400, 413, 422)
_COUNT_SECONDS = 10.0
_THINKS, _THOUGHT = "<think>", "</think>"


def instructed(system: str, prompt: str) -> str:
    """Return the text that a model without a chat template goes on from; the instruction is first, to be cached."""
    return f"Instruct: {system}\n\n{prompt}\nOutput:"


def _spoken(text: str) -> str:
    """Return an answer without what the model thought aloud before it; nothing where it did not come to an end."""
    return text.partition(_THOUGHT)[2] if text.lstrip().startswith(_THINKS) else text


class VllmModel(OpenAIChat):
    """A TextModel over a vLLM server, whose adapters answer under their own names."""

    key_setting: ClassVar[str] = "PALIMPSEST_SLM_API_KEY"

    def __init__(
        self,
        *,
        model: str,
        window: int,
        api_key: str,
        base_url: str,
        timeout_seconds: float = 60.0,
        style: Style | None = None,
        adapters: AdapterChoice | None = None,
    ) -> None:
        """``style`` None lets the server be asked; ``adapters`` says which adapter answers whom, None for the model."""
        super().__init__(
            model=model, window=window, api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds
        )
        self._style: Style | None = style
        self._adapters = adapters
        self._asking_style = asyncio.Lock()
        self._counts = True
        self._quiet = False
        self._root = base_url.rstrip("/").removesuffix("/v1")

    async def complete(
        self, system: str, prompt: str, *, max_tokens: int, schema: Mapping[str, object] | None = None
    ) -> Completion:
        """See TextModel; an adapter that the server does not know is reported, and the model itself asked."""
        style = await self.style()
        asker = who_asks()
        chosen = None
        if self._adapters is not None and asker is not None:
            chosen = await self._adapters.choose(asker.namespace, asker.key)
        try:
            answer = await self._generate(chosen or self._model, style, system, prompt, max_tokens, schema)
        except UnknownTextModelError:
            if chosen is None or asker is None or self._adapters is None:
                raise
            await self._adapters.missing(asker.namespace, chosen)
            answer = await self._generate(self._model, style, system, prompt, max_tokens, schema)
        if schema is None:
            check_sane(answer.usage.model, system, prompt, answer.text)
        return self._checked(answer, schema)

    async def count(self, text: str) -> int | None:
        """See TextModel: the server's own tokenizer counts, where the server offers it."""
        if not self._counts:
            return None
        body = {"model": self._model, "prompt": text, "add_special_tokens": False}
        try:
            client = await self._connect()
            async with asyncio.timeout(_COUNT_SECONDS):
                told = await client.post(f"{self._root}/tokenize", cast_to=object, body=body)
            count, most = int(told["count"]), told.get("max_model_len")
        except self._sdk.APIStatusError as error:
            self._counts = error.status_code not in _REFUSED
            return None
        except (TextModelError, TimeoutError, self._sdk.OpenAIError, ValueError, TypeError, KeyError, AttributeError):
            return None
        if isinstance(most, int) and most > 0:
            self._window = min(self._window, most)
        return count

    async def style(self) -> Style:
        """Return how the model is asked.

        Raises:
            TextModelError: it answers in no way.
        """
        async with self._asking_style:
            if self._style is None:
                self._style = await self._found_style()
            return self._style

    async def probe(self) -> Style:
        """Generate one token now, and return how that was asked for.

        Raises:
            TextModelError: there was no answer.
        """
        style = await self.style()
        client = await self._connect()
        try:
            await self._send(client, self._model, style, "Answer.", "Say yes.", 1, None)
        except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise self._translate(error) from error
        return style

    async def _found_style(self) -> Style:
        client = await self._connect()
        refusal: Any = None
        for style in STYLES:
            try:
                await self._send(client, self._model, style, "Answer.", "Say yes.", 1, None)
            except self._sdk.APIStatusError as error:
                if error.status_code not in _REFUSED:
                    raise self._translate(error) from error
                refusal = error
            except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError) as error:
                raise self._translate(error) from error
            else:
                return style
        raise self._translate(refusal) from refusal

    async def _generate(
        self, model: str, style: Style, system: str, prompt: str, bound: int, schema: Mapping[str, object] | None
    ) -> Completion:
        client = await self._connect()
        try:
            answer = await self._send(client, model, style, system, prompt, bound, schema)
            choice = answer.choices[0]
            text = choice.text if style == "completions" else choice.message.content
            if isinstance(text, str) and text.lstrip().startswith(_THINKS) and not self._quiet:
                self._quiet = True
                return await self._generate(model, style, system, prompt, bound, schema)
            text = _spoken(text) if isinstance(text, str) else ""
            if not text.strip():
                raise UnusableAnswerError(empty(model))
            used: TextUsage = self._usage(answer, system + prompt, text, model)
            return Completion(text.strip(), used, choice.finish_reason != "length")
        except TextModelError:
            raise
        except (self._sdk.OpenAIError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise self._translate(error) from error

    async def _send(
        self,
        client: Any,
        model: str,
        style: Style,
        system: str,
        prompt: str,
        bound: int,
        schema: Mapping[str, object] | None,
    ) -> Any:
        if style == "completions":
            extra = {} if schema is None else {"extra_body": {"structured_outputs": {"json": dict(schema)}}}
            return await client.completions.create(
                model=model,
                prompt=instructed(system, prompt),
                max_tokens=bound,
                temperature=0,
                stop=list(STOPS),
                **extra,
            )
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        if style == "plain":
            messages = [{"role": "user", "content": f"{system}\n\n{prompt}"}]
        # Only for a model that was seen to think aloud: other servers may refuse a field that they do not know.
        quiet = {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}} if self._quiet else {}
        return await client.chat.completions.create(
            model=model, messages=messages, max_tokens=bound, temperature=0, **self._form(schema), **quiet
        )

    def _of_status(self, where: str, error: Any) -> TextModelError:
        if int(error.status_code) in _TOO_MUCH:
            # Asked again, it would be refused again.
            return UnusableAnswerError(
                f"{where} refused the request ({error.status_code}): it may be longer than the window of "
                f"{self.window:,} tokens; PALIMPSEST_SLM_WINDOW must not be larger than the server's."
            )
        return super()._of_status(where, error)
