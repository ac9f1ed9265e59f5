"""The composition root: the memory and everything it is made of, built at the first need and closed in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ..core.budget import Budgets
from ..core.calls import Caller
from ..core.clock import SystemClock
from ..tools.access import Session
from .embedders import former_embedder
from .extractors import choose_extractors
from .language import choose_admin, choose_answerer, choose_language, choose_summarizer, summarizing_lanes
from .settings import Settings
from .workers import Worker

if TYPE_CHECKING:
    from ..core.models import JobKind
    from ..core.ports import Embedder, Merger, Sealer, Store, TokenCounter
    from ..core.runner import Work
    from ..core.services import Consolidating, Services
    from ..slm.language.metered import Metered
    from ..storage.embedded import EmbeddedConfig

_log = logging.getLogger(__name__)
CONNECT_SECONDS = 10.0
FIRST_HYGIENE_SECONDS = 60.0
"""Hygiene of a memory that has never had any waits so long, so that it does not meet the first call."""
FIRST_CONSOLIDATION_SECONDS = 3600.0
"""What came at once, such as an import, is complete by then."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is open while the memory is."""

    services: Services
    store: Store
    embedder: Embedder
    worker: Worker


Opener = Callable[[Settings], AbstractAsyncContextManager[Parts]]


class Application:
    """The memory of a process: one for all its clients, opened by the first call that needs it.

    Calls that come while it is opened wait for the same opening; a failed opening is told to them and tried again by
    the next call.
    """

    def __init__(self, settings: Settings, *, opener: Opener | None = None) -> None:
        """Nothing is opened or imported here; ``opener`` replaces the real parts in tests."""
        self.settings = settings
        self._opener = opener or open_parts
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[Parts] | None = None
        self._lost = False

    async def session(self, client: str) -> Session:
        """See ``tools.access.Access``."""
        parts = await self.parts()
        caller = Caller(self.settings.namespace, client)
        return Session(
            parts.services, caller, parts.worker.wake, self.settings.thread, self.settings.human_dialog_seconds
        )

    async def parts(self) -> Parts:
        """Return the open parts.

        Raises:
            StoreUnavailableError: the database cannot be reached.
            SettingsError: it cannot run as configured.
        """
        if self._opening is None or (self._lost and self._opening.done()):
            self._lost = False
            self._opening = asyncio.create_task(self._open(), name="palimpsest-opening")
            self._opening.add_done_callback(self._forget_failure)
        # A caller that gives up must not take the opening away from the others.
        return await asyncio.shield(self._opening)

    def lose(self) -> None:
        """Open the bundled PostgreSQL anew at the next call: nobody else restarts it; other servers come back."""
        self._lost = self.settings.database_url is None

    async def aclose(self) -> None:
        """Close what is open, newest first; calling it twice is allowed."""
        opening, self._opening = self._opening, None
        if opening is not None:
            if not opening.done():
                opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        await self._stack.aclose()

    async def __aenter__(self) -> Application:
        """Open nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.aclose()

    async def _open(self) -> Parts:
        await self._stack.aclose()
        return await self._stack.enter_async_context(self._opener(self.settings))

    def _forget_failure(self, task: asyncio.Task[Parts]) -> None:
        if (task.cancelled() or task.exception() is not None) and self._opening is task:
            self._opening = None


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncGenerator[Parts, None]:
    """Open the database, the embedder and the background worker as the settings say."""
    from ..core.approval import HumanPolicy
    from ..core.catalogue import catalogue_budgets, load_catalogue
    from ..core.chores import consolidate_work, facts_work, hygiene_work, summarize_work
    from ..core.chunking import StructureChunker
    from ..core.detection import PatternDetector
    from ..core.hygiene import HygieneLimits
    from ..core.jobs import JobRunner
    from ..core.learning.choice import RegistryChoice
    from ..core.reembedding import Reembedder
    from ..core.runner import Runner
    from ..core.screening import ScanPolicy
    from ..core.services import Ports, build_services
    from ..core.spaces import Spaces
    from ..core.summaries import Summaries
    from ..core.usage import UsageLog
    from ..core.validation import Limits
    from ..slm.extractive import ExtractiveCompressor
    from ..slm.lexical import WordEncoder
    from ..slm.times import EnglishTimes
    from ..slm.typos import TypoSpeller

    async with AsyncExitStack() as stack:
        counter = choose_counter(settings)
        embedder = choose_embedder(settings)
        stack.push_async_callback(embedder.aclose)
        store = await stack.enter_async_context(open_store(settings, embedder))
        spaces = Spaces(store=store, embedder=embedder, former=partial(former_embedder, settings))
        stack.push_async_callback(spaces.aclose)
        await spaces.announce(settings.namespace)
        lexicon, usage, chunker = WordEncoder(), UsageLog(), StructureChunker()
        catalogue = load_catalogue(settings.models_file)
        budgets = catalogue_budgets(catalogue, default_model=settings.model, default_window=settings.window_tokens)
        language = choose_language(settings, catalogue, store, adapters=RegistryChoice(store, told=_log.warning))
        if language is not None:
            stack.push_async_callback(language.aclose)
        watch = choose_admin(settings)
        if watch is not None:
            stack.push_async_callback(watch.aclose)
        summarizer = choose_summarizer(language, counter, chunker)
        extractors = choose_extractors(settings.facts, language)
        services = build_services(
            Ports(
                store=store,
                embedder=embedder,
                lexicon=lexicon,
                times=EnglishTimes(),
                speller=TypoSpeller(lexicon),
                counter=counter,
                chunker=chunker,
                compressor=ExtractiveCompressor(counter),
                clock=SystemClock(),
                budgets=budgets,
                usage=usage,
                limits=Limits(settings.max_item_bytes, settings.max_store_bytes),
                hygiene=HygieneLimits(
                    settings.hygiene_compress_days, settings.hygiene_archive_days, settings.hygiene_spared_priority
                ),
                summarizer=None if summarizer is None else summarizer.name,
                watch=watch,
                spaces=spaces,
                task_lease=timedelta(minutes=settings.task_lease_minutes),
                untrusted=settings.include_untrusted,
                sealer=choose_sealer(settings),
                detector=PatternDetector(),
                scan=ScanPolicy(settings.scan_secrets, settings.scan_personal),
                human=HumanPolicy(settings.human_for_purge, settings.human_for_bulk_forget),
                consolidating=choose_consolidating(language),
                extractors=extractors,
                answerer=choose_answerer(language),
            )
        )
        works: dict[JobKind, Work] = {}
        if settings.hygiene_every_hours:
            works["hygiene"] = hygiene_work(services.hygiene, settings.hygiene_every_hours * 3600)
            await store.enqueue(settings.namespace, "hygiene", delay_seconds=FIRST_HYGIENE_SECONDS)
        # A lane of its own: moving to another model may take hours.
        beside: list[Runner] = [Reembedder(store=store, spaces=spaces, owner=_owner())]
        if summarizer is not None:
            summaries = Summaries(store=store, summarizer=summarizer, chunker=chunker, budgets=budgets)
            # Lanes of their own: a model that takes minutes must not hold up the vectors.
            beside += [
                Runner(store=store, works={"summarize": summarize_work(summaries)}, owner=_owner())
                for _ in range(summarizing_lanes(settings))
            ]
        if settings.consolidate_every_hours:
            consolidate = consolidate_work(services.consolidation, settings.consolidate_every_hours * 3600)
            # A lane of its own as well: it looks at everything once, and may ask a model.
            beside.append(Runner(store=store, works={"consolidate": consolidate}, owner=_owner()))
            await store.enqueue(settings.namespace, "consolidate", delay_seconds=FIRST_CONSOLIDATION_SECONDS)
        if extractors:
            beside.append(Runner(store=store, works={"facts": facts_work(services.facts)}, owner=_owner()))
        worker = Worker(
            runner=JobRunner(
                store=store, embedder=embedder, lexicon=lexicon, owner=_owner(), spaces=spaces, works=works
            ),
            store=store,
            usage=usage,
            namespaces=[settings.namespace],
            drain_seconds=settings.drain_seconds,
            beside=beside,
            settle=services.people.settle,
        )
        worker.start()
        stack.push_async_callback(worker.aclose)
        yield Parts(services, store, embedder, worker)


def _owner() -> str:
    return f"{os.getpid()}-{secrets.token_hex(4)}"


@asynccontextmanager
async def open_store(settings: Settings, embedder: Embedder) -> AsyncGenerator[Store, None]:
    """Open the store at ``database_url``, or in the bundled PostgreSQL, which is started where it does not run."""
    from ..storage.embedded import EmbeddedServer
    from ..storage.migrate import Roles
    from ..storage.postgres import open_store as open_postgres

    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            endpoint = await stack.enter_async_context(EmbeddedServer(embedded_config(settings)))
            connect, label = asdict(endpoint), "embedded PostgreSQL"
        else:
            connect, label = connect_arguments(settings.database_url), "PostgreSQL"
        owner = settings.database_owner_url
        store = await open_postgres(
            connect,
            owner=None if owner is None else connect_arguments(owner),
            roles=Roles(settings.database_app_role, settings.database_search_role),
            embedding_model=embedder.model_id,
            dimensions=embedder.dimensions,
            leading=embedder.leading,
            pool_size=settings.database_pool_size,
            statement_cache=settings.statement_cache,
            label=label,
        )
        stack.push_async_callback(store.aclose)
        yield store


def connect_arguments(url: SecretStr) -> dict[str, Any]:
    """Return arguments of ``asyncpg.connect`` for a database's address."""
    return {"dsn": url.get_secret_value(), "timeout": CONNECT_SECONDS}


