"""The command `config`: the block that a client's configuration needs, with absolute paths."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ..settings import CONFIG, PLAIN, PREFIX, Settings

_PLACES = {
    "claude-desktop": "claude_desktop_config.json (Settings > Developer > Edit Config), then restart Claude Desktop",
    "claude-code": ".mcp.json in the project's root, or ~/.claude.json for all projects",
    "cursor": ".cursor/mcp.json in the project, or ~/.cursor/mcp.json for all projects",
    "vscode": ".vscode/mcp.json in the workspace",
}


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the block to stdout, and where it belongs to stderr."""
    client: str = arguments.client
    print(json.dumps(block(client, os.environ), indent=2))
    print(f"Paste this into {_PLACES[client]}.", file=sys.stderr)
    if client == "claude-code":
        print(f"Or run: claude mcp add palimpsest -- {' '.join(command())}", file=sys.stderr)
    if hidden := secrets_set(os.environ):
        print(f"Set here but not printed, because secret: {', '.join(hidden)}.", file=sys.stderr)
    return 0


def block(client: str, environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the block for a client; settings of the environment go with it, secrets do not."""
    program, *rest = command()
    entry: dict[str, Any] = {"command": program, "args": rest}
    if client in ("claude-code", "vscode"):
        entry = {"type": "stdio", **entry}
    kept = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    for name in secrets_set(environment):
        kept.pop(name, None)
    for name in (CONFIG, f"{PREFIX}DATA_DIR"):
        # The client starts the server in a folder of its own choice.
        if name in kept:
            kept[name] = str(Path(kept[name]).expanduser().absolute())
    if kept:
        entry["env"] = kept
    return {"servers" if client == "vscode" else "mcpServers": {"palimpsest": entry}}


def command() -> list[str]:
    """Return the command that starts this very installation."""
    script = Path(sys.executable).with_name("palimpsest")
    if script.exists():
        return [str(script.absolute()), "serve"]
    return [str(Path(sys.executable).absolute()), "-m", "palimpsest", "serve"]


def secrets_set(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the secret settings that the environment sets."""
    secret = {name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None}
    names = [PREFIX + name.upper() for name in secret] + [plain for plain, name in PLAIN.items() if name in secret]
    return sorted(name for name in names if environment.get(name))
