"""Finding: quoted phrases, neighbours, repeats, notes, and what fits into the tokens."""

from collections.abc import Sequence

import pytest

from palimpsest.core.budget import fixed_budget
from palimpsest.core.memory import NewMemory
from palimpsest.core.models import Filters, Item, SearchAnswer, Span, TokenCount

from ..fakes import WordCounter
from .candidates import only
from .parts import ME, Parts, build_parts

NO_VECTORS = "the model file is missing"
PLAIN = only(words=1)


async def holding(*texts: str, memory_type: str = "document", searched_by_word: bool = False, **of: str) -> Parts:
    """A memory of ``texts``, each titled by its number."""
    parts = build_parts(weights=PLAIN)
    if searched_by_word:
        parts.embedder.failure = NO_VECTORS
    for number, text in enumerate(texts):
        tags = [of["tag"]] if of.get("tagged") == str(number) else []
        await parts.memory.add(ME, NewMemory(text, title=str(number), memory_type=memory_type, tags=tags))
    return parts


def titles(answer: SearchAnswer) -> list[str | None]:
    return [hit.item.labels.title for hit in answer.hits]


WORN = (
    "stairs worn tower tower stairs worn",
    "in the tower the Worn\nstairs creak",
)


@pytest.mark.parametrize("quoted", ['"worn stairs"', "“Worn  Stairs”", "«worn stairs»"])
async def test_a_quoted_phrase_comes_first_where_it_stands_word_for_word(quoted: str) -> None:
    parts = await holding(*WORN)
    assert titles(await parts.memory.search(ME, "tower worn stairs")) == ["0", "1"]
    answer = await parts.memory.search(ME, f"tower {quoted}")
    assert titles(answer) == ["1", "0"]
    assert [hit.parts["phrase"] for hit in answer.hits] == [0.25, 0.0]
    for hit in answer.hits:
        assert 0 <= hit.score <= 1
        assert sum(hit.parts.values()) == pytest.approx(hit.score)


@pytest.mark.parametrize("query", ['tower "wo', 'tower worn" stairs', 'tower "ab"'])
async def test_marks_around_no_phrase_change_nothing(query: str) -> None:
    parts = await holding(*WORN)
    answer = await parts.memory.search(ME, query)
    assert len(answer.hits) == 2
    assert all("phrase" not in hit.parts for hit in answer.hits)


async def test_a_phrase_is_sought_in_what_is_left_when_an_item_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = await holding(*WORN, "the tower has worn stairs, too")
    gone = (await parts.memory.search(ME, "tower worn stairs")).hits[0].item
    passages = parts.store.passages

    async def purged_first(namespace: str, wanted: list[tuple[str, Span]]) -> object:
        if (await parts.store.state(namespace, "any", budgets=fixed_budget(1))).items == 3:
            await parts.store.purge(namespace, gone.item_id, actor="another", budgets=fixed_budget(1))
        return await passages(namespace, wanted)

    monkeypatch.setattr(parts.store, "passages", purged_first)
    answer = await parts.memory.search(ME, 'tower "worn stairs"')
    kept = {"1": 0.25, "2": 0.25, "0": 0.0}
    assert len(answer.hits) == 2
    assert all(hit.parts["phrase"] == kept[str(hit.item.labels.title)] for hit in answer.hits)


async def test_a_quotation_in_an_empty_memory_finds_nothing() -> None:
    answer = await build_parts().memory.search(ME, '"worn stairs"')
    assert (answer.hits, answer.evidence) == ((), "none")


TALK = ("good morning", "where is the needle", "in the haystack", "thank you", "goodbye")


async def test_entries_around_a_found_one_are_shown_and_not_counted_as_cut() -> None:
    parts = await holding(*TALK, memory_type="episodic", searched_by_word=True)
    answer = await parts.memory.search(ME, "needle")
    assert titles(answer)[0] == "1"
    assert set(titles(answer)) == {"0", "1", "2", "3"}
    assert answer.omitted == 0
    first = await parts.memory.search(ME, "needle", limit=1)
    assert (titles(first), first.omitted) == (["1"], 0)
    both = await parts.memory.search(ME, "needle goodbye", limit=1)
    assert (len(both.hits), both.omitted) == (1, 1)


async def test_a_filter_keeps_out_neighbours_that_do_not_pass_it() -> None:
    parts = await holding(*TALK, memory_type="episodic", searched_by_word=True, tag="kept", tagged="1")
    answer = await parts.memory.search(ME, "needle", filters=Filters(tags=("kept",)))
    assert (titles(answer), answer.omitted) == (["1"], 0)
    of_thread = await parts.memory.search(ME, "needle", filters=Filters(thread="main"))
    assert set(titles(of_thread)) == {"0", "1", "2", "3"}


