"""What surrounds the protocol: who may reach HTTP, how servers stop, what the start costs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from palimpsest.core.errors import SettingsError
from palimpsest.server.http import build_http_app, serve_http
from palimpsest.server.settings import Settings

from ..applications import call, fake_application
from .conftest import Served, end, environment, stdio_parameters
from .conftest import serve_http as start_http

TOKEN = "a-token-of-enough-characters"


@pytest.fixture(scope="module")
def guarded(memory_dir: Path) -> Generator[Served, None, None]:
    """A listening server that demands a token."""
    served = start_http(memory_dir, PALIMPSEST_BEARER_TOKEN=TOKEN, PALIMPSEST_ALLOWED_HOSTS="mem.example.com")
    try:
        yield served
    finally:
        assert end(served) == 0


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
@pytest.mark.parametrize("header", [None, "Bearer wrong-token-of-this-length", "Basic x"])
async def test_without_the_token_nothing_is_answered(guarded: Served, path: str, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.request("GET" if path == "/sse" else "POST", guarded.url + path)
    assert answer.status_code == 401
    assert "resource_metadata" not in answer.headers["WWW-Authenticate"]
    assert TOKEN not in answer.text


async def test_with_the_token_both_transports_answer(guarded: Served) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{guarded.url}/mcp", http_client=http)) as client,
    ):
        assert (await call(client, "memory_state"))["store"]
    async with Client(sse_client(f"{guarded.url}/sse", headers=headers)) as client:
        assert (await call(client, "memory_state"))["store"]


async def test_health_needs_no_token_and_tells_no_data(guarded: Served) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{guarded.url}/health")
    assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "mem.example.com"}, 400),
        ({"Origin": "http://localhost:5173"}, 400),
    ],
)
async def test_foreign_hosts_and_origins_are_refused(guarded: Served, headers: dict[str, str], status: int) -> None:
    sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers}
    async with httpx2.AsyncClient() as client:
        answer = await client.post(f"{guarded.url}/mcp", content=b"{}", headers=sent)
    assert answer.status_code == status or (status == 400 and answer.status_code == 406)


async def test_a_body_beyond_every_item_is_cut_off(memory_dir: Path) -> None:
    served = start_http(memory_dir, PALIMPSEST_MAX_ITEM_BYTES="1000")
    try:
        async with httpx2.AsyncClient(timeout=30) as client:
            answer = await client.post(
                f"{served.url}/mcp", content=b"x" * 2_000_000, headers={"Content-Type": "application/json"}
            )
        assert answer.status_code == 413
    finally:
        assert end(served) == 0


@pytest.mark.parametrize(
    "given",
    [{}, {"bearer_token": TOKEN}, {"allowed_hosts": ("mem.example.com",)}],
)
def test_beyond_loopback_a_token_and_named_hosts_are_demanded(given: dict[str, object]) -> None:
    settings = Settings.model_validate({"host": "0.0.0.0", **given})
    with pytest.raises(SettingsError, match="PALIMPSEST_BEARER_TOKEN"):
        build_http_app(settings, fake_application())


def test_beyond_loopback_with_both_it_is_built() -> None:
    settings = Settings.model_validate(
        {"host": "0.0.0.0", "bearer_token": TOKEN, "allowed_hosts": ("mem.example.com",)}
    )
    assert callable(build_http_app(settings, fake_application()))


async def test_a_port_that_is_taken_is_said(http_server: Served) -> None:
    port = int(http_server.url.rpartition(":")[2])
    with pytest.raises(SettingsError, match="cannot be listened on"):
        await serve_http(Settings(port=port), fake_application())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_stdio_server_cleanly_while_stdin_is_open(
    number: signal.Signals, memory_dir: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palimpsest", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(memory_dir),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
        b'"capabilities":{},"clientInfo":{"name":"t","version":"1"}}}\n'
    )
    assert b'"serverInfo"' in await asyncio.wait_for(process.stdout.readline(), 30)
    process.send_signal(number)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert errors == b""


async def test_a_server_leaves_nothing_but_protocol_on_stdout_and_nothing_on_stderr(memory_dir: Path) -> None:
    with (memory_dir / "stderr.txt").open("w+") as errors:
        async with Client(stdio_client(stdio_parameters(memory_dir), errlog=errors)) as client:
            await call(client, "memory_add", content="quiet")
            await call(client, "memory_search", query="quiet")
        errors.seek(0)
        assert errors.read() == ""


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    program = """
import asyncio, sys
from mcp import Client
from palimpsest.server.app import Application
from palimpsest.server.mcp_server import build_server
from palimpsest.server.settings import load_settings
import palimpsest.server.cli, palimpsest.server.commands.serve, palimpsest.server.stdio

async def main():
    async with Application(load_settings({})) as application, Client(build_server(application)) as client:
        assert len((await client.list_tools()).tools) == 15

asyncio.run(main())
heavy = {"asyncpg", "pgvector", "numpy", "onnxruntime", "tokenizers", "openai", "anthropic", "tiktoken", "tqdm"}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
