"""What every store promises of a restore."""

import asyncio
import json
import random
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from palimpsest.core.calls import Caller
from palimpsest.core.dump_records import (
    ContentRecord,
    EventRecord,
    ItemRecord,
    KeyRecord,
    Record,
    Tally,
    ThreadRecord,
    UsageRecord,
)
from palimpsest.core.errors import ConflictError, InvalidInputError, NotFoundError
from palimpsest.core.jobs import JobRunner
from palimpsest.core.ladder import one_down
from palimpsest.core.models import Filters, ItemState, Labels, Receipt, Span
from palimpsest.core.ports import Store
from palimpsest.storage.inmemory import InMemoryStore
from palimpsest.storage.postgres import open_store

from ..fakes import (
    BUDGETS,
    DIMENSIONS,
    MODEL,
    START,
    HandClock,
    WordLexicon,
    draft,
    terms,
    vector,
)
from ..ladder_operations import Driver, budget_of
from ..unit.parts import build_parts
from .conftest import Backend
from .exporting import EMBEDDER, INDEXER, LONG, dump, fill, items_of, load, records_of
from .test_store_undo import content, edit, redraft_for, undo


async def test_memory_to_this_store_and_back_to_memory_is_equal_byte_for_byte(store: Store, mine: str) -> None:
    source = InMemoryStore()
    await fill(source, mine)
    dumped = await dump(source, mine)
    restored = await load(store, mine, dumped)
    assert sum(restored.known.values()) == 0
    assert await dump(store, mine) == dumped
    back = InMemoryStore()
    await load(back, mine, await dump(store, mine))
    assert await dump(back, mine) == dumped
    assert await items_of(store, mine) == await items_of(source, mine) == await items_of(back, mine)


async def test_this_store_to_memory_and_back_into_another_namespace_differs_in_header_and_end_only(
    store: Store, mine: str, theirs: str
) -> None:
    await fill(store, mine)
    dumped = await dump(store, mine)
    other = InMemoryStore()
    await load(other, mine, dumped)
    assert await dump(other, mine) == dumped
    with pytest.raises(InvalidInputError, match="of the namespace"):
        await load(store, theirs, dumped)
    await load(store, theirs, dumped, from_any=True)
    copied = await dump(store, theirs)
    assert copied.split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    assert json.loads(copied.split(b"\n")[0]) == {**json.loads(dumped.split(b"\n")[0]), "namespace": theirs}
    assert await dump(store, mine) == dumped


async def test_accounts_blocks_and_counts_are_the_same_after_a_load(store: Store, mine: str, theirs: str) -> None:
    await fill(store, mine)
    before = await store.state(mine, MODEL, budgets=BUDGETS)
    await load(store, theirs, await dump(store, mine), from_any=True)
    after = await store.state(theirs, MODEL, budgets=BUDGETS)
    assert after.threads == before.threads
    assert (after.items, after.forgotten, after.chunks, after.content_bytes) == (
        before.items,
        before.forgotten,
        before.chunks,
        before.content_bytes,
    )
    # Vectors are left out of a dump: they are made again.
    assert after.chunks_pending == after.chunks
    for thread in after.threads:
        if thread.thread != "main":  # one of its contents is no text
            expected = await store.block(mine, thread.thread, budgets=BUDGETS)
            assert await store.block(theirs, thread.thread, budgets=BUDGETS) == expected
    assert (await store.rungs(theirs, "main", budgets=BUDGETS)) == (await store.rungs(mine, "main", budgets=BUDGETS))


