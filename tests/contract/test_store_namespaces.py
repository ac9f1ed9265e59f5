"""What every store promises of namespaces: nobody sees, changes or counts what is another's."""

from collections.abc import Awaitable, Callable

import pytest

from palimpsest.core.errors import ItemNotFoundError, NotFoundError
from palimpsest.core.models import Filters, Item, ItemDraft, ItemState, Labels, Span
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, WINDOW, WordLexicon, draft, terms, vector
from .conftest import Backend

TEXT = "a private matter\n\nof two parts"

Attempt = Callable[[Store, str, ItemDraft], Awaitable[object]]

BY_ID: dict[str, Attempt] = {
    "get": lambda store, namespace, made: store.get(namespace, made.item_id),
    "read": lambda store, namespace, made: store.read(namespace, made.item_id),
    "read a version": lambda store, namespace, made: store.read(namespace, made.item_id, 1),
    "rendition": lambda store, namespace, made: store.rendition(namespace, made.item_id, "hint"),
    "replace_content": lambda store, namespace, made: store.replace_content(
        namespace, draft(namespace, "mine now", item_id=made.item_id), expected_sha256=made.sha256, budgets=BUDGETS
    ),
    "relabel": lambda store, namespace, made: store.relabel(
        namespace, made.item_id, Labels(title="mine now"), thread="main", actor="a", budgets=BUDGETS
    ),
    "forget": lambda store, namespace, made: store.set_state(
        namespace, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS
    ),
    "purge": lambda store, namespace, made: store.purge(namespace, made.item_id, actor="a", budgets=BUDGETS),
    "pending_chunks": lambda store, namespace, made: store.pending_chunks(namespace, made.item_id, MODEL, 5),
}


async def never(item: Item, labels: Labels, thread: str, content: bytes) -> ItemDraft:
    raise AssertionError(f"{item.item_id} was given to another namespace")


@pytest.mark.parametrize("method", BY_ID)
async def test_an_id_of_another_namespace_reads_as_one_that_never_was(
    store: Store, mine: str, theirs: str, method: str
) -> None:
    made = draft(theirs, TEXT, embedded=False)
    await store.add(theirs, made, budgets=BUDGETS)
    with pytest.raises(ItemNotFoundError) as refused:
        await BY_ID[method](store, mine, made)
    assert str(refused.value) == str(ItemNotFoundError(made.item_id))
    item, content, _ = await store.read(theirs, made.item_id)
    assert (item.state, item.version, item.labels, content) == (ItemState.ACTIVE, 1, Labels(), made.content)
    assert [event.action for event in await store.events(theirs, 10)] == ["add"]


async def test_the_same_content_key_and_id_can_live_in_two_namespaces(store: Store, mine: str, theirs: str) -> None:
    made = draft(theirs, TEXT, idempotency_key="k")
    await store.add(theirs, made, budgets=BUDGETS)
    known = await store.find_added(mine, thread="main", sha256=made.sha256, idempotency_key="k", budgets=BUDGETS)
    assert known is None
    receipt = await store.add(mine, draft(mine, TEXT, item_id=made.item_id, idempotency_key="k"), budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.item_id) == ("added", made.item_id)
    assert receipt.utilization == pytest.approx(made.tokens.tokens / WINDOW)
    await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    assert (await store.read(theirs, made.item_id))[1] == made.content


async def test_nothing_of_another_namespace_is_listed_counted_or_found(store: Store, mine: str, theirs: str) -> None:
    made = draft(theirs, TEXT)
    await store.add(theirs, made, budgets=BUDGETS)
    page = await store.list_items(mine, Filters(), state=ItemState.ACTIVE, limit=10, before=None)
    assert (page.items, page.total) == ((), 0)
    counts = await store.state(mine, MODEL, budgets=BUDGETS)
    assert (counts.items, counts.chunks, counts.content_bytes, counts.threads) == (0, 0, 0, ())
    assert await store.passages(mine, [(made.item_id, Span(0, 9))]) == []
    # Even the other namespace's own keys find nothing.
    for namespace in (mine, theirs):
        found = (
            await store.candidates(
                mine,
                vector=vector(TEXT),
                model_id=MODEL,
                terms=terms(namespace, "private matter"),
                filters=Filters(),
                limit=10,
            )
        ).candidates
        assert found == ()
    assert await store.events(mine, 10) == []


async def test_another_namespaces_words_do_not_weigh_here(store: Store, mine: str, theirs: str) -> None:
    async def score() -> float:
        await store.reweigh(mine, WordLexicon())
        [found] = (
            await store.candidates(
                mine, vector=None, model_id=MODEL, terms=terms(mine, "matter"), filters=Filters(), limit=10, reach=0
            )
        ).candidates
        return found.lexical

    await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    before = await score()
    for number in range(5):
        await store.add(theirs, draft(theirs, f"{'matter ' * 9}{number}"), budgets=BUDGETS)
    await store.reweigh(theirs, WordLexicon())
    assert await score() == before


async def test_another_namespaces_use_history_and_vectors_are_left_alone(store: Store, mine: str, theirs: str) -> None:
    made = draft(theirs, TEXT, embedded=False)
    added = (await store.add(theirs, made, budgets=BUDGETS)).item
    await store.touch(mine, [made.item_id], added.created_at)
    await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("mine"), 1: vector("mine")})
    assert await store.get(theirs, made.item_id) == added
    assert len((await store.pending_chunks(theirs, made.item_id, MODEL, 9))[1]) == 2
    [event] = await store.events(theirs, 10)
    for event_id in (None, event.event_id):
        with pytest.raises(NotFoundError):
            await store.undo(mine, event_id, actor="a", budgets=BUDGETS, redraft=never)
    assert [one.undoable for one in await store.events(theirs, 10)] == [True]


async def test_another_namespaces_jobs_cannot_be_claimed_or_finished(backend: Backend, mine: str, theirs: str) -> None:
    store = backend.store
    await store.add(theirs, draft(theirs, TEXT, embedded=False), budgets=BUDGETS)
    assert await store.claim_job(mine, owner="a", lease_seconds=60) is None
    job = await store.claim_job(theirs, owner="a", lease_seconds=1000)
    assert job is not None
    await store.finish_job(mine, job.job_id, owner="a")
    await store.finish_job(mine, job.job_id, owner="a", error="not mine")
    await backend.pass_time(theirs, 1001)
    again = await store.claim_job(theirs, owner="b", lease_seconds=1000)
    assert again is not None
    assert again.job_id == job.job_id
