"""The tool that shows the ledger, and the words for it."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from ..core import models
from ..core.framing import shown
from .access import Memories
from .results import StandingItem, StateResult, ThreadResult, joined, ledger_notes

_SHOWN_THREADS = 20
_SHOWN_ITEMS = 20


async def memory_state(
    memories: Memories,
    thread: Annotated[str | None, Field(description="Also its costliest items")] = None,
) -> Annotated[CallToolResult, StateResult]:
    """Call to see how full each thread's window is, what compression saved and cost, and what the memory holds."""
    rungs: Sequence[models.Rung] = ()
    if thread is not None:
        rungs = await memories.services.context.rungs(memories.caller, thread)
    result = summarise_state(await memories.memory.state(memories.caller), rungs)
    return result.answer(describe_state(result, rungs))


def summarise_state(state: models.MemoryState, rungs: Sequence[models.Rung] = ()) -> StateResult:
    """Return the state with its fullest threads, and the costliest of the items given."""
    counts = state.counts
    fullest = sorted(counts.threads, key=lambda thread: (-thread.utilization, -thread.tokens, thread.thread))
    shown = fullest[:_SHOWN_THREADS]
    costliest = sorted(rungs, key=lambda rung: (-rung.cost, rung.position))
    return StateResult(
        namespace=state.namespace,
        items=counts.items,
        forgotten=counts.forgotten,
        chunks=counts.chunks,
        chunks_pending=counts.chunks_pending,
        content_bytes=counts.content_bytes,
        database_bytes=counts.database_bytes,
        threads=[ThreadResult.of(thread) for thread in shown],
        threads_total=len(counts.threads),
        standing=[StandingItem.of(rung) for rung in costliest[:_SHOWN_ITEMS]],
        store=state.store,
        embedding_model=state.embedding_model,
        token_counter=state.token_counter,
        compressor=state.compressor,
        notes=[*state.notes, *(f"{one.thread}: {note}" for one in shown for note in ledger_notes(one))],
    )


def describe_state(result: StateResult, rungs: Sequence[models.Rung] = ()) -> str:
    """Return the state as a model or a person reads it."""
    pending = f", {result.chunks_pending} chunks not yet searchable by meaning" if result.chunks_pending else ""
    hidden = result.threads_total - len(result.threads)
    return joined(
        [
            f"Namespace {result.namespace}: {result.items} items, {result.forgotten} forgotten, "
            f"{result.chunks} chunks{pending}; {result.content_bytes:,} bytes of text, "
            f"{result.database_bytes:,} bytes on disk.",
            *(_thread(thread) for thread in result.threads),
            f"{hidden} threads with less in them are not shown." if hidden else None,
            _spread(rungs),
            *(
                f"{item.item_id} · {shown(item.title or 'untitled')} · {item.detail}, costs {item.cost:,}; in full "
                f"{item.total_tokens:,} tokens · priority {item.priority}{' · pinned' if item.pinned else ''}"
                for item in result.standing
            ),
            f"Served by {result.store}; vectors {result.embedding_model}; tokens {result.token_counter}; "
            f"summaries {result.compressor}.",
            *result.notes,
        ]
    )


def _thread(thread: ThreadResult) -> str:
    model = f" of {thread.model}" if thread.model else ""
    ratio = f", {thread.total_tokens / thread.used:.1f} to 1" if thread.used and thread.saved else ""
    worth = f" (${thread.saved_usd:,.4f} a prompt)" if thread.saved_usd else ""
    spent = f"; ${thread.spent_usd:,.4f} spent on summaries" if thread.spent_usd else ""
    return (
        f"Thread {thread.thread}: {thread.items} items of {thread.total_tokens:,} tokens; the block has "
        f"{thread.used:,} of a window{model} of {thread.window:,}: {thread.utilization:.1%} ({thread.pressure}, "
        f"trigger {thread.trigger:.0%}){ratio}; compression keeps {thread.saved:,} tokens out of it{worth}{spent}."
    )


def _spread(rungs: Sequence[models.Rung]) -> str | None:
    if not rungs:
        return None
    counts = Counter(rung.detail for rung in rungs)
    tokens = {detail: sum(rung.cost for rung in rungs if rung.detail == detail) for detail in counts}
    parts = [f"{counts[one]} {one} ({tokens[one]:,})" for one in models.STANDINGS if counts[one]]
    return f"Its items by detail, with their tokens: {', '.join(parts)}. The costliest:"
