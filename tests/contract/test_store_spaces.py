"""What every store promises of the vectors of several models."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from palimpsest.core.models import (
    NO_TERMS,
    BareChunk,
    Coverage,
    Filters,
    ItemState,
    MadeVector,
    Space,
    SpaceState,
)
from palimpsest.core.ports import Store
from palimpsest.storage.postgres import open_store

from ..fakes import BUDGETS, DIMENSIONS, MODEL, draft, vector
from .conftest import Backend

OLD = Space(MODEL, DIMENSIONS)
NEW = Space("new-model/1", 8)
THIRD = Space("third-model/1", 16)
LONG = 1000.0


async def announce(store: Store, namespace: str, space: Space, takeover_seconds: float = LONG) -> SpaceState:
    return await store.announce_model(namespace, space, takeover_seconds=takeover_seconds)


async def reembed_jobs(store: Store, namespace: str) -> int:
    return sum(one.waiting + one.leased for one in await store.job_counts(namespace) if one.kind == "reembed")


async def embed_jobs(store: Store, namespace: str) -> int:
    return sum(one.waiting + one.leased for one in await store.job_counts(namespace) if one.kind == "embed")


def made(chunks: Sequence[BareChunk], space: Space, text: str = "words") -> list[MadeVector]:
    return [MadeVector(chunk, vector(text, space.dimensions)) for chunk in chunks]


async def fill(store: Store, namespace: str, space: Space) -> int:
    """Give every chunk a vector of a space."""
    count, after = 0, None
    while chunks := await store.bare_chunks(namespace, space.model_id, after=after, limit=2):
        count += await store.put_made(namespace, space.model_id, made(chunks, space))
        after = chunks[-1]
    return count


async def search(store: Store, namespace: str, space: Space) -> set[str]:
    found = await store.candidates(
        namespace,
        vector=vector("words", space.dimensions),
        model_id=space.model_id,
        terms=NO_TERMS,
        filters=Filters(),
        limit=50,
    )
    return {one.item_id for one in found.candidates}


async def test_a_namespace_has_no_spaces_until_a_model_is_announced(store: Store, mine: str) -> None:
    assert await store.spaces(mine) is None


async def test_the_first_model_announced_serves_and_nothing_is_left_to_do(store: Store, mine: str) -> None:
    assert await announce(store, mine, OLD) == SpaceState(OLD, OLD)
    assert await store.spaces(mine) == SpaceState(OLD, OLD)
    assert await announce(store, mine, OLD) == SpaceState(OLD, OLD)
    assert await reembed_jobs(store, mine) == 0


async def test_vectors_that_were_there_before_any_announcement_go_on_serving(store: Store, mine: str) -> None:
    await store.add(mine, draft(mine, "one"), budgets=BUDGETS)
    assert await announce(store, mine, NEW) == SpaceState(OLD, NEW)
    assert await reembed_jobs(store, mine) == 1


async def test_another_model_is_wanted_at_once_and_leaves_a_job(store: Store, mine: str) -> None:
    await announce(store, mine, OLD)
    state = await announce(store, mine, NEW)
    assert state == SpaceState(OLD, NEW)
    assert state.moving
    assert await store.spaces(mine) == state
    assert await reembed_jobs(store, mine) == 1


async def test_an_older_setting_takes_over_only_when_the_newer_ones_servers_are_gone(
    backend: Backend, mine: str
) -> None:
    store = backend.store
    await announce(store, mine, OLD)
    await announce(store, mine, NEW)
    for _ in range(3):
        assert await announce(store, mine, OLD) == SpaceState(OLD, NEW)
    await backend.pass_time(mine, LONG - 10)
    await announce(store, mine, NEW)
    await backend.pass_time(mine, LONG - 10)
    assert await announce(store, mine, OLD) == SpaceState(OLD, NEW)
    await backend.pass_time(mine, 20)
    assert await announce(store, mine, OLD) == SpaceState(OLD, OLD)
    assert await announce(store, mine, NEW) == SpaceState(OLD, OLD)


async def test_a_third_model_takes_the_job_from_who_works_for_the_second(store: Store, mine: str) -> None:
    await announce(store, mine, OLD)
    await announce(store, mine, NEW)
    job = await store.claim_job(mine, owner="slow", lease_seconds=60, kinds=["reembed"])
    assert job is not None
    assert await announce(store, mine, THIRD) == SpaceState(OLD, THIRD)
    assert not await store.renew_job(mine, job.job_id, owner="slow", lease_seconds=60)
    assert await store.claim_job(mine, owner="quick", lease_seconds=60, kinds=["reembed"]) is not None


async def test_a_dead_job_comes_back_with_another_model(store: Store, mine: str) -> None:
    await announce(store, mine, OLD)
    await announce(store, mine, NEW)
    job = await store.claim_job(mine, owner="me", lease_seconds=60, kinds=["reembed"])
    assert job is not None
    await store.finish_job(mine, job.job_id, owner="me", error="broken")
    await announce(store, mine, NEW)
    assert len(await store.dead_jobs(mine, 5)) == 1
    await announce(store, mine, THIRD)
    assert await store.dead_jobs(mine, 5) == []
    again = await store.claim_job(mine, owner="me", lease_seconds=60, kinds=["reembed"])
    assert again is not None
    assert again.attempts == 1


async def test_chunks_without_a_vector_come_in_order_and_from_a_place_on(store: Store, mine: str) -> None:
    items = [draft(mine, f"first {number}\n\nsecond {number}") for number in range(3)]
    for item in items:
        await store.add(mine, item, budgets=BUDGETS)
    everything = await store.bare_chunks(mine, NEW.model_id, after=None, limit=50)
    assert [(one.item_id, one.ordinal) for one in everything] == [(i.item_id, o) for i in items for o in (0, 1)]
    assert [one.span for one in everything[:2]] == [chunk.span for chunk in items[0].chunks]
    assert {one.version for one in everything} == {1}
    assert await store.bare_chunks(mine, NEW.model_id, after=everything[2], limit=2) == everything[3:5]
    assert await store.bare_chunks(mine, NEW.model_id, after=everything[-1], limit=2) == []
    assert await store.bare_chunks(mine, MODEL, after=None, limit=50) == []


async def test_a_space_is_filled_beside_the_other_and_never_mixed_with_it(store: Store, mine: str, theirs: str) -> None:
    items = [draft(mine, f"words {number}") for number in range(5)]
    for item in items:
        await store.add(mine, item, budgets=BUDGETS)
    await store.add(theirs, draft(theirs, "not mine"), budgets=BUDGETS)
    first = await store.bare_chunks(mine, NEW.model_id, after=None, limit=2)
    assert await store.put_made(mine, NEW.model_id, made(first, NEW)) == 2
    assert await store.coverage(mine, NEW.model_id) == Coverage(chunks=5, vectors=2)
    assert await store.coverage(mine, MODEL) == Coverage(chunks=5, vectors=5)
    assert await search(store, mine, NEW) == {item.item_id for item in items[:2]}
    assert await search(store, mine, OLD) == {item.item_id for item in items}
    assert await store.put_made(mine, NEW.model_id, made(first, NEW, "other")) == 2
    assert await store.coverage(mine, NEW.model_id) == Coverage(chunks=5, vectors=2)
    assert await store.coverage(theirs, NEW.model_id) == Coverage(chunks=1, vectors=0)


async def test_vectors_of_what_changed_or_went_meanwhile_are_left_out(store: Store, mine: str) -> None:
    kept, changed, purged = items = [draft(mine, f"words {number}") for number in range(3)]
    for item in items:
        await store.add(mine, item, budgets=BUDGETS)
    chunks = await store.bare_chunks(mine, NEW.model_id, after=None, limit=50)
    edited = draft(mine, "words anew", item_id=changed.item_id)
    await store.replace_content(mine, edited, expected_sha256=changed.sha256, budgets=BUDGETS)
    await store.purge(mine, purged.item_id, actor="me", budgets=BUDGETS)
    assert await store.put_made(mine, NEW.model_id, made(chunks, NEW)) == 1
    assert await search(store, mine, NEW) == {kept.item_id}
    (left,) = await store.bare_chunks(mine, NEW.model_id, after=None, limit=50)
    assert (left.item_id, left.version) == (changed.item_id, 2)


async def test_a_forgotten_items_vectors_are_made_too_and_found_once_it_is_restored(store: Store, mine: str) -> None:
    item = draft(mine, "words")
    await store.add(mine, item, budgets=BUDGETS)
    await store.set_state(mine, item.item_id, ItemState.FORGOTTEN, actor="me", budgets=BUDGETS)
    assert await fill(store, mine, NEW) == 1
    assert await search(store, mine, NEW) == set()
    await store.set_state(mine, item.item_id, ItemState.ACTIVE, actor="me", budgets=BUDGETS)
    assert await search(store, mine, NEW) == {item.item_id}


async def test_a_space_serves_once_it_covers_every_chunk_and_not_before(store: Store, mine: str) -> None:
    await announce(store, mine, OLD)
    for number in range(3):
        await store.add(mine, draft(mine, f"words {number}"), budgets=BUDGETS)
    await announce(store, mine, NEW)
    (chunk,) = await store.bare_chunks(mine, NEW.model_id, after=None, limit=1)
    await store.put_made(mine, NEW.model_id, made([chunk], NEW))
    assert not await store.serve_wanted(mine, NEW.model_id)
    assert await store.spaces(mine) == SpaceState(OLD, NEW)
    await fill(store, mine, NEW)
    assert not await store.serve_wanted(mine, THIRD.model_id)
    assert await store.serve_wanted(mine, NEW.model_id)
    assert await store.spaces(mine) == SpaceState(NEW, NEW)


async def test_a_space_that_nobody_announced_does_not_serve(store: Store, mine: str) -> None:
    assert not await store.serve_wanted(mine, NEW.model_id)


async def test_what_is_added_or_changed_without_the_vectors_that_are_needed_leaves_a_job(
    store: Store, mine: str
) -> None:
    await announce(store, mine, OLD)
    first = draft(mine, "words one")
    await store.add(mine, first, budgets=BUDGETS)
    assert await embed_jobs(store, mine) == 0
    await announce(store, mine, NEW)
    await store.add(mine, draft(mine, "words two"), budgets=BUDGETS)
    assert await embed_jobs(store, mine) == 1
    edited = draft(mine, "words anew", item_id=first.item_id)
    await store.replace_content(mine, edited, expected_sha256=first.sha256, budgets=BUDGETS)
    assert await embed_jobs(store, mine) == 2
    await fill(store, mine, NEW)
    assert await store.serve_wanted(mine, NEW.model_id)
    late = await store.add(mine, draft(mine, "words three"), budgets=BUDGETS)
    assert await embed_jobs(store, mine) == 3
    await store.add(mine, draft(mine, "words 4", model=NEW.model_id, dimensions=8), budgets=BUDGETS)
    await store.add(mine, draft(mine, " "), budgets=BUDGETS)
    assert await embed_jobs(store, mine) == 3
    unchanged = await store.relabel(
        mine, late.item.item_id, late.item.labels, thread="main", actor="me", budgets=BUDGETS
    )
    assert unchanged.chunks_pending == 1


async def test_other_spaces_vectors_are_dropped_in_parts_when_they_were_kept_long_enough(
    backend: Backend, mine: str
) -> None:
    store = backend.store
    await announce(store, mine, OLD)
    for number in range(3):
        await store.add(mine, draft(mine, f"words {number}"), budgets=BUDGETS)
    await announce(store, mine, NEW)
    assert await store.drop_vectors(mine, keep_seconds=0, limit=2) is None
    await fill(store, mine, NEW)
    assert await store.serve_wanted(mine, NEW.model_id)
    wait = await store.drop_vectors(mine, keep_seconds=60, limit=2)
    assert wait is not None
    assert 50 < wait <= 60
    assert (await store.coverage(mine, MODEL)).vectors == 3
    await backend.pass_time(mine, 61)
    # Serving again what serves already begins no new wait.
    assert await store.serve_wanted(mine, NEW.model_id)
    assert await store.drop_vectors(mine, keep_seconds=60, limit=2) == 0
    assert (await store.coverage(mine, MODEL)).vectors == 1
    assert await store.drop_vectors(mine, keep_seconds=60, limit=2) == 0
    assert await store.coverage(mine, MODEL) == Coverage(chunks=3, vectors=0)
    assert await store.coverage(mine, NEW.model_id) == Coverage(chunks=3, vectors=3)
    assert await store.drop_vectors(mine, keep_seconds=60, limit=2) is None


async def test_nothing_is_dropped_where_nothing_was_announced(store: Store, mine: str) -> None:
    await store.add(mine, draft(mine, "words"), budgets=BUDGETS)
    assert await store.drop_vectors(mine, keep_seconds=0, limit=2) is None
    assert (await store.coverage(mine, MODEL)).vectors == 1


async def index_names(connect: Mapping[str, Any]) -> set[str]:
    connection = await asyncpg.connect(**connect)
    try:
        rows = await connection.fetch(
            "SELECT pg_get_expr(indpred, indrelid) AS predicate FROM pg_index"
            " WHERE indrelid = 'palimpsest.chunk_vectors'::regclass AND indpred IS NOT NULL"
        )
        models = await connection.fetch("SELECT model_id FROM palimpsest.indexed_models")
        named = {row["predicate"][len("(model_id = '") : -len("'::text)")].replace("''", "'") for row in rows}
        assert named == {row["model_id"] for row in models}
        return named
    finally:
        await connection.close()


async def test_the_index_of_a_model_goes_when_no_namespace_needs_it_any_more(database: Mapping[str, Any]) -> None:
    odd = Space("it's/old", 16)
    stores = [
        await open_store(database, embedding_model=space.model_id, dimensions=space.dimensions, pool_size=1)
        for space in (odd, NEW)
    ]
    store = stores[1]
    try:
        assert await index_names(database) == {MODEL, odd.model_id, NEW.model_id}
        for namespace in ("a", "b"):
            await announce(store, namespace, odd)
            await store.add(
                namespace, draft(namespace, "words", model=odd.model_id, dimensions=odd.dimensions), budgets=BUDGETS
            )
            await announce(store, namespace, NEW)
            await fill(store, namespace, NEW)
            assert await store.serve_wanted(namespace, NEW.model_id)
        assert await store.drop_vectors("a", keep_seconds=0, limit=50) == 0
        assert await store.drop_vectors("a", keep_seconds=0, limit=50) is None
        assert await index_names(database) == {MODEL, odd.model_id, NEW.model_id}
        assert await store.drop_vectors("b", keep_seconds=0, limit=50) == 0
        connection = await asyncpg.connect(**database)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE palimpsest.chunk_vectors IN ACCESS SHARE MODE")
                wait = await store.drop_vectors("b", keep_seconds=0, limit=50)
        finally:
            await connection.close()
        assert wait is not None
        assert wait > 0
        assert await index_names(database) == {MODEL, odd.model_id, NEW.model_id}
        assert await store.drop_vectors("b", keep_seconds=0, limit=50) is None
        assert await index_names(database) == {MODEL, NEW.model_id}
        assert await search(store, "b", NEW) != set()
    finally:
        for one in stores:
            await one.aclose()


async def test_the_switch_waits_for_adds_under_way_and_sees_them(database: Mapping[str, Any]) -> None:
    store = await open_store(database, embedding_model=MODEL, dimensions=DIMENSIONS, pool_size=4)
    connection = await asyncpg.connect(**database)
    try:
        await announce(store, "mine", OLD)
        await announce(store, "mine", NEW)
        async with connection.transaction():
            # What an add holds from its statement to its commit.
            await connection.execute(
                "SELECT FROM palimpsest.embedding_spaces WHERE namespace_id = 'mine' FOR KEY SHARE"
            )
            switching = asyncio.create_task(store.serve_wanted("mine", NEW.model_id))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(switching), 0.1)
            await store.add("mine", draft("mine", "words"), budgets=BUDGETS)
        assert not await switching
        await fill(store, "mine", NEW)
        assert await store.serve_wanted("mine", NEW.model_id)
    finally:
        await connection.close()
        await store.aclose()
