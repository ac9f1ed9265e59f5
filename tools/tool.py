"""A tool as the SDK registers it: arguments checked by name, failures worded for a model, schemas trimmed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import ValidationError

from ..core import requests
from ..core.errors import PalimpsestError, StoreUnavailableError
from .access import Access, open_session
from .results import shortened, with_notes
from .schemas import trim_input, trim_output

Toolset = Literal["default", "all"]
DAMAGED = "palimpsest/damaged"
"""Key of a request's `_meta` under which a transport reports what it had to mend to read the request at all."""
_TEXT_ONLY: tuple[object, ...] = (str, str | None)


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool of this server: its function, how a host shows it, and the toolset that it comes with."""

    function: Callable[..., Any]
    title: str
    annotations: ToolAnnotations
    toolset: Toolset = "default"
    meta: Mapping[str, Any] | None = None


class _Arguments(FuncMetadata):
    """The SDK's argument metadata, but a text stays a text.

    The SDK parses every string that holds JSON, unless the parameter is exactly ``str``: a JSON document as the new
    content of an item would arrive as an object and be refused.
    """

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = self.arg_model.model_fields
        texts = {name for name in data if name in fields and fields[name].annotation in _TEXT_ONLY}
        parsed = super().pre_parse_json({name: value for name, value in data.items() if name not in texts})
        return {name: data[name] if name in texts else parsed[name] for name in data}


class MemoryTool(Tool):
    """One tool; the only place where what went wrong becomes a sentence for the model."""

    @classmethod
    def build(cls, spec: ToolSpec) -> MemoryTool:
        """Make the tool of a spec; its docstring is the description."""
        function = spec.function
        made = cls.from_function(
            function,
            title=spec.title,
            description=" ".join((function.__doc__ or "").split()),
            annotations=spec.annotations,
            meta=dict(spec.meta) if spec.meta else None,
        )
        metadata = made.fn_metadata
        made.parameters = trim_input(made.parameters)
        made.fn_metadata = _Arguments(
            arg_model=metadata.arg_model,
            output_schema=trim_output(metadata.output_schema or {}),
            output_model=metadata.output_model,
        )
        return cast(MemoryTool, made)

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Run the tool.

        Raises:
            ToolError: with one sentence for each thing that the model can mend.
            UnexpectedToolError: for a failure that nobody foresaw; the log has it.
        """
        self._refuse_unknown(arguments)
        self._refuse_damaged(context)
        try:
            result = await super().run(arguments, context, convert_result)
            return await self._with_answers(result, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, StoreUnavailableError):
                cast(Access, context.request_context.lifespan_context).lose()
            if isinstance(cause, PalimpsestError):
                raise ToolError(str(cause)) from cause
            if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
                raise ToolError(" ".join(_sentences(cause, self.parameters))) from cause
            if isinstance(error, UnexpectedToolError):
                message = f"{self.name} failed in a way that was not foreseen; the server's log has the details."
                raise UnexpectedToolError(message) from cause
            raise

    async def _with_answers(self, result: Any, context: Context[Any, Any]) -> Any:
        """Tell a client that writes, once, what people answered to its questions meanwhile."""
        if not isinstance(result, CallToolResult) or (self.annotations and self.annotations.read_only_hint):
            return result
        try:
            session = await open_session(context)
            told = await session.services.people.tell(session.caller)
        except PalimpsestError:
            # What was done is done: it must be answered, and the answers wait.
            return result
        notes = [f"{one.request_id} {requests.told(one)}. You asked: {shortened(one.question)}" for one in told]
        return with_notes(result, notes) if notes else result

    def _refuse_unknown(self, arguments: Mapping[str, Any]) -> None:
        known: Sequence[str] = list(self.parameters.get("properties", {}))
        problems = [_unknown(name, known, self.name) for name in arguments if name not in known]
        if problems:
            raise ToolError(" ".join(problems))

    @staticmethod
    def _refuse_damaged(context: Context[Any, Any]) -> None:
        meta = cast("Mapping[str, Any]", context.request_context.meta or {})
        if isinstance(message := meta.get(DAMAGED), str):
            raise ToolError(message)


def _unknown(name: str, known: Sequence[str], tool: str) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    near = near or [one for one in known if name.lower() in one.split("_")]
    if near:
        return f"{tool} has no argument {name[:60]!r}; did you mean {near[0]!r}?"
    return f"{tool} has no argument {name[:60]!r}; it takes {', '.join(known) or 'none'}."


_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list of texts",
    "number": "a number",
}


def _sentences(error: ValidationError, schema: Mapping[str, Any]) -> list[str]:
    told: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "the arguments"
        field = schema.get("properties", {}).get(name, {})
        wanted = _KINDS.get(field.get("type", ""), "of another type")
        if "properties" in field.get("items", {}):
            wanted = f"a list of objects with {', '.join(field['items']['properties'])}"
        if problem["type"] == "missing":
            sentence = f"The argument {name!r} is missing; it must be {wanted}."
        elif problem["type"] == "string_unicode":
            sentence = (
                f"{name!r} holds half a surrogate pair, which no UTF-8 text can carry; "
                "decode the source again (it was cut inside an emoji) and resend."
            )
        else:
            reason = re.sub(r"^(Input|Value) should be ", "", problem["msg"])
            if len(problem["loc"]) > 2:
                reason = f"{'.'.join(str(part)[:60] for part in problem['loc'][1:])}: {reason}"
            sentence = f"{name!r} must be {wanted}" + ("." if len(problem["loc"]) < 2 else f" ({reason}).")
        told.setdefault(name, sentence)
    return list(told.values())
