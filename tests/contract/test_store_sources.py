"""What every store promises of what items were made from."""

from dataclasses import replace

import pytest

from palimpsest.core.errors import ItemNotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.models import Derivation, ItemState, Origin
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_hash

from ..fakes import BUDGETS, draft
from .conftest import Backend
from .exporting import dump, load
from .test_store_undo import edit, undo


async def add(store: Store, namespace: str, text: str, *origins: Origin, thread: str = "main") -> str:
    made = replace(draft(namespace, text, thread=thread), origins=origins)
    return (await store.add(namespace, made, budgets=BUDGETS)).item.item_id


async def test_what_an_item_was_made_from_is_found_from_both_ends(store: Store, mine: str, theirs: str) -> None:
    first, second = [await add(store, mine, text) for text in ("one text", "another text")]
    made = await add(store, mine, "both", Origin(second), Origin(first, 4, 8), Origin(first, 0, 3, 1))
    expected = [
        Derivation(made, Origin(first, 0, 3, 1)),
        Derivation(made, Origin(first, 4, 8, 1)),
        Derivation(made, Origin(second, 0, None, 1)),
    ]
    assert await store.sources(mine, [made, first]) == expected
    assert await store.derived(mine, [first, second]) == expected
    assert await store.derived(mine, [second]) == expected[2:]
    assert await store.sources(mine, []) == await store.derived(mine, [made]) == []
    assert await store.sources(theirs, [made]) == await store.derived(theirs, [first]) == []


async def test_a_source_that_is_not_here_is_passed_over(store: Store, mine: str) -> None:
    kept = await add(store, mine, "kept")
    made = await add(store, mine, "made", Origin(new_item_id()), Origin(kept))
    assert [one.origin.item_id for one in await store.sources(mine, [made])] == [kept]


async def test_sources_are_linked_later_once_each(store: Store, mine: str) -> None:
    first, second = [await add(store, mine, text) for text in ("first", "second")]
    made = await add(store, mine, "made", Origin(first))
    before = await state_hash(store, mine)
    wanted = [Origin(first), Origin(second, 0, 3), Origin(made), Origin(new_item_id())]
    assert await store.link_sources(mine, made, wanted) == 1
    assert await store.link_sources(mine, made, wanted) == await store.link_sources(mine, made, []) == 0
    assert [one.origin.item_id for one in await store.sources(mine, [made])] == [first, second]
    assert await state_hash(store, mine) == before
    with pytest.raises(ItemNotFoundError):
        await store.link_sources(mine, new_item_id(), wanted)


async def test_spans_are_of_the_version_that_was_read(store: Store, mine: str) -> None:
    source = await add(store, mine, "as it was")
    made = await add(store, mine, "made", Origin(source, 3, 5))
    await edit(store, mine, source, "as it is by now")
    await store.link_sources(mine, made, [Origin(source, 9, 11)])
    assert [one.origin for one in await store.sources(mine, [made])] == [
        Origin(source, 3, 5, 1),
        Origin(source, 9, 11, 2),
    ]


async def test_links_outlast_forgetting_and_edits_and_go_with_a_purge(backend: Backend, mine: str) -> None:
    store = backend.store
    first, second = [await add(store, mine, text) for text in ("first", "second")]
    made = await add(store, mine, "made", Origin(first), Origin(second))
    for item_id in (first, made):
        await store.set_state(mine, item_id, ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
        await store.set_state(mine, item_id, ItemState.ACTIVE, actor="a", budgets=BUDGETS)
    await edit(store, mine, made, "made anew")
    assert len(await store.sources(mine, [made])) == 2
    await store.purge(mine, first, actor="a", budgets=BUDGETS)
    assert [one.origin.item_id for one in await store.sources(mine, [made])] == [second]
    await store.purge(mine, made, actor="a", budgets=BUDGETS)
    assert await store.derived(mine, [second]) == []


async def test_an_add_that_is_undone_keeps_its_links(store: Store, mine: str) -> None:
    source = await add(store, mine, "source")
    before = await state_hash(store, mine)
    made = await add(store, mine, "made", Origin(source))
    await undo(store, mine)
    assert await state_hash(store, mine) == before
    assert len(await store.sources(mine, [made])) == 1


async def test_links_are_dumped_and_loaded(store: Store, mine: str, theirs: str) -> None:
    first, elsewhere = await add(store, mine, "first"), await add(store, mine, "elsewhere", thread="other")
    made = await add(store, mine, "made", Origin(first, 1, 4), Origin(elsewhere))
    dumped = await dump(store, mine)
    restored = await load(store, theirs, dumped, from_any=True)
    assert restored.added["item_source"] == 2
    assert await store.sources(theirs, [made]) == await store.sources(mine, [made])
    again = await load(store, theirs, dumped, from_any=True)
    assert (again.added["item_source"], again.known["item_source"]) == (0, 2)
    # A thread's dump has no links to what it has not.
    one_thread = await dump(store, mine, "main")
    await load(store, f"{theirs}-too", one_thread, from_any=True)
    links = await store.sources(f"{theirs}-too", [made])
    assert [one.origin for one in links] == [Origin(first, 1, 4, 1)]
