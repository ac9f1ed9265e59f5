"""A namespace with something of everything, and how tests dump and load it."""

import hashlib
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from palimpsest.core.dump_records import (
    Record,
    Restored,
    Tally,
)
from palimpsest.core.export import ContentIndexer, Export
from palimpsest.core.ids import new_item_id, new_number, public_id
from palimpsest.core.ladder import one_down
from palimpsest.core.models import (
    AgentDraft,
    Closing,
    ExampleDraft,
    Fact,
    Filters,
    HumanRequest,
    Item,
    ItemDraft,
    ItemState,
    Labels,
    Origin,
    Rendition,
    TaskChange,
    TaskDraft,
    TaskStatus,
    TextUsage,
    Worker,
)
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, START, HashEmbedder, ParagraphChunker, WordLexicon, draft, sealer
from .test_store_undo import edit, undo

EMBEDDER = HashEmbedder()
INDEXER = ContentIndexer(chunker=ParagraphChunker(), lexicon=WordLexicon(), embedder=EMBEDDER)
LONG = " ".join(f"word{place}" for place in range(60))


def export_of(store: Store) -> Export:
    return Export(store=store, indexer=INDEXER)


async def dump(store: Store, namespace: str, thread: str | None = None, *, sealed: bool = False) -> bytes:
    async with aclosing(export_of(store).lines(namespace, thread, sealed=sealed)) as lines:
        return b"".join([line async for line in lines])


async def load(store: Store, namespace: str, dumped: bytes, *, from_any: bool = False, keep: bool = True) -> Restored:
    _, restored = await export_of(store).load(io.BytesIO(dumped), namespace, from_any=from_any, keep=keep)
    return restored


async def records_of(store: Store, namespace: str) -> list[Tally | Record]:
    async with aclosing(store.export(namespace)) as found:
        return [record async for record in found]


async def fill(store: Store, namespace: str) -> Sequence[str]:
    """A namespace with something of everything; returns the ids of its items, oldest first."""
    key = f"key of {namespace}"
    first = draft(namespace, LONG, labels=Labels("Ünïcode | title", "text/markdown", "semantic", 9, True, ("a", "b")))
    second = draft(namespace, "a text with\x00 NUL\r\n and 🎈", thread="other", idempotency_key=key)
    bytes_only = b"\xff\xfe no text"
    third = replace(
        draft(namespace, "third"),
        content=bytes_only,
        sha256=hashlib.sha256(bytes_only).hexdigest(),
        header_tokens=7,
        model="some-model",
        expires_at=START + timedelta(days=3, microseconds=1),
    )
    fourth, purged = draft(namespace, LONG + " again"), draft(namespace, "to be purged", thread="other")
    third = replace(third, fact=Fact("Ann", "home", "Oslo", valid_from=START, extractor="rules/1"))
    for made in (first, second, third, fourth, purged):
        await store.add(namespace, made, budgets=BUDGETS)
    await edit(store, namespace, first.item_id, LONG + " more")
    await edit(store, namespace, first.item_id, LONG + " and more")
    await undo(store, namespace)
    await store.relabel(namespace, second.item_id, Labels("New"), thread="third", actor="b", budgets=BUDGETS)
    await store.set_state(namespace, fourth.item_id, ItemState.FORGOTTEN, actor="c", budgets=BUDGETS)
    await store.set_state(namespace, fourth.item_id, ItemState.ACTIVE, actor="c", budgets=BUDGETS)
    await store.set_state(namespace, second.item_id, ItemState.FORGOTTEN, actor="d", budgets=BUDGETS)
    await store.place(namespace, fourth.item_id, "brief", actor="e", budgets=BUDGETS)
    await store.step(namespace, "main", lambda rungs, _: one_down(rungs), actor="f", budgets=BUDGETS)
    better = Rendition("summary", "A better summary.", 3, "model/1")
    sha256 = (await store.get(namespace, first.item_id)).sha256
    await store.put_renditions(namespace, first.item_id, sha256, [better], actor="g", budgets=BUDGETS)
    await store.purge(namespace, purged.item_id, actor="h", budgets=BUDGETS)
    await store.touch(namespace, [third.item_id], START + timedelta(days=400))
    await store.use_model(namespace, "fourth", "another-model", actor="m", budgets=BUDGETS)
    sealed = sealer().seal(b"a sealed text", namespace, sealed_id := new_item_id())
    await store.put_sealed(
        namespace, sealed_id, sealed, reason="r", categories={"password": 1}, size_bytes=13, actor="i"
    )
    usage = TextUsage("model/1", 100, 20, 5)
    await store.note_usage(namespace, usage, micros=12, purpose="summary", thread="main")
    await store.note_usage(namespace, usage, micros=None, purpose="other")
    await fill_work(store, namespace, [first.item_id, fourth.item_id])
    await ask_people(store, namespace, first)
    await store.link_sources(namespace, fourth.item_id, [Origin(first.item_id, 2, 9)])
    await store.put_examples(namespace, [example_of(fourth.item_id), example_of(None)])
    return [first.item_id, second.item_id, third.item_id, fourth.item_id]


