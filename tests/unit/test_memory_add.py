"""The service: adding."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.errors import ConflictError, InvalidInputError
from palimpsest.core.memory import Caller, NewMemory
from palimpsest.core.models import Filters, Labels
from palimpsest.core.validation import Limits

from .parts import ME, build_parts

TEXT = "# Harbour\n\nThe lighthouse blinks twice.\n\nShips wait outside at night."
MANY = "\n\n".join(f"paragraph {place} of many" for place in range(9))


async def test_a_text_is_kept_with_its_labels_and_found() -> None:
    parts = build_parts()
    new = NewMemory(
        TEXT,
        title=" On\nharbours ",
        content_type="text/markdown",
        memory_type="semantic",
        priority=9,
        pinned=True,
        tags=["sea", " sea", "night"],
        thread="work",
        source={"client": "test 1.0"},
    )
    receipt = await parts.memory.add(ME, new)
    item = receipt.item
    assert (receipt.outcome, receipt.chunks, receipt.chunks_pending, receipt.notes) == ("added", 3, 0, ())
    assert item.labels == Labels("On harbours", "text/markdown", "semantic", 9, True, ("sea", "night"))
    assert (item.thread, dict(item.source)) == ("work", {"actor": "me", "client": "test 1.0"})
    assert (receipt.ledger.tokens, receipt.ledger.used) == (item.tokens, item.cost)
    assert receipt.utilization == pytest.approx(item.cost / 10_000)
    page = await parts.memory.retrieve(ME, item.item_id)
    assert (page.text, page.sha256) == (TEXT, item.sha256)
    answer = await parts.memory.search(ME, "when does the lighthouse blink")
    assert answer.hits[0].passage == "The lighthouse blinks twice."
    assert [event.action for event in await parts.memory.events(ME)] == ["add"]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: f"x{text}"))
def test_any_text_comes_back_byte_for_byte(text: str) -> None:
    async def there_and_back() -> str:
        parts = build_parts()
        item_id = (await parts.memory.add(ME, NewMemory(text))).item.item_id
        pieces: list[str] = []
        cursor: str | None = None
        while True:
            page = await parts.memory.retrieve(ME, item_id, cursor=cursor, max_tokens=50)
            pieces.append(page.text)
            cursor = page.next_cursor
            if cursor is None:
                return "".join(pieces)

    assert asyncio.run(there_and_back()).encode() == text.encode()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"content": ""}, "empty"),
        ({"content": " \n\t"}, "empty"),
        ({"content": "x" * 20_000_000}, "20,000,000 bytes"),
        ({"content": "cut \ud83d"}, "surrogate"),
        ({"content": "%PDF-1.7"}, "a PDF"),
        ({"content": "x", "content_type": "image/png"}, "keeps text only"),
        ({"content": "x", "priority": 11}, "priority"),
        ({"content": "x", "priority": -1}, "priority"),
        ({"content": "x", "memory_type": "dream"}, "memory type"),
        ({"content": "x", "thread": "no name"}, "thread"),
        ({"content": "x", "thread": ""}, "thread"),
        ({"content": "x", "title": "t" * 201}, "title"),
        ({"content": "x", "tags": ["t" * 201]}, "tag"),
        ({"content": "x", "idempotency_key": "k" * 201}, "idempotency key"),
    ],
)
async def test_bad_input_is_refused_in_one_sentence_and_adds_nothing(fields: Mapping[str, Any], reason: str) -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory("kept"))
    with pytest.raises(InvalidInputError, match=reason) as refused:
        await parts.memory.add(ME, NewMemory(**fields))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert (await parts.memory.state(ME)).counts.items == 1


async def test_nul_characters_are_kept_and_said() -> None:
    parts = build_parts()
    receipt = await parts.memory.add(ME, NewMemory("a\x00b\x00"))
    assert receipt.notes == ("The content has 2 NUL characters; they are kept as they are.",)
    assert (await parts.memory.retrieve(ME, receipt.item.item_id)).text == "a\x00b\x00"


async def test_an_exact_repeat_says_into_what_and_embeds_nothing() -> None:
    parts = build_parts()
    first = await parts.memory.add(ME, NewMemory(TEXT))
    embedded = len(parts.embedder.embedded)
    again = await parts.memory.add(ME, NewMemory(TEXT, title="Another title"))
    assert (again.outcome, again.item) == ("duplicate", first.item)
    assert len(parts.embedder.embedded) == embedded


async def test_a_retry_with_its_key_adds_nothing_twice() -> None:
    parts = build_parts()
    first = await parts.memory.add(ME, NewMemory(TEXT, idempotency_key="k"))
    again = await parts.memory.add(ME, NewMemory(TEXT, thread="other", idempotency_key=" k "))
    assert (again.outcome, again.item) == ("replayed", first.item)
    with pytest.raises(ConflictError, match="'k'"):
        await parts.memory.add(ME, NewMemory("other", idempotency_key="k"))


async def test_many_chunks_are_embedded_by_a_job() -> None:
    parts = build_parts()
    receipt = await parts.memory.add(ME, NewMemory(MANY))
    assert (receipt.chunks, receipt.chunks_pending) == (9, 9)
    assert parts.embedder.embedded == []
    answer = await parts.memory.search(ME, "paragraph 7")
    assert answer.hits[0].item.item_id == receipt.item.item_id
    assert answer.notes == ("No vectors are ready yet: searched by word only.",)
    assert await parts.runner.drain("mine") == 1
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0
    assert (await parts.memory.search(ME, "paragraph 7")).notes == ()


async def test_a_long_text_is_drafted_off_the_event_loop() -> None:
    parts = build_parts()
    text = "\n\n".join(f"{place} {'long words ' * 100}" for place in range(40))
    assert len(text) > 32_000
    receipt = await parts.memory.add(ME, NewMemory(text))
    assert receipt.chunks == 40
    assert (await parts.memory.retrieve(ME, receipt.item.item_id, max_tokens=1_000_000)).text == text


async def test_without_a_model_a_text_is_kept_and_its_receipt_says_what_is_missing() -> None:
    parts = build_parts()
    parts.embedder.failure = "the model file is missing"
    receipt = await parts.memory.add(ME, NewMemory(TEXT))
    assert (receipt.outcome, receipt.chunks_pending) == ("added", 3)
    assert receipt.notes == ("Not searchable by meaning yet: the model file is missing",)
    answer = await parts.memory.search(ME, "lighthouse")
    assert len(answer.hits) == 1
    assert answer.notes == ("Searched by word only: the model file is missing",)
    parts.embedder.failure = None
    await parts.runner.drain("mine")
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0


async def test_a_full_store_refuses_what_does_not_fit_but_not_what_it_holds() -> None:
    parts = build_parts(limits=Limits(max_store_bytes=10))
    first = await parts.memory.add(ME, NewMemory("12345678"))
    with pytest.raises(
        InvalidInputError, match=r"holds 8 bytes and its limit is 10; purge.*PALIMPSEST_MAX_STORE_BYTES"
    ):
        await parts.memory.add(ME, NewMemory("abc"))
    assert (await parts.memory.add(ME, NewMemory("12345678"))).outcome == "duplicate"
    assert (await parts.memory.add(ME, NewMemory("ab"))).outcome == "added"
    await parts.memory.forget(ME, first.item.item_id, "purge")
    assert (await parts.memory.add(ME, NewMemory("abcdefgh"))).outcome == "added"


async def test_namespaces_are_apart() -> None:
    parts = build_parts()
    await parts.memory.add(ME, NewMemory(TEXT))
    other = Caller("other")
    assert other.actor == "client"
    assert (await parts.memory.search(other, "lighthouse")).hits == ()
    assert (await parts.memory.list_items(other, filters=Filters())).items == ()
    assert (await parts.memory.add(other, NewMemory(TEXT))).outcome == "added"
