"""How much later the tools are listed than by a server of the same SDK with one empty tool.

    python -m palimpsest.bench.start [--runs 10]

Each pair is run in turn: a client starts the process over stdio and waits for tools/list. The database is not running
and is not started. Then come first searches, from the start of the process to the answer: in an empty folder, with the
data there but PostgreSQL stopped, and with PostgreSQL kept running by another client.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

EMPTY = """
from mcp.server import MCPServer

server = MCPServer("empty", version="1")

@server.tool()
async def nothing() -> str:
    return ""

server.run()
"""


async def seconds_to_tools(arguments: list[str], folder: Path) -> float:
    """Return the seconds from starting the process to having its tools."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=arguments,
        env=environment | {"PALIMPSEST_DATA_DIR": str(folder / "data")},
        cwd=str(folder),
    )
    start = time.perf_counter()
    async with Client(stdio_client(parameters)) as client:
        tools = await client.list_tools()
        elapsed = time.perf_counter() - start
    assert tools.tools
    return elapsed


async def seconds_to_search(folder: Path, idle_seconds: float) -> float:
    """Return the seconds from starting a server to the answer of its first search."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    where = {"PALIMPSEST_DATA_DIR": str(folder / "data"), "PALIMPSEST_IDLE_SECONDS": str(idle_seconds)}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "palimpsest", "serve"], env=environment | where, cwd=str(folder)
    )
    start = time.perf_counter()
    async with Client(stdio_client(parameters)) as client:
        result = await client.call_tool("memory_search", {"query": "is anything here yet"})
        elapsed = time.perf_counter() - start
    assert not result.is_error
    return elapsed


async def stopped(folder: Path) -> None:
    """Wait until the bundled PostgreSQL of a folder does not run."""
    from palimpsest.storage.embedded import EmbeddedConfig, describe

    while (await describe(EmbeddedConfig(folder / "data"))).pid is not None:
        await asyncio.sleep(0.05)


async def first_searches(runs: int) -> None:
    """Print the medians of first searches."""
    cold: list[float] = []
    warm: list[float] = []
    running: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="palimpsest-start-") as name:
            folder = Path(name)
            cold.append(await seconds_to_search(folder, 0))
            await stopped(folder)
            warm.append(await seconds_to_search(folder, 30))
            running.append(await seconds_to_search(folder, 0))
            await stopped(folder)
    print(f"start to the answer of the first search, medians of {runs}:")
    for what, values in (("very first start", cold), ("PostgreSQL stopped", warm), ("PostgreSQL running", running)):
        print(f"  {what:<26}  {statistics.median(values):.3f} s (most {max(values):.3f})")


async def run(runs: int) -> float:
    """Print both medians and return their ratio."""
    ours: list[float] = []
    empty: list[float] = []
    with tempfile.TemporaryDirectory(prefix="palimpsest-start-") as name:
        folder = Path(name)
        (folder / "empty.py").write_text(EMPTY)
        # Once each beforehand, so that neither pays for a cold disk.
        for place in range(runs + 1):
            pair = (
                await seconds_to_tools([str(folder / "empty.py")], folder),
                await seconds_to_tools(["-m", "palimpsest", "serve"], folder),
            )
            if place:
                empty.append(pair[0])
                ours.append(pair[1])
        assert not (folder / "data").exists(), "listing the tools must not start the database"
    ratio = statistics.median(ours) / statistics.median(empty)
    print(f"start to tools/list, {runs} pairs, medians:")
    print(f"  server with one empty tool  {statistics.median(empty):.3f} s (least {min(empty):.3f})")
    print(f"  palimpsest                  {statistics.median(ours):.3f} s (least {min(ours):.3f})")
    print(f"  ratio of medians            {ratio:.2f}")
    await first_searches(3)
    return ratio


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    asyncio.run(run(parser.parse_args().runs))


if __name__ == "__main__":
    main()
