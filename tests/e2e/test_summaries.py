"""Summaries by a language model, end to end: an MCP client, a real server process, and an endpoint on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from ..applications import call
from ..contract.text_model_server import Script, serve
from .conftest import stdio_parameters

KEY = "sk-a-secret-that-nobody-may-see"
PROVIDERS = {"openai": ("gpt-4o-mini", "/v1"), "anthropic": ("claude-3-5-haiku", "")}


@pytest.fixture
def script() -> Script:
    """What the endpoint does."""
    return Script()


@pytest.fixture
def address(script: Script) -> Iterator[str]:
    """The running endpoint."""
    with serve(script) as found:
        yield found


def settings(provider: str, address: str, namespace: str, **more: str) -> dict[str, str]:
    """A server's environment with a summarizer."""
    model, path = PROVIDERS[provider]
    return {
        "PALIMPSEST_NAMESPACE": namespace,
        "PALIMPSEST_SUMMARIZER": provider,
        "PALIMPSEST_SUMMARIZER_MODEL": model,
        "PALIMPSEST_SUMMARIZER_BASE_URL": address + path,
        "PALIMPSEST_SUMMARIZER_API_KEY": KEY,
        "PALIMPSEST_DRAIN_SECONDS": "0",
        **more,
    }


TEXT = "\n\n".join(
    f"Chapter {number}. The keeper of light {number} is Ada{number}. "
    + "The lamp is wound at dusk and the book is signed, as every evening. " * 6
    for number in range(60)
)


async def summary_of(client: Client, item_id: str, *, by_model: bool) -> str:
    """Wait until the item has the summary that is meant, at most 30 seconds, and return it."""
    async with asyncio.timeout(30):
        while True:
            page = await call(client, "memory_retrieve", item_id=item_id, detail="summary", max_tokens=20_000)
            if page["content"].startswith("Chapter 0. The keeper") is by_model:
                return str(page["content"])
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("provider", list(PROVIDERS))
async def test_an_add_is_answered_at_once_and_the_models_summary_follows(
    memory_dir: Path, script: Script, address: str, provider: str
) -> None:
    environment = settings(provider, address, f"summaries-{provider}")
    async with Client(stdio_client(stdio_parameters(memory_dir, **environment))) as client:
        receipt = await call(client, "memory_add", content=TEXT, title="lights.md")
        made = await summary_of(client, receipt["item_id"], by_model=True)
        assert "Ada0" in made
        await call(client, "memory_compress", item_ids=[receipt["item_id"]])
        context = await call(client, "memory_context")
        assert made.splitlines()[0] in context["context"]
        state = await call(client, "memory_state")
        assert provider in state["compressor"]
        assert state["threads"][0]["spent_usd"] > 0
        assert (await call(client, "memory_retrieve", item_id=receipt["item_id"], max_tokens=100_000))[
            "content"
        ] == TEXT
    assert len(script.requests) >= 2
    assert all(KEY in headers["authorization"] for headers in script.headers)


async def test_a_short_text_is_never_sent(memory_dir: Path, script: Script, address: str) -> None:
    environment = settings("openai", address, "summaries-short")
    async with Client(stdio_client(stdio_parameters(memory_dir, **environment))) as client:
        await call(client, "memory_add", content="A short text needs no summary.")
        await call(client, "memory_add", content=TEXT)
        await call(client, "memory_search", query="lamp")
        state: Mapping[str, Any] = await call(client, "memory_state")
        assert state["items"] == 2
        async with asyncio.timeout(30):
            while not script.requests:
                await asyncio.sleep(0.05)
    assert not any("A short text" in str(request) for request in script.requests)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([401], "refused the key (401)"),
        ([500], "failing (500)"),
        (["hang"], "did not answer within"),
        (["invent"], None),
        (["refuse"], None),
        (["empty"], None),
    ],
)
async def test_when_the_model_fails_the_extractive_summary_stays_and_doctor_says_why(
    memory_dir: Path, script: Script, address: str, answers: list[Any], sentence: str | None
) -> None:
    script.answers = answers
    namespace = f"summaries-{answers[0]}"
    environment = settings("openai", address, namespace, PALIMPSEST_SUMMARIZER_TIMEOUT_SECONDS="0.3")
    parameters = stdio_parameters(memory_dir, **environment)
    async with Client(stdio_client(parameters)) as client:
        receipt = await call(client, "memory_add", content=TEXT)
        before = await summary_of(client, receipt["item_id"], by_model=False)
        async with asyncio.timeout(30):
            while not script.requests:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        page = await call(client, "memory_retrieve", item_id=receipt["item_id"], detail="summary", max_tokens=20_000)
        assert page["content"] == before
    assert parameters.env is not None
    doctor = await asyncio.create_subprocess_exec(
        parameters.command, "-m", "palimpsest", "doctor", env=parameters.env, stdout=asyncio.subprocess.PIPE
    )
    printed = (await doctor.communicate())[0].decode()
    assert KEY not in printed
    assert bool(re.search(r"\bsummarize\b", printed)) == (sentence is not None), printed
    script.released.set()


async def test_a_daily_limit_is_kept(memory_dir: Path, script: Script, address: str) -> None:
    environment = settings("openai", address, "summaries-limit", PALIMPSEST_SUMMARIZER_DAILY_USD="0.000001")
    async with Client(stdio_client(stdio_parameters(memory_dir, **environment))) as client:
        receipt = await call(client, "memory_add", content=TEXT)
        await summary_of(client, receipt["item_id"], by_model=False)
        await asyncio.sleep(0.5)
        assert (await call(client, "memory_state"))["threads"][0]["spent_usd"] == 0
    assert script.requests == []
