"""The command `demo`: a real client over stdio, a real code base, five questions, and every byte back."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ...core.errors import PalimpsestError
from ..settings import PLAIN, PREFIX, Settings
from .importing import IN_FLIGHT, Found, find_files, read_text

PACKAGES = ("asyncio", "json", "http", "email")
ORIGINAL = "asyncio/base_events.py"
QUESTIONS = (
    "How does a task get cancelled when its timeout expires?",
    "Where is a \\uXXXX escape in a JSON string decoded?",
    "What happens when an HTTP response has a header line that is too long?",
    "RFC 2047 encoded words in a subject line",
    "Who may see a row of another namespace in Palimpsest's database?",
)
_MOST_BYTES = 4_000_000
_POLL_SECONDS = 0.5
_PASSAGE_TOKENS = 400


class Stopwatch:
    """What each step took."""

    def __init__(self) -> None:
        """Start with no steps."""
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:
        """Announce a step and time it."""
        print(f"\n== {what}", flush=True)
        start = time.perf_counter()
        yield
        self.steps.append((what, time.perf_counter() - start))
        print(f"   took {self.steps[-1][1]:.2f} s", flush=True)


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the demo in a folder of its own; exit code 1 when a byte is missing."""
    keep = arguments.demo_dir
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="palimpsest-demo-") as folder:
        watch = Stopwatch()
        same = await _show(Path(folder), watch)
    print("\n== What it took")
    for what, seconds in watch.steps:
        print(f"   {seconds:7.2f} s  {what}")
    print(f"   {sum(seconds for _, seconds in watch.steps):7.2f} s  in all")
    return 0 if same else 1


async def _show(folder: Path, watch: Stopwatch) -> bool:
    async with _connected(folder, watch) as client:
        files = list(code_base()) + list(documents())
        with watch.step(
            f"Add {len(files)} files: {', '.join(PACKAGES)} of the standard library, Palimpsest's own docs"
        ):
            ids = await _add(client, files)
        with watch.step("Wait until everything is searchable by meaning, and show the state"):
            await _settle(client)
        with watch.step(f"Ask {len(QUESTIONS)} questions"):
            for question in QUESTIONS:
                await _ask(client, question)
        original = next(file for file in files if file.title == ORIGINAL)
        with watch.step(f"Get {ORIGINAL} back, page by page, and compare its SHA-256"):
            return await _compare(client, original, ids[ORIGINAL])


@asynccontextmanager
async def _connected(folder: Path, watch: Stopwatch) -> AsyncGenerator[Any, None]:
    with watch.step("Start the server over stdio, as a client does, and list its tools"):
        from mcp import Client, StdioServerParameters
        from mcp.client.stdio import stdio_client

        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "palimpsest", "serve"], env=clean_environment(folder), cwd=str(folder)
        )
        client = Client(stdio_client(parameters))
        await client.__aenter__()
        try:
            tools = await client.list_tools()
        except BaseException:
            await client.__aexit__(None, None, None)
            raise
        print(f"   {', '.join(tool.name for tool in tools.tools)}")
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


def clean_environment(folder: Path) -> dict[str, str]:
    """Return this environment without settings, so that the demo touches no memory but its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and name not in PLAIN}
    return kept | {f"{PREFIX}DATA_DIR": str(folder), f"{PREFIX}IDLE_SECONDS": "0"}


def code_base() -> Generator[Found, None, None]:
    """Yield the Python files of a few packages of the standard library."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for file in find_files([library / package for package in PACKAGES]):
        if file.path.suffix == ".py":
            yield file


def documents() -> Generator[Found, None, None]:
    """Yield the project's own documents, where this runs from its source."""
    root = Path(__file__).parents[2]
    for path in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))):
        if path.is_file():
            yield Found(path, str(path.relative_to(root)))


async def _add(client: Any, files: Sequence[Found]) -> Mapping[str, str]:
    from tqdm import tqdm

    ids: dict[str, str] = {}
    total = 0
    waiting = iter(files)
    with tqdm(total=len(files), unit="file", desc="   adding") as bar:

        async def adder() -> None:
            nonlocal total
            for file in waiting:
                text, _ = read_text(file.path, _MOST_BYTES)
                if text is not None:
                    receipt = await _call(client, "memory_add", content=text, title=file.title, tags=["demo"])
                    ids[file.title] = receipt["item_id"]
                    total += receipt["total_tokens"]
                bar.update()

        await asyncio.gather(*(adder() for _ in range(IN_FLIGHT)))
    print(f"   {len(ids)} items of {total:,} tokens, each acknowledged after its commit")
    return ids


async def _settle(client: Any) -> None:
    from tqdm import tqdm

    state = await _call(client, "memory_state")
    with tqdm(total=state["chunks"], initial=state["chunks"] - state["chunks_pending"], desc="   embedding") as bar:
        while state["chunks_pending"]:
            await asyncio.sleep(_POLL_SECONDS)
            state = await _call(client, "memory_state")
            bar.update(state["chunks"] - state["chunks_pending"] - bar.n)
    print("\n".join(f"   {line}" for line in state["_text"].splitlines()))


async def _ask(client: Any, question: str) -> None:
    start = time.perf_counter()
    found = await _call(client, "memory_search", query=question, limit=3, max_tokens=_PASSAGE_TOKENS)
    milliseconds = (time.perf_counter() - start) * 1000
    print(f"   {question}  ({milliseconds:.0f} ms, evidence: {found['evidence']})")
    for hit in found["hits"][:3]:
        line = next((line.strip() for line in hit["passage"].splitlines() if line.strip()), "")
        print(f"     {hit['score']:.2f}  {hit['title']}: {line[:70]}")


async def _compare(client: Any, original: Found, item_id: str) -> bool:
    pieces: list[str] = []
    page: Mapping[str, Any] = {"next_cursor": None}
    while not pieces or page["next_cursor"]:
        cursor = {"cursor": page["next_cursor"]} if pieces else {}
        page = await _call(client, "memory_retrieve", item_id=item_id, **cursor)
        pieces.append(page["content"])
    back = hashlib.sha256("".join(pieces).encode()).hexdigest()
    disk = hashlib.sha256(original.path.read_bytes()).hexdigest()
    print(f"   {len(pieces)} pages\n   on disk    {disk}\n   got back   {back}\n   in receipt {page['sha256']}")
    same = back == disk == str(page["sha256"])
    print("   identical, byte for byte" if same else "   DIFFERENT")
    return same


async def _call(client: Any, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text if result.content else ""
    if result.is_error:
        raise PalimpsestError(f"{tool} failed: {text}")
    return {**result.structured_content, "_text": text}
