"""What every store promises of adding and reading."""

import asyncio
import hashlib
import secrets

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import ConflictError, ItemNotFoundError, NotFoundError
from palimpsest.core.ids import new_item_id, parse_item_id
from palimpsest.core.models import Filters, ItemState, Labels, Span
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, WINDOW, draft
from .conftest import Backend

TEXT = "The archive keeps letters.\n\n# Keepers\n\nThe keeper wears gloves in summer."
LABELS = Labels(
    title="Archive",
    content_type="text/markdown",
    memory_type="semantic",
    priority=7,
    pinned=True,
    tags=("paper", "old"),
)


async def test_an_added_item_is_committed_with_all_that_was_drafted(backend: Backend, mine: str) -> None:
    made = draft(mine, TEXT, labels=LABELS, thread="work")
    receipt = await backend.store.add(mine, made, budgets=BUDGETS)
    item = receipt.item
    assert receipt.outcome == "added"
    assert receipt.durable is backend.durable
    assert (receipt.chunks, receipt.chunks_pending) == (3, 0)
    assert receipt.utilization == pytest.approx(made.tokens.tokens / WINDOW)
    assert (item.item_id, item.thread, item.labels, item.state) == (made.item_id, "work", LABELS, ItemState.ACTIVE)
    assert (item.version, item.sha256, item.size_bytes) == (1, hashlib.sha256(TEXT.encode()).hexdigest(), len(TEXT))
    assert (item.tokens, item.token_counter) == (made.tokens.tokens, "words")
    assert dict(item.source) == {"actor": "tester", "tool": "test"}
    assert item.created_at == item.updated_at
    assert item.created_at.tzinfo is not None
    assert item.last_used_at is None
    assert await backend.store.get(mine, made.item_id) == item


async def test_content_is_read_byte_for_byte_with_its_hash(store: Store, mine: str) -> None:
    text = "\x00 CRLF\r\n tab\t emoji \U0001f9f5 combining e\u0301 \ufeff end  "
    made = draft(mine, text)
    await store.add(mine, made, budgets=BUDGETS)
    assert await store.read(mine, made.item_id) == (await store.get(mine, made.item_id), text.encode(), made.sha256)


async def test_an_add_makes_its_thread_and_counts_into_it(store: Store, mine: str) -> None:
    await store.add(mine, draft(mine, "one two three", thread="new"), budgets=fixed_budget(10))
    receipt = await store.add(mine, draft(mine, "four five", thread="new"), budgets=fixed_budget(10))
    assert receipt.utilization == pytest.approx(0.5)
    other = await store.add(mine, draft(mine, "six", thread="other"), budgets=fixed_budget(10))
    assert other.utilization == pytest.approx(0.1)


async def test_chunks_without_a_vector_are_pending_and_leave_a_job(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, embedded=False)
    receipt = await store.add(mine, made, budgets=BUDGETS)
    assert (receipt.chunks, receipt.chunks_pending) == (3, 3)
    job = await store.claim_job(mine, owner="a", lease_seconds=60)
    assert job is not None
    assert (job.kind, job.item_id, job.attempts) == ("embed", made.item_id, 1)


