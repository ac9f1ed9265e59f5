"""What is handed in wrong, or missing around the server: one clear sentence each, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from palimpsest.server import app
from palimpsest.server.app import Application
from palimpsest.server.mcp_server import build_server
from palimpsest.server.settings import Settings
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.storage.embedded import EmbeddedConfig, describe, stop

from ..applications import call, refusal
from .conftest import Served, environment, stdio_parameters

_META: dict[str, object] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
Ask = Callable[[bytes], Any]


def request(content: str, *, number: int = 1) -> str:
    """A raw request whose content is put between quotation marks as it is."""
    meta = json.dumps(_META)
    return (
        f'{{"jsonrpc": "2.0", "id": {number}, "method": "tools/call", "params": {{"name": "memory_add", '
        f'"arguments": {{"content": "{content}"}}, "_meta": {meta}}}}}'
    )


@asynccontextmanager
async def raw_stdio(folder: Path) -> AsyncGenerator[Ask, None]:
    """A server process, spoken to line by line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palimpsest", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(folder),
        limit=1 << 24,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def ask(line: bytes) -> Mapping[str, Any]:
        stdin.write(line + b"\n")
        async with asyncio.timeout(60):
            answer = json.loads(await stdout.readline())
        result: Mapping[str, Any] = answer["result"]
        return result

    try:
        yield ask
    finally:
        stdin.close()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_half_a_surrogate_pair_over_stdio_is_refused_in_words(memory_dir: Path) -> None:
    async with raw_stdio(memory_dir) as ask:
        refused = await ask(request("broken \\ud83d emoji").encode())
        assert refused["isError"]
        assert "half a surrogate pair" in refused["content"][0]["text"]
        # A whole pair, and a backslash before the letters, are neither.
        kept = await ask(request("whole \\ud83d\\ude00 and \\\\ud83d").encode())
        assert not kept.get("isError")


async def test_bytes_that_are_no_utf8_over_stdio_are_refused_in_words(memory_dir: Path) -> None:
    async with raw_stdio(memory_dir) as ask:
        refused = await ask(request("latin").encode().replace(b"latin", b"caf\xe9"))
        assert "not UTF-8" in refused["content"][0]["text"]


async def test_half_a_surrogate_pair_over_http_is_refused_in_words(http_server: Served) -> None:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "memory_add",
    }
    async with httpx2.AsyncClient(timeout=30) as client:
        answer = await client.post(
            f"{http_server.url}/mcp", content=request("broken \\ud83d emoji").encode(), headers=headers
        )
    assert answer.status_code == 200
    assert "half a surrogate pair" in answer.text


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_twenty_megabytes_are_refused_in_words(transport: str, memory_dir: Path, http_server: Served) -> None:
    target = stdio_client(stdio_parameters(memory_dir)) if transport == "stdio" else f"{http_server.url}/mcp"
    async with Client(target) as client:
        text = await refusal(client, "memory_add", content="x" * 20_000_000)
        assert "20,000,000 bytes, above the limit of 16,000,000" in text
        assert len(text) < 300
        # The server goes on.
        assert (await call(client, "memory_state"))["store"]


async def test_an_id_of_another_namespace_reads_as_unknown(memory_dir: Path) -> None:
    settings = Settings(data_dir=memory_dir, idle_seconds=0)
    async with (
        Application(settings.model_copy(update={"namespace": "theirs"})) as theirs,
        Application(settings.model_copy(update={"namespace": "mine"})) as mine,
        Client(build_server(theirs)) as their_client,
        Client(build_server(mine)) as my_client,
    ):
        receipt = await call(their_client, "memory_add", content="nobody else's business")
        for tool in ("memory_retrieve", "memory_forget"):
            assert "exists in this namespace" in await refusal(my_client, tool, item_id=receipt["item_id"])
        assert (await call(my_client, "memory_search", query="nobody else's business"))["hits"] == []


