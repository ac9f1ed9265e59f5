"""One bundled PostgreSQL for the suite, and clients of every transport and protocol era that reach it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client

from palimpsest.server.app import Application
from palimpsest.server.mcp_server import build_server
from palimpsest.server.settings import load_settings
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer

from ..contract.vllm_server import Vllm, serve

ERAS = {"2026-07-28": "auto", "2025-11-25": "legacy"}
TRANSPORTS = ("in-memory", "stdio", "http", "sse")
Connect = Callable[[], AbstractAsyncContextManager[Client]]
NOWHERE = "http://127.0.0.1:9/v1"
"""Nobody listens there."""
_small_model: dict[str, str] = {}
"""The settings of a small model that all servers have; none unless TEST_SLM asks for it."""


@pytest.fixture(scope="session", autouse=True)
def small_model() -> Generator[None]:
    """Give every server a small model if TEST_SLM says so: ``answering`` one that answers, ``absent`` an address alone.

    What the tests expect stays the same: everything works without a small model, and beside one.
    """
    wanted = os.environ.get("TEST_SLM")
    with serve(Vllm()) if wanted == "answering" else nullcontext(NOWHERE) as address:
        if wanted:
            url = f"{address}/v1" if wanted == "answering" else address
            _small_model.update(
                PALIMPSEST_SLM_BASE_URL=url,
                PALIMPSEST_SLM_MODEL="slm",
                PALIMPSEST_SLM_API_KEY="k",
                PALIMPSEST_FACTS="auto",
            )
        yield


@pytest.fixture(scope="session")
def memory_dir(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """A data directory whose PostgreSQL runs as long as the suite does."""
    folder = tmp_path_factory.mktemp("memory")
    server = EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0))
    with asyncio.Runner() as runner:
        runner.run(server.__aenter__())
        try:
            yield folder
        finally:
            runner.run(server.__aexit__(None, None, None))


def small_model_answers() -> bool:
    """Say whether the servers have a small model that writes summaries."""
    return os.environ.get("TEST_SLM") == "answering"


def small_model_is_missing() -> bool:
    """Say whether the servers have a small model that nobody serves, which the doctor calls an illness."""
    return os.environ.get("TEST_SLM") == "absent"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This environment with the settings of a test only; a test of a provider's model has no small one before it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PALIMPSEST_") and name not in ("DATABASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    }
    small = {} if "PALIMPSEST_SUMMARIZER" in more else _small_model
    return kept | small | {"PALIMPSEST_DATA_DIR": str(folder), "PALIMPSEST_IDLE_SECONDS": "0", **more}


def stdio_parameters(folder: Path, **more: str) -> StdioServerParameters:
    """How to start a server of the test's own."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "palimpsest", "serve"], env=environment(folder, **more), cwd=str(folder)
    )


@dataclass(frozen=True, slots=True)
class Served:
    """A server process that listens: its address, and the process."""

    url: str
    process: subprocess.Popen[str]


def serve_http(folder: Path, **more: str) -> Served:
    """Start a server on a free port and wait for its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "palimpsest", "serve", "--transport", "http", "--port", "0"],
        env=environment(folder, **more),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"Listening on (http://\S+)/mcp", line):
            return Served(found.group(1), process)
    raise AssertionError(f"the server ended with {process.wait()}")


def end(served: Served) -> int:
    """Ask the server to stop and return its exit code."""
    served.process.terminate()
    served.process.communicate(timeout=30)
    return served.process.returncode


@pytest.fixture(scope="session")
def http_server(memory_dir: Path) -> Generator[Served, None, None]:
    """A listening server for the whole suite."""
    served = serve_http(memory_dir)
    try:
        yield served
    finally:
        assert end(served) == 0


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """A protocol era."""
    return str(request.param)


@pytest.fixture(params=TRANSPORTS)
def connect(request: pytest.FixtureRequest, era: str, memory_dir: Path) -> Connect:
    """How to connect over the transport and in the era of this run."""
    mode = ERAS[era]
    if request.param == "in-memory":

        @asynccontextmanager
        async def connected() -> AsyncGenerator[Client, None]:
            async with (
                Application(load_settings(environment(memory_dir))) as application,
                Client(build_server(application), mode=mode) as client,
            ):
                yield client

        return connected
    if request.param == "stdio":
        return lambda: Client(stdio_client(stdio_parameters(memory_dir)), mode=mode)
    served: Served = request.getfixturevalue("http_server")
    if request.param == "http":
        return lambda: Client(f"{served.url}/mcp", mode=mode)
    return lambda: Client(sse_client(f"{served.url}/sse"), mode=mode)
