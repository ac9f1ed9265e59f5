"""An application over stand-ins, for tests of what a client sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    TextContent,
)

from palimpsest.core.approval import HumanPolicy
from palimpsest.core.clock import SystemClock
from palimpsest.core.detection import PatternDetector
from palimpsest.core.jobs import JobRunner
from palimpsest.core.ports import HumanGate
from palimpsest.core.screening import ScanPolicy
from palimpsest.core.services import Ports, build_services
from palimpsest.core.usage import UsageLog
from palimpsest.core.validation import Limits
from palimpsest.server.app import Application, Opener, Parts, choose_budgets
from palimpsest.server.settings import Settings
from palimpsest.server.workers import Worker
from palimpsest.slm.times import EnglishTimes
from palimpsest.storage.inmemory import InMemoryStore

from .fakes import FirstWords, HashEmbedder, NoCorrections, ParagraphChunker, WordCounter, WordLexicon, sealer


def fake_opener(
    store: InMemoryStore | None = None, embedder: HashEmbedder | None = None, gate: HumanGate | None = None
) -> Opener:
    """How to open a memory of stand-ins."""
    store, embedder = store or InMemoryStore(), embedder or HashEmbedder()

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncGenerator[Parts, None]:
        lexicon, usage = WordLexicon(), UsageLog()
        services = build_services(
            Ports(
                store=store,
                embedder=embedder,
                lexicon=lexicon,
                times=EnglishTimes(),
                speller=NoCorrections(),
                counter=WordCounter(),
                chunker=ParagraphChunker(),
                compressor=FirstWords(),
                clock=SystemClock(),
                budgets=choose_budgets(settings),
                usage=usage,
                limits=Limits(settings.max_item_bytes, settings.max_store_bytes),
                task_lease=timedelta(minutes=settings.task_lease_minutes),
                sealer=sealer(),
                detector=PatternDetector(),
                scan=ScanPolicy(settings.scan_secrets, settings.scan_personal),
                gate=gate,
                human=HumanPolicy(settings.human_for_purge, settings.human_for_bulk_forget),
            )
        )
        worker = Worker(
            runner=JobRunner(store=store, embedder=embedder, lexicon=lexicon, owner="test"),
            store=store,
            usage=usage,
            namespaces=[settings.namespace],
            drain_seconds=settings.drain_seconds,
            every_seconds=0.05,
            settle=services.people.settle,
        )
        worker.start()
        try:
            yield Parts(services, store, embedder, worker)
        finally:
            await worker.aclose()
            await store.aclose()

    return opened


def fake_application(opener: Opener | None = None, **given: Any) -> Application:
    """An application of stand-ins with these settings."""
    return Application(Settings(data_dir=Path("/nonexistent"), **given), opener=opener or fake_opener())


_T = TypeVar("_T")


@asynccontextmanager
async def in_own_task(manager: AbstractAsyncContextManager[_T]) -> AsyncGenerator[_T, None]:
    """Enter and leave ``manager`` in one task: fixtures begin and end in different ones, which cancel scopes forbid."""
    entered: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def live() -> None:
        try:
            async with manager as value:
                entered.set_result(value)
                await leave.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    task = asyncio.create_task(live())
    try:
        yield await entered
    finally:
        leave.set()
        await task


async def call(client: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a tool that must succeed, and return its structured result."""
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    assert not result.is_error, texts(result)
    return cast("Mapping[str, Any]", result.structured_content)


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that must refuse, and return what it says."""
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    assert result.is_error, result.structured_content
    (text,) = texts(result)
    return text


def texts(result: CallToolResult) -> list[str]:
    """The texts of a result."""
    return [block.text for block in result.content if isinstance(block, TextContent)]


async def until_embedded(client: Client) -> Mapping[str, Any]:
    """Wait until nothing is pending, at most 90 seconds, and return the state."""
    async with asyncio.timeout(90):
        while (state := await call(client, "memory_state"))["chunks_pending"]:
            await asyncio.sleep(0.05)
        return state


class Person:
    """Who sits at a client: answers its dialogs in turn, and remembers what was shown; dismisses those beyond."""

    def __init__(self, *answers: ElicitResult | ErrorData) -> None:
        self._answers = list(answers)
        self.shown: list[ElicitRequestFormParams] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        """Answer the next dialog."""
        assert isinstance(params, ElicitRequestFormParams)
        self.shown.append(params)
        return self._answers.pop(0) if self._answers else ElicitResult(action="cancel")


def says(**content: Any) -> ElicitResult:
    """What a dialog gives back that a person filled in."""
    return ElicitResult(action="accept", content=content)