async def test_a_database_that_cannot_be_reached_is_said_and_tried_again(tmp_path: Path) -> None:
    parameters = stdio_parameters(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    async with Client(stdio_client(parameters)) as client:
        assert len((await client.list_tools()).tools) == 15
        for _ in range(2):
            text = await refusal(client, "memory_add", content="x")
            assert "cannot be reached" in text
            assert "\n" not in text


async def test_a_bundled_database_that_was_killed_is_started_again_and_has_lost_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, idle_seconds=30)
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palimpsest", "stats"),
        stdout=asyncio.subprocess.DEVNULL,
        env=environment(tmp_path, PALIMPSEST_IDLE_SECONDS="30"),
    )
    assert await asyncio.wait_for(starter.wait(), 60) == 0
    async with Application(settings) as application, Client(build_server(application)) as client:
        receipt = await call(client, "memory_add", content="survives a crash")
        running = await describe(EmbeddedConfig(data_dir=tmp_path))
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        page = await until_served_anew(client, receipt["item_id"], EmbeddedConfig(data_dir=tmp_path), running.pid)
        assert page["content"] == "survives a crash"
    assert await stop(EmbeddedConfig(data_dir=tmp_path))


async def until_served_anew(client: Client, item_id: str, config: EmbeddedConfig, old: int) -> Mapping[str, Any]:
    """Read an item until another server than the killed one answers; refusals on the way are sentences."""
    # A killed server's children answer, or hold its memory, for a moment.
    async with asyncio.timeout(60):
        while True:
            result = await client.call_tool("memory_retrieve", {"item_id": item_id})
            if result.is_error:
                text = "".join(getattr(block, "text", "") for block in result.content)
                assert text.endswith("."), text
                assert "\n" not in text
            elif (await describe(config)).pid not in (None, old):
                return cast("Mapping[str, Any]", result.structured_content)
            await asyncio.sleep(0.05)


async def test_a_full_disk_is_said_and_loses_nothing(memory_dir: Path) -> None:
    endpoint = (await describe(EmbeddedConfig(data_dir=memory_dir))).endpoint
    assert endpoint is not None
    settings = Settings(data_dir=memory_dir, idle_seconds=0, namespace="full-disk")
    async with Application(settings) as application, Client(build_server(application)) as client:
        kept = await call(client, "memory_add", content="written while there was room")
        admin = await asyncpg.connect(**asdict(endpoint))
        # What PostgreSQL raises when a write finds no space, in the middle of the statement.
        await admin.execute(
            "CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
            " RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END$$;"
            "CREATE TRIGGER no_space BEFORE INSERT ON palimpsest.contents FOR EACH ROW"
            " WHEN (NEW.namespace_id = 'full-disk') EXECUTE FUNCTION public.disk_full()"
        )
        try:
            text = await refusal(client, "memory_add", content="finds no room")
            assert "disk" in text
            assert "nothing was written" in text
        finally:
            await admin.execute("DROP FUNCTION public.disk_full() CASCADE")
            await admin.close()
        page = await call(client, "memory_retrieve", item_id=kept["item_id"])
        assert page["content"] == "written while there was room"
        assert (await call(client, "memory_add", content="finds no room"))["outcome"] == "added"


@pytest.mark.parametrize("state", ["missing", "corrupt"])
async def test_without_a_model_file_words_still_work_and_the_answer_says_so(
    state: str, tmp_path: Path, memory_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if state == "corrupt":
        for name in ("minilm.onnx", "minilm.weights", "minilm-exact.onnx", "selfcheck.json", "tokenizer.json"):
            (tmp_path / name).write_bytes(b"not a model")

    def without_model(_: Settings) -> MiniLMEmbedder:
        return MiniLMEmbedder(folder=tmp_path)

    monkeypatch.setattr(app, "choose_embedder", without_model)
    settings = Settings(data_dir=memory_dir, idle_seconds=0, namespace=f"no-model-{state}", drain_seconds=0)
    async with Application(settings) as application, Client(build_server(application)) as client:
        receipt = await call(client, "memory_add", content="a walrus has tusks")
        assert receipt["durable"]
        assert receipt["searchable_by_word"]
        assert not receipt["searchable_by_meaning"]
        assert any("model" in note for note in receipt["notes"])
        found = await call(client, "memory_search", query="walrus")
        assert found["hits"][0]["item_id"] == receipt["item_id"]
        assert any("by word only" in note for note in found["notes"])


async def test_a_wrong_setting_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palimpsest", "serve"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(tmp_path, PALIMPSEST_NAMESPCE="x"),
    )
    out, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert out == b""
    told = "palimpsest: PALIMPSEST_NAMESPCE is no setting; the nearest is PALIMPSEST_NAMESPACE.\n"
    assert errors.decode() == told
