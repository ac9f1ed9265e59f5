"""What every store promises to tell ranking besides the best chunks: neighbours, shares of terms, markers, dates."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core.models import NO_TERMS, CandidateSet, Filters, ItemState, Labels, SparseTerms
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, START, WordLexicon, draft, terms, vector
from .conftest import Backend

EPISODIC = Labels(memory_type="episodic")


async def by_word(
    store: Store,
    namespace: str,
    query: str,
    *,
    filters: Filters | None = None,
    reach: int = 2,
    markers: SparseTerms = NO_TERMS,
) -> CandidateSet:
    return await store.candidates(
        namespace,
        vector=vector(query),
        model_id=MODEL,
        terms=terms(namespace, query),
        filters=filters or Filters(),
        limit=1,
        reach=reach,
        markers=markers,
    )


async def add(store: Store, namespace: str, *texts: str, labels: Labels = EPISODIC, thread: str = "main") -> list[str]:
    made = [draft(namespace, text, labels=labels, thread=thread) for text in texts]
    return [(await store.add(namespace, one, budgets=BUDGETS)).item.item_id for one in made]


def places(found: CandidateSet) -> list[tuple[str, int]]:
    return sorted((one.item_id, one.ordinal) for one in found.candidates)


def beside(found: CandidateSet) -> set[tuple[str, int]]:
    return {(one.item_id, one.ordinal) for one in found.candidates if not one.picked}


def paragraphs(*words: str) -> str:
    return "\n\n".join(words)


async def test_the_chunks_around_a_picked_one_come_along(store: Store, mine: str) -> None:
    [item] = await add(store, mine, paragraphs("a", "b", "c", "needle", "d", "e", "f"), labels=Labels())
    found = await by_word(store, mine, "needle")
    assert places(found) == [(item, ordinal) for ordinal in range(1, 6)]
    assert beside(found) == {(item, ordinal) for ordinal in (1, 2, 4, 5)}
    assert beside(await by_word(store, mine, "needle", reach=1)) == {(item, 2), (item, 4)}
    assert beside(await by_word(store, mine, "needle", reach=0)) == set()
    assert places(await by_word(store, mine, "needle", reach=9)) == [(item, ordinal) for ordinal in range(7)]


async def test_neighbours_are_scored_like_the_others(store: Store, mine: str) -> None:
    await add(store, mine, paragraphs("mill", "needle needle", "mill needle", "corn"), labels=Labels())
    found = await by_word(store, mine, "needle mill")
    assert len(found.candidates) == 4
    for one in found.candidates:
        assert one.dense is not None
        assert one.lexical == pytest.approx(sum(one.matches))
    shares = {one.ordinal: [share > 0 for share in one.matches] for one in found.candidates}
    assert shares == {0: [False, True], 1: [True, False], 2: [True, True], 3: [False, False]}


async def test_episodes_have_the_entries_before_and_after_them_as_neighbours(store: Store, mine: str) -> None:
    ids = await add(store, mine, "one", "two", "three", "needle", "four", "five", "six")
    await add(store, mine, "elsewhere", thread="other")
    assert beside(await by_word(store, mine, "needle")) == {(ids[place], 0) for place in (1, 2, 4, 5)}
    await store.set_state(mine, ids[2], ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert beside(await by_word(store, mine, "needle")) == {(ids[place], 0) for place in (0, 1, 4, 5)}
    assert beside(await by_word(store, mine, "one")) == {(ids[1], 0), (ids[3], 0)}


async def test_documents_have_no_neighbours_past_their_ends(store: Store, mine: str) -> None:
    await add(store, mine, "one", "needle", "two", labels=Labels())
    assert beside(await by_word(store, mine, "needle")) == set()


async def test_neighbours_of_an_episode_of_several_chunks_are_counted_in_chunks(store: Store, mine: str) -> None:
    before, middle, after = await add(
        store, mine, paragraphs("a", "b", "c"), paragraphs("d", "needle", "e"), paragraphs("f", "g")
    )
    assert beside(await by_word(store, mine, "needle")) == {(before, 2), (middle, 0), (middle, 2), (after, 0)}
    assert beside(await by_word(store, mine, "needle", reach=1)) == {(middle, 0), (middle, 2)}
    assert beside(await by_word(store, mine, "d")) == {(before, 1), (before, 2), (middle, 1), (middle, 2)}


async def test_neighbours_need_not_pass_the_filters(store: Store, mine: str) -> None:
    [first] = await add(store, mine, "one needle", labels=Labels(memory_type="episodic", priority=2))
    [second] = await add(store, mine, "two needle", labels=Labels(memory_type="episodic", priority=8))
    found = await by_word(store, mine, "needle", filters=Filters(min_priority=8))
    assert {one.item_id: one.picked for one in found.candidates} == {first: False, second: True}


async def test_no_chunk_comes_twice(store: Store, mine: str) -> None:
    ids = await add(store, mine, *(f"needle {number}" for number in range(6)))
    found = await store.candidates(
        mine, vector=vector("needle"), model_id=MODEL, terms=terms(mine, "needle"), filters=Filters(), limit=3
    )
    assert len(places(found)) == len(set(places(found)))
    assert set(places(found)) <= {(item, 0) for item in ids}
    assert sum(one.picked for one in found.candidates) >= 3


async def test_the_set_says_what_was_counted_and_what_terms_weigh(store: Store, mine: str) -> None:
    await add(store, mine, "common rare", "common", "common other", "common more")
    fresh = await by_word(store, mine, "rare common absent")
    assert fresh.exact
    assert len(fresh.weights) == 3
    await store.reweigh(mine, WordLexicon())
    counted = await by_word(store, mine, "rare common absent")
    assert counted.chunks == 4
    rare, common, absent = counted.weights
    assert absent >= rare > common > 0
    assert counted.notes == ()


async def test_markers_are_told_and_count_for_nothing(store: Store, mine: str) -> None:
    await add(store, mine, "needle", "marked straw")
    plain = await by_word(store, mine, "needle")
    found = await by_word(store, mine, "needle", markers=terms(mine, "marked absent"))
    told = {one.ordinal: one for one in found.candidates if one.picked}
    assert [one.markers for one in told.values()] == [(0.0, 0.0)]
    assert [one.lexical for one in found.candidates] == [one.lexical for one in plain.candidates]
    assert [[value > 0 for value in one.markers] for one in found.candidates if not one.picked] == [[True, False]]
    assert all(one.markers == () for one in plain.candidates)


async def dated(backend: Backend, namespace: str, *days: int, lineage: bool = False) -> Sequence[str]:
    ids = await add(backend.store, namespace, *(f"needle {number}" for number in range(len(days))), labels=Labels())
    for item_id, day in zip(ids, days, strict=True):
        await backend.date(namespace, item_id, START + timedelta(days=day), ids[0] if lineage else None)
    return ids


async def searched(store: Store, namespace: str, filters: Filters) -> set[str]:
    """The items that pass, which a search and a list must agree on."""
    found = await store.candidates(
        namespace,
        vector=vector("needle"),
        model_id=MODEL,
        terms=terms(namespace, "needle"),
        filters=filters,
        limit=20,
    )
    page = await store.list_items(namespace, filters, state=ItemState.ACTIVE, limit=20, before=None)
    ids = {one.item_id for one in found.candidates}
    assert ids == {item.item_id for item in page.items}
    return ids


def day(number: int) -> datetime:
    return START + timedelta(days=number)


async def test_since_and_until_bound_when_it_happened(backend: Backend, mine: str) -> None:
    first, second, third = await dated(backend, mine, 1, 2, 3)
    store = backend.store
    assert await searched(store, mine, Filters(since=day(2))) == {second, third}
    assert await searched(store, mine, Filters(until=day(2))) == {first}
    assert await searched(store, mine, Filters(since=day(2), until=day(3))) == {second}
    assert await searched(store, mine, Filters(since=day(3), until=day(2))) == set()


async def test_as_of_a_time_the_last_that_had_happened_is_valid(backend: Backend, mine: str) -> None:
    store = backend.store
    third, first, second = await dated(backend, mine, 3, 1, 2, lineage=True)
    [alone] = await add(store, mine, "needle alone", labels=Labels())
    await backend.date(mine, alone, day(2), None)
    assert await searched(store, mine, Filters(as_of=day(0))) == set()
    assert await searched(store, mine, Filters(as_of=day(1))) == {first}
    assert await searched(store, mine, Filters(as_of=day(2) - timedelta(seconds=1))) == {first}
    assert await searched(store, mine, Filters(as_of=day(2))) == {second, alone}
    assert await searched(store, mine, Filters(as_of=day(9))) == {third, alone}
    await store.set_state(mine, third, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    assert await searched(store, mine, Filters(as_of=day(9))) == {second, alone}


async def test_of_two_that_happened_at_once_the_larger_id_is_the_later(backend: Backend, mine: str) -> None:
    ids = await dated(backend, mine, 1, 1, lineage=True)
    assert await searched(backend.store, mine, Filters(as_of=day(1))) == {max(ids)}


async def test_a_candidate_tells_its_date_and_lineage(backend: Backend, mine: str) -> None:
    first, second = await dated(backend, mine, 1, 2, lineage=True)
    found = await by_word(backend.store, mine, "needle 1")
    [told] = [one for one in found.candidates if one.item_id == second]
    assert (told.happened_at, told.lineage) == (START.astimezone(UTC) + timedelta(days=2), first)
