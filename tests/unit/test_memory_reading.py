"""The service: reading, listing and counting."""

import base64
import hashlib

import pytest

from palimpsest.core import cursors
from palimpsest.core.errors import ContentDamagedError, InvalidInputError, ItemNotFoundError, NotFoundError
from palimpsest.core.ids import new_item_id
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import Filters, Item, ItemState
from palimpsest.storage.inmemory import InMemoryStore

from .parts import ME, THEM, Parts, build_parts

LONG = " ".join(f"word{place}" for place in range(600))


async def added(parts: Parts, text: str = LONG, thread: str = "main") -> Item:
    return (await parts.memory.add(ME, NewMemory(text, thread=thread))).item


async def edited(parts: Parts, item: Item, text: str) -> None:
    await parts.memory.update(ME, item.item_id, Change(content=text, expected_sha256=item.sha256))


async def test_a_long_item_is_read_in_pieces() -> None:
    parts = build_parts()
    item = await added(parts)
    pieces: list[str] = []
    cursor = None
    while True:
        page = await parts.memory.retrieve(ME, item.item_id, cursor=cursor, max_tokens=100)
        assert page.tokens <= 100
        assert (page.sha256, page.total_tokens, page.detail) == (item.sha256, item.tokens, "full")
        pieces.append(page.text)
        if (cursor := page.next_cursor) is None:
            break
    assert "".join(pieces) == LONG
    assert len(pieces) > 5


async def test_pieces_are_of_one_version_even_when_the_item_is_edited_meanwhile() -> None:
    parts = build_parts()
    item = await added(parts)
    first = await parts.memory.retrieve(ME, item.item_id, max_tokens=600)
    await edited(parts, item, "short now")
    rest = await parts.memory.retrieve(ME, item.item_id, cursor=first.next_cursor, max_tokens=100_000)
    assert first.text + rest.text == LONG
    assert (rest.version, rest.sha256) == (1, item.sha256)
    assert (await parts.memory.retrieve(ME, item.item_id)).text == "short now"


async def test_an_older_version_is_read_by_its_number() -> None:
    parts = build_parts()
    item = await added(parts, "the first text")
    await edited(parts, item, "the second text")
    page = await parts.memory.retrieve(ME, item.item_id, version=1)
    assert (page.text, page.version) == ("the first text", 1)
    assert page.sha256 == hashlib.sha256(b"the first text").hexdigest()
    with pytest.raises(NotFoundError, match="no version 3"):
        await parts.memory.retrieve(ME, item.item_id, version=3)
    for version in (0, -1, 2**31):
        with pytest.raises(InvalidInputError, match="version"):
            await parts.memory.retrieve(ME, item.item_id, version=version)


async def test_shorter_details_are_read_in_pieces_too() -> None:
    parts = build_parts()
    item = await added(parts)
    summary = " ".join(LONG.split()[:60])
    first = await parts.memory.retrieve(ME, item.item_id, detail="summary", max_tokens=50)
    rest = await parts.memory.retrieve(ME, item.item_id, cursor=first.next_cursor, max_tokens=1000)
    assert first.next_cursor is not None
    assert first.text + rest.text == summary
    assert (first.detail, rest.detail, rest.next_cursor, rest.sha256) == ("summary", "summary", None, item.sha256)
    hint = await parts.memory.retrieve(ME, item.item_id, detail="hint")
    assert hint.text == "word0 word1 word2 word3 word4"


async def test_a_text_too_short_for_a_detail_comes_in_full() -> None:
    parts = build_parts()
    item = await added(parts, "short")
    page = await parts.memory.retrieve(ME, item.item_id, detail="summary")
    assert (page.text, page.detail) == ("short", "full")


async def test_pieces_of_two_summaries_are_never_mixed() -> None:
    parts = build_parts()
    item = await added(parts)
    first = await parts.memory.retrieve(ME, item.item_id, detail="summary", max_tokens=50)
    await edited(parts, item, LONG.upper())
    with pytest.raises(InvalidInputError, match="Only the current version \\(2\\) has a summary"):
        await parts.memory.retrieve(ME, item.item_id, cursor=first.next_cursor)
    with pytest.raises(InvalidInputError, match="read version 1 with detail full"):
        await parts.memory.retrieve(ME, item.item_id, detail="hint", version=1)
    assert (await parts.memory.retrieve(ME, item.item_id, detail="hint", version=2)).detail == "hint"


async def test_an_id_that_is_unknown_or_anothers_reads_the_same() -> None:
    parts = build_parts()
    theirs = (await parts.memory.add(THEM, NewMemory("theirs"))).item.item_id
    for item_id in (theirs, new_item_id()):
        for call in (
            parts.memory.retrieve(ME, item_id),
            parts.memory.get(ME, item_id),
            parts.memory.update(ME, item_id, Change(title="T")),
            parts.memory.update(ME, item_id, Change(content="new", expected_sha256="0" * 64)),
            parts.memory.forget(ME, item_id),
            parts.memory.forget(ME, item_id, "purge"),
        ):
            with pytest.raises(ItemNotFoundError) as refused:
                await call
            assert str(refused.value) == str(ItemNotFoundError(item_id))
    assert (await parts.memory.retrieve(THEM, theirs)).text == "theirs"


