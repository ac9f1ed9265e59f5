"""The command `slm serve`: a vLLM server for the small model, on this machine and for it alone."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress

from ...core.errors import SettingsError
from ..settings import Settings
from ..stdio import stop_on_signals

STRUCTURED = '{"disable_any_whitespace": true, "backend": "xgrammar"}'
"""Without it small models fill JSON with whitespace up to the bound."""
MAX_RANK = 16
LOADED_ADAPTERS = 4
KEPT_ADAPTERS = 16
STOP_SECONDS = 30.0
_MISSING = (
    "vLLM is not installed here: pip install 'palimpsest[vllm]' on a machine with an NVIDIA GPU (docs/slm.md), or run "
    "its image with docker compose --profile slm; PALIMPSEST_SLM_BASE_URL then names where it answers."
)


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the server as a child until it ends or a signal comes, and return its exit code.

    Raises:
        SettingsError: vLLM is not installed.
    """
    if importlib.util.find_spec("vllm") is None:
        raise SettingsError(_MISSING)
    given = settings.slm_api_key
    key = given.get_secret_value() if given else secrets.token_urlsafe(24)
    model = arguments.model or settings.slm_model
    command = serve_command(
        model,
        port=arguments.port,
        window=arguments.window or settings.slm_window,
        quantization=arguments.quantization,
        more=arguments.more,
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", *command, env=serve_environment(os.environ, key)
    )
    print(announcement(model, arguments.port, None if given else key), file=sys.stderr, flush=True)
    return await _until_ended(child)


def serve_command(model: str, *, port: int, window: int, quantization: str | None, more: list[str]) -> list[str]:
    """Return vLLM's arguments; the key is not among them, for everybody sees those."""
    eight = {"8-bit": "fp8_per_tensor"}
    quantized = ["--quantization", eight.get(quantization, quantization)] if quantization else []
    return [
        *("--model", model, "--served-model-name", model),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--max-model-len", str(window)),
        *("--enable-lora", "--max-lora-rank", str(MAX_RANK)),
        *("--max-loras", str(LOADED_ADAPTERS), "--max-cpu-loras", str(KEPT_ADAPTERS)),
        *("--structured-outputs-config", STRUCTURED),
        *quantized,
        *more,
    ]


def serve_environment(environment: Mapping[str, str], key: str) -> dict[str, str]:
    """Return the child's environment: adapters may be loaded while it runs, and nothing is told to anybody."""
    own = {
        "VLLM_API_KEY": key,
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    kept = {name: value for name, value in environment.items() if not name.startswith("PALIMPSEST_")}
    return kept | own


def announcement(model: str, port: int, made_key: str | None) -> str:
    """Return what to set so that the memory uses the server."""
    lines = [
        "Set this for palimpsest, and see with `palimpsest slm status` when the model answers:",
        f"PALIMPSEST_SLM_BASE_URL=http://127.0.0.1:{port}/v1",
        f"PALIMPSEST_SLM_MODEL={model}",
    ]
    if made_key is not None:
        lines.append(f"PALIMPSEST_SLM_API_KEY={made_key}")
    return "\n".join(lines)


async def _until_ended(child: asyncio.subprocess.Process) -> int:
    stopped = asyncio.Event()
    stop_on_signals(stopped.set)
    ended = asyncio.ensure_future(child.wait())
    asked = asyncio.ensure_future(stopped.wait())
    await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not ended.done():
        child.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(ended)
        if not ended.done():
            child.kill()
        await ended
        return 0
    return ended.result()