async def test_near_duplicates_come_last_and_give_way_to_others() -> None:
    told = "the lighthouse on the northern rock was painted red and white in spring"
    parts = await holding(
        told, f"{told.upper()}!", f"{told}.", "a lighthouse keeper sleeps by day", "the northern line"
    )
    answer = await parts.memory.search(ME, "lighthouse northern rock painted red")
    texts = [hit.passage for hit in answer.hits]
    assert len(texts) == 5
    assert [text.casefold().strip("!.") == told for text in texts] == [True, False, False, True, True]
    few = await parts.memory.search(ME, "lighthouse northern rock painted red", limit=3)
    assert [hit.passage for hit in few.hits] == texts[:3]
    assert few.omitted == 2


async def test_no_more_passages_are_read_than_are_shown_unless_some_fall_out(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = await holding("mill mill mill", "mill mill stone", "mill wheel pond", "mill dam brook")
    passages, read, gone = parts.store.passages, list[int](), set[str]()

    async def seen(namespace: str, wanted: Sequence[tuple[str, Span]]) -> list[tuple[Item, bytes]]:
        read.append(len(wanted))
        return await passages(namespace, [one for one in wanted if one[0] not in gone])

    monkeypatch.setattr(parts.store, "passages", seen)
    answer = await parts.memory.search(ME, "mill", limit=2)
    assert (len(answer.hits), read) == (2, [2])
    gone.add(answer.hits[0].item.item_id)
    after = await parts.memory.search(ME, "mill", limit=2)
    assert (len(after.hits), after.hits[0], read) == (2, answer.hits[1], [2, 2, 2])


def words(name: str, count: int) -> str:
    """A text of so many words, each of which costs a token."""
    return " ".join(f"{name}{place}" for place in range(count - 1)) + " mill"


async def test_passages_that_fit_to_the_token_are_whole() -> None:
    parts = await holding(words("a", 30), words("b", 30), words("c", 30))
    answer = await parts.memory.search(ME, "mill", max_tokens=60)
    assert (answer.tokens, answer.omitted) == (60, 1)
    assert [len(hit.passage.split()) for hit in answer.hits] == [30, 30]


async def test_a_passage_that_does_not_fit_is_cut_and_the_last() -> None:
    texts = [words("a", 30), words("b", 30), words("c", 5)]
    parts = await holding(*texts)
    answer = await parts.memory.search(ME, "mill", max_tokens=50)
    assert all(texts[int(str(hit.item.labels.title))].startswith(hit.passage) for hit in answer.hits)
    assert [len(hit.passage.split()) for hit in answer.hits][:2] == [5, 30]
    assert 40 < answer.tokens <= 50
    cut = answer.hits[2]
    assert (cut.span.start, cut.span.end) == (0, len(cut.passage.encode()))
    assert answer.omitted == 0
    more = await holding(*texts, words("d", 30))
    fuller = await more.memory.search(ME, "mill", max_tokens=50)
    assert len(fuller.hits) + fuller.omitted == 4
    assert fuller.tokens <= 50


async def test_tokens_of_a_whole_item_are_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    count = WordCounter.count

    def told(counter: WordCounter, text: str) -> TokenCount:
        counted.append(text)
        return count(counter, text)

    parts = await holding("the mill by the river", "# A\n\nthe mill\n\nof another day")
    monkeypatch.setattr(WordCounter, "count", told)
    answer = await parts.memory.search(ME, "mill river")
    assert [hit.passage for hit in answer.hits] == ["the mill by the river", "the mill"]
    assert (answer.tokens, counted) == (7, ["the mill"])
    monkeypatch.setattr(WordCounter, "name", "other words")
    again = await parts.memory.search(ME, "mill river")
    assert (again.tokens, counted[1:]) == (7, ["the mill by the river", "the mill"])


async def test_long_queries_are_answered_as_short_ones_are() -> None:
    parts = await holding("the mill by the river", "the tower")
    short, long = [await parts.memory.search(ME, "mill" + " " * spaces + "river") for spaces in (1, 2_100)]
    assert titles(short) == titles(long) == ["0", "1"]
    assert short.hits[0].parts["words"] == long.hits[0].parts["words"] > 0


async def test_notes_say_when_words_or_vectors_are_missing() -> None:
    parts = await holding("the mill", searched_by_word=True)
    parts.embedder.failure = None
    answer = await parts.memory.search(ME, "mill")
    assert answer.notes == ("No vectors are ready yet: searched by word only.",)
    assert len(answer.hits) == 1
    by_neither = await parts.memory.search(ME, "?!")
    assert by_neither.hits == ()
    assert by_neither.notes == ("The query has no word that is indexed: searched by meaning only.",)
    await parts.memory.add(ME, NewMemory("the mill by the river"))
    assert (await parts.memory.search(ME, "mill")).notes == ()


async def test_searches_rank_by_the_weights_that_are_set() -> None:
    found: list[list[str | None]] = []
    for weights in (only(words=1), only(recency=1)):
        parts = build_parts(weights=weights)
        await parts.memory.add(ME, NewMemory("mill mill mill", title="0"))
        parts.clock.advance(86_400)
        await parts.memory.add(ME, NewMemory("the mill of another day", title="1"))
        found.append(titles(await parts.memory.search(ME, "mill")))
    assert found == [["0", "1"], ["1", "0"]]
