"""A namespace with something of everything, and how tests dump and load it."""

import hashlib
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from palimpsest.core.dump_records import (
    Record,
    Restored,
    Tally,
)
from palimpsest.core.export import ContentIndexer, Export
from palimpsest.core.ids import new_number, public_id
from palimpsest.core.ladder import one_down
from palimpsest.core.models import (
    Closing,
    Filters,
    HumanRequest,
    Item,
    ItemDraft,
    ItemState,
    Labels,
    Rendition,
    TextUsage,
)
from palimpsest.core.ports import Store

from ..fakes import BUDGETS, START, HashEmbedder, ParagraphChunker, WordLexicon, draft
from .test_store_undo import edit, undo

EMBEDDER = HashEmbedder()
INDEXER = ContentIndexer(chunker=ParagraphChunker(), lexicon=WordLexicon(), embedder=EMBEDDER)
LONG = " ".join(f"word{place}" for place in range(60))


def export_of(store: Store) -> Export:
    return Export(store=store, indexer=INDEXER)


async def dump(store: Store, namespace: str, thread: str | None = None) -> bytes:
    async with aclosing(export_of(store).lines(namespace, thread)) as lines:
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
    usage = TextUsage("model/1", 100, 20, 5)
    await store.note_usage(namespace, usage, micros=12, purpose="summary", thread="main")
    await store.note_usage(namespace, usage, micros=None, purpose="other")
    await ask_people(store, namespace, first)
    return [first.item_id, second.item_id, third.item_id, fourth.item_id]


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
