"""Summaries by a real language model, a tiny one with random weights, served by `transformers serve` on loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from palimpsest.slm.language.openai_chat import OpenAIChat

from ..applications import call
from .conftest import stdio_parameters
from .test_summaries import TEXT

NEEDED = ("torch", "transformers", "fastapi", "accelerate")
pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED),
    reason="transformers[serving] and torch are not installed; the test extra has them",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, str], None, None]:
    """A model's name and the address that serves it."""
    folder = tmp_path_factory.mktemp("tiny")
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "PYTHONWARNINGS": "ignore"}
    model = folder / "tiny-phi"
    maker = Path(__file__).with_name("tiny_model.py")
    subprocess.run([sys.executable, str(maker), str(model)], check=True, env=quiet, cwd=folder, capture_output=True)
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model), "--host", "127.0.0.1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--device", "cpu"], env=quiet, cwd=folder, stdout=log, stderr=log
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
            yield str(model), f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers, at most two minutes."""
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


async def test_the_client_speaks_with_it(tiny: tuple[str, str]) -> None:
    name, address = tiny
    model = OpenAIChat(model=name, window=2048, api_key="none", base_url=address)
    answer = await model.complete("Shorten it.", "The harbour is deep and the lamp is lit.", max_tokens=16)
    await model.aclose()
    assert answer.text
    assert 0 < answer.usage.completion_tokens <= 16
    assert answer.usage.prompt_tokens > 5
    assert not answer.finished


async def test_a_text_longer_than_its_window_goes_through_it_and_nothing_is_lost(
    memory_dir: Path, tmp_path: Path, tiny: tuple[str, str]
) -> None:
    name, address = tiny
    models = tmp_path / "models.json"
    row = {"name": name, "provider": "test", "window": 2048, "input_usd": 1, "output_usd": 1}
    models.write_text(json.dumps({"models": [row]}), encoding="utf-8")
    environment = {
        "PALIMPSEST_NAMESPACE": "tiny",
        "PALIMPSEST_MODELS_FILE": str(models),
        "PALIMPSEST_SUMMARIZER": "openai",
        "PALIMPSEST_SUMMARIZER_MODEL": name,
        "PALIMPSEST_SUMMARIZER_BASE_URL": address,
    }
    async with Client(stdio_client(stdio_parameters(memory_dir, **environment))) as client:
        receipt = await call(client, "memory_add", content=TEXT)
        assert receipt["total_tokens"] > 2 * 2048
        async with asyncio.timeout(240):
            # Each call is noted with what it cost: several mean that the text went through in parts.
            while (await call(client, "memory_state"))["threads"][0]["spent_usd"] < 3 * 1000 / 1_000_000:
                await asyncio.sleep(0.2)
        summary = await call(client, "memory_retrieve", item_id=receipt["item_id"], detail="summary")
        assert summary["content"]
        whole = await call(client, "memory_retrieve", item_id=receipt["item_id"], max_tokens=100_000)
        assert whole["content"] == TEXT
