"""The composition root and its worker: opened once, closed in reverse, tried again after a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import SettingsError, StoreUnavailableError
from palimpsest.core.jobs import JobRunner
from palimpsest.core.memory import NewMemory
from palimpsest.core.models import Job, JobKind
from palimpsest.core.usage import UsageLog
from palimpsest.server.app import (
    Application,
    Parts,
    choose_counter,
    choose_embedder,
    connect_arguments,
    embedded_config,
)
from palimpsest.server.logs import configure_logging
from palimpsest.server.settings import Settings
from palimpsest.server.workers import Worker
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.slm.embeddings.openai_endpoint import OpenAICompatibleEmbedder
from palimpsest.storage.inmemory import InMemoryStore

from ..applications import fake_application, fake_opener
from ..fakes import HashEmbedder, WordLexicon


class Openings:
    """Counts openings and closings, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.opened = 0
        self.closed = 0
        self._inner = fake_opener()

    @asynccontextmanager
    async def __call__(self, settings: Settings) -> AsyncGenerator[Parts, None]:
        await asyncio.sleep(0)
        self.opened += 1
        if self.failures:
            self.failures -= 1
            raise StoreUnavailableError
        async with self._inner(settings) as parts:
            yield parts
        self.closed += 1


async def test_concurrent_first_calls_open_once() -> None:
    openings = Openings()
    async with fake_application(openings) as application:
        sessions = await asyncio.gather(*(application.session(f"c{n}") for n in range(8)))
        assert openings.opened == 1
        assert len({id(session.memory) for session in sessions}) == 1
        assert {session.caller.actor for session in sessions} == {f"c{n}" for n in range(8)}
    assert openings.closed == 1


async def test_nothing_is_opened_when_nothing_is_asked() -> None:
    openings = Openings()
    async with fake_application(openings):
        pass
    assert openings.opened == 0


async def test_a_failed_opening_is_told_to_all_and_tried_again() -> None:
    openings = Openings(failures=1)
    async with fake_application(openings) as application:
        first = await asyncio.gather(application.parts(), application.parts(), return_exceptions=True)
        assert [type(error) for error in first] == [StoreUnavailableError, StoreUnavailableError]
        assert await application.parts()
    assert (openings.opened, openings.closed) == (2, 1)


async def test_a_caller_that_gives_up_leaves_the_opening_to_the_others() -> None:
    openings = Openings()
    async with fake_application(openings) as application:
        impatient = asyncio.create_task(application.parts())
        patient = asyncio.create_task(application.parts())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient
        assert impatient.cancelled() or impatient.cancelling()
    assert openings.opened == 1


async def test_closing_in_the_middle_of_an_opening_ends_it() -> None:
    never = asyncio.Event()

    @asynccontextmanager
    async def stuck(_: Settings) -> AsyncGenerator[Parts, None]:
        await never.wait()
        raise AssertionError
        yield  # pyright: ignore[reportUnreachable]

    application = fake_application(stuck)
    waiting = asyncio.create_task(application.parts())
    await asyncio.sleep(0)
    await application.aclose()
    assert (await asyncio.gather(waiting, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    await application.aclose()


async def test_a_lost_bundled_database_is_opened_anew_and_another_is_not() -> None:
    openings = Openings()
    async with fake_application(openings) as application:
        before = await application.parts()
        application.lose()
        assert await application.parts() is not before
        assert (openings.opened, openings.closed) == (2, 1)
    elsewhere = Openings()
    async with fake_application(elsewhere, database_url=SecretStr("postgresql://h/d")) as application:
        before = await application.parts()
        application.lose()
        assert await application.parts() is before


def test_the_settings_choose_the_embedder() -> None:
    assert isinstance(choose_embedder(Settings()), MiniLMEmbedder)
    chosen = choose_embedder(
        Settings(embedder="openai", embedding_model="m", embedding_dimensions=8, openai_api_key=SecretStr("k"))
    )
    assert isinstance(chosen, OpenAICompatibleEmbedder)
    assert chosen.model_id == "openai/m/8"


def test_the_settings_choose_a_sentence_transformers_model_where_the_package_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", nowhere)
    settings = Settings(embedder="sentence-transformers", embedding_model="m", embedding_dimensions=8)
    with pytest.raises(SettingsError, match="pip install"):
        choose_embedder(settings)


def test_the_settings_choose_the_token_counter() -> None:
    assert "estimate" in choose_counter(Settings(token_counter="estimate")).name
    with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY"):
        choose_counter(Settings(token_counter="anthropic", token_model="m"))


def test_the_database_is_reached_as_the_settings_say() -> None:
    assert connect_arguments(SecretStr("postgresql://h/d"))["dsn"] == "postgresql://h/d"
    config = embedded_config(Settings(data_dir=Path("/x"), idle_seconds=3, run_as_user="nobody"))
    assert (config.data_dir, config.idle_seconds, config.run_as) == (Path("/x"), 3, "nobody")


def make_worker(store: InMemoryStore, *, drain_seconds: float = 1.0) -> tuple[Worker, UsageLog]:
    usage = UsageLog()
    runner = JobRunner(store=store, embedder=HashEmbedder(), lexicon=WordLexicon(), owner="w")
    worker = Worker(
        runner=runner, store=store, usage=usage, namespaces=["n"], drain_seconds=drain_seconds, every_seconds=0.01
    )
    return worker, usage


@pytest.mark.parametrize("failure", [StoreUnavailableError(), RuntimeError("unforeseen")])
async def test_a_failure_in_the_background_is_logged_once_and_outlived(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tries, failing = 0, True

    class FailingStore(InMemoryStore):
        async def claim_job(
            self, namespace: str, *, owner: str, lease_seconds: float, kinds: Sequence[JobKind] | None = None
        ) -> Job | None:
            nonlocal tries
            tries += 1
            if failing:
                raise failure
            return None

    worker, _ = make_worker(FailingStore())
    with caplog.at_level(logging.WARNING):
        worker.start()
        async with asyncio.timeout(10):
            while tries < 5:
                await asyncio.sleep(0.01)
        failing = False
        await worker.aclose()
    assert len([record for record in caplog.records if record.name.endswith("workers")]) == 1


async def test_a_stopping_worker_finishes_what_is_due_and_notes_what_was_read() -> None:
    application = fake_application(fake_opener(store := InMemoryStore()), drain_seconds=5)
    async with application:
        session = await application.session("t")
        text = "\n\n".join(f"part {n}" for n in range(50))
        receipt = await session.memory.add(session.caller, NewMemory(text))
        assert receipt.chunks_pending == 50
        await session.memory.retrieve(session.caller, receipt.item.item_id)
    state = await store.state("default", HashEmbedder().model_id, budgets=fixed_budget(1000))
    assert state.chunks_pending == 0
    assert (await store.get("default", receipt.item.item_id)).last_used_at is not None


async def test_a_worker_that_never_started_closes_quietly() -> None:
    worker, _ = make_worker(InMemoryStore())
    await worker.aclose()


def test_the_log_goes_to_stderr_and_stays_silent_about_requests(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("INFO")
        logging.getLogger("mcp.server").info("Tool 'memory_add' failed: 'secret content'")
        logging.getLogger("palimpsest.server").info("ready")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "ready" in shown.err
    assert "secret content" not in shown.err


async def test_an_application_is_closed_by_leaving_it() -> None:
    openings = Openings()
    application = Application(Settings(), opener=openings)
    async with application:
        await application.parts()
    assert openings.closed == 1