async def test_what_was_loaded_is_found_by_word_at_once_and_by_meaning_after_its_jobs(
    backend: Backend, mine: str, theirs: str
) -> None:
    store = backend.store
    tea, pump = draft(mine, "oolong tea\n\nsteeps long"), draft(mine, "the pump broke")
    gone = draft(mine, "oolong is forgotten")
    for made in (tea, pump, gone):
        await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, gone.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await load(store, theirs, await dump(store, mine), from_any=True)

    async def search(query: str, *, words: bool) -> list[tuple[str, Span, float | None]]:
        wanted = terms(theirs, query if words else "")
        found = (
            await store.candidates(
                theirs, vector=vector(query), model_id=MODEL, terms=wanted, filters=Filters(), limit=5, reach=0
            )
        ).candidates
        return [(one.item_id, one.span, one.dense) for one in found]

    assert await search("oolong", words=True) == [(tea.item_id, Span(0, 10), None)]
    assert await search("oolong", words=False) == []
    runner = JobRunner(store=store, embedder=EMBEDDER, lexicon=WordLexicon(), owner="runner")
    assert await runner.drain(theirs) == 3
    await backend.pass_time(theirs, 3)
    assert await runner.drain(theirs) == 1
    found = await search("the pump broke", words=False)
    assert {item_id for item_id, *_ in found} == {tea.item_id, pump.item_id}
    item_id, span, dense = max(found, key=lambda one: one[2] or 0)
    assert (item_id, span) == (pump.item_id, Span(0, 14))
    assert dense == pytest.approx(1, abs=0.01)
    assert (await store.state(theirs, MODEL, budgets=BUDGETS)).chunks_pending == 0
    await store.set_state(theirs, gone.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    assert {item_id for item_id, *_ in await search("oolong", words=True)} >= {tea.item_id, gone.item_id}


async def test_versions_are_read_and_changes_undone_after_a_load(store: Store, mine: str, theirs: str) -> None:
    ids = await fill(store, mine)
    await load(store, theirs, await dump(store, mine), from_any=True)
    assert (await store.read(theirs, ids[0], 2))[1].decode() == LONG + " more"
    assert await store.events(theirs, 100) == await store.events(mine, 100)
    for namespace in (mine, theirs):
        undone: list[str] = []
        while True:
            try:
                event, _ = await store.undo(
                    namespace, None, actor="undoer", budgets=BUDGETS, redraft=redraft_for(namespace)
                )
            except NotFoundError:
                break
            undone.append(event.action)
        assert undone[:7] == ["model", "to archived", "to brief", "forget", "restore", "forget", "relabel"]
        assert undone[7:] == ["edit", "add", "add", "add", "add"]
        assert await content(store, namespace, ids[0]) == (5, LONG)
    items, others = await items_of(store, mine), await items_of(store, theirs)
    assert [(one.labels, one.state, one.thread, one.detail) for one in items] == [
        (one.labels, one.state, one.thread, one.detail) for one in others
    ]


async def test_an_idempotency_key_is_known_after_a_load(store: Store, mine: str, theirs: str) -> None:
    ids = await fill(store, mine)
    await load(store, theirs, await dump(store, mine), from_any=True)
    again = draft(theirs, "a text with\x00 NUL\r\n and 🎈", idempotency_key=f"key of {mine}")
    receipt = await store.add(theirs, again, budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.item_id) == ("replayed", ids[1])


async def test_a_second_load_changes_nothing(store: Store, mine: str) -> None:
    await fill(store, mine)
    dumped = await dump(store, mine)
    restored = await load(store, mine, dumped)
    assert sum(restored.added.values()) == 0
    counts = json.loads(dumped.split(b"\n")[0])["counts"]
    # What was taken back must not become undoable again, so before-images of known events count as known.
    assert restored.known == counts
    assert await dump(store, mine) == dumped


async def test_a_load_brings_back_what_was_purged_since_and_leaves_the_use_of_the_others(
    store: Store, mine: str
) -> None:
    kept, lost = draft(mine, LONG), draft(mine, "will be lost")
    for made in (kept, lost):
        await store.add(mine, made, budgets=BUDGETS)
    dumped = await dump(store, mine)
    await store.touch(mine, [kept.item_id], START + timedelta(days=900))
    await store.place(mine, kept.item_id, "summary", actor="a", budgets=BUDGETS)
    used = await store.get(mine, kept.item_id)
    await store.purge(mine, lost.item_id, actor="a", budgets=BUDGETS)
    restored = await load(store, mine, dumped)
    assert (restored.added["item"], restored.added["content"], restored.added["event"]) == (1, 1, 0)
    assert await store.get(mine, kept.item_id) == used
    assert await content(store, mine, lost.item_id) == (1, "will be lost")
    [thread] = (await store.state(mine, MODEL, budgets=BUDGETS)).threads
    assert (thread.items, thread.tokens) == (2, kept.tokens.tokens + lost.tokens.tokens)
    assert thread.used == used.cost + lost.tokens.tokens


async def test_a_load_beside_other_items_keeps_both(store: Store, mine: str, theirs: str) -> None:
    await fill(store, mine)
    own = draft(theirs, "an item of its own")
    await store.add(theirs, own, budgets=BUDGETS)
    await store.use_model(theirs, "main", "own-model", actor="m", budgets=BUDGETS)
    await load(store, theirs, await dump(store, mine), from_any=True)
    assert len(await items_of(store, theirs)) == 5
    threads = {thread.thread: thread for thread in (await store.state(theirs, MODEL, budgets=BUDGETS)).threads}
    assert threads["main"].model == "own-model"
    assert threads["main"].items == 4
    model, _ = await store.events(theirs, 2)
    event, receipt = await store.undo(theirs, None, actor="a", budgets=BUDGETS, redraft=redraft_for(theirs))
    assert (event, receipt, event.action) == (replace(model, undoable=True), None, "model")
    event, _ = await undo(store, theirs)
    assert (event.action, event.subject_id) == ("add", own.item_id)


@pytest.mark.parametrize("change", ["content", "labels", "state", "key", "twin"])
async def test_a_conflict_refuses_the_whole_load(store: Store, mine: str, theirs: str, change: str) -> None:
    first, second = draft(mine, "the first"), draft(mine, "the second", idempotency_key="k")
    for made in (first, second):
        await store.add(mine, made, budgets=BUDGETS)
    dumped = await dump(store, mine)
    if change == "key":
        await store.add(theirs, draft(theirs, "another", idempotency_key="k"), budgets=BUDGETS)
    elif change == "twin":
        await store.add(theirs, draft(theirs, "the second"), budgets=BUDGETS)
    else:
        await load(store, theirs, dumped, from_any=True)
        if change == "content":
            await edit(store, theirs, second.item_id, "changed")
        elif change == "labels":
            await store.relabel(theirs, second.item_id, Labels("x"), thread="main", actor="a", budgets=BUDGETS)
        else:
            await store.set_state(theirs, second.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
        await store.purge(theirs, first.item_id, actor="a", budgets=BUDGETS)
    before = await dump(store, theirs)
    for keep in (True, False):
        with pytest.raises(ConflictError, match="here already"):
            await load(store, theirs, dumped, from_any=True, keep=keep)
    assert await dump(store, theirs) == before
    assert first.item_id not in {item.item_id for item in await items_of(store, theirs)}


async def test_what_was_undone_since_does_not_become_undoable_again(store: Store, mine: str) -> None:
    made = draft(mine, "some text")
    await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    dumped = await dump(store, mine)
    _, receipt = await undo(store, mine)
    assert receipt.outcome == "forgotten"
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    await load(store, mine, dumped)
    assert (await store.get(mine, made.item_id)).state is ItemState.ACTIVE
    # The item stands as it was added, which can always be taken back.
    assert [event.undoable for event in await store.events(mine, 10)] == [*[False] * 4, True]
    event, _ = await undo(store, mine)
    assert event.action == "add"
    with pytest.raises(NotFoundError):
        await undo(store, mine)


async def test_a_tried_load_tells_what_it_would_do_and_does_nothing(store: Store, mine: str, theirs: str) -> None:
    await fill(store, mine)
    dumped, before = await dump(store, mine), await dump(store, theirs)
    tried = await load(store, theirs, dumped, from_any=True, keep=False)
    assert await dump(store, theirs) == before
    assert await store.claim_job(theirs, owner="a", lease_seconds=1) is None
    assert tried == await load(store, theirs, dumped, from_any=True)


async def test_a_failure_in_the_middle_leaves_nothing(store: Store, mine: str, theirs: str) -> None:
    await fill(store, mine)
    records = [record for record in await records_of(store, mine) if not isinstance(record, Tally)]
    before = await dump(store, theirs)

    class BrokenError(Exception):
        pass

    def feed() -> Generator[Record, None, None]:
        yield from records[:-3]
        raise BrokenError

    with pytest.raises(BrokenError):
        await store.restore(theirs, feed(), indexer=INDEXER)
    assert await dump(store, theirs) == before


async def test_more_records_than_a_batch_go_through(store: Store, mine: str, theirs: str) -> None:
    source = InMemoryStore()
    for place_in_line in range(1100):
        await source.add(mine, draft(mine, f"text {place_in_line}", embedded=False), budgets=BUDGETS)
    dumped = await dump(source, mine)
    restored = await load(store, theirs, dumped, from_any=True)
    assert (restored.added["item"], restored.added["content"], restored.added["event"]) == (1100, 1100, 1100)
    assert (await dump(store, theirs)).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    records = [record for record in await records_of(store, theirs) if isinstance(record, ItemRecord | ContentRecord)]
    assert len(records) == 2200


async def test_a_thread_that_is_here_keeps_the_most_of_both(store: Store, mine: str, theirs: str) -> None:
    for namespace, adds in ((mine, 3), (theirs, 1)):
        for number in range(adds):
            await store.add(namespace, draft(namespace, f"{LONG} {namespace} {number}"), budgets=BUDGETS)
    await store.step(mine, "main", lambda rungs, _: one_down(rungs), actor="a", budgets=BUDGETS)

    async def thread(namespace: str) -> ThreadRecord:
        [found] = [record for record in await records_of(store, namespace) if isinstance(record, ThreadRecord)]
        return found

    first, second = await thread(mine), await thread(theirs)
    assert (first.entries, first.compressions, second.entries, second.compressions) == (3, 1, 1, 0)
    into_mine, into_theirs = await dump(store, theirs), await dump(store, mine)
    await load(store, mine, into_mine, from_any=True)
    await load(store, theirs, into_theirs, from_any=True)
    merged = replace(first, created_at=min(first.created_at, second.created_at))
    assert await thread(mine) == await thread(theirs) == merged
    assert len(await items_of(store, mine)) == 4


async def test_an_add_during_a_load_is_counted_with_it(store: Store, mine: str, theirs: str) -> None:
    source = InMemoryStore()
    for number in range(3):
        await source.add(mine, draft(mine, f"text {number}"), budgets=BUDGETS)
    records = [record for record in await records_of(source, mine) if not isinstance(record, Tally)]
    adding: list[asyncio.Task[Receipt]] = []

    def feed() -> Generator[Record, None, None]:
        for record in records:
            if isinstance(record, ContentRecord) and not adding:
                adding.append(asyncio.create_task(store.add(theirs, draft(theirs, "meanwhile"), budgets=BUDGETS)))
            yield record

    await store.restore(theirs, feed(), indexer=INDEXER)
    assert (await asyncio.wait_for(adding[0], 30)).outcome == "added"
    [thread] = (await store.state(theirs, MODEL, budgets=BUDGETS)).threads
    assert (thread.items, thread.used) == (4, 8)
    assert len(await items_of(store, theirs)) == 4


async def test_before_images_of_before_the_ledger_keep_what_they_lack(
    contract_database: Mapping[str, Any], mine: str, theirs: str
) -> None:
    store = await open_store(contract_database, embedding_model=MODEL, dimensions=DIMENSIONS)
    try:
        made = draft(mine, "some text")
        await store.add(mine, made, budgets=BUDGETS)
        await store.relabel(mine, made.item_id, Labels("New"), thread="b", actor="a", budgets=BUDGETS)
        connection = await asyncpg.connect(**contract_database)
        try:
            older = (
                "UPDATE palimpsest.before_images SET image = image - 'detail' - 'header_tokens'"
                " - 'happened_at' - 'lineage' WHERE namespace_id = $1"
            )
            await connection.execute(older, mine)
            dumped = await dump(store, mine)
            assert b'"detail":null,"happened_at":null,"header_tokens":null,"lineage":null' in dumped
            memory = InMemoryStore()
            await load(memory, mine, dumped)
            assert await dump(memory, mine) == dumped
            await load(store, theirs, await dump(memory, mine), from_any=True)
            images = "SELECT image FROM palimpsest.before_images WHERE namespace_id = $1 ORDER BY event_id"
            assert await connection.fetch(images, theirs) == await connection.fetch(images, mine)
        finally:
            await connection.close()
        for namespace in (memory, store):
            event, receipt = await undo(namespace, mine)
            assert (event.action, receipt.item.labels.title, receipt.item.thread) == ("relabel", None, "main")
    finally:
        await store.aclose()


async def test_word_scores_are_those_that_an_add_would_have_had(
    contract_database: Mapping[str, Any], mine: str, theirs: str
) -> None:
    first = await open_store(contract_database, embedding_model=MODEL, dimensions=DIMENSIONS)
    texts = ["one two three four five six", "two three", "seven eight nine"]
    extra = [draft(mine, "two birds"), draft(mine, "a much longer text about two stones and two birds")]
    try:
        for namespace in (mine, theirs):
            for text in texts:
                await first.add(namespace, draft(namespace, text), budgets=BUDGETS)
            await first.reweigh(namespace, WordLexicon())
        for made in extra:
            chunks = tuple(
                replace(chunk, terms=WordLexicon().encode_document(theirs, made.content.decode()))
                for chunk in made.chunks
            )
            await first.add(theirs, replace(made, chunks=chunks), budgets=BUDGETS)
    finally:
        await first.aclose()
    memory = InMemoryStore()
    for made in extra:
        await memory.add(mine, made, budgets=BUDGETS)
    # A store that was just opened does not know yet how long a chunk of this namespace is on average.
    fresh = await open_store(contract_database, embedding_model=MODEL, dimensions=DIMENSIONS)
    try:
        await load(fresh, mine, await dump(memory, mine))

        async def scores(namespace: str) -> Mapping[str, float]:
            found = (
                await fresh.candidates(
                    namespace, vector=None, model_id=MODEL, terms=terms(namespace, "two"), filters=Filters(), limit=9
                )
            ).candidates
            ids = {made.item_id for made in extra}
            return {one.item_id: one.lexical for one in found if one.item_id in ids}

        assert len(await scores(mine)) == 2
        assert await scores(mine) == await scores(theirs)
    finally:
        await fresh.aclose()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (ContentRecord, {"sha256": "0" * 64}),
        (EventRecord, {"actor": "another"}),
        (UsageRecord, {"micros": 99}),
        (KeyRecord, {"sha256": "0" * 64}),
    ],
)
async def test_a_record_that_is_here_with_other_words_refuses_the_load(
    store: Store, mine: str, kind: type[Record], change: Mapping[str, Any]
) -> None:
    await fill(store, mine)
    before = await dump(store, mine)
    records = [record for record in await records_of(store, mine) if not isinstance(record, Tally)]
    first = next(place for place, record in enumerate(records) if isinstance(record, kind))
    records[first] = replace(records[first], **change)
    with pytest.raises(ConflictError, match="here already, but not the same"):
        await store.restore(mine, records, indexer=INDEXER)
    assert await dump(store, mine) == before


