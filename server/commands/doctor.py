"""The command `doctor`: everything that a server needs, tried one by one."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from ... import __version__
from ...core.errors import PalimpsestError
from ...core.models import DeadJob, JobCount
from ...core.spaces import Spaces
from ..app import choose_counter, choose_embedder, choose_sealer, connect_arguments, open_store
from ..embedders import former_embedder
from ..http import check_exposure
from ..language import choose_probe
from ..logs import configure_logging
from ..settings import Settings, config_path
from .slm_status import generated

_LEAST_FREE_BYTES = 500_000_000
_DEAD_SHOWN = 10
Check = Callable[[], Awaitable[str]]


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print each check's outcome, then the settings; exit code 1 when one failed."""
    configure_logging(settings.log_level)
    checks: dict[str, Check] = {
        "data directory": lambda: check_folder(settings),
        "HTTP exposure": lambda: check_http(settings),
        "token counter": lambda: check_counter(settings),
        "embedder": lambda: check_embedder(settings),
        "database": lambda: check_database(settings),
        "database log": lambda: check_database_log(settings),
        "vectors": lambda: check_vectors(settings),
        "jobs": lambda: check_jobs(settings),
        "quarantine": lambda: check_quarantine(settings),
    }
    if settings.slm_base_url is not None:
        checks["small model"] = lambda: check_small_model(settings)
    print(f"palimpsest {__version__}")
    failed: list[str] = []
    for name, check in checks.items():
        if name in ("database log", "vectors", "jobs", "quarantine") and "database" in failed:
            # The same failure once more would tell nothing.
            continue
        start = time.perf_counter()
        try:
            verdict, told = "ok  ", await check()
        except PalimpsestError as error:
            verdict, told = "FAIL", str(error)
            failed.append(name)
        except Exception as error:
            verdict, told = "FAIL", f"not foreseen: {type(error).__name__}: {error}"
            failed.append(name)
        print(f"{verdict} {name} ({time.perf_counter() - start:.2f} s): {told}")
    print("\n".join(settings_lines(settings)))
    return 1 if failed else 0


async def check_folder(settings: Settings) -> str:
    """Say how much room there is.

    Raises:
        PalimpsestError: too little room for the database.
    """
    folder = settings.data_dir.expanduser().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < _LEAST_FREE_BYTES:
        raise PalimpsestError(f"{folder}: only {free:,} bytes are free; free some space.")
    if not os.access(existing, os.W_OK):
        raise PalimpsestError(f"{folder} cannot be written; set PALIMPSEST_DATA_DIR to a directory of yours.")
    return f"{folder}, {free:,} bytes free"


async def check_http(settings: Settings) -> str:
    """Say who could reach the HTTP server.

    Raises:
        SettingsError: it would be open without protection.
    """
    check_exposure(settings)
    token = "with a bearer token" if settings.bearer_token else "without a token"
    return f"{settings.host}:{settings.port}, {token}"


async def check_counter(settings: Settings) -> str:
    """Count the tokens of a word."""
    counted = choose_counter(settings).count("palimpsest")
    return counted.counter


async def check_small_model(settings: Settings) -> str:
    """Let the small model generate a token.

    Raises:
        TextModelError: it does not.
    """
    model = choose_probe(settings)
    if model is None:
        return "none is set"
    try:
        return f"{model.name}: {await generated(model)}"
    finally:
        await model.aclose()


@asynccontextmanager
async def _embedder(settings: Settings) -> AsyncGenerator[str, None]:
    embedder = choose_embedder(settings)
    try:
        await embedder.embed(["palimpsest"])
        notes = " ".join(getattr(embedder, "notes", ()))
        yield f"{embedder.model_id}, {embedder.dimensions} dimensions. {notes}".strip()
    finally:
        await embedder.aclose()


async def check_embedder(settings: Settings) -> str:
    """Embed a word.

    Raises:
        EmbedderError: the model or its endpoint fails.
    """
    async with _embedder(settings) as told:
        return told


async def check_database(settings: Settings) -> str:
    """Open the store, which checks versions, schema and roles, and ask it who it is.

    Raises:
        StoreError: it cannot be reached.
        SettingsError: it is unsuitable.
    """
    embedder = choose_embedder(settings)
    try:
        async with open_store(settings, embedder) as store:
            told = await store.describe()
            return f"{told}; row-level security binds the role {settings.database_app_role}"
    finally:
        await embedder.aclose()


