"""Acknowledged means durable: through kills, restarts and many processes at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from .texts import mixed

PROCESSES = 8
ADDS = 100


def settings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a server whose data lie in ``folder``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    return kept | {"PALIMPSEST_DATA_DIR": str(folder), "PALIMPSEST_IDLE_SECONDS": "5", **more}


@asynccontextmanager
async def server(folder: Path, **more: str) -> AsyncGenerator[Client, None]:
    """A client of a server process of its own."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "palimpsest", "serve"], env=settings(folder, **more), cwd=str(folder)
    )
    async with Client(stdio_client(parameters)) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a tool that must succeed, and return its structured result."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return cast("Mapping[str, Any]", result.structured_content)


async def read_whole(client: Client, item_id: str, **arguments: Any) -> str:
    """Read an item page by page."""
    pieces: list[str] = []
    cursor: str | None = None
    while True:
        page = await call(
            client, "memory_retrieve", item_id=item_id, **arguments, **({"cursor": cursor} if cursor else {})
        )
        pieces.append(page["content"])
        cursor = page["next_cursor"]
        if cursor is None:
            return "".join(pieces)


ADDER = """
import asyncio, os, sys
from palimpsest.tests.e2e.test_durability import add_and_tell
asyncio.run(add_and_tell(sys.argv[1], int(sys.argv[2])))
"""


async def add_and_tell(folder: str, number: int) -> None:
    """Be a client with a server of its own: add texts and print each acknowledged id (run in a process of its own)."""
    async with server(Path(folder)) as client:
        for place in range(ADDS):
            text = f"process {number} text {place}: " + "lorem ipsum dolor " * (place % 7)
            receipt = await call(client, "memory_add", content=text)
            print(receipt["item_id"], receipt["outcome"], text, sep="\t", flush=True)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    # The client and its server die at once, as they do when a terminal or a machine goes.
    os.killpg(process.pid, signal.SIGKILL)


async def test_eight_processes_two_killed_midway_lose_no_acknowledged_write(tmp_path: Path) -> None:
    async def run_one(number: int, *, kill_after: int | None) -> list[tuple[str, str]]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ADDER, str(tmp_path), str(number)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=settings(tmp_path),
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.ensure_future(process.stderr.read())
        acknowledged: list[tuple[str, str]] = []
        async for line in process.stdout:
            item_id, outcome, text = line.decode().rstrip("\n").split("\t")
            assert outcome == "added"
            acknowledged.append((item_id, text))
            if len(acknowledged) == kill_after:
                _kill_group(process)
        code = await process.wait()
        if kill_after is None:
            assert code == 0, (await errors).decode()[-2000:]
        else:
            errors.cancel()
        return acknowledged

    runs = await asyncio.wait_for(
        asyncio.gather(*(run_one(n, kill_after=40 if n in (2, 5) else None) for n in range(PROCESSES))), timeout=240
    )
    acknowledged = [pair for run in runs for pair in run]
    assert len(acknowledged) >= (PROCESSES - 2) * ADDS + 2 * 40
    assert len({item_id for item_id, _ in acknowledged}) == len(acknowledged)
    async with server(tmp_path) as client:
        state = await call(client, "memory_state")
        # A killed process may have had one more committed than it could tell.
        assert len(acknowledged) <= state["items"] <= len(acknowledged) + 2
        for item_id, text in acknowledged:
            assert (await call(client, "memory_retrieve", item_id=item_id))["content"] == text


async def test_a_thousand_mixed_items_are_byte_identical_after_a_restart(tmp_path: Path) -> None:
    texts = mixed(1000)
    ids: list[str] = []
    async with server(tmp_path) as client:
        for start in range(0, len(texts), 20):
            receipts = await asyncio.gather(
                *(call(client, "memory_add", content=text) for text in texts[start : start + 20])
            )
            assert all(receipt["durable"] for receipt in receipts)
            ids += [receipt["item_id"] for receipt in receipts]
    async with server(tmp_path) as client:
        shortened = 0
        for item_id, text in zip(ids, texts, strict=True):
            page = await call(client, "memory_retrieve", item_id=item_id, detail="brief")
            shortened += page["detail"] == "brief"
            assert await read_whole(client, item_id) == text
        assert shortened > 100
