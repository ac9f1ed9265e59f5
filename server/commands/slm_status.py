"""The command `slm status`."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING

from ...core.errors import TextModelError, TextModelUnavailableError
from ..language import choose_admin, choose_probe
from ..settings import Settings
from .slm_learning import show_registry

if TYPE_CHECKING:
    from ...slm.language.vllm import VllmModel
    from ...slm.language.vllm_admin import VllmAdmin

PATIENCE_SECONDS = 30.0


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print which small language model is set, whether it generates, and what it learned; 1 when it does not."""
    if settings.learning == "on":
        await show_registry(settings)
    admin, model = choose_admin(settings), choose_probe(settings)
    if admin is None or model is None:
        print("No small language model is set; PALIMPSEST_SLM_BASE_URL names its server, docs/slm.md says more.")
        return 0
    print(f"small language model: {settings.slm_model} at {settings.slm_base_url}")
    try:
        ready = await _generates(model)
        print("\n".join([*await _served(admin, settings.slm_model), *await admin.notes()]))
    finally:
        await model.aclose()
        await admin.aclose()
    return 0 if ready else 1


async def _generates(model: VllmModel) -> bool:
    try:
        print(f"generates: yes, {await generated(model)}")
    except TextModelError as error:
        print(f"generates: no. {error}")
        return False
    return True


async def generated(model: VllmModel) -> str:
    """Let a model generate a token, and say how that went.

    Raises:
        TextModelError: it did not, or not in time.
    """
    begun = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            style = await model.probe()
            own = await model.count("one two three")
    except TimeoutError:
        raise TextModelUnavailableError(
            f"The language model {model.name} did not answer within {PATIENCE_SECONDS:g} s."
        ) from None
    counts = "its own tokenizer counts" if own is not None else "it does not tell its tokens"
    return f"a token in {time.monotonic() - begun:.2f} s by {style}; {counts}; window {model.window:,}"


async def _served(admin: VllmAdmin, model: str) -> list[str]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            served = await admin.list_models()
    except (TextModelError, TimeoutError):
        return []
    lines = [f"served: {one.name}" + (f", an adapter of {one.parent}" if one.parent else "") for one in served]
    if model not in {one.name for one in served}:
        lines.append(f"The server has no model {model}; PALIMPSEST_SLM_MODEL must be one of those.")
    return lines