async def test_content_that_the_thread_holds_is_not_added_again(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    again = await store.add(mine, draft(mine, TEXT, labels=LABELS), budgets=BUDGETS)
    assert again.outcome == "duplicate"
    assert again.item == first.item
    assert (again.chunks, again.chunks_pending, again.utilization) == (3, 0, first.utilization)
    counts = await store.state(mine, MODEL, budgets=BUDGETS)
    assert counts.items == 1
    assert len(await store.events(mine, 10)) == 1


async def test_another_thread_may_hold_the_same_content(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    second = await store.add(mine, draft(mine, TEXT, thread="other"), budgets=BUDGETS)
    assert second.outcome == "added"
    assert second.item.item_id != first.item.item_id


async def test_forgotten_content_can_be_added_again(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    await store.set_state(mine, first.item.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    second = await store.add(mine, draft(mine, TEXT), budgets=BUDGETS)
    assert second.outcome == "added"
    assert second.item.item_id != first.item.item_id


async def test_a_used_key_with_the_same_content_is_answered_with_what_it_made(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT, idempotency_key="k"), budgets=BUDGETS)
    again = await store.add(mine, draft(mine, TEXT, thread="elsewhere", idempotency_key="k"), budgets=BUDGETS)
    assert again.outcome == "replayed"
    assert again.item == first.item
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 1


async def test_a_replay_says_that_the_item_was_forgotten_meanwhile(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT, idempotency_key="k"), budgets=BUDGETS)
    await store.set_state(mine, first.item.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    again = await store.add(mine, draft(mine, TEXT, idempotency_key="k"), budgets=BUDGETS)
    assert (again.outcome, again.item.state) == ("replayed", ItemState.FORGOTTEN)


async def test_a_used_key_with_other_content_is_a_conflict(store: Store, mine: str) -> None:
    await store.add(mine, draft(mine, TEXT, idempotency_key="k"), budgets=BUDGETS)
    with pytest.raises(ConflictError, match="idempotency key"):
        await store.add(mine, draft(mine, "other", idempotency_key="k"), budgets=BUDGETS)
    with pytest.raises(ConflictError, match="idempotency key"):
        await store.find_added(
            mine, thread="main", sha256=draft(mine, "other").sha256, idempotency_key="k", budgets=BUDGETS
        )
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).items == 1


async def test_a_purged_item_frees_its_key(store: Store, mine: str) -> None:
    first = await store.add(mine, draft(mine, TEXT, idempotency_key="k"), budgets=BUDGETS)
    await store.purge(mine, first.item.item_id, actor="a", budgets=BUDGETS)
    again = await store.add(mine, draft(mine, "other", idempotency_key="k"), budgets=BUDGETS)
    assert again.outcome == "added"


async def test_what_an_add_would_answer_can_be_asked_first(store: Store, mine: str) -> None:
    made = draft(mine, TEXT, idempotency_key="k")

    async def ask(thread: str, key: str | None) -> str | None:
        found = await store.find_added(mine, thread=thread, sha256=made.sha256, idempotency_key=key, budgets=BUDGETS)
        return None if found is None else f"{found.outcome} {found.item.item_id}"

    assert await ask("main", "k") is None
    await store.add(mine, made, budgets=BUDGETS)
    assert await ask("main", None) == f"duplicate {made.item_id}"
    assert await ask("main", "unused") == f"duplicate {made.item_id}"
    assert await ask("other", None) is None
    assert await ask("other", "k") == f"replayed {made.item_id}"


async def test_an_id_that_is_taken_loses_neither_item(store: Store, mine: str) -> None:
    first = draft(mine, "first")
    await store.add(mine, first, budgets=BUDGETS)
    receipt = await store.add(mine, draft(mine, "second", item_id=first.item_id), budgets=BUDGETS)
    assert receipt.outcome == "added"
    assert (await store.read(mine, first.item_id))[1] == b"first"
    assert (await store.read(mine, receipt.item.item_id))[1] == b"second"


async def test_adds_at_the_same_moment_keep_one_of_each_content(store: Store, mine: str) -> None:
    texts = ["red", "green", "blue"] * 4
    receipts = await asyncio.gather(*(store.add(mine, draft(mine, text), budgets=BUDGETS) for text in texts))
    assert sorted(receipt.outcome for receipt in receipts) == ["added"] * 3 + ["duplicate"] * 9
    assert len({receipt.item.item_id for receipt in receipts}) == 3


async def test_an_item_that_never_was_is_not_found(store: Store, mine: str) -> None:
    unknown = new_item_id()
    with pytest.raises(ItemNotFoundError, match=unknown):
        await store.get(mine, unknown)
    with pytest.raises(ItemNotFoundError):
        await store.read(mine, unknown)
    with pytest.raises(ItemNotFoundError):
        await store.read(mine, unknown, 1)
    with pytest.raises(ItemNotFoundError):
        await store.rendition(mine, unknown, "hint")


async def test_a_version_that_never_was_is_not_found(store: Store, mine: str) -> None:
    made = draft(mine, TEXT)
    await store.add(mine, made, budgets=BUDGETS)
    for version in (0, 2, 99):
        with pytest.raises(NotFoundError, match=f"version {version}"):
            await store.read(mine, made.item_id, version)


async def test_renditions_are_kept_by_detail_and_absent_where_none_was_made(store: Store, mine: str) -> None:
    made = draft(mine, " ".join(f"word{place}" for place in range(60)))
    await store.add(mine, made, budgets=BUDGETS)
    for expected in made.renditions:
        item, rendition = await store.rendition(mine, made.item_id, expected.detail)
        assert item == await store.get(mine, made.item_id)
        assert rendition == expected
    short = draft(mine, "short")
    await store.add(mine, short, budgets=BUDGETS)
    assert (await store.rendition(mine, short.item_id, "hint"))[1] is None


async def test_a_forgotten_item_is_still_read(store: Store, mine: str) -> None:
    made = draft(mine, TEXT)
    await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert (await store.get(mine, made.item_id)).state is ItemState.FORGOTTEN
    assert (await store.read(mine, made.item_id))[1] == TEXT.encode()


async def test_passages_come_in_the_order_asked_without_vanished_items(store: Store, mine: str) -> None:
    first, second, gone = draft(mine, "h\u00e9llo w\u00f6rld"), draft(mine, "second text"), draft(mine, "gone soon")
    for made in (first, second, gone):
        await store.add(mine, made, budgets=BUDGETS)
    await store.purge(mine, gone.item_id, actor="a", budgets=BUDGETS)
    wanted = [
        (second.item_id, Span(7, 11)),
        (gone.item_id, Span(0, 4)),
        (first.item_id, Span(0, 6, "its context is no part of it")),
        (second.item_id, Span(0, 6)),
    ]
    found = await store.passages(mine, wanted)
    assert [(item.item_id, text.decode()) for item, text in found] == [
        (second.item_id, "text"),
        (first.item_id, "h\u00e9llo"),
        (second.item_id, "second"),
    ]
    assert found[0][0] == await store.get(mine, second.item_id)
    assert await store.passages(mine, []) == []


async def test_passages_are_of_the_current_content(store: Store, mine: str) -> None:
    made = draft(mine, "before the edit")
    await store.add(mine, made, budgets=BUDGETS)
    edited = draft(mine, "afterwards it reads so", item_id=made.item_id)
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    [(item, text)] = await store.passages(mine, [(made.item_id, Span(0, 10))])
    assert (item.version, text) == (2, b"afterwards")


async def test_use_is_noted_once_and_never_turned_back(store: Store, mine: str) -> None:
    made = draft(mine, TEXT)
    added = (await store.add(mine, made, budgets=BUDGETS)).item
    later = added.created_at.replace(year=2099)
    await store.touch(mine, [made.item_id, new_item_id()], later)
    await store.touch(mine, [made.item_id], added.created_at)
    item = await store.get(mine, made.item_id)
    assert item.last_used_at == later
    assert item.updated_at == added.updated_at
    assert [event.action for event in await store.events(mine, 10)] == ["add"]
    await store.touch(mine, [], later)


async def test_counts_are_of_what_is_active(store: Store, mine: str) -> None:
    empty = await store.state(mine, MODEL, budgets=fixed_budget(100))
    assert (empty.items, empty.forgotten, empty.chunks, empty.chunks_pending, empty.content_bytes) == (0, 0, 0, 0, 0)
    assert empty.threads == ()
    kept, forgotten = draft(mine, TEXT), draft(mine, "to be forgotten", thread="b")
    pending = draft(mine, "not embedded\n\nyet", thread="b", embedded=False)
    for made in (kept, forgotten, pending):
        await store.add(mine, made, budgets=fixed_budget(100))
    await store.set_state(mine, forgotten.item_id, ItemState.FORGOTTEN, actor="a", budgets=fixed_budget(100))
    counts = await store.state(mine, MODEL, budgets=fixed_budget(100))
    assert (counts.items, counts.forgotten, counts.chunks, counts.chunks_pending) == (2, 1, 5, 2)
    assert counts.content_bytes == len(kept.content) + len(pending.content)
    assert counts.database_bytes >= 0
    assert [(one.thread, one.items, one.tokens, one.window) for one in counts.threads] == [
        ("b", 1, pending.tokens.tokens, 100),
        ("main", 1, kept.tokens.tokens, 100),
    ]


async def test_items_are_listed_newest_first_a_page_at_a_time(backend: Backend, mine: str) -> None:
    store = backend.store
    added: list[str] = []
    for number in range(5):
        added.append((await store.add(mine, draft(mine, f"text {number}"), budgets=BUDGETS)).item.item_id)
        await backend.pass_time(mine, 1)
    first = await store.list_items(mine, Filters(), state=ItemState.ACTIVE, limit=3, before=None)
    assert [item.item_id for item in first.items] == added[:1:-1]
    assert (first.total, first.next_cursor) == (5, None)
    last = first.items[-1]
    rest = await store.list_items(
        mine, Filters(), state=ItemState.ACTIVE, limit=3, before=(last.created_at, last.item_id)
    )
    assert [item.item_id for item in rest.items] == added[1::-1]


async def test_lists_have_one_state_and_pass_the_filters(store: Store, mine: str) -> None:
    plain, labelled = draft(mine, "plain"), draft(mine, "labelled", labels=LABELS, thread="work")
    gone = draft(mine, "gone", labels=LABELS)
    for made in (plain, labelled, gone):
        await store.add(mine, made, budgets=BUDGETS)
    await store.set_state(mine, gone.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)

    async def listed(filters: Filters, state: ItemState = ItemState.ACTIVE) -> set[str]:
        page = await store.list_items(mine, filters, state=state, limit=10, before=None)
        assert page.total == len(page.items)
        return {item.item_id for item in page.items}

    assert await listed(Filters()) == {plain.item_id, labelled.item_id}
    assert await listed(Filters(), ItemState.FORGOTTEN) == {gone.item_id}
    assert await listed(Filters(tags=("old",)), ItemState.FORGOTTEN) == {gone.item_id}
    for filters in (
        Filters(thread="work"),
        Filters(content_type="text/markdown"),
        Filters(memory_type="semantic"),
        Filters(tags=("old", "paper")),
        Filters(min_priority=7),
    ):
        assert await listed(filters) == {labelled.item_id}, filters
    for filters in (Filters(thread="none"), Filters(tags=("old", "new")), Filters(min_priority=8)):
        assert await listed(filters) == set(), filters


async def test_a_purged_item_leaves_its_line_in_the_history_and_nothing_else(backend: Backend, mine: str) -> None:
    store, secret = backend.store, f"secret{secrets.token_hex(8)}"
    made = draft(mine, f"{secret} {TEXT}", idempotency_key="k", embedded=False, labels=Labels(title=f"On {secret}"))
    await store.add(mine, made, budgets=BUDGETS)
    number = parse_item_id(made.item_id)
    assert "memory" in (held := await backend.remains(number, secret)) or {"contents", "jobs"} < held
    await store.relabel(mine, made.item_id, Labels(title=f"Of {secret}"), thread="main", actor="a", budgets=BUDGETS)
    edited = draft(mine, f"{secret} anew", item_id=made.item_id)
    await store.replace_content(mine, edited, expected_sha256=made.sha256, budgets=BUDGETS)
    await store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)

    receipt = await store.purge(mine, made.item_id, actor="a", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.item_id) == ("purged", made.item_id)
    assert (receipt.chunks, receipt.chunks_pending, receipt.utilization) == (0, 0, 0)
    assert await backend.remains(number, secret) <= {"events"}
    events = await store.events(mine, 10)
    assert [event.action for event in events] == ["purge", "forget", "edit", "relabel", "add"]
    assert not any(event.undoable for event in events)
    assert (await store.state(mine, MODEL, budgets=BUDGETS)).forgotten == 0


async def test_purging_an_active_item_takes_it_off_its_threads_account(store: Store, mine: str) -> None:
    made = draft(mine, TEXT)
    await store.add(mine, made, budgets=fixed_budget(10))
    await store.add(mine, draft(mine, "stays here"), budgets=fixed_budget(10))
    receipt = await store.purge(mine, made.item_id, actor="a", budgets=fixed_budget(10))
    assert receipt.utilization == pytest.approx(0.2)
    with pytest.raises(ItemNotFoundError):
        await store.purge(mine, made.item_id, actor="a", budgets=fixed_budget(10))


async def test_a_store_says_what_it_is_and_closes_twice(store: Store) -> None:
    assert await store.describe()
    await store.aclose()
    await store.aclose()
