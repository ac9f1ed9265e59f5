"""The service: searching."""

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.memory import NewMemory
from palimpsest.core.models import Filters, Span

from .parts import ME, THEM, Parts, build_parts

TEXTS = {
    "mill": "the mill by the river grinds corn all summer",
    "ship": "a ship waits in the harbour for the tide",
    "tower": "the tower bell rings at noon\n\nthe tower stairs are worn",
}


async def filled() -> tuple[Parts, dict[str, str]]:
    parts = build_parts()
    ids = {
        name: (await parts.memory.add(ME, NewMemory(text, title=name, tags=[name]))).item.item_id
        for name, text in TEXTS.items()
    }
    await parts.memory.add(THEM, NewMemory("their ship is hidden in the harbour"))
    return parts, ids


async def test_the_best_item_comes_first_with_its_best_passage() -> None:
    parts, ids = await filled()
    answer = await parts.memory.search(ME, "tower stairs")
    best = answer.hits[0]
    assert best.item.item_id == ids["tower"]
    assert best.passage == "the tower stairs are worn"
    assert TEXTS["tower"].encode()[best.span.start : best.span.end].decode() == best.passage
    assert best.score == pytest.approx(sum(best.parts.values()))
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)
    assert len({hit.item.item_id for hit in answer.hits}) == len(answer.hits) == 3
    assert (answer.omitted, answer.notes) == (0, ())
    assert answer.evidence in ("strong", "some")


async def test_only_the_callers_namespace_is_searched() -> None:
    parts, ids = await filled()
    answer = await parts.memory.search(ME, "ship hidden in the harbour")
    assert {hit.item.item_id for hit in answer.hits} <= set(ids.values())


async def test_what_a_limit_leaves_out_is_counted() -> None:
    parts, _ = await filled()
    answer = await parts.memory.search(ME, "the", limit=1)
    assert (len(answer.hits), answer.omitted) == (1, 2)


async def test_passages_fit_into_the_tokens_together() -> None:
    parts = build_parts()
    for number in range(5):
        await parts.memory.add(ME, NewMemory(f"needle {number} " + "hay " * 30))
    answer = await parts.memory.search(ME, "needle", max_tokens=50)
    assert answer.tokens <= 50
    assert len(answer.hits) + answer.omitted == 5
    whole, cut = answer.hits[:2]
    assert len(whole.passage.split()) == 32 > len(cut.passage.split()) > 0
    assert (cut.span.start, cut.span.end) == (0, len(cut.passage))


async def test_filters_narrow_a_search() -> None:
    parts, ids = await filled()
    answer = await parts.memory.search(ME, "the", filters=Filters(tags=(" ship",)))
    assert [hit.item.item_id for hit in answer.hits] == [ids["ship"]]
    with pytest.raises(InvalidInputError):
        await parts.memory.search(ME, "the", filters=Filters(thread="no such name"))


async def test_forgotten_items_are_not_found() -> None:
    parts, ids = await filled()
    await parts.memory.forget(ME, ids["ship"])
    answer = await parts.memory.search(ME, "ship in the harbour")
    assert ids["ship"] not in {hit.item.item_id for hit in answer.hits}


async def test_an_empty_memory_answers_with_nothing_and_says_so() -> None:
    parts = build_parts()
    answer = await parts.memory.search(ME, "anything")
    assert (answer.hits, answer.omitted, answer.tokens, answer.evidence) == ((), 0, 0, "none")


async def test_a_query_without_any_word_is_searched_by_meaning() -> None:
    parts, _ = await filled()
    answer = await parts.memory.search(ME, "?!")
    assert answer.notes == ("The query has no word that is indexed: searched by meaning only.",)


@pytest.mark.parametrize("query", ["", "   ", "\x00"])
async def test_an_empty_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidInputError, match="query is empty"):
        await build_parts().memory.search(ME, query)


async def test_a_query_of_100_kb_is_answered_or_refused_in_one_sentence() -> None:
    parts, _ = await filled()
    assert (await parts.memory.search(ME, "ship " * 19_999)).hits
    with pytest.raises(InvalidInputError, match="102,400 bytes"):
        await parts.memory.search(ME, "x" * 102_400)


@pytest.mark.parametrize(("limit", "max_tokens"), [(0, 50), (101, 50), (8, 49), (8, 100_001)])
async def test_bounds_out_of_range_are_refused(limit: int, max_tokens: int) -> None:
    with pytest.raises(InvalidInputError, match="must be from"):
        await build_parts().memory.search(ME, "q", limit=limit, max_tokens=max_tokens)


async def test_an_item_purged_between_the_two_steps_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    parts, ids = await filled()
    passages = parts.store.passages

    async def purged_first(namespace: str, wanted: list[tuple[str, Span]]) -> object:
        if ids.get("ship"):
            await parts.store.purge(namespace, ids.pop("ship"), actor="another", budgets=fixed_budget(1))
        return await passages(namespace, wanted)

    monkeypatch.setattr(parts.store, "passages", purged_first)
    answer = await parts.memory.search(ME, "ship in the harbour")
    assert {hit.item.item_id for hit in answer.hits} == set(ids.values())
