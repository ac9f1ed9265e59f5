"""Tools of tasks: make one, work on one, see what there is to do."""

from collections.abc import Mapping
from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from ..core import models, task_rules
from ..core.calls import NewTask, TaskEdit
from ..core.errors import InvalidInputError
from .access import Memories, Session
from .results import STORED, joined, written
from .task_results import ListedTask, TaskListResult, TaskResult

_PACKET_TOKENS = 4000


async def task_create(
    title: str,
    memories: Memories,
    description: str | None = None,
    priority: int | None = None,
    depends_on: list[str] | None = None,
    item_ids: list[str] | None = None,
    due: str | None = None,
    assignee: str | None = None,
    capability: str | None = None,
) -> Annotated[CallToolResult, TaskResult]:
    """Call when work is left for later or for other agents."""
    new = NewTask(
        title=title,
        description=description or "",
        priority=5 if priority is None else priority,
        depends_on=depends_on or (),
        item_ids=item_ids or (),
        due=due,
        assignee=assignee,
        capability=capability,
    )
    return _answer(await memories.services.tasks.create(memories.caller, new))


async def task_update(
    memories: Memories,
    task_id: Annotated[str | None, Field(description="None: claim the next")] = None,
    status: str | None = None,
    note: Annotated[str | None, Field(description="Progress, or result")] = None,
    agent: str | None = None,
    description: str | None = None,
    priority: int | None = None,
    depends_on: list[str] | None = None,
    item_ids: list[str] | None = None,
    due: str | None = None,
    assignee: str | None = None,
) -> Annotated[CallToolResult, TaskResult]:
    """Call with status claimed before you work on a task and to keep it, done or failed after, open to give it back,
    cancelled to drop it."""
    edit = TaskEdit(
        status=status,
        agent=agent,
        note=note,
        description=description,
        priority=priority,
        depends_on=depends_on,
        item_ids=item_ids,
        due=due,
        assignee=assignee,
    )
    receipt = await memories.services.tasks.update(memories.caller, task_id, edit)
    if receipt is None:
        return await _nothing(memories)
    return _answer(receipt)


async def task_list(
    memories: Memories,
    format: Annotated[  # noqa: A002 - its own name
        str | None, Field(json_schema_extra={"enum": ["list", "handoff"]})
    ] = None,
    task_id: str | None = None,
    status: str | None = None,
    agent: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    max_tokens: int | None = None,
) -> Annotated[CallToolResult, TaskListResult]:
    """Call to see what is to be done; handoff gives all about task_id."""
    if format == "handoff":
        return await _handoff(memories, task_id, _PACKET_TOKENS if max_tokens is None else max_tokens)
    if format not in (None, "list"):
        raise InvalidInputError(f"{format[:60]!r} is no format of a task list; use list or handoff.")
    if task_id is not None:
        raise InvalidInputError("task_id goes with format handoff, which tells all about one task.")
    page = await memories.services.tasks.list_tasks(
        memories.caller, status=status, agent=agent, limit=20 if limit is None else limit, cursor=cursor
    )
    result = TaskListResult(
        tasks=[ListedTask.of(task) for task in page.tasks], total=page.total, next_cursor=page.next_cursor
    )
    more = f"next_cursor {result.next_cursor}" if result.next_cursor else "next_cursor null: this is the end"
    head = f"{len(page.tasks)} of {page.total} tasks, first to be worked first; {more}. {STORED if page.tasks else ''}"
    return result.answer(joined([head.rstrip(), *map(describe_task, page.tasks)]))


async def _handoff(memories: Session, task_id: str | None, max_tokens: int) -> CallToolResult:
    if task_id is None:
        raise InvalidInputError("The format handoff needs the task_id of the task to hand over.")
    packet = await memories.services.tasks.handoff(memories.caller, task_id, max_tokens)
    result = TaskListResult(tasks=[ListedTask.of(packet.task)], total=1, next_cursor=None, packet=packet.text)
    return result.answer(f"{describe_packet(packet)} {STORED}", packet.text)


def describe_packet(packet: models.Handoff) -> str:
    """Return the line before a packet: how long it is, and what it lacks."""
    lacks = f"; left out for want of room: {', '.join(packet.omitted)} (raise max_tokens)" if packet.omitted else ""
    return f"Packet of {packet.task.task_id}, {packet.tokens} tokens{lacks}."


def describe_task(task: models.Task) -> str:
    """Return a task as one line."""
    parts = [task.task_id, task.title, task.standing, f"priority {task.priority}"]
    if task.standing == "claimed" and task.lease_until is not None:
        parts[2] = f"claimed by {task.agent} until {written(task.lease_until)}"
    if task.lapsed:
        parts[2] = f"open (the lease of {task.agent} ran out)"
    parts += [f"due {written(task.due_at)}"] if task.due_at else []
    parts += [f"for {task.assignee}"] if task.assignee else []
    parts += [f"needs {task.capability}"] if task.capability else []
    parts += [task_rules.why_blocked(task)] if task.status == "blocked" else []
    parts += [f"{task.note_count} notes"] if task.note_count else []
    return " · ".join(parts)


def describe_counts(counts: Mapping[models.TaskStatus, int] | Mapping[str, int]) -> str | None:
    """Return how many tasks there are of each status, None when there is none."""
    if not counts:
        return None
    return "Tasks: " + ", ".join(f"{number} {status}" for status, number in counts.items()) + "."


async def _nothing(memories: Session) -> CallToolResult:
    counts = await memories.services.tasks.counts(memories.caller)
    result = TaskResult(
        outcome="none",
        task_id=None,
        status="none",
        lease_until=None,
        notes=[],
    )
    others = f"; {counts['open']} open ones are for other agents or need a capability" if counts.get("open") else ""
    return result.answer(
        joined([f"There is no task that you can claim now{others}. Nothing changed.", describe_counts(counts)])
    )


_DONE: Mapping[models.TaskOutcome, str] = {
    "created": "Created {id}.",
    "duplicate": "Nothing created: {id} is the same task and is not finished yet.",
    "updated": "Updated {id}.",
    "unchanged": "Nothing changed: {id} already is so.",
    "claimed": "Claimed {id}.",
    "renewed": "Prolonged the claim on {id}.",
    "released": "Gave {id} back.",
    "reopened": "Opened {id} again.",
    "done": "Finished {id}.",
    "failed": "{id} failed.",
    "cancelled": "Cancelled {id}.",
}


def _answer(receipt: models.TaskReceipt) -> CallToolResult:
    task, result = receipt.task, TaskResult.of(receipt)
    lines: list[str | None] = [_DONE[receipt.outcome].format(id=task.task_id), describe_task(task)]
    if receipt.outcome == "claimed":
        lines.append(f"{STORED} For its notes, dependencies' results and linked memories: task_list(format='handoff').")
        return result.answer(joined([*lines, *result.notes]), task.description or task.title)
    return result.answer(joined([*lines, *result.notes]))
