"""Agents, tasks and requests in the outline of what a memory holds: no descriptions, notes, results or answers."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from . import task_rules
from .models import TASK_STATUSES, Agent, HumanRequest, Task, TaskFilters
from .ports import Store

_AT_ONCE = 200
_MOST_AGENTS = 100_000
_MOST_REQUESTS = 100_000


async def agent_outlines(store: Store, namespace: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield agents by id; when each was seen changes by itself and is left out."""
    for agent in sorted(await store.agents(namespace, _MOST_AGENTS), key=lambda one: one.agent_id):
        yield _agent(agent)


async def task_outlines(store: Store, namespace: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield tasks by id, each as it was left: a lease that runs out changes nothing here."""
    # A claim that lapses between two pages moves from one status to the other: by id it is there once all the same.
    found: dict[str, Task] = {}
    for status in TASK_STATUSES:
        after: tuple[int, bool, datetime, str] | None = None
        while page := (await store.tasks(namespace, TaskFilters(status), limit=_AT_ONCE, after=after)).tasks:
            found.update((task.task_id, task) for task in page)
            after = task_rules.order(page[-1])
    for task_id in sorted(found):
        yield _task(found[task_id])


async def request_outlines(store: Store, namespace: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield requests to people by id: neither their questions nor what was answered."""
    for request in sorted(await store.list_requests(namespace, limit=_MOST_REQUESTS), key=lambda one: one.request_id):
        yield _request(request)


def _request(request: HumanRequest) -> dict[str, Any]:
    return {
        "id": request.request_id,
        "purpose": request.purpose,
        "status": request.status,
        "urgency": request.urgency,
        "asker": request.asker,
        "about": request.subject_id,
        "answered_how": request.answered_how,
        "created_at": request.created_at.astimezone(UTC).isoformat(),
    }


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.agent_id,
        "name": agent.name,
        "role": agent.role,
        "capabilities": list(agent.capabilities),
        "created_at": agent.created_at.astimezone(UTC).isoformat(),
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": task.task_id,
        "title": task.title,
        "status": task.status,
        "priority": task.priority,
        "assignee": task.assignee,
        "capability": task.capability,
        "agent": task.agent,
        "due": None if task.due_at is None else task.due_at.astimezone(UTC).isoformat(),
        "depends_on": [one.task_id for one in task.dependencies],
        "item_ids": list(task.item_ids),
        "notes": task.note_count,
        "revision": task.revision,
        "created_at": task.created_at.astimezone(UTC).isoformat(),
    }