@pytest.mark.parametrize("item_id", ["", "1", "mem_", "mem_zzzzzzzzzzzzz", "\x00", "x" * 10_000])
async def test_what_is_no_id_is_refused_everywhere(item_id: str) -> None:
    memory = build_parts().memory
    for call in (
        memory.retrieve(ME, item_id),
        memory.get(ME, item_id),
        memory.update(ME, item_id, Change(title="T")),
        memory.forget(ME, item_id),
    ):
        with pytest.raises(InvalidInputError, match="not an item id"):
            await call


async def test_a_cursor_that_was_not_handed_out_is_refused() -> None:
    parts = build_parts()
    item, other = await added(parts), await added(parts, "another")
    beyond = cursors.pack_read(item.item_id, 1, "full", 10**9)
    for cursor in ("x", "", base64.urlsafe_b64encode(b"[]").decode(), beyond):
        with pytest.raises(InvalidInputError, match="cursor"):
            await parts.memory.retrieve(ME, item.item_id, cursor=cursor)
    with pytest.raises(InvalidInputError, match="belongs to item"):
        await parts.memory.retrieve(ME, other.item_id, cursor=cursors.pack_read(item.item_id, 1, "full", 0))
    with pytest.raises(InvalidInputError, match="'none' is no level of detail"):
        await parts.memory.retrieve(ME, item.item_id, cursor=cursors.pack_read(item.item_id, 1, "none", 0))


@pytest.mark.parametrize(("max_tokens", "detail"), [(49, "full"), (1_000_001, "full"), (50, "archived")])
async def test_bounds_out_of_range_are_refused(max_tokens: int, detail: str) -> None:
    parts = build_parts()
    item = await added(parts, "text")
    with pytest.raises(InvalidInputError):
        await parts.memory.retrieve(ME, item.item_id, max_tokens=max_tokens, detail=detail)


class Damaged(InMemoryStore):
    """A store whose disk lost a bit."""

    async def read(self, namespace: str, item_id: str, version: int | None = None) -> tuple[Item, bytes, str]:
        item, content, digest = await super().read(namespace, item_id, version)
        return item, content[:-1] + b"?", digest


async def test_damaged_content_is_never_handed_out() -> None:
    parts = build_parts(store=Damaged())
    item = await added(parts, "important")
    with pytest.raises(ContentDamagedError, match=f"{item.item_id}.*backup"):
        await parts.memory.retrieve(ME, item.item_id)


async def test_reading_in_full_is_noted_and_written_later() -> None:
    parts = build_parts()
    item, short = await added(parts), await added(parts, "short")
    parts.clock.advance(60)
    await parts.memory.retrieve(ME, item.item_id, detail="hint")
    await parts.memory.retrieve(ME, short.item_id)
    assert (await parts.memory.get(ME, short.item_id)).last_used_at is None
    assert await parts.usage.flush(parts.store) == 1
    assert (await parts.memory.get(ME, short.item_id)).last_used_at == parts.clock.now()
    assert (await parts.memory.get(ME, item.item_id)).last_used_at is None


async def test_lists_are_paged_newest_first() -> None:
    parts = build_parts()
    made: list[str] = []
    for number in range(5):
        made.append((await added(parts, f"text {number}")).item_id)
        parts.clock.advance(number % 2)
    seen: list[str] = []
    cursor = None
    while True:
        page = await parts.memory.list_items(ME, limit=2, cursor=cursor)
        assert page.total == 5
        seen += [item.item_id for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == made[::-1]
    whole = await parts.memory.list_items(ME, limit=5)
    assert (len(whole.items), whole.next_cursor) == (5, None)


async def test_lists_are_narrowed_by_filters_and_state() -> None:
    parts = build_parts()
    item = await added(parts, "in another thread", thread="other")
    await added(parts, "in the main thread")
    page = await parts.memory.list_items(ME, filters=Filters(thread="other"))
    assert [one.item_id for one in page.items] == [item.item_id]
    await parts.memory.forget(ME, item.item_id)
    page = await parts.memory.list_items(ME, state=ItemState.FORGOTTEN)
    assert [one.item_id for one in page.items] == [item.item_id]


async def test_bad_arguments_of_a_list_are_refused() -> None:
    parts = build_parts()
    item = await added(parts, "text")
    forged = cursors.pack_list(item.created_at, "not an id")
    for limit, cursor in ((0, None), (201, None), (5, "x"), (5, forged)):
        with pytest.raises(InvalidInputError):
            await parts.memory.list_items(ME, limit=limit, cursor=cursor)


async def test_the_state_names_what_serves_it() -> None:
    parts = build_parts()
    await added(parts, "two words")
    state = await parts.memory.state(ME)
    assert (state.namespace, state.embedding_model, state.token_counter, state.compressor) == (
        "mine",
        "test-model/1",
        "words",
        "first-words",
    )
    assert state.store == await parts.store.describe()
    assert state.counts.items == 1
    assert state.counts.threads[0].tokens == 2
    assert 0 < state.counts.threads[0].utilization < 0.01
