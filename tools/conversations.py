"""The tool that takes in conversations."""

from typing import Annotated, Any

from mcp.types import CallToolResult
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from ..core import models
from .access import Memories
from .results import Result, joined, ledger_notes


def _wanted(schema: dict[str, Any]) -> None:
    """Let a schema ask for what the core asks for, with a better sentence than a missing field gets."""
    schema["required"] = ["role", "content"]
    for name in schema["required"]:
        del schema["properties"][name]["default"]


class Turn(BaseModel):
    """What somebody said; whether it can be kept is told by the core."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_wanted)

    role: Annotated[str, Field(validation_alias=AliasChoices("role", "speaker"))] = ""
    content: str = ""
    id: str | None = None
    date: str | None = None


class TurnsResult(Result):
    """What became of the turns; ``standing`` counts the thread's items by their detail in its block."""

    session: str
    thread: str
    added: int
    known: int
    changed: int
    sealed: int
    empty: int
    durable: bool
    chunks_pending: int
    used: int
    window: int
    standing: dict[str, int]
    recaps: list[str]
    notes: list[str]


async def conversation_add(
    turns: Annotated[list[Turn], Field(description="In order; id tells repeats, date is ISO")],
    session: Annotated[str, Field(description="Name of the conversation")],
    memories: Memories,
    thread: Annotated[str | None, Field(description="Default: the session's name")] = None,
    window: Annotated[str, Field(json_schema_extra={"enum": list(models.WINDOW_STRATEGIES)})] = "sliding",
) -> Annotated[CallToolResult, TurnsResult]:
    """Call to keep what was said, turn by turn, as it goes or a transcript at once (up to 1,000 turns a call). What is
    known adds nothing. memory_context of its thread gives the newest turns that fit; summarising recaps the others."""
    receipt = await memories.services.conversations.add(
        memories.caller,
        [models.NewTurn(turn.role, turn.content, turn.id, turn.date) for turn in turns],
        session=session,
        thread=thread,
        window=window,
    )
    if receipt.chunks_pending:
        memories.wake()
    ledger = receipt.ledger
    result = TurnsResult(
        session=receipt.session,
        thread=receipt.thread,
        added=receipt.added,
        known=receipt.known,
        changed=receipt.changed,
        sealed=receipt.sealed,
        empty=receipt.empty,
        durable=receipt.durable,
        chunks_pending=receipt.chunks_pending,
        used=ledger.used,
        window=ledger.window,
        standing={detail: receipt.standing[detail] for detail in models.STANDINGS if detail in receipt.standing},
        recaps=list(receipt.recaps),
        notes=[*receipt.notes, *ledger_notes(ledger)],
    )
    return result.answer(_told(result))


def _told(result: TurnsResult) -> str:
    others = [
        f"{count} {what}"
        for what, count in (
            ("known already", result.known),
            ("changed", result.changed),
            ("sealed", result.sealed),
            ("empty", result.empty),
        )
        if count
    ]
    standing = ", ".join(f"{count} {detail}" for detail, count in result.standing.items()) or "nothing"
    return joined(
        [
            f"Session {result.session}: {', '.join([f'{result.added} turns added', *others])}."
            f"{'' if result.durable else ' Not yet durable.'}",
            f"Thread {result.thread} has {standing}; its block takes {result.used:,} of {result.window:,} tokens.",
            f"{result.chunks_pending} passages are not searchable by meaning yet." if result.chunks_pending else None,
            *result.notes,
        ]
    )
