"""Exports by pages: every byte once, and no page that does not belong to the one before."""

import hashlib
import io
import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import pytest

from palimpsest.core.calls import NewTask, TaskEdit
from palimpsest.core.dump_pages import ExportPages
from palimpsest.core.errors import ConflictError, ContentDamagedError, InvalidInputError, NotFoundError
from palimpsest.core.export import ContentIndexer, Export
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import ChunkDraft, Item, Said, TokenCount
from palimpsest.core.people import Question
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import BUDGETS, HashEmbedder, ParagraphChunker, WordCounter, WordLexicon, terms
from .parts import ME, Parts, build_parts

INDEXER = ContentIndexer(chunker=ParagraphChunker(), lexicon=WordLexicon(), embedder=HashEmbedder())


def pages_of(parts: Parts) -> ExportPages:
    export = Export(store=parts.store, indexer=INDEXER)
    return ExportPages(export=export, store=parts.store, counter=WordCounter(), budgets=BUDGETS)


async def filled(count: int = 6) -> tuple[Parts, list[Item]]:
    parts = build_parts()
    items: list[Item] = []
    for number in range(count):
        parts.clock.advance(1)
        new = NewMemory(f"Text {number} " + "🎈 ünï " * 40, title=f"Title {number}", thread="ab"[number % 2])
        items.append((await parts.memory.add(ME, new)).item)
    return parts, items


async def read_all(pages: ExportPages, kind: str, max_tokens: int, thread: str | None = None) -> list[str]:
    texts: list[str] = []
    cursor: str | None = None
    end = 0
    while True:
        page = await pages.page("mine", kind, thread=thread, cursor=cursor, max_tokens=max_tokens)
        assert page.start == end
        assert page.end == page.start + len(page.text.encode())
        assert page.tokens == WordCounter().count(page.text).tokens <= max_tokens
        assert page.text
        texts.append(page.text)
        end, cursor = page.end, page.next_cursor
        if cursor is None:
            return texts


async def dump(parts: Parts, thread: str | None = None) -> bytes:
    async with aclosing(Export(store=parts.store, indexer=INDEXER).lines("mine", thread)) as lines:
        return b"".join([line async for line in lines])


@pytest.mark.parametrize("max_tokens", [50, 333, 100_000])
async def test_the_pages_of_a_dump_are_the_dump(max_tokens: int) -> None:
    parts, _ = await filled()
    dumped = await dump(parts)
    texts = await read_all(pages_of(parts), "jsonl", max_tokens)
    assert "".join(texts).encode() == dumped
    assert (len(texts) > 5) == (max_tokens < 1000)
    assert await read_all(pages_of(parts), "jsonl", max_tokens) == texts


async def test_a_thread_is_paged_too() -> None:
    parts, _ = await filled()
    assert "".join(await read_all(pages_of(parts), "jsonl", 100, "a")).encode() == await dump(parts, "a")
    with pytest.raises(NotFoundError):
        await pages_of(parts).page("mine", thread="c")


@pytest.mark.parametrize("max_tokens", [50, 100_000])
async def test_the_state_is_a_document_without_contents(max_tokens: int) -> None:
    parts, items = await filled()
    await parts.memory.forget(ME, items[0].item_id)
    text = "".join(await read_all(pages_of(parts), "state", max_tokens))
    found: Mapping[str, Any] = json.loads(text)
    assert found["namespace"] == "mine"
    assert found["counts"] == {"items": 5, "forgotten": 1, "content_bytes": sum(one.size_bytes for one in items[1:])}
    assert [(thread["thread"], thread["items"]) for thread in found["threads"]] == [("a", 2), ("b", 3)]
    assert [one["id"] for one in found["items"]] == [one.item_id for one in reversed(items[1:])] + [items[0].item_id]
    assert found["items"][-1]["state"] == "forgotten"
    assert found["items"][0] == {
        "id": items[5].item_id,
        "title": "Title 5",
        "thread": "b",
        "state": "active",
        "detail": "full",
        "version": 1,
        "tokens": items[5].tokens,
        "bytes": items[5].size_bytes,
        "content_type": "text/plain",
        "memory_type": "document",
        "priority": 5,
        "pinned": False,
        "tags": [],
        "created_at": "2026-01-01T00:00:06+00:00",
        "updated_at": "2026-01-01T00:00:06+00:00",
    }
    assert "🎈" not in text
    assert text.count("\n") == 11


