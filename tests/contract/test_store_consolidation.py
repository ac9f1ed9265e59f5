"""What every store promises of statements that are near each other, of folds and of merges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.clusters import CONSOLIDATION, cluster_key
from palimpsest.core.errors import ConflictError, ItemNotFoundError
from palimpsest.core.ids import parse_item_id
from palimpsest.core.models import ItemDraft, ItemState, Labels, Member
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_hash

from ..fakes import BUDGETS, MODEL, draft
from .conftest import Backend
from .test_store_undo import redraft_for, undo

DAY = datetime(2026, 1, 1, tzinfo=UTC)


async def added(store: Store, namespace: str, text: str, **given: object) -> Member:
    item = (await store.add(namespace, draft(namespace, text, **given), budgets=BUDGETS)).item  # type: ignore[arg-type]
    return Member(item.item_id, item.sha256)


def made_of(namespace: str, text: str, *sources: Member) -> ItemDraft:
    made = draft(namespace, text)
    told = {"derived_from": " ".join(one.item_id for one in sources), "cluster": cluster_key(sources)}
    return replace(made, source={**made.source, **told})


async def stands(store: Store, namespace: str, *members: Member) -> list[tuple[str, str | None]]:
    items = [await store.get(namespace, one.item_id) for one in members]
    return [(item.detail, item.superseded_by) for item in items]


async def test_near_statements_of_a_thread_are_found_and_others_are_not(store: Store, mine: str) -> None:
    tea = await added(store, mine, "ann drinks green tea every day")
    same = await added(store, mine, "ann drinks green tea every single day")
    await added(store, mine, "the weather will be fine")
    await added(store, mine, "ann drinks green tea every day too", thread="other")
    found = await store.near(mine, MODEL, [tea.item_id], distance=0.3, limit=5)
    assert [(one.item_id, one.other_id) for one in found] == [(tea.item_id, same.item_id)]
    assert found[0].distance == pytest.approx(1 - 6 / (6**0.5 * 7**0.5), abs=1e-3)
    assert await store.near(mine, "another-model", [tea.item_id], distance=2, limit=5) == []


async def test_only_short_trusted_lasting_items_that_are_not_pinned_are_statements(store: Store, mine: str) -> None:
    plain = await added(store, mine, "a plain statement")
    pinned = await added(store, mine, "a pinned statement", labels=Labels(pinned=True))
    doubtful = await added(store, mine, "a doubtful statement", labels=Labels(trust="low"))
    long = await added(store, mine, "two chunks\n\nare too many")
    bare = await added(store, mine, "no vector yet", embedded=False)
    gone = await added(store, mine, "a forgotten statement")
    await store.set_state(mine, gone.item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    made = await store.add(mine, made_of(mine, "made of others", plain), budgets=BUDGETS)
    everything = [one.item_id for one in (plain, pinned, doubtful, long, bare, gone)] + [made.item.item_id]
    assert await store.changed_statements(mine, MODEL, since=None, after=None, limit=9) == [plain.item_id]
    statements = await store.statements(mine, everything)
    assert [(one.item.item_id, one.text) for one in statements] == [
        (plain.item_id, "a plain statement"),
        (bare.item_id, "no vector yet"),
    ]


async def test_changed_statements_come_in_pages(store: Store, mine: str) -> None:
    ids = [(await added(store, mine, f"statement {number}")).item_id for number in range(5)]
    first = await store.changed_statements(mine, MODEL, since=None, after=None, limit=3)
    rest = await store.changed_statements(mine, MODEL, since=None, after=first[-1], limit=3)
    assert [*first, *rest] == ids


async def test_a_stretch_ends_before_what_has_no_vector_and_begins_where_the_last_one_ended(
    backend: Backend, mine: str
) -> None:
    store = backend.store
    member = await added(store, mine, "a statement")
    changed = (await store.get(mine, member.item_id)).updated_at
    stretch = await store.consolidation_stretch(mine, MODEL, "basis")
    assert stretch.since is None
    assert (await store.consolidation_stretch(mine, "another-model", "basis")).until < changed
    await store.note_consolidated(mine, "basis", changed + timedelta(days=1))
    await store.note_consolidated(mine, "basis", changed)
    assert (await store.consolidation_stretch(mine, MODEL, "basis")).since == changed + timedelta(days=1)
    assert (await store.consolidation_stretch(mine, MODEL, "another basis")).since is None
    since = changed + timedelta(days=1)
    assert await store.changed_statements(mine, MODEL, since=since, after=None, limit=9) == []


async def test_a_fold_leaves_the_newest_in_the_block_and_keeps_the_others(store: Store, mine: str) -> None:
    one = await added(store, mine, "ann drinks tea", happened_at=DAY)
    other = await added(store, mine, "Ann drinks tea!", happened_at=DAY + timedelta(days=1))
    before = await state_hash(store, mine)
    receipt = await store.fold(mine, other, [one], actor="c", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.item_id) == ("updated", other.item_id)
    assert [(step.item_id, step.detail) for step in receipt.steps] == [(one.item_id, "archived")]
    assert await stands(store, mine, one, other) == [("archived", other.item_id), ("full", None)]
    assert (await store.read(mine, one.item_id))[1] == b"ann drinks tea"
    assert receipt.ledger.used == receipt.item.cost
    near = await store.near(mine, MODEL, [other.item_id], distance=2, limit=5)
    assert near == [], "a superseded one stands for its latest, which is itself"
    event, _ = await undo(store, mine)
    assert (event.action, event.subject_id) == ("fold", other.item_id)
    assert await stands(store, mine, one, other) == [("full", None), ("full", None)]
    assert await state_hash(store, mine) == before
    assert len(await store.statements(mine, [one.item_id, other.item_id])) == 2, "neither is superseded any more"
    assert await store.unfolded(mine, [one.item_id, other.item_id]) == {other.item_id}


async def test_a_superseded_neighbour_stands_for_the_latest_of_its_lineage(store: Store, mine: str) -> None:
    one = await added(store, mine, "ann drinks tea", happened_at=DAY)
    latest = await added(store, mine, "ann drinks tea now", happened_at=DAY + timedelta(days=1))
    await store.fold(mine, latest, [one], actor="c", budgets=BUDGETS)
    fresh = await added(store, mine, "ann drinks tea daily")
    found = await store.near(mine, MODEL, [fresh.item_id], distance=0.3, limit=5)
    assert [near.other_id for near in found] == [latest.item_id]


async def test_a_fold_of_a_lineage_takes_all_of_it_along_and_gives_it_back(store: Store, mine: str) -> None:
    texts = ["ann drinks tea", "Ann drinks tea!", "ann drinks  tea", "ANN DRINKS TEA"]
    ids = [await added(store, mine, text, happened_at=DAY + timedelta(days=at)) for at, text in enumerate(texts)]
    await store.fold(mine, ids[1], [ids[0]], actor="c", budgets=BUDGETS)
    await store.fold(mine, ids[3], [ids[2]], actor="c", budgets=BUDGETS)
    before = await state_hash(store, mine)
    await store.fold(mine, ids[3], [ids[1]], actor="c", budgets=BUDGETS)
    assert await stands(store, mine, *ids) == [("archived", ids[3].item_id)] * 3 + [("full", None)]
    await undo(store, mine)
    assert await state_hash(store, mine) == before
    expected = [("archived", ids[1].item_id), ("full", None), ("archived", ids[3].item_id), ("full", None)]
    assert await stands(store, mine, *ids) == expected


async def test_a_fold_of_what_changed_meanwhile_is_refused(store: Store, mine: str, theirs: str) -> None:
    one = await added(store, mine, "ann drinks tea", happened_at=DAY)
    other = await added(store, mine, "Ann drinks tea!", happened_at=DAY + timedelta(days=1))
    gone = await added(store, mine, "ann drinks it", happened_at=DAY)
    await store.purge(mine, gone.item_id, actor="a", budgets=BUDGETS)
    pinned = await added(store, mine, "ann drinks, pinned", labels=Labels(pinned=True), happened_at=DAY)
    elsewhere = await added(store, mine, "ann drinks", thread="other", happened_at=DAY)
    before = await state_hash(store, mine)
    for keeper, others in (
        (one, [other]),
        (other, [gone]),
        (other, [pinned]),
        (other, [elsewhere]),
        (other, [Member(one.item_id, "0" * 64)]),
    ):
        with pytest.raises(ConflictError):
            await store.fold(mine, keeper, others, actor="c", budgets=BUDGETS)
    with pytest.raises(ConflictError):
        await store.fold(theirs, other, [one], actor="c", budgets=BUDGETS)
    await store.fold(mine, other, [one], actor="c", budgets=BUDGETS)
    with pytest.raises(ConflictError):
        await store.fold(mine, other, [one], actor="c", budgets=BUDGETS)
    await undo(store, mine)
    assert await state_hash(store, mine) == before


async def test_a_merge_adds_one_item_and_its_sources_leave_the_block(store: Store, mine: str) -> None:
    sources = [await added(store, mine, f"statement number {number} of some words") for number in range(3)]
    before = await state_hash(store, mine)
    made = made_of(mine, "statements zero to two", *sources)
    receipt = await store.merge(mine, made, sources, actor="c", budgets=BUDGETS)
    assert (receipt.outcome, receipt.item.detail, receipt.ledger.used) == ("added", "full", receipt.item.cost)
    assert await stands(store, mine, *sources) == [("archived", None)] * 3
    [merged] = await store.merged(mine)
    assert (merged.item.item_id, merged.intact) == (made.item_id, True)
    assert merged.source_ids == tuple(one.item_id for one in sources)
    assert await store.merged(mine, [sources[1].item_id]) == [merged]
    assert await store.merged(mine, [made.item_id]) == []
    event, _ = await undo(store, mine)
    assert (event.action, event.subject_id) == ("add", made.item_id)
    assert await stands(store, mine, *sources) == [("full", None)] * 3
    assert await state_hash(store, mine) == before
    assert await store.declined(mine, [merged.item.source["cluster"], "another"]) == {merged.item.source["cluster"]}


async def test_a_merge_that_consolidation_itself_let_go_of_was_not_declined(store: Store, mine: str) -> None:
    sources = [await added(store, mine, f"statement number {number} of some words") for number in range(3)]
    made = made_of(mine, "statements zero to two", *sources)
    await store.merge(mine, made, sources, actor="c", budgets=BUDGETS)
    await store.undo(mine, None, actor=CONSOLIDATION, budgets=BUDGETS, redraft=redraft_for(mine))
    assert await store.declined(mine, [made.source["cluster"]]) == frozenset()


async def test_what_was_made_of_an_item_is_purged_with_it(backend: Backend, mine: str) -> None:
    store = backend.store
    sources = [await added(store, mine, f"statement number {number} of unique{number} words") for number in range(3)]
    made = made_of(mine, "statements of unique1 things", *sources)
    await store.merge(mine, made, sources, actor="c", budgets=BUDGETS)
    receipt = await store.purge(mine, sources[1].item_id, actor="a", budgets=BUDGETS)
    assert made.item_id in " ".join(receipt.notes)
    with pytest.raises(ItemNotFoundError):
        await store.get(mine, made.item_id)
    assert await backend.remains(parse_item_id(made.item_id), "unique1") <= {"events"}
    _, rungs = await store.rungs(mine, "main", budgets=BUDGETS)
    assert sum(rung.cost for rung in rungs) == receipt.ledger.used


async def test_a_merge_that_replaces_one_makes_it_an_earlier_version(store: Store, mine: str) -> None:
    sources = [await added(store, mine, f"statement number {number} of some words") for number in range(4)]
    first = made_of(mine, "statements zero to two", *sources[:3])
    await store.merge(mine, first, sources[:3], actor="c", budgets=BUDGETS)
    before = await state_hash(store, mine)
    second = made_of(mine, "statements zero to three", *sources)
    former = Member(first.item_id, first.sha256)
    await store.merge(mine, second, sources, replaces=[former], actor="c", budgets=BUDGETS)
    assert await stands(store, mine, former) == [("archived", second.item_id)]
    assert [one.item.item_id for one in await store.merged(mine)] == [second.item_id]
    await undo(store, mine)
    assert await state_hash(store, mine) == before
    assert await stands(store, mine, former) == [("full", None)]


@pytest.mark.parametrize("change", ["forget", "edit", "trust"])
async def test_what_was_made_of_an_item_that_changed_is_no_longer_intact(store: Store, mine: str, change: str) -> None:
    sources = [await added(store, mine, f"statement number {number} of some words") for number in range(3)]
    made = made_of(mine, "statements zero to two", *sources)
    await store.merge(mine, made, sources, actor="c", budgets=BUDGETS)
    item_id = sources[1].item_id
    if change == "forget":
        await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    elif change == "edit":
        new = draft(mine, "something else", item_id=item_id)
        await store.replace_content(mine, new, expected_sha256=sources[1].sha256, budgets=BUDGETS)
    else:
        await store.relabel(mine, item_id, Labels(trust="low"), thread="main", actor="a", budgets=BUDGETS)
    assert [(one.item.item_id, one.intact) for one in await store.merged(mine, [item_id])] == [(made.item_id, False)]


async def test_a_merge_that_cannot_be_is_refused_whole(store: Store, mine: str) -> None:
    sources = [await added(store, mine, f"statement number {number} of some words") for number in range(3)]
    before = await state_hash(store, mine)
    longer = made_of(mine, " ".join(["more"] * 100), *sources)
    told = made_of(mine, "statement number 1 of some words", *sources)
    gone = made_of(mine, "short", *sources)
    for made, members in (
        (longer, sources),
        (told, sources),
        (gone, [*sources, Member("mem_0000000000001", "0" * 64)]),
        (replace(gone, thread="other"), sources),
    ):
        with pytest.raises(ConflictError):
            await store.merge(mine, made, members, actor="c", budgets=BUDGETS)
        assert await state_hash(store, mine) == before


async def test_a_merge_keeps_the_account_of_a_small_window(store: Store, mine: str) -> None:
    small = fixed_budget(40)
    sources = [
        Member(one.item.item_id, one.item.sha256)
        for number in range(3)
        for one in [await store.add(mine, draft(mine, f"statement number {number} of words"), budgets=small)]
    ]
    made = made_of(mine, "all three", *sources)
    receipt = await store.merge(mine, made, sources, actor="c", budgets=small)
    _, rungs = await store.rungs(mine, "main", budgets=small)
    assert receipt.ledger.used == sum(rung.cost for rung in rungs) == receipt.item.cost
