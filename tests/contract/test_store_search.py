"""What every store promises of finding chunks by meaning and by word."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest

from palimpsest.core.models import NO_TERMS, Candidate, Filters, ItemState, Labels, Span, SparseTerms
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, MODEL, WordLexicon, draft, terms, vector

OTHER_MODEL = "other-model/1"
CORPUS = (
    "the river runs past the mill and the mill turns",
    "a mill grinds corn",
    "corn grows by the river in the long summer and is cut in autumn",
    "summer",
    "letters about the mill the mill the mill",
)


async def fill(store: Store, namespace: str, *texts: str) -> dict[str, str]:
    """Add texts and return their ids."""
    return {text: (await store.add(namespace, draft(namespace, text), budgets=BUDGETS)).item.item_id for text in texts}


async def search(
    store: Store,
    namespace: str,
    query: str,
    *,
    by_meaning: bool = True,
    by_word: bool = True,
    filters: Filters | None = None,
    model_id: str = MODEL,
    dimensions: int = 384,
    limit: int = 50,
) -> list[Candidate]:
    answer = await store.candidates(
        namespace,
        vector=vector(query, dimensions) if by_meaning else None,
        model_id=model_id,
        terms=terms(namespace, query) if by_word else NO_TERMS,
        filters=filters or Filters(),
        limit=limit,
        reach=0,
    )
    assert all(candidate.picked for candidate in answer.candidates)
    return list(answer.candidates)


def expected_bm25(query: str, documents: Sequence[str]) -> dict[str, float]:
    """BM25 by its definition, over words instead of hashes."""
    words = {document: document.split() for document in documents}
    mean = sum(len(one) for one in words.values()) / len(words)
    scores: dict[str, float] = {}
    for document in documents:
        score = 0.0
        for term, asked in Counter(query.split()).items():
            holding = sum(term in one for one in words.values())
            times = words[document].count(term)
            rarity = math.log(1 + (len(words) - holding + 0.5) / (holding + 0.5))
            saturated = times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(words[document]) / mean))
            score += asked * rarity * saturated
        scores[document] = score
    return scores


async def word_scores(store: Store, namespace: str, query: str, ids: dict[str, str]) -> dict[str, float]:
    found = await search(store, namespace, query)
    texts = {item_id: text for text, item_id in ids.items()}
    return {texts[one.item_id]: one.lexical for one in found}


async def test_a_candidate_says_where_it_is_and_what_ranking_needs(store: Store, mine: str) -> None:
    made = draft(mine, "# Mills\n\nthe mill turns", labels=Labels(priority=8))
    item = (await store.add(mine, made, budgets=BUDGETS)).item
    [found] = await search(store, mine, "turns", by_meaning=False)
    assert (found.item_id, found.ordinal, found.span) == (made.item_id, 1, Span(9, 23))
    assert (found.thread, found.position, found.chunk_count, found.length, found.priority) == ("main", 1, 2, 4, 8)
    assert (found.memory_type, found.happened_at, found.lineage) == ("document", item.created_at, None)


async def test_every_candidate_has_both_its_scores(store: Store, mine: str) -> None:
    ids = await fill(store, mine, *CORPUS)
    found = {one.item_id: one for one in await search(store, mine, "mill corn")}
    assert set(found) == set(ids.values())
    for text, item_id in ids.items():
        cosine = sum(a * b for a, b in zip(vector("mill corn"), vector(text), strict=True))
        assert found[item_id].dense == pytest.approx(cosine, abs=2e-3)
        assert (found[item_id].lexical > 0) == bool({"mill", "corn"} & set(text.split()))


async def test_words_are_scored_by_bm25(store: Store, mine: str) -> None:
    ids = await fill(store, mine, *CORPUS)
    await store.reweigh(mine, WordLexicon())
    for query in ("mill", "river corn", "the the mill", "summer river absent", "corn corn corn mill"):
        assert await word_scores(store, mine, query, ids) == pytest.approx(
            expected_bm25(query, CORPUS), rel=1e-4, abs=1e-6
        )


async def test_forgotten_chunks_count_for_nothing_in_the_statistics(store: Store, mine: str) -> None:
    ids = await fill(store, mine, *CORPUS)
    await store.reweigh(mine, WordLexicon())
    for text in CORPUS[3:]:
        await store.set_state(mine, ids[text], ItemState.FORGOTTEN, actor="a", budgets=BUDGETS)
    await store.purge(mine, ids[CORPUS[1]], actor="a", budgets=BUDGETS)
    await store.reweigh(mine, WordLexicon())
    kept = (CORPUS[0], CORPUS[2])
    scores = await word_scores(store, mine, "mill corn summer", ids)
    mean = sum(len(text.split()) for text in CORPUS) / len(CORPUS)
    now = sum(len(text.split()) for text in kept) / len(kept)
    assert abs(now - mean) > 0.25 * mean
    assert scores == pytest.approx(expected_bm25("mill corn summer", kept), rel=1e-4)


async def test_without_a_vector_only_words_are_searched(store: Store, mine: str) -> None:
    ids = await fill(store, mine, *CORPUS)
    found = await search(store, mine, "corn", by_meaning=False)
    assert {one.item_id for one in found} == {ids[CORPUS[1]], ids[CORPUS[2]]}
    assert all(one.dense is None and one.lexical > 0 for one in found)


async def test_without_terms_only_meaning_is_searched(store: Store, mine: str) -> None:
    ids = await fill(store, mine, *CORPUS)
    found = await search(store, mine, "corn", by_word=False)
    assert {one.item_id for one in found} == set(ids.values())
    assert all(one.dense is not None and one.lexical == 0 for one in found)


async def test_with_neither_nothing_is_found(store: Store, mine: str) -> None:
    await fill(store, mine, *CORPUS)
    assert await search(store, mine, "corn", by_meaning=False, by_word=False) == []
    assert await search(store, mine, "unheard", by_meaning=False) == []


async def test_chunks_without_a_vector_are_found_by_word_alone(store: Store, mine: str) -> None:
    made = draft(mine, CORPUS[0], embedded=False)
    await store.add(mine, made, budgets=BUDGETS)
    [found] = await search(store, mine, "mill")
    assert (found.item_id, found.dense) == (made.item_id, None)
    assert found.lexical > 0


async def test_vectors_of_other_models_are_never_compared(store: Store, mine: str) -> None:
    foreign = draft(mine, CORPUS[0], model=OTHER_MODEL, dimensions=8)
    own = draft(mine, CORPUS[1])
    for made in (foreign, own):
        await store.add(mine, made, budgets=BUDGETS)
    assert {one.item_id: one.dense is None for one in await search(store, mine, "mill")} == {
        foreign.item_id: True,
        own.item_id: False,
    }
    by_meaning = await search(store, mine, "mill", by_word=False)
    assert [one.item_id for one in by_meaning] == [own.item_id]
    other = await search(store, mine, "mill", by_word=False, model_id=OTHER_MODEL, dimensions=8)
    assert [one.item_id for one in other] == [foreign.item_id]
    assert await search(store, mine, "mill", by_word=False, model_id="third-model/1") == []


async def test_each_search_gives_its_best_up_to_the_limit(store: Store, mine: str) -> None:
    # Words and meaning prefer different texts: the vectors here are of other words.
    lexical = [f"needle {'filler ' * place}".strip() for place in range(1, 5)]
    ids = await fill(store, mine, *lexical)
    dense: list[str] = []
    for place in range(4):
        made = draft(mine, f"straw {place}", embedded=False)
        await store.add(mine, made, budgets=BUDGETS)
        await store.put_vectors(mine, made.item_id, 1, MODEL, {0: vector("needle " * 3 + "hay " * place)})
        dense.append(made.item_id)
    await store.reweigh(mine, WordLexicon())
    found = await search(store, mine, "needle", limit=2)
    assert {one.item_id for one in found} == {ids[lexical[0]], ids[lexical[1]], dense[0], dense[1]}
    assert len(found) == 4
    both = await search(store, mine, "needle", limit=8)
    assert len(both) == len({(one.item_id, one.ordinal) for one in both}) == 8


async def test_filters_narrow_both_searches(store: Store, mine: str) -> None:
    plain = draft(mine, "one mill")
    labelled = draft(
        mine,
        "two mill",
        thread="work",
        labels=Labels("T", "text/markdown", "semantic", 8, False, ("paper", "old")),
    )
    for made in (plain, labelled):
        await store.add(mine, made, budgets=BUDGETS)
    narrowing = (
        Filters(thread="work"),
        Filters(content_type="text/markdown"),
        Filters(memory_type="semantic"),
        Filters(tags=("old",)),
        Filters(tags=("paper", "old")),
        Filters(min_priority=8),
        Filters("work", "text/markdown", "semantic", ("old",), 6),
    )
    for filters in narrowing:
        for by_meaning, by_word in ((True, True), (True, False), (False, True)):
            found = await search(store, mine, "mill", by_meaning=by_meaning, by_word=by_word, filters=filters)
            assert [one.item_id for one in found] == [labelled.item_id], filters
    for filters in (Filters(thread="none"), Filters(tags=("old", "new")), Filters("main", "text/markdown")):
        assert await search(store, mine, "mill", filters=filters) == []
    assert len(await search(store, mine, "mill")) == 2


async def test_filters_follow_labels_that_changed(store: Store, mine: str) -> None:
    ids = await fill(store, mine, "one mill")
    await store.relabel(mine, ids["one mill"], Labels(tags=("new",)), thread="b", actor="a", budgets=BUDGETS)
    assert len(await search(store, mine, "mill", filters=Filters(thread="b", tags=("new",)))) == 1
    assert await search(store, mine, "mill", filters=Filters(thread="main")) == []


async def test_reweighing_twice_rewrites_nothing(store: Store, mine: str) -> None:
    assert await store.reweigh(mine, WordLexicon()) == 0
    await fill(store, mine, *CORPUS)
    await store.reweigh(mine, WordLexicon())
    assert await store.reweigh(mine, WordLexicon()) == 0


async def test_another_lexicon_rewrites_the_terms_of_every_chunk(store: Store, mine: str) -> None:
    made = draft(mine, "# Mills\n\none mill\n\nanother mill")
    await store.add(mine, made, budgets=BUDGETS)
    await store.reweigh(mine, WordLexicon())
    lexicon = WordLexicon("x")
    assert await store.reweigh(mine, lexicon) == 3

    async def ordinals(query: SparseTerms) -> list[int]:
        found = await store.candidates(
            mine, vector=None, model_id=MODEL, terms=query, filters=Filters(), limit=9, reach=0
        )
        return sorted(one.ordinal for one in found.candidates)

    assert await ordinals(terms(mine, "mill")) == []
    assert await ordinals(lexicon.encode_query(mine, "mill")) == [1, 2]
    assert await ordinals(lexicon.encode_query(mine, "mills")) == [0, 1, 2]


async def test_known_terms_are_those_of_active_items_of_the_namespace(store: Store, mine: str, theirs: str) -> None:
    ids = await fill(store, mine, "alder birch", "birch cedar")
    await fill(store, theirs, "drifting")
    both = terms(mine, "alder birch cedar drifting")
    alder, birch, cedar, drifting = both.keys
    assert set(await store.known_terms(mine, both.keys)) == {alder, birch, cedar}
    assert await store.known_terms(mine, [drifting]) == {}
    assert await store.known_terms(mine, []) == {}
    await store.reweigh(mine, WordLexicon())
    known = await store.known_terms(mine, both.keys)
    assert known == {alder: 1, birch: 2, cedar: 1}
    await store.set_state(mine, ids["alder birch"], ItemState.FORGOTTEN, actor="me", budgets=BUDGETS)
    assert alder not in await store.known_terms(mine, both.keys)