async def test_chunks_of_forgotten_items_take_no_part_after_a_load(
    contract_database: Mapping[str, Any], mine: str, theirs: str
) -> None:
    store = await open_store(contract_database, embedding_model=MODEL, dimensions=DIMENSIONS)
    connection = await asyncpg.connect(**contract_database)
    try:
        *_, bytes_only, _ = await fill(store, mine)
        # Its chunks were made of another text than it holds.
        await store.purge(mine, bytes_only, actor="a", budgets=BUDGETS)
        await load(store, theirs, await dump(store, mine), from_any=True)
        kept = (
            "SELECT item_id, ordinal, live, length, start_byte, end_byte, context, chunk_count FROM palimpsest.items"
            " JOIN palimpsest.chunks USING (namespace_id, item_id)"
            " WHERE namespace_id = $1 ORDER BY 1, 2"
        )
        found = await connection.fetch(kept, theirs)
        assert {row["live"] for row in found} == {True, False}
        assert found == await connection.fetch(kept, mine)
    finally:
        await connection.close()
        await store.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_a_memory_goes_on_after_a_load_as_if_nothing_had_happened(
    store: Store, mine: str, theirs: str, seed: int
) -> None:
    clock = HandClock()
    parts = build_parts(store=store, budgets=budget_of, clock=clock)
    driver = Driver(parts.services, store, clock, Caller(mine, "driver"), random.Random(seed))
    await driver.run(60)
    dumped = await dump(store, mine)
    await load(store, theirs, dumped, from_any=True)
    assert (await dump(store, theirs)).split(b"\n")[1:-2] == dumped.split(b"\n")[1:-2]
    # The ledger is checked after each operation: a load that got one number of it wrong would be noticed here.
    for namespace in (theirs, mine):
        driver.caller = Caller(namespace, "driver")
        further = replace(driver, texts=dict(driver.texts), stands=dict(driver.stands), random=random.Random(seed))
        await further.run(30)
        assert further.steps > 0
    after = await dump(store, theirs)
    memory = InMemoryStore(clock)
    await load(memory, theirs, after)
    assert await dump(memory, theirs) == after
