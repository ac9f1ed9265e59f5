"""What was purged is nowhere: in no row, in no dump and, once scrubbed, in no file of the database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from palimpsest.core.models import Labels, Rendition
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer
from palimpsest.storage.postgres import open_store
from palimpsest.storage.scrub import scrub
from palimpsest.storage.server_logs import telling_settings

from ..contract.exporting import dump
from ..contract.test_store_undo import edit, undo
from ..fakes import BUDGETS, DIMENSIONS, MODEL, draft

# Each in a place of its own; short, so that no compression hides them.
WORDS = {
    "content": "qzxcontentqzx",
    "edited": "qzxeditedqzx",
    "title": "qzxtitleqzx",
    "former title": "qzxformerqzx",
    "tag": "qzxtagqzx",
    "summary": "qzxsummaryqzx",
    "heading": "qzxheadingqzx",
    "key": "qzxkeyqzx",
    "error": "qzxerrorqzx",
}


def holding(folder: Path) -> dict[str, set[str]]:
    """Return which files hold which of the words."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            if words := {name for name, word in WORDS.items() if word.encode() in raw}:
                found[str(path.relative_to(folder))] = words
    return found


async def use_and_purge(connect: Mapping[str, Any], folder: Path) -> None:
    """Let an item go through everything that keeps something of it, then purge it."""
    store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=2)
    try:
        made = replace(
            draft(
                "mine",
                f"# {WORDS['heading']}\n\n{WORDS['content']} and more",
                labels=Labels(WORDS["former title"], tags=(WORDS["tag"],)),
                embedded=False,
            ),
            idempotency_key=WORDS["key"],
        )
        await store.add("mine", made, budgets=BUDGETS)
        await edit(store, "mine", made.item_id, f"{WORDS['edited']} for {WORDS['content']}")
        labels = Labels(WORDS["title"], tags=(WORDS["tag"],))
        await store.relabel("mine", made.item_id, labels, thread="other", actor="a", budgets=BUDGETS)
        sha256 = (await store.get("mine", made.item_id)).sha256
        for text in (WORDS["summary"], f"{WORDS['summary']} again"):
            written = Rendition("summary", text, 1, "client:me")
            await store.put_renditions("mine", made.item_id, sha256, [written], actor="a", budgets=BUDGETS)
        await store.place("mine", made.item_id, "summary", actor="a", budgets=BUDGETS)
        await undo(store, "mine")
        connection = await asyncpg.connect(**connect)
        try:
            failing = "UPDATE palimpsest.jobs SET last_error = $1 WHERE item_id IS NOT NULL"
            await connection.execute(failing, WORDS["error"])
            # Statistics quote what is frequent; most of these items have the tag and the title.
            await connection.execute("ANALYZE palimpsest.items; ANALYZE palimpsest.chunks; CHECKPOINT")
        finally:
            await connection.close()
        await store.add("mine", draft("mine", "what stays"), budgets=BUDGETS)
        before = holding(folder)
        assert set().union(*before.values()) == set(WORDS), "nothing would be proven of what was not there"
        await store.purge("mine", made.item_id, actor="a", budgets=BUDGETS)
        dumped = await dump(store, "mine")
        assert not [name for name, word in WORDS.items() if word.encode() in dumped]
        assert b"what stays" in dumped
        assert [event.action for event in await store.events("mine", 1)] == ["purge"]
    finally:
        await store.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory"


async def test_after_a_scrub_no_file_of_the_database_holds_anything_of_what_was_purged(folder: Path) -> None:
    async with EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0)) as endpoint:
        connect = asdict(endpoint)
        await use_and_purge(connect, folder)
        assert holding(folder), "a purge alone leaves bytes, else there would be nothing to scrub"
        report = await scrub(connect)
        assert report.missing == ()
        assert holding(folder) == {}
        store = await open_store(connect, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=1)
        try:
            assert (await store.state("mine", MODEL, budgets=BUDGETS)).items == 1
        finally:
            await store.aclose()
        connection = await asyncpg.connect(**connect)
        try:
            assert await connection.fetchval("SHOW wal_recycle") == "on"
        finally:
            await connection.close()
    assert holding(folder) == {}


async def test_a_login_that_may_not_do_everything_says_what_is_left(database: Mapping[str, Any]) -> None:
    connection = await asyncpg.connect(**database)
    owner = f"owner_{secrets.token_hex(4)}"
    try:
        await connection.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'p'")
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'palimpsest'::regnamespace AND relkind = 'r'"
        )
        for row in tables:
            await connection.execute(f'ALTER TABLE palimpsest."{row["relname"]}" OWNER TO {owner}')
        await connection.execute(f"GRANT USAGE ON SCHEMA palimpsest TO {owner}")
        report = await scrub({**database, "user": owner, "password": "p"})
        await connection.execute("REASSIGN OWNED BY " + owner + " TO CURRENT_USER")
        foreign = await scrub({**database, "user": owner, "password": "p"})
    finally:
        await connection.execute(f"DROP OWNED BY {owner}; DROP ROLE {owner}")
        await connection.close()
    assert report.done == (f"{len(tables) - 1} tables were rewritten",)
    assert [text.split(",")[0] for text in report.missing] == [
        "This login may not rewrite pg_statistic",
        "This login may not run the write-ahead log through; as a superuser set wal_recycle = off and run CHECKPOINT "
        "and SELECT pg_switch_wal() until the files in pg_wal of before are gone",
    ]
    assert foreign.done == ()
    assert foreign.missing[0].startswith("This login may not rewrite ")
    named = foreign.missing[0].removeprefix("This login may not rewrite ").split(":")[0].split(", ")
    assert {"before_images", "chunks", "contents", "training_examples"} <= set(named)


async def test_a_server_that_logs_what_it_is_asked_is_told(database: Mapping[str, Any]) -> None:
    assert await telling_settings(database) == []
    connection = await asyncpg.connect(**database)
    try:
        name = database["database"]
        await connection.execute(f"ALTER DATABASE {name} SET log_statement = 'all'")
        await connection.execute(f"ALTER DATABASE {name} SET log_min_duration_statement = 100")
    finally:
        await connection.close()
    assert await telling_settings(database) == ["log_min_duration_statement = 100", "log_statement = all"]