def embedded_config(settings: Settings) -> EmbeddedConfig:
    """Return how the bundled PostgreSQL is run."""
    from ..storage.embedded import EmbeddedConfig

    return EmbeddedConfig(data_dir=settings.data_dir, run_as=settings.run_as_user, idle_seconds=settings.idle_seconds)


def choose_budgets(settings: Settings) -> Budgets:
    """Return windows and thresholds by the catalogue of models, with the user's file over it.

    Raises:
        SettingsError: the user's file is not acceptable.
    """
    from ..core.catalogue import catalogue_budgets, load_catalogue

    catalogue = load_catalogue(settings.models_file)
    return catalogue_budgets(catalogue, default_model=settings.model, default_window=settings.window_tokens)


def choose_consolidating(language: Metered | None) -> Consolidating:
    """Return what consolidation works with: the library where it is installed, and a model where one is set."""
    from ..core.clusters import SingleLinkage
    from ..core.sameness import Judge
    from ..core.services import Consolidating
    from ..slm.commonness import is_word
    from ..slm.merging.density import DensityClusterer, is_installed
    from ..slm.merging.extractive import ExtractiveMerger

    judge = Judge(is_word)
    mergers: list[Merger] = [ExtractiveMerger(judge)]
    if language is not None:
        from ..slm.merging.model import ModelMerger

        mergers.insert(0, ModelMerger(language))
    return Consolidating(
        mergers=tuple(mergers),
        clusterer=DensityClusterer() if is_installed() else SingleLinkage(),
        judge=judge,
    )


