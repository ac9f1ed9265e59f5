"""What every store promises of the work that adds leave behind."""

import pytest

from palimpsest.core.errors import ItemNotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import NO_TERMS, Filters, Job, PendingChunk, Span
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, draft, vector
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


async def test_a_job_is_left_once_for_a_kind_and_an_item(backend: Backend, mine: str) -> None:
    store, one, other = backend.store, new_item_id(), new_item_id()
    assert await store.enqueue(mine, "summarize", one, 1000)
    assert not await store.enqueue(mine, "summarize", one)
    assert await store.enqueue(mine, "summarize", other, 2000)
    assert await store.enqueue(mine, "hygiene", None, 3000)
    assert not await store.enqueue(mine, "hygiene")
    assert await store.claim_job(mine, owner="a", lease_seconds=9000) is None
    await backend.pass_time(mine, 3001)
    claimed = [await store.claim_job(mine, owner="a", lease_seconds=9000) for _ in range(4)]
    assert [job and (job.kind, job.item_id) for job in claimed] == [
        ("summarize", one),
        ("summarize", other),
        ("hygiene", None),
        None,
    ]


async def test_only_the_kinds_asked_for_are_claimed(store: Store, mine: str) -> None:
    await store.enqueue(mine, "summarize", new_item_id())
    await store.enqueue(mine, "hygiene")
    assert await store.claim_job(mine, owner="a", lease_seconds=60, kinds=["embed", "reweigh"]) is None
    assert await store.claim_job(mine, owner="a", lease_seconds=60, kinds=[]) is None
    job = await store.claim_job(mine, owner="a", lease_seconds=60, kinds=["embed", "hygiene"])
    assert job is not None
    assert job.kind == "hygiene"
    rest = await store.claim_job(mine, owner="b", lease_seconds=60)
    assert rest is not None
    assert rest.kind == "summarize"


async def test_jobs_are_counted_by_kind(backend: Backend, mine: str, theirs: str) -> None:
    store = backend.store
    assert await store.job_counts(mine) == []
    await store.enqueue(mine, "hygiene", None, 3600)
    for _ in range(4):
        await store.enqueue(mine, "summarize", new_item_id())
    dead = await store.claim_job(mine, owner="a", lease_seconds=60, kinds=["summarize"])
    assert dead is not None
    await store.finish_job(mine, dead.job_id, owner="a", error="no")
    await store.claim_job(mine, owner="a", lease_seconds=1000, kinds=["summarize"])
    await store.claim_job(mine, owner="b", lease_seconds=0, kinds=["summarize"])
    hygiene, summarize = await store.job_counts(mine)
    assert (hygiene.kind, hygiene.waiting, hygiene.leased, hygiene.dead) == ("hygiene", 1, 0, 0)
    assert (summarize.kind, summarize.waiting, summarize.leased, summarize.dead) == ("summarize", 2, 1, 1)
    assert hygiene.oldest_due is not None
    assert summarize.oldest_due is not None
    assert 3500 < (hygiene.oldest_due - summarize.oldest_due).total_seconds() < 3700
    await backend.pass_time(mine, 2000)
    assert [(one.waiting, one.leased) for one in await store.job_counts(mine)] == [(1, 0), (3, 0)]
    assert await store.job_counts(theirs) == []


