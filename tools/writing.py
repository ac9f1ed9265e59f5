"""Tools that change the memory: add, update, forget."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.types import CallToolResult
from pydantic import Field

from ..core import models
from ..core.answers import dialog_form
from ..core.memory import Change, NewMemory
from .access import Memories, Session
from .dialogs import ask, can_ask, heard
from .results import Receipt, joined, written

ItemId = Annotated[str, Field(description="mem_… id")]
MemoryType = Field(json_schema_extra={"enum": list(models.MEMORY_TYPES)})
Priority = Field(json_schema_extra={"minimum": 0, "maximum": 10})


async def memory_add(
    content: Annotated[str, Field(description="The full text, unshortened")],
    memories: Memories,
    title: Annotated[str | None, Field(description="File path or short name")] = None,
    content_type: Annotated[str, Field(description="MIME type, or: code, conversation")] = "text/plain",
    memory_type: Annotated[str, MemoryType] = "document",
    priority: Annotated[int, Priority] = 5,
    pinned: bool = False,
    tags: list[str] | None = None,
    thread: Annotated[str | None, Field(description="Working context, e.g. one per project")] = None,
    idempotency_key: Annotated[str | None, Field(description="Same key on a retry adds nothing twice")] = None,
    model: Annotated[str | None, Field(description="Model whose window the thread has")] = None,
    expires_in_days: Annotated[float | None, Field(description="Forgotten after")] = None,
    date: Annotated[str | None, Field(description="When it happened, ISO; default now")] = None,
    untrusted: bool | None = None,
) -> Annotated[CallToolResult, Receipt]:
    """Call when something should outlive this context: decisions, facts, preferences, findings, files, long tool
    output you will need again. Kept byte for byte and searchable; exact repeats add nothing."""
    new = NewMemory(
        content=content,
        title=title,
        content_type=content_type,
        memory_type=memory_type,
        priority=priority,
        pinned=pinned,
        tags=tags or (),
        thread=memories.thread if thread is None else thread,
        idempotency_key=idempotency_key,
        model=model,
        expires_in_days=expires_in_days,
        date=date,
        source={"tool": "memory_add"},
        trust="low" if untrusted else "normal",
    )
    return _answer(memories, await memories.memory.add(memories.caller, new))


async def memory_update(
    item_id: ItemId,
    memories: Memories,
    content: Annotated[str | None, Field(description="New full text; a new version, the old one stays")] = None,
    expected_sha256: Annotated[str | None, Field(description="sha256 of the text it replaces")] = None,
    title: str | None = None,
    content_type: str | None = None,
    memory_type: str | None = None,
    priority: Annotated[int | None, Priority] = None,
    pinned: bool | None = None,
    tags: Annotated[list[str] | None, Field(description="Replaces all tags")] = None,
    thread: str | None = None,
    detail: Annotated[
        str | None,
        Field(description="How it stands in its thread's block", json_schema_extra={"enum": list(models.STANDINGS)}),
    ] = None,
    date: str | None = None,
) -> Annotated[CallToolResult, Receipt]:
    """Call to correct an item's text or labels instead of adding a second one; detail full restores a shortened one.
    What is left out stays. New content needs expected_sha256, so that no other edit is lost."""
    change = Change(
        content=content,
        expected_sha256=expected_sha256,
        title=title,
        content_type=content_type,
        memory_type=memory_type,
        priority=priority,
        pinned=pinned,
        tags=tags,
        thread=thread,
        detail=detail,
        date=date,
    )
    return _answer(memories, await memories.memory.update(memories.caller, item_id, change))


async def _ask_leave(item_id: str, mode: str, memories: Memories, context: Context) -> Elicit[Any] | models.Said:
    if not can_ask(context):
        return models.Said()
    leave = await memories.services.approval.wanted(memories.caller, item_id, mode, dialog=True)
    # A client that can ask and has nothing to ask is no client without a dialog.
    if leave is None:
        return models.Said("cancel")
    return await ask(context, leave.shown, dialog_form((models.YES, models.NO), None), memories.dialog_seconds)


async def _heard_leave(outcome: Annotated[ElicitationResult[Any], Resolve(_ask_leave)]) -> models.Said:
    return heard(outcome)


async def memory_forget(
    item_id: ItemId,
    memories: Memories,
    said: Annotated[models.Said, Resolve(_heard_leave)],
    mode: Annotated[
        str,
        Field(
            description="forget hides, restore undoes that, purge deletes for good",
            json_schema_extra={"enum": ["forget", "restore", "purge"]},
        ),
    ] = "forget",
    reason: Annotated[str | None, Field(description="For the history")] = None,
) -> Annotated[CallToolResult, Receipt]:
    """Call when an item is wrong, outdated or unwanted. Purge only if the user asked for it."""
    receipt = await memories.services.approval.forget(
        memories.caller, item_id, mode, noted=memories.because(reason), said=said
    )
    return _answer(memories, receipt)


def _answer(memories: Session, receipt: models.Receipt) -> CallToolResult:
    if receipt.chunks_pending or memories.services.summarizes:
        memories.wake()
    result = Receipt.of(receipt)
    done = _DONE[receipt.outcome].format(id=result.item_id)
    return result.answer(joined([done, _version(receipt), _facts(result), *result.notes]))


_DONE = {
    "added": "Kept as {id}.",
    "duplicate": "Nothing added: this thread already holds exactly this text as {id}.",
    "retyped": "Nothing added: but for its typing this thread already holds this text as {id}.",
    "replayed": "Nothing added: this idempotency_key was used before, for {id}.",
    "updated": "Updated {id}.",
    "unchanged": "Nothing changed: {id} already is so.",
    "forgotten": "Forgot {id}; memory_forget with mode restore brings it back.",
    "restored": "Restored {id}.",
    "purged": "Purged {id} for good, with all its versions.",
    "asked": "Not done to {id}: a person has to agree.",
    "refused": "Not done to {id}: a person refused.",
}


def _version(receipt: models.Receipt) -> str | None:
    """Say what a receipt has no field for: when it happened, unless just now, and how it stands among its versions."""
    item = receipt.item
    dated = None if item.happened_at == item.created_at else f"Dated {written(item.happened_at)}."
    version: str | None = None
    if receipt.version_of is not None:
        which = "now the newest" if item.latest else "which stays the newest"
        version = f"Another version of {receipt.version_of}, {which}."
    elif receipt.outcome == "duplicate" and item.superseded_by is not None:
        version = f"{item.superseded_by} supersedes it; pass a date to say that it holds again."
    return " ".join(filter(None, (dated, version))) or None


def _facts(result: Receipt) -> str:
    if result.outcome == "purged":
        return f"sha256 {result.sha256}, {result.total_tokens} tokens ({result.token_counter})."
    if not result.searchable_by_word:
        found = "not searchable"
    elif result.searchable_by_meaning:
        found = "searchable by word and by meaning"
    else:
        found = f"searchable by word, by meaning once {result.chunks_pending} chunks are embedded"
    stepped = f", after {result.compressed} items stepped down to a shorter form" if result.compressed else ""
    if result.detail != "full":
        stepped += f"; this one stands as {result.detail}"
    kept = "durable" if result.durable else "NOT durable (the database does not wait for its disk)"
    return (
        f"{kept}, {found}; version {result.version}, {result.total_tokens} tokens ({result.token_counter}), "
        f"sha256 {result.sha256}; thread {result.thread} has {result.utilization:.1%} of its window{stepped}."
    )