def choose_sealer(settings: Settings) -> Sealer:
    """Return what seals texts; no key is read or made before the first need."""
    from ..storage.sealing import EnvelopeSealer, FileKeys, GivenKeys, KeyringKeys

    if settings.master_key is not None:
        return EnvelopeSealer(GivenKeys(settings.master_key.get_secret_value()))
    path = (settings.master_key_file or settings.data_dir / "master.key").expanduser().absolute()
    if settings.master_key_in == "keyring":
        return EnvelopeSealer(KeyringKeys(str(path), path.with_name(f"{path.name}.lock")))
    return EnvelopeSealer(FileKeys(path))


def choose_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name; nothing is loaded yet.

    Raises:
        SettingsError: its package is not installed.
    """
    model, dimensions = settings.embedding_model, settings.embedding_dimensions
    if settings.embedder == "sentence-transformers" and model and dimensions:
        from ..slm.embeddings.sentence import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(model, dimensions=dimensions)
    if settings.embedder == "openai" and model and dimensions:
        from ..slm.embeddings.openai_endpoint import OpenAICompatibleEmbedder

        key = settings.embedding_api_key or settings.openai_api_key
        return OpenAICompatibleEmbedder(
            base_url=settings.embedding_base_url,
            api_key=key.get_secret_value() if key else "none",
            model=model,
            dimensions=dimensions,
        )
    from ..slm.embeddings.minilm import MiniLMEmbedder

    return MiniLMEmbedder()


def choose_counter(settings: Settings) -> TokenCounter:
    """Return the token counter that the settings name.

    Raises:
        SettingsError: there is no such counter, or its vocabulary or key is missing.
    """
    from ..slm.tokens import choose_counter as choose

    keys = {"anthropic": settings.anthropic_api_key, "openai": settings.openai_api_key}
    key = keys.get(settings.token_counter)
    return choose(
        settings.token_counter, api_key=None if key is None else key.get_secret_value(), model=settings.token_model
    )
