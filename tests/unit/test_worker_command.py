"""The command `worker` and what `doctor` says of jobs, over stand-ins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from palimpsest.core.errors import StoreUnavailableError
from palimpsest.core.models import DeadJob, Job, JobCount
from palimpsest.server.app import Application, Parts
from palimpsest.server.cli import build_parser
from palimpsest.server.commands import worker as command
from palimpsest.server.commands.doctor import counts_told, dead_told
from palimpsest.server.settings import Settings
from palimpsest.storage.inmemory import InMemoryStore

from ..applications import fake_application, fake_opener
from ..fakes import BUDGETS, HashEmbedder, draft

LONG = "\n\n".join(f"part {place}" for place in range(20))
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command over a store; signals are the test runner's."""

    def ran(store: InMemoryStore, *arguments: str, embedder: HashEmbedder | None = None) -> int:
        def application(settings: Settings) -> Application:
            return Application(settings, opener=fake_opener(store, embedder))

        def ignored(_: object) -> None:
            return

        monkeypatch.setattr(command, "Application", application)
        monkeypatch.setattr(command, "stop_on_signals", ignored)
        monkeypatch.setattr(command, "configure_logging", ignored)
        return asyncio.run(command.run(Settings(), build_parser().parse_args(["worker", *arguments])))

    return ran


async def kill(store: InMemoryStore, text: str) -> Job:
    """Leave an item whose embed job is dead."""
    await store.add("default", draft("default", text, embedded=False), budgets=BUDGETS)
    job = await store.claim_job("default", owner="dying", lease_seconds=60, kinds=["embed"])
    assert job is not None
    await store.finish_job("default", job.job_id, owner="dying", error="The embedding model failed.")
    return job


def test_once_works_what_is_due_and_says_what_was_done(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    store = InMemoryStore()
    for place in range(3):
        asyncio.run(store.add("default", draft("default", f"{LONG} {place}", embedded=False), budgets=BUDGETS))
    assert run(store, "--once") == 0
    assert capsys.readouterr().out == "embed: 3 done\n"
    assert run(store, "--once") == 0
    assert capsys.readouterr().out == "Nothing was due.\n"
    assert [count.kind for count in asyncio.run(store.job_counts("default"))] == ["reweigh"]


def test_once_tells_failures_apart_from_what_was_done(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    store, embedder = InMemoryStore(), HashEmbedder()
    embedder.failure = "overloaded"
    asyncio.run(store.add("default", draft("default", LONG, embedded=False), budgets=BUDGETS))
    assert run(store, "--once", embedder=embedder) == 0
    assert capsys.readouterr().out == "embed: 1 failed\n"


def test_once_leaves_the_dead_alone_unless_told_to_retry_them(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    store = InMemoryStore()
    asyncio.run(kill(store, LONG))
    assert run(store, "--once") == 0
    assert capsys.readouterr().out == "Nothing was due.\n"
    assert run(store, "--once", "--retry-dead") == 0
    assert capsys.readouterr().out == "Dead jobs that are tried again: 1.\nembed: 1 done\n"
    assert asyncio.run(store.dead_jobs("default", 1)) == []


def test_once_fails_when_the_store_does(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    class Gone(InMemoryStore):
        async def claim_job(self, *_: object, **__: object) -> Job | None:
            raise StoreUnavailableError

    assert run(Gone(), "--once") == 1
    shown = capsys.readouterr()
    assert shown.out == "Nothing was due.\n"
    assert str(StoreUnavailableError()) in shown.err


async def test_work_off_ends_when_it_is_stopped_before_all_is_done() -> None:
    class Stuck(HashEmbedder):
        async def embed(self, texts: object) -> list[list[float]]:
            await asyncio.Event().wait()
            return []

    store, stopped = InMemoryStore(), asyncio.Event()
    await store.add("default", draft("default", LONG, embedded=False), budgets=BUDGETS)
    async with asyncio.timeout(20):
        async with fake_application(fake_opener(store, Stuck()), drain_seconds=0) as application:
            worker = (await application.parts()).worker
            working = asyncio.create_task(command.work_off(worker, stopped))
            while not any(count.leased for count in await store.job_counts("default")):
                await asyncio.sleep(0.01)
            stopped.set()
            await working
    assert sum(count.leased for count in await store.job_counts("default")) == 0


async def test_a_bundled_database_that_died_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "EVERY_SECONDS", 0.02)
    opened = 0
    stopped = asyncio.Event()

    class Dying(InMemoryStore):
        async def claim_job(self, *_: object, **__: object) -> Job | None:
            if opened < 3:
                raise StoreUnavailableError
            stopped.set()
            return None

    inner = fake_opener(Dying())

    @asynccontextmanager
    async def opener(settings: Settings) -> AsyncGenerator[Parts, None]:
        nonlocal opened
        opened += 1
        async with inner(settings) as parts:
            yield parts

    async with asyncio.timeout(20), fake_application(opener, drain_seconds=0) as application:
        await command.work_on(application, stopped)
    assert opened == 3


def test_the_tally_is_told_by_kind_without_what_is_no_result() -> None:
    assert command.tally_lines({}) == ["Nothing was due."]
    assert command.tally_lines({("embed", "part"): 3, ("embed", "lost"): 1}) == ["Nothing was due."]
    assert command.tally_lines(
        {("hygiene", "done"): 1, ("embed", "dead"): 1, ("embed", "done"): 2, ("embed", "part"): 9}
    ) == ["embed: 2 done, 1 dead", "hygiene: 1 done"]
    assert command.tally_lines({("summarize", "postponed"): 4, ("summarize", "failed"): 2}) == [
        "summarize: 2 failed, 4 postponed"
    ]


def test_the_doctor_counts_what_waits() -> None:
    assert counts_told([]) == ["none"]
    told = counts_told([JobCount("embed", 2, 1, 0, AT), JobCount("hygiene", 0, 1, 3, None)])
    assert told == [
        "embed: 2 waiting, 1 in work, 0 dead, the oldest due 2026-02-03 04:05:06 UTC",
        "hygiene: 0 waiting, 1 in work, 3 dead",
    ]


def test_the_doctor_names_the_dead_and_what_to_do() -> None:
    dead = [DeadJob(1, "embed", "mem_x", 8, "The model is missing.", AT), DeadJob(2, "hygiene", None, 8, "No.", AT)]
    first, second, last = dead_told(dead, 2)
    assert "embed mem_x, 8 attempts, given up 2026-02-03 04:05:06 UTC: The model is missing." in first
    assert "hygiene (no item)" in second
    assert "`palimpsest worker --retry-dead`" in last
    assert any("and 5 more" in line for line in dead_told(dead, 7))