async def test_the_state_of_one_thread_and_of_nothing() -> None:
    parts, items = await filled(3)
    found = json.loads("".join(await read_all(pages_of(parts), "state", 1000, "b")))
    assert [one["id"] for one in found["items"]] == [items[1].item_id]
    assert [thread["thread"] for thread in found["threads"]] == ["b"]
    empty = json.loads("".join(await read_all(pages_of(build_parts()), "state", 1000)))
    assert (empty["items"], empty["threads"]) == ([], [])


async def test_the_state_has_agents_and_tasks_as_they_were_left() -> None:
    parts = build_parts()
    services = parts.services
    await services.agents.register(ME, "ann", role="smith", capabilities=["welding"])
    first = (await services.tasks.create(ME, NewTask("first", description="secret plan", capability="welding"))).task
    second = (await services.tasks.create(ME, NewTask("second", due="2026-05-31", depends_on=[first.task_id]))).task
    await services.tasks.update(ME, first.task_id, TaskEdit(status="claimed", agent="ann", note="private note"))
    lines = await read_all(pages_of(parts), "state", 1000)
    found = json.loads("".join(lines))
    assert [(one["name"], one["role"], one["capabilities"]) for one in found["agents"]] == [
        ("ann", "smith", ["welding"])
    ]
    assert [one["id"] for one in found["tasks"]] == [first.task_id, second.task_id]
    assert found["tasks"][0] == {
        "id": first.task_id,
        "title": "first",
        "status": "claimed",
        "priority": 5,
        "assignee": None,
        "capability": "welding",
        "agent": "ann",
        "due": None,
        "depends_on": [],
        "item_ids": [],
        "notes": 1,
        "revision": 2,
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    assert (found["tasks"][1]["status"], found["tasks"][1]["depends_on"]) == ("blocked", [first.task_id])
    assert "secret plan" not in "".join(lines)
    assert "private note" not in "".join(lines)
    parts.clock.advance(1000)
    assert await read_all(pages_of(parts), "state", 1000) == lines
    assert "agents" not in json.loads("".join(await read_all(pages_of(parts), "state", 1000, "main")))


async def test_the_state_has_requests_without_their_questions_and_answers() -> None:
    parts = build_parts()
    people = parts.services.people
    first, _ = await people.ask(ME, Question("Which private colour?", urgency="high"), Said())
    second, _ = await people.ask(ME, Question("How long?"), Said())
    await people.answer(ME, second.request_id, "a private week", by="ann")
    text = "".join(await read_all(pages_of(parts), "state", 1000))
    found = json.loads(text)["requests"]
    assert [(one["id"], one["status"], one["urgency"], one["answered_how"]) for one in found] == [
        (first.request_id, "open", "high", None),
        (second.request_id, "answered", "normal", "cli"),
    ]
    assert "private" not in text


async def test_the_state_has_more_items_than_one_list() -> None:
    parts, items = await filled(205)
    found = json.loads("".join(await read_all(pages_of(parts), "state", 100_000)))
    assert [one["id"] for one in found["items"]] == [one.item_id for one in reversed(items)]


@pytest.mark.parametrize("kind", ["jsonl", "state"])
async def test_a_change_between_two_pages_is_told(kind: str) -> None:
    parts, items = await filled()
    pages = pages_of(parts)
    first = await pages.page("mine", kind, max_tokens=200)
    assert first.next_cursor is not None
    assert (await pages.page("mine", kind, cursor=first.next_cursor, max_tokens=60)).start == first.end
    await parts.memory.update(ME, items[5].item_id, Change(title="Another"))
    await parts.memory.add(ME, NewMemory("one more", thread="a"))
    with pytest.raises(ConflictError, match="start over"):
        await pages.page("mine", kind, cursor=first.next_cursor, max_tokens=200)


@pytest.mark.parametrize(
    ("kind", "cursor", "reason"),
    [
        ("xml", None, "no format of an export"),
        ("jsonl", "", "not one that this export returned"),
        ("jsonl", "nonsense", "not one that this export returned"),
        ("jsonl", "export-state-5-" + "0" * 32, "not one that this export returned"),
        ("jsonl", "export-jsonl-0-" + "0" * 32, "not one that this export returned"),
        ("jsonl", "export-jsonl--5-" + "0" * 32, "not one that this export returned"),
        ("jsonl", "export-jsonl-5-" + "0" * 32 + "\n", "not one that this export returned"),
        ("jsonl", "export-jsonl-" + "9" * 30 + "-" + "0" * 32, "not one that this export returned"),
    ],
)
async def test_a_bad_request_is_refused(kind: str, cursor: str | None, reason: str) -> None:
    parts, _ = await filled(1)
    with pytest.raises(InvalidInputError, match=reason):
        await pages_of(parts).page("mine", kind, cursor=cursor)
    with pytest.raises(InvalidInputError, match="max_tokens"):
        await pages_of(parts).page("mine", max_tokens=49)


@pytest.mark.parametrize("offset", [5, 999_999_999_999])
async def test_a_cursor_that_nobody_returned_fits_nothing(offset: int) -> None:
    parts, _ = await filled(1)
    with pytest.raises(ConflictError):
        await pages_of(parts).page("mine", cursor=f"export-jsonl-{offset}-{'0' * 32}")


async def test_a_cursor_inside_a_character_is_refused_or_read_without_failing() -> None:
    parts, _ = await filled(1)
    dumped = await dump(parts)
    inside = dumped.index("🎈".encode()) + 1
    forged = f"export-jsonl-{inside}-{hashlib.sha256(dumped[:inside]).hexdigest()[:32]}"
    with pytest.raises(InvalidInputError, match="not one that this export returned"):
        await pages_of(parts).page("mine", cursor=forged)


async def test_a_damaged_content_stops_the_dump_where_it_is() -> None:
    class Rotten(InMemoryStore):
        def rot(self, item_id: str) -> None:
            contents = self._shelves["mine"].records[item_id].contents
            contents[0] = (b"rotten", contents[0][1])

    store = Rotten()
    parts = build_parts(store=store)
    item = (await parts.memory.add(ME, NewMemory("sound"))).item
    store.rot(item.item_id)
    with pytest.raises(ContentDamagedError, match=item.item_id):
        await dump(parts)
    lines: list[bytes] = []

    async def gather() -> None:
        async with aclosing(Export(store=store, indexer=INDEXER).lines("mine")) as found:
            async for line in found:
                lines.append(line)

    with pytest.raises(ContentDamagedError):
        await gather()
    # A reader of what came so far cannot take it for a whole dump.
    with pytest.raises(InvalidInputError, match="cut"):
        await Export(store=InMemoryStore(), indexer=INDEXER).load(io.BytesIO(b"".join(lines)), "mine")


async def test_a_file_that_changes_between_the_two_readings_loads_nothing() -> None:
    parts, _ = await filled()
    dumped = await dump(parts)
    broken = dumped.replace(b'"title":"Title 3"', b'"title":"Title 4"')

    class Changing(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            self.truncate(0)
            super().seek(0)
            self.write(broken)
            return super().seek(offset, whence)

    store = InMemoryStore()
    with pytest.raises(InvalidInputError, match="was changed"):
        await Export(store=store, indexer=INDEXER).load(Changing(dumped), "mine")
    assert (await store.state("mine", "", budgets=BUDGETS)).items == 0


@pytest.mark.parametrize("repeats", [1, 4000])
async def test_the_indexer_chunks_as_an_add_does(repeats: int) -> None:
    text = "# Head\n\n" * repeats + "The last ünï one."
    chunks = await INDEXER.chunks("mine", text.encode(), "text/plain", None)
    assert len(chunks) == repeats + 1
    last = chunks[-1]
    assert last.span.context == "Head"
    assert last == ChunkDraft(last.span, terms("mine", "Head\nThe last ünï one."))
    assert (INDEXER.embedding_model, INDEXER.lexicon) == (HashEmbedder().model_id, WordLexicon().version)
    assert (await INDEXER.chunks("mine", b"\xff\xfe", "text/plain", None))[0].embedding is None


async def test_a_character_that_is_dearer_than_a_page_is_still_read() -> None:
    class Dear(WordCounter):
        def count(self, text: str) -> TokenCount:
            return TokenCount(60 * len(text), self.name)

    parts, _ = await filled(1)
    export = Export(store=parts.store, indexer=INDEXER)
    pages = ExportPages(export=export, store=parts.store, counter=Dear(), budgets=BUDGETS)
    page = await pages.page("mine", max_tokens=50)
    assert (page.text, page.tokens, page.end) == ("{", 60, 1)
    assert (await pages.page("mine", cursor=page.next_cursor, max_tokens=50)).text == '"'
