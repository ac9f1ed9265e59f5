"""What every store promises of an export."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import fields
from typing import Any

import asyncpg
import pytest

from palimpsest.core.dump_records import (
    RECORDS,
    Record,
    RenditionRecord,
    Tally,
    place,
    type_names,
)
from palimpsest.core.errors import ContentDamagedError, NotFoundError
from palimpsest.core.models import DETAILS
from palimpsest.core.ports import Store
from palimpsest.storage.postgres import open_store

from ..fakes import BUDGETS, DIMENSIONS, MODEL, draft
from .exporting import dump, fill, load, records_of


async def test_an_empty_namespace_has_a_dump_too(store: Store, mine: str) -> None:
    dumped = await dump(store, mine)
    header, end = [json.loads(line) for line in dumped.splitlines()]
    assert header == {
        "palimpsest_dump": 1,
        "schema": 16,
        "namespace": mine,
        "thread": None,
        "counts": dict.fromkeys(type_names(), 0),
    }
    assert (end["type"], end["records"]) == ("end", 0)
    restored = await load(store, mine, dumped)
    assert sum(restored.added.values()) == 0
    assert await dump(store, mine) == dumped


async def test_records_come_in_their_order_as_many_as_the_tally_says(store: Store, mine: str) -> None:
    await fill(store, mine)
    tally, *records = await records_of(store, mine)
    assert isinstance(tally, Tally)
    found = [record for record in records if not isinstance(record, Tally)]
    assert [place(record) for record in found] == sorted({place(record) for record in found})
    counted = {name: sum(record.type == name for record in found) for name in type_names()}
    assert tally.counts == counted
    assert tally.total == len(found)
    assert counted == {
        "thread": 4,
        "item": 4,
        "content": 7,
        "rendition": counted["rendition"],
        "idempotency_key": 1,
        "event": counted["event"],
        "before_image": counted["before_image"],
        "prior": 15,
        "quarantine_item": 1,
        "usage": 2,
        "agent": 2,
        "task": 4,
        "task_dependency": 4,
        "task_item": 2,
        "task_note": 2,
        "human_request": 3,
        "item_source": 1,
        "fact": 1,
        "training_example": 2,
    }
    assert min(counted.values()) > 0


async def test_a_dump_is_the_same_every_time_and_has_every_byte(store: Store, mine: str) -> None:
    ids = await fill(store, mine)
    dumped = await dump(store, mine)
    assert await dump(store, mine) == dumped
    lines = [json.loads(line) for line in dumped.split(b"\n")[:-1]]
    contents = {(one["item_id"], one["version"]): one for one in lines if one.get("type") == "content"}
    assert contents[ids[1], 1]["content"] == "a text with\x00 NUL\r\n and 🎈"
    assert (contents[ids[2], 1]["encoding"], contents[ids[2], 1]["content"]) == ("base64", "//4gbm8gdGV4dA==")
    assert [version for item_id, version in contents if item_id == ids[0]] == [1, 2, 3, 4]
    body, end = dumped[: dumped.rindex(b"\n", 0, -1) + 1], lines[-1]
    assert end == {"type": "end", "records": len(lines) - 2, "sha256": hashlib.sha256(body).hexdigest()}
    for line, parsed in zip(dumped.split(b"\n"), lines, strict=False):
        assert line.decode() == json.dumps(parsed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


async def test_a_thread_is_dumped_with_what_belongs_to_it(store: Store, mine: str, theirs: str) -> None:
    ids = await fill(store, mine)
    dumped = await dump(store, mine, "third")
    header, *lines = [json.loads(line) for line in dumped.split(b"\n")[:-1]]
    assert header["thread"] == "third"
    assert [line["thread"] for line in lines if line["type"] == "thread"] == ["third"]
    assert [line["item_id"] for line in lines if line["type"] == "item"] == [ids[1]]
    assert {line[key] for line in lines for key in ("item_id", "subject_id") if key in line} == {ids[1]}
    assert {line["type"] for line in lines} == {
        *("thread", "item", "content", "rendition", "idempotency_key", "event", "before_image", "end")
    } - ({"rendition"} if not header["counts"]["rendition"] else set())
    await load(store, theirs, dumped, from_any=True)
    assert (await dump(store, theirs)).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    [usage] = [line for line in (await dump(store, mine, "main")).split(b"\n") if b'"type":"usage"' in line]
    assert json.loads(usage)["micros"] == 12
    with pytest.raises(NotFoundError, match="no thread 'none'"):
        await dump(store, mine, "none")


async def test_an_export_sees_one_moment(store: Store, mine: str) -> None:
    for text in ("one", "two"):
        await store.add(mine, draft(mine, text), budgets=BUDGETS)
    expected = await records_of(store, mine)
    found: list[Tally | Record] = []
    async with aclosing(store.export(mine)) as records:
        async for record in records:
            if not found:
                await store.add(mine, draft(mine, "three"), budgets=BUDGETS)
            found.append(record)
    assert found == expected


async def test_an_export_that_is_given_up_frees_its_connection(store: Store, mine: str) -> None:
    await fill(store, mine)
    for _ in range(5):
        async with aclosing(store.export(mine)) as records:
            async for record in records:
                assert isinstance(record, Tally)
                break
    assert len(await records_of(store, mine)) > 10


async def test_namespaces_do_not_see_each_other_in_a_dump(store: Store, mine: str, theirs: str) -> None:
    await fill(store, mine)
    await store.add(theirs, draft(theirs, "theirs alone"), budgets=BUDGETS)
    assert b"theirs alone" not in await dump(store, mine)
    lines = (await dump(store, theirs)).split(b"\n")
    assert json.loads(lines[0])["counts"]["item"] == 1


DERIVED = {
    *("namespaces", "chunks", "chunk_vectors", "corpus_statistics", "term_statistics", "jobs"),
    *("term_champions", "migrations", "functions", "indexed_models", "embedding_spaces", "consolidations", "adapters"),
}
"""Tables that a load makes again, or that are about the database itself or files beside it."""
COUNTED = (
    {("threads", name) for name in ("items", "tokens", "bytes", "chunks", "headers", "used")}
    | {("items", name) for name in ("chunk_count", "latest", "head", "middle", "tail")}
    | {("facts", "subject_key"), ("facts", "slot")}
)
TABLES = {
    "idempotency_key": "idempotency_keys",
    "before_image": "before_images",
    "prior": "before_images",
    "usage": "usage",
    "task_dependency": "task_dependencies",
}
IN_AN_IMAGE = {("before_images", name) for name in ("item_id", "steps", "links", "renditions", "model")}
"""The column of the id is ``subject_id``, as of what undoes events of any other subject; all else is in ``image``."""

WITH_CONTENTS = {("contents", f"{detail}{part}") for detail in DETAILS[1:] for part in ("", "_tokens", "_by", "_at")}
"""Renditions stand in the row of their content, those of a detail in these columns."""


async def test_every_column_of_the_database_is_in_a_dump_or_made_again(contract_database: Mapping[str, Any]) -> None:
    connection = await asyncpg.connect(**contract_database)
    try:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'palimpsest'"
        )
    finally:
        await connection.close()
    kept = {
        (TABLES.get(name, f"{name}s"), field.name)
        for record, name in zip(RECORDS, type_names(), strict=True)
        for field in fields(record)
        if field.name not in ("type", "encoding") and record is not RenditionRecord
    }
    columns = {
        (row["table_name"], row["column_name"])
        for row in rows
        if row["table_name"] not in DERIVED and row["column_name"] != "namespace_id"
    }
    # A new column has to be added to its record, to export.sql and to the in-memory store, or to one of the sets above.
    assert columns - COUNTED - WITH_CONTENTS == kept - IN_AN_IMAGE
    assert columns >= COUNTED | WITH_CONTENTS


async def test_a_content_that_rotted_on_disk_is_not_dumped(contract_database: Mapping[str, Any], mine: str) -> None:
    store = await open_store(contract_database, embedding_model=MODEL, dimensions=DIMENSIONS)
    try:
        made = draft(mine, "as it was")
        await store.add(mine, made, budgets=BUDGETS)
        connection = await asyncpg.connect(**contract_database)
        try:
            rotten = "UPDATE palimpsest.contents SET content = $2 WHERE namespace_id = $1"
            assert await connection.execute(rotten, mine, b"as it rots") == "UPDATE 1"
        finally:
            await connection.close()
        with pytest.raises(ContentDamagedError, match=f"Version 1 of {made.item_id}"):
            await dump(store, mine)
    finally:
        await store.aclose()


async def test_the_application_role_itself_may_export(contract_database: Mapping[str, Any], mine: str) -> None:
    login = f"app_{mine.removeprefix('mine-')}"
    connection = await asyncpg.connect(**contract_database)
    try:
        await connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'x' IN ROLE palimpsest_app")
        role = await connection.fetchval("SELECT rolname FROM pg_roles WHERE rolname = $1", login)
    finally:
        await connection.close()
    assert role == login
    store = await open_store(
        {**contract_database, "user": login, "password": "x"},
        owner=contract_database,
        embedding_model=MODEL,
        dimensions=DIMENSIONS,
    )
    try:
        await fill(store, mine)
        dumped = await dump(store, mine)
        await load(store, f"{mine}-copy", dumped, from_any=True)
        assert (await dump(store, f"{mine}-copy")).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    finally:
        await store.aclose()
