"""The command `slm`: the small language model."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from ..settings import Settings
from .slm_learning import add_learning

DEEDS = {
    "status": "slm_status",
    "serve": "slm_serve",
    **dict.fromkeys(("train", "examples", "promote", "rollback", "reload"), "slm_learning"),
}
"""Which module does what; each has a ``run`` as a command has."""


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    deed: Any = importlib.import_module(f"{__package__}.{DEEDS[arguments.deed]}")
    return int(await deed.run(settings, arguments))


def add_deeds(command: argparse.ArgumentParser) -> None:
    """Add what can be asked of the small language model; each deed has a line in ``DEEDS``."""
    deeds = command.add_subparsers(title="deeds", metavar="DEED", dest="deed", required=True)
    deeds.add_parser("status", help="say which model is set, whether it generates, and how its server does")
    serve = deeds.add_parser("serve", help="run vLLM for it on this machine, until a signal comes")
    serve.add_argument("--model", help="name or folder of the model; PALIMPSEST_SLM_MODEL unless set")
    serve.add_argument("--port", type=int, default=8100)
    serve.add_argument("--window", type=int, help="tokens of prompt and answer; PALIMPSEST_SLM_WINDOW unless set")
    serve.add_argument("--quantization", help="as vLLM names it; 8-bit stands for fp8_per_tensor")
    serve.add_argument("more", nargs="*", metavar="-- ARGUMENT", help="further arguments of vLLM")
    add_learning(deeds)
