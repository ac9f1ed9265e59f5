"""What every store promises of the work that adds leave behind."""

import pytest

from palimpsest.core.errors import ItemNotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import Filters, Job, PendingChunk, Span
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, NO_TERMS, draft, vector
from .conftest import Backend

TEXT = "# Letters\n\none first letter\n\na second letter"
OTHER_MODEL = "other-model/1"


async def claim_embed(store: Store, namespace: str, owner: str = "a", lease_seconds: float = 600) -> Job | None:
    """Claim the next job that embeds; those that count words are done on the way."""
    while (job := await store.claim_job(namespace, owner=owner, lease_seconds=lease_seconds)) is not None:
        if job.kind == "embed":
            return job
        await store.finish_job(namespace, job.job_id, owner=owner)
    return None


async def test_a_namespace_without_adds_has_no_jobs(store: Store, mine: str) -> None:
    assert await store.claim_job(mine, owner="a", lease_seconds=60) is None


async def test_words_are_counted_anew_soon_after_adds_by_one_job(backend: Backend, mine: str) -> None:
    store = backend.store
    for text in ("one", "two", "three"):
        await store.add(mine, draft(mine, text), budgets=BUDGETS)
    await backend.pass_time(mine, 10)
    job = await store.claim_job(mine, owner="a", lease_seconds=600)
    assert job is not None
    assert (job.kind, job.item_id) == ("reweigh", None)
    assert await store.claim_job(mine, owner="b", lease_seconds=600) is None


async def test_a_leased_job_is_nobody_elses_until_its_lease_runs_out(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    job = await claim_embed(store, mine, "a", lease_seconds=1000)
    assert job is not None
    assert await claim_embed(store, mine, "b") is None
    await backend.pass_time(mine, 1001)
    again = await claim_embed(store, mine, "b")
    assert again is not None
    assert (again.job_id, again.attempts) == (job.job_id, 2)


async def test_the_oldest_job_comes_first(backend: Backend, mine: str) -> None:
    store = backend.store
    added: list[str] = []
    for text in ("one", "two", "three"):
        added.append((await store.add(mine, draft(mine, text, embedded=False), budgets=BUDGETS)).item.item_id)
        await backend.pass_time(mine, 60)
    claimed = [await claim_embed(store, mine) for _ in range(4)]
    assert [job and job.item_id for job in claimed] == [*added, None]


async def test_a_finished_job_is_gone(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    job = await claim_embed(store, mine)
    assert job is not None
    await store.finish_job(mine, job.job_id, owner="a")
    await store.finish_job(mine, job.job_id, owner="a")
    await backend.pass_time(mine, 10_000)
    assert await claim_embed(store, mine) is None


async def test_a_failed_job_waits_longer_each_time_but_never_beyond_an_hour(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    for attempt in range(1, 16):
        job = await claim_embed(store, mine)
        assert job is not None
        assert job.attempts == attempt
        await store.finish_job(mine, job.job_id, owner="a", error="the model is missing")
        # The first waits are too short to look into on a slow machine.
        if attempt >= 8:
            await backend.pass_time(mine, 120)
            assert await claim_embed(store, mine) is None
        await backend.pass_time(mine, 60 if attempt < 4 else 3600)


async def test_an_owner_that_lost_its_lease_changes_nothing(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    lost = await claim_embed(store, mine, "slow", lease_seconds=0)
    held = await claim_embed(store, mine, "quick", lease_seconds=1000)
    assert lost is not None
    assert held is not None
    assert lost.job_id == held.job_id
    await store.finish_job(mine, lost.job_id, owner="slow")
    await store.finish_job(mine, lost.job_id, owner="slow", error="too late")
    assert await claim_embed(store, mine, "third") is None
    await backend.pass_time(mine, 1001)
    assert await claim_embed(store, mine, "third") is not None


async def test_a_purged_items_job_is_gone(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    assert await claim_embed(store, mine) is None


async def test_an_edit_while_its_item_is_worked_on_leaves_work_to_do(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    job = await claim_embed(store, mine, "a")
    assert job is not None
    edited = draft(mine, "all new", item_id=made.item_id, embedded=False)
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    await store.finish_job(mine, job.job_id, owner="a")
    again = await claim_embed(store, mine, "b")
    assert again is not None
    assert again.item_id == made.item_id


async def test_pending_chunks_come_in_order_up_to_a_limit(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    expected = [PendingChunk(ordinal, chunk.span) for ordinal, chunk in enumerate(made.chunks)]
    assert [one.span.context for one in expected] == ["", "Letters", "Letters"]
    assert await store.pending_chunks(mine, made.item_id, MODEL, 2) == (1, expected[:2])
    assert await store.pending_chunks(mine, made.item_id, MODEL, 10) == (1, expected)


async def test_stored_vectors_are_no_longer_pending_and_are_searched(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).chunks_pending == 3
    await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("letters"), 2: vector("a second letter")})
    assert await store.pending_chunks(mine, made.item_id, MODEL, 9) == (1, [PendingChunk(1, made.chunks[1].span)])
    counts = await store.state(mine, MODEL, budgets=BUDGETS)
    assert (counts.chunks, counts.chunks_pending) == (3, 1)
    found = await store.candidates(
        mine, vector=vector("a second letter"), model_id=MODEL, terms=NO_TERMS, filters=Filters(), limit=5
    )
    assert {one.ordinal: one.dense for one in found} == pytest.approx({0: 0, 2: 1}, abs=0.01)
    receipt = await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    assert (receipt.outcome, receipt.chunks, receipt.chunks_pending) == ("duplicate", 3, 1)


async def test_vectors_of_another_version_are_not_stored(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    edited = draft(mine, "all new", item_id=made.item_id, embedded=False)
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("letters")})
    assert await store.pending_chunks(mine, made.item_id, MODEL, 9) == (2, [PendingChunk(0, Span(0, 7))])
    await store.put_vectors(mine, made.item_id, 2, MODEL, {0: vector("all new"), 7: vector("no such chunk")})
    assert await store.pending_chunks(mine, made.item_id, MODEL, 9) == (2, [])


async def test_vectors_of_a_purged_item_are_not_stored(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("letters")})
    await store.put_vectors(mine, new_item_id(), 1, MODEL, {0: vector("letters")})
    with pytest.raises(ItemNotFoundError):
        await store.pending_chunks(mine, made.item_id, MODEL, 9)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).chunks == 0


async def test_each_model_has_its_own_pending_chunks(store: Store, mine: str) -> None:
    made = draft(mine, "one text")
    await store.add(mine, made, budgets=BUDGETS)
    assert await store.pending_chunks(mine, made.item_id, MODEL, 9) == (1, [])
    assert await store.pending_chunks(mine, made.item_id, OTHER_MODEL, 9) == (1, [PendingChunk(0, Span(0, 8))])
    await store.put_vectors(mine, made.item_id, 1, OTHER_MODEL, {0: vector("one text", 8)})
    assert await store.pending_chunks(mine, made.item_id, OTHER_MODEL, 9) == (1, [])