async def test_a_renewed_lease_lasts_from_then_on(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.enqueue(mine, "hygiene")
    job = await store.claim_job(mine, owner="a", lease_seconds=1000)
    assert job is not None
    await backend.pass_time(mine, 900)
    assert await store.renew_job(mine, job.job_id, owner="a", lease_seconds=1000)
    assert not await store.renew_job(mine, job.job_id, owner="b", lease_seconds=9000)
    await backend.pass_time(mine, 900)
    assert await store.claim_job(mine, owner="b", lease_seconds=1000) is None
    await backend.pass_time(mine, 101)
    # It lapsed, but nobody has taken it.
    assert await store.renew_job(mine, job.job_id, owner="a", lease_seconds=10)
    await backend.pass_time(mine, 11)
    taken = await store.claim_job(mine, owner="b", lease_seconds=1000)
    assert taken is not None
    assert taken.attempts == 2
    assert not await store.renew_job(mine, job.job_id, owner="a", lease_seconds=9000)


async def test_work_that_advances_makes_earlier_attempts_forgotten(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.enqueue(mine, "hygiene")
    for _ in range(3):
        await store.claim_job(mine, owner="a", lease_seconds=10)
        await backend.pass_time(mine, 11)
    job = await store.claim_job(mine, owner="a", lease_seconds=10)
    assert job is not None
    assert job.attempts == 4
    assert await store.renew_job(mine, job.job_id, owner="a", lease_seconds=10, advanced=True)
    await backend.pass_time(mine, 11)
    again = await store.claim_job(mine, owner="a", lease_seconds=10)
    assert again is not None
    assert again.attempts == 2


async def test_a_purged_items_lease_is_not_renewed(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    job = await claim_embed(store, mine, "a")
    assert job is not None
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    assert not await store.renew_job(mine, job.job_id, owner="a", lease_seconds=60)


async def test_what_an_owner_holds_is_given_back_at_once_and_uncounted(store: Store, mine: str, theirs: str) -> None:
    await store.enqueue(mine, "hygiene")
    await store.enqueue(theirs, "hygiene")
    job = await store.claim_job(mine, owner="a", lease_seconds=1000)
    assert await store.claim_job(theirs, owner="a", lease_seconds=1000)
    assert await store.release_jobs(mine, owner="b") == 0
    assert await store.claim_job(mine, owner="b", lease_seconds=1000) is None
    assert await store.release_jobs(mine, owner="a") == 1
    assert await store.release_jobs(mine, owner="a") == 0
    assert await store.claim_job(mine, owner="b", lease_seconds=1000) == job
    assert await store.claim_job(theirs, owner="b", lease_seconds=1000) is None


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
    assert await store.finish_job(mine, job.job_id, owner="a")
    assert not await store.finish_job(mine, job.job_id, owner="a")
    await backend.pass_time(mine, 10_000)
    assert await claim_embed(store, mine) is None


async def test_a_failed_job_is_due_again_when_its_runner_says(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    for attempt in range(1, 4):
        job = await claim_embed(store, mine)
        assert job is not None
        assert job.attempts == attempt
        assert await store.finish_job(mine, job.job_id, owner="a", error="the model is missing", again_seconds=1000)
        await backend.pass_time(mine, 900)
        assert await claim_embed(store, mine) is None
        await backend.pass_time(mine, 101)


async def test_an_attempt_that_does_not_count_is_as_if_it_had_not_been(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.enqueue(mine, "summarize", new_item_id())
    for _ in range(3):
        job = await store.claim_job(mine, owner="a", lease_seconds=600)
        assert job is not None
        assert job.attempts == 1
        await store.finish_job(mine, job.job_id, owner="a", error="too dear", again_seconds=100, counted=False)
        await backend.pass_time(mine, 101)


async def test_a_job_that_recurs_is_the_same_one_and_as_if_new(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.enqueue(mine, "hygiene")
    first = await store.claim_job(mine, owner="a", lease_seconds=600)
    assert first is not None
    await store.finish_job(mine, first.job_id, owner="a", error="the model is missing", again_seconds=0)
    again = await store.claim_job(mine, owner="a", lease_seconds=600)
    assert again == Job(first.job_id, "hygiene", None, 2)
    assert await store.finish_job(mine, first.job_id, owner="a", again_seconds=1000)
    await backend.pass_time(mine, 900)
    assert await store.claim_job(mine, owner="a", lease_seconds=600) is None
    await backend.pass_time(mine, 101)
    assert await store.claim_job(mine, owner="a", lease_seconds=600) == first


async def test_a_job_without_a_further_try_is_dead_until_it_is_asked_for(backend: Backend, mine: str) -> None:
    store, item_id = backend.store, new_item_id()
    await store.enqueue(mine, "summarize", item_id)
    job = await store.claim_job(mine, owner="a", lease_seconds=600)
    assert job is not None
    assert await store.dead_jobs(mine, 10) == []
    assert await store.finish_job(mine, job.job_id, owner="a", error="x" * 501)
    await backend.pass_time(mine, 100_000)
    assert await store.claim_job(mine, owner="a", lease_seconds=600) is None
    (dead,) = await store.dead_jobs(mine, 10)
    assert (dead.job_id, dead.kind, dead.item_id, dead.attempts) == (job.job_id, "summarize", item_id, 1)
    assert dead.last_error == "x" * 500
    assert dead.failed_at.tzinfo is not None
    assert not await store.enqueue(mine, "summarize", item_id)
    assert await store.claim_job(mine, owner="a", lease_seconds=600) is None
    assert await store.retry_dead(mine) == 1
    assert await store.retry_dead(mine) == 0
    assert await store.dead_jobs(mine, 10) == []
    assert await store.claim_job(mine, owner="a", lease_seconds=600) == job


async def test_dead_jobs_are_told_newest_first_up_to_a_limit(backend: Backend, mine: str, theirs: str) -> None:
    store = backend.store
    items = [new_item_id() for _ in range(3)]
    for place, item_id in enumerate(items):
        await store.enqueue(mine, "summarize", item_id)
        job = await store.claim_job(mine, owner="a", lease_seconds=600)
        assert job is not None
        await store.finish_job(mine, job.job_id, owner="a", error=f"failure {place}")
        await backend.pass_time(mine, 60)
    told = await store.dead_jobs(mine, 2)
    assert [(one.item_id, one.last_error) for one in told] == [(items[2], "failure 2"), (items[1], "failure 1")]
    assert await store.dead_jobs(theirs, 10) == []
    assert await store.retry_dead(theirs) == 0


async def test_new_content_brings_a_dead_job_back_to_life(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    job = await claim_embed(store, mine, "a")
    assert job is not None
    await store.finish_job(mine, job.job_id, owner="a", error="no such model")
    assert await claim_embed(store, mine, "a") is None
    edited = draft(mine, "all new", item_id=made.item_id, embedded=False)
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    assert await claim_embed(store, mine, "a") == job
    assert await store.dead_jobs(mine, 10) == []


async def test_an_owner_that_lost_its_lease_changes_nothing(backend: Backend, mine: str) -> None:
    store = backend.store
    await store.add(mine, draft(mine, TEXT, embedded=False), budgets=BUDGETS)
    lost = await claim_embed(store, mine, "slow", lease_seconds=0)
    held = await claim_embed(store, mine, "quick", lease_seconds=1000)
    assert lost is not None
    assert held is not None
    assert lost.job_id == held.job_id
    assert not await store.finish_job(mine, lost.job_id, owner="slow")
    assert not await store.finish_job(mine, lost.job_id, owner="slow", again_seconds=0)
    assert not await store.finish_job(mine, lost.job_id, owner="slow", error="too late", again_seconds=0)
    assert not await store.finish_job(mine, lost.job_id, owner="slow", error="too late")
    assert not await store.renew_job(mine, lost.job_id, owner="slow", lease_seconds=9000)
    assert await store.release_jobs(mine, owner="slow") == 0
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
    found = (
        await store.candidates(
            mine, vector=vector("a second letter"), model_id=MODEL, terms=NO_TERMS, filters=Filters(), limit=5, reach=0
        )
    ).candidates
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
