"""Asking the person at the client: by results that ask for input, or by requests to clients of the older protocol."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from mcp.server.elicitation import AcceptedElicitation
from mcp.server.mcpserver import Context, Elicit, ElicitationResult
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitationCapability
from pydantic import BaseModel, ConfigDict

from ..core.models import Json, Said

MODERN = "2026-07-28"
"""Protocol versions from here on carry questions in results; versions are dates, which sort as texts."""


class Form(BaseModel):
    """What a dialog gives back, whatever it is: the core checks it, so that a wrong answer loses no question."""

    model_config = ConfigDict(extra="allow")
    asked: ClassVar[str] = ""


def form_of(message: str, schema: Mapping[str, Json]) -> type[Form]:
    """Return the class by which the SDK shows a flat form and reads what comes back; it remembers what was asked."""

    class Asked(Form):
        asked = message

        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return dict(schema)

    return Asked


def can_ask(context: Context) -> bool:
    """Say whether the client can show a form to its user and give its answer back."""
    capabilities = context.client_capabilities
    dialog: ElicitationCapability | None = None if capabilities is None else capabilities.elicitation
    if dialog is None or (dialog.form is None and dialog.url is not None):
        return False
    return _is_modern(context) or context.session.can_send_request


def _is_modern(context: Context) -> bool:
    return (context.protocol_version or "") >= MODERN


async def ask(context: Context, message: str, schema: Mapping[str, Json], seconds: float) -> Elicit[Any] | Said:
    """Return the question for the client, or what came of asking it; ``schema`` is a flat form.

    Without a dialog: ``unasked``. A dialog that fails, or that is not answered within ``seconds`` (older protocol
    only: a newer client comes back by itself), counts as dismissed.
    """
    if not can_ask(context):
        return Said()
    form = form_of(message, schema)
    if _is_modern(context):
        return Elicit(message, form)
    try:
        async with asyncio.timeout(seconds):
            return heard(await context.elicit(message, form))
    # ValueError: the client accepted without an answer. MCPError: it could not show the dialog.
    except (TimeoutError, ValueError, MCPError):
        return Said("cancel")


def heard(outcome: ElicitationResult[Any]) -> Said:
    """Return what came of a question that ``ask`` made."""
    if not isinstance(outcome, AcceptedElicitation):
        return Said(outcome.action)
    answer: Any = outcome.data
    return answer if isinstance(answer, Said) else Said("accept", dict(answer.model_extra or {}), answer.asked)
