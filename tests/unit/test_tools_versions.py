"""What the tools say of dates and versions."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio
from mcp import Client
from mcp.types import CallToolResult

from palimpsest.server.mcp_server import build_server

from ..applications import call, fake_application, in_own_task, refusal, texts

RED, BLUE = "Alice's favourite colour is red.", "Alice's favourite colour is blue."


@pytest_asyncio.fixture
async def client() -> AsyncGenerator[Client, None]:
    async with (
        fake_application(drain_seconds=0) as application,
        in_own_task(Client(build_server(application, toolset="all"))) as opened,
    ):
        yield opened


async def said(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, dict(arguments))
    assert isinstance(result, CallToolResult)
    return texts(result)[0]


async def test_a_receipt_says_what_an_item_is_a_version_of_and_which_is_newer(client: Client) -> None:
    first = await call(client, "memory_add", content=RED, date="2024-03-01")
    assert first["version_of"] is None
    second = await call(client, "memory_add", content=BLUE, date="2024-05-01T12:30+02:00")
    assert second["version_of"] == first["item_id"]
    older = await said(client, "memory_add", content=RED.replace("red", "pink"), date="2024-01-01")
    assert f"Dated 2024-01-01. Another version of {second['item_id']}, which stays the newest." in older
    newer = await said(client, "memory_add", content=RED.replace("red", "teal"), date="2024-06-01")
    assert f"Another version of {second['item_id']}, now the newest." in newer


async def test_a_repeat_of_what_is_superseded_says_how_to_tell_that_it_holds_again(client: Client) -> None:
    first = await call(client, "memory_add", content=RED, date="2024-03-01")
    second = await call(client, "memory_add", content=BLUE, date="2024-05-01")
    text = await said(client, "memory_add", content=RED)
    assert text.startswith(f"Nothing added: this thread already holds exactly this text as {first['item_id']}.")
    assert f"{second['item_id']} supersedes it; pass a date to say that it holds again." in text
    typed = await said(client, "memory_add", content=BLUE.upper())
    assert "yours is kept as version 2 of that item" in typed
    undated = await said(client, "memory_add", content="told now")
    assert "Dated" not in undated


async def test_dates_and_what_supersedes_an_item_are_read_and_listed(client: Client) -> None:
    first = await call(client, "memory_add", content=RED, date="2024-03-01")
    second = await call(client, "memory_add", content=BLUE, date="2024-05-01T12:30+02:00")
    page = await call(client, "memory_retrieve", item_id=first["item_id"])
    assert page["superseded_by"] == second["item_id"]
    header = await said(client, "memory_retrieve", item_id=first["item_id"])
    assert f"dated 2024-03-01, superseded by {second['item_id']}, full" in header
    assert "dated 2024-05-01T10:30:00Z, full" in await said(client, "memory_retrieve", item_id=second["item_id"])
    listed = await call(client, "memory_list")
    assert {(item["date"], item["superseded_by"]) for item in listed["items"]} == {
        ("2024-03-01", second["item_id"]),
        ("2024-05-01T10:30:00Z", None),
    }
    assert f"2024-03-01 · superseded by {second['item_id']}" in await said(client, "memory_list")


async def test_a_date_is_corrected_and_a_wrong_one_refused(client: Client) -> None:
    first = await call(client, "memory_add", content=RED, date="2024-03-01")
    changed = await said(client, "memory_update", item_id=first["item_id"], date="2023-03-01")
    assert "Dated 2023-03-01." in changed
    assert "is no ISO date" in await refusal(client, "memory_add", content=BLUE, date="May 3rd")