async def check_database_log(settings: Settings) -> str:
    """Say whether the server writes what it is asked to its log.

    Raises:
        PalimpsestError: it does.
    """
    from ...storage.server_logs import telling_settings

    if settings.database_url is None:
        return "the bundled PostgreSQL logs no statements and no parameters"
    telling = await telling_settings(connect_arguments(settings.database_url))
    if telling:
        raise PalimpsestError(
            f"The server logs what it is asked, with the texts in it ({', '.join(telling)}); change that for this "
            "database: ALTER DATABASE ... SET log_statement = 'none', and so on."
        )
    return "the server logs no statements' parameters"


async def check_vectors(settings: Settings) -> str:
    """Say which model searches use, and how far the memory has come on its way to another one."""
    embedder = choose_embedder(settings)
    try:
        async with open_store(settings, embedder) as store:
            spaces = Spaces(store=store, embedder=embedder, former=partial(former_embedder, settings))
            try:
                notes = await spaces.notes(settings.namespace)
                serving = (await spaces.look(settings.namespace)).serving.model_id
                reach = await store.coverage(settings.namespace, serving)
            finally:
                await spaces.aclose()
    finally:
        await embedder.aclose()
    told = f"{reach.vectors:,} of {reach.chunks:,} passages have vectors of {serving}"
    return " ".join((told + ".", *notes)) if notes else told


async def check_jobs(settings: Settings) -> str:
    """Count what is left for later.

    Raises:
        PalimpsestError: a job failed too often.
    """
    embedder = choose_embedder(settings)
    try:
        async with open_store(settings, embedder) as store:
            counts = await store.job_counts(settings.namespace)
            dead = await store.dead_jobs(settings.namespace, _DEAD_SHOWN)
    finally:
        await embedder.aclose()
    if dead:
        raise PalimpsestError("\n".join([*counts_told(counts), *dead_told(dead, sum(one.dead for one in counts))]))
    return "; ".join(counts_told(counts))


def counts_told(counts: Sequence[JobCount]) -> list[str]:
    """Return how many jobs of each kind wait, and since when."""
    told: list[str] = []
    for one in counts:
        since = f", the oldest due {one.oldest_due:%Y-%m-%d %H:%M:%S} UTC" if one.oldest_due else ""
        told.append(f"{one.kind}: {one.waiting} waiting, {one.leased} in work, {one.dead} dead{since}")
    return told or ["none"]


async def check_quarantine(settings: Settings) -> str:
    """Open every sealed item's key, of which none is made for that.

    Raises:
        SealError: the master key is missing, unreadable or another one.
        StoreError: the database cannot be reached.
    """
    embedder = choose_embedder(settings)
    try:
        async with open_store(settings, embedder) as store:
            sealer = choose_sealer(settings)
            page = await store.list_sealed(settings.namespace, limit=1, before=None)
            if not page.total:
                return f"nothing is sealed; the master key would be in {sealer.source}"
            # Any other id than a key's shows all of them.
            after: str | None = None
            count = 0
            while batch := await store.sealed_under_others(settings.namespace, "", after=after, limit=50):
                for item_id, sealed in batch:
                    sealer.open(sealed, settings.namespace, item_id)
                count, after = count + len(batch), batch[-1][0]
            return f"{count} of {page.total} sealed items are here and open; the master key is in {sealer.source}"
    finally:
        await embedder.aclose()


def dead_told(dead: Sequence[DeadJob], total: int) -> list[str]:
    """Return what is known of dead jobs, and what to do about them."""
    lines = [
        f"     {job.kind} {job.item_id or '(no item)'}, {job.attempts} attempts, given up "
        f"{job.failed_at:%Y-%m-%d %H:%M:%S} UTC: {job.last_error}"
        for job in dead
    ]
    if total > len(dead):
        lines.append(f"     and {total - len(dead)} more")
    return [*lines, "     Mend the cause, then let `palimpsest worker --retry-dead` try them again."]


def settings_lines(settings: Settings) -> list[str]:
    """Return every setting with its value; secrets only as set or not set."""
    path: Path = config_path(os.environ)
    lines = [f"settings ({path}{'' if path.exists() else ', which does not exist'}, and the environment):"]
    return lines + [f"  {name} = {getattr(settings, name)}" for name in Settings.model_fields]