def example_of(item_id: str | None) -> ExampleDraft:
    """What may be learned from an item, or was given by a person."""
    prompt = f"Shorten\u2028 what {'a person gave' if item_id is None else 'an item says'}."
    return ExampleDraft("compress", "Be brief.", prompt, "Short.", "client:ann", "ab" * 32, "train", item_id)


async def fill_work(store: Store, namespace: str, item_ids: Sequence[str]) -> None:
    """Agents and tasks in every state."""
    lease, worker = timedelta(minutes=5), Worker("ann")
    await store.put_agent(namespace, AgentDraft("ann", "smith", ("welding",)), actor="i", lease=lease)
    await store.put_agent(namespace, AgentDraft("bob"), actor="i", lease=lease)
    await store.put_agent(namespace, AgentDraft("bob", "cook"), actor="i", lease=lease)

    async def make(title: str, **fields: Any) -> str:
        drafted = TaskDraft(public_id("task", new_number()), title, **fields)
        return (await store.add_task(namespace, drafted, actor="i")).task.task_id

    async def change(task_id: str, status: TaskStatus | None, **wanted: Any) -> None:
        await store.change_task(namespace, task_id, TaskChange(status, **wanted), worker=worker, actor="i", lease=lease)

    done, failed = await make("dön\u2028e", description="1\n2", item_ids=tuple(sorted(item_ids))), await make("failed")
    held = await make("held", capability="welding", due_at=START, depends_on=(done,), priority=10)
    await make("blocked", depends_on=tuple(sorted((done, failed, held))), assignee="ann")
    await change(done, None, note="begun")
    for task_id, status in ((done, "done"), (failed, "failed")):
        await change(task_id, "claimed")
        await change(task_id, cast("TaskStatus", status), note="it came to this")
    await change(held, "claimed", note="mine")
    await change(held, None, labels={"title": "still held"})


async def ask_people(store: Store, namespace: str, about: ItemDraft) -> None:
    """An open question, one that was answered, and leave that was used up."""
    form: dict[str, Any] = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": []}
    first, second, third = (
        HumanRequest(public_id("request", new_number()), "agent", question, START, state=question)
        for question in ("Which „colour“?", "How long?", "May I?")
    )
    await store.put_request(namespace, replace(first, choices=("red", "blue"), urgency="high"))
    later = START + timedelta(days=40_000)
    second = replace(second, form=form, deadline=later, fallback={"days": 3}, subject="item", subject_id=about.item_id)
    await store.put_request(namespace, second)
    await store.close_request(namespace, second.request_id, Closing("answered", "ann", "cli", {"days": 7}))
    await store.put_request(namespace, replace(third, purpose="bulk_forget", choices=("yes", "no")))
    await store.close_request(namespace, third.request_id, Closing("answered", "ann", "elicitation", "yes"))
    await store.use_request(namespace, third.request_id, actor="agent")


async def items_of(store: Store, namespace: str) -> list[Item]:
    found: list[Item] = []
    for state in ItemState:
        page = await store.list_items(namespace, Filters(), state=state, limit=100, before=None)
        found += page.items
    return sorted(found, key=lambda item: item.item_id)
