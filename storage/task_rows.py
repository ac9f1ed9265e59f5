"""Rows of tasks and agents to the core's values."""

import json
from datetime import datetime
from typing import Any

from ..core.ids import format_item_id, public_id
from ..core.models import Agent, Dependency, Task, TaskNote
from .rows import Row


def task(row: Row) -> Task:
    """Return the task of a row of ``get_tasks``."""
    lease_until = row["lease_until"]
    return Task(
        task_id=task_id(row["task_id"]),
        title=row["title"],
        description=row["description"],
        priority=row["priority"],
        status=row["status"],
        assignee=row["assignee"],
        capability=row["capability"],
        due_at=row["due_at"],
        agent=row["agent"],
        lease_until=lease_until,
        result=row["result"],
        revision=row["revision"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        dependencies=tuple(
            Dependency(task_id(one["task_id"]), one["status"], one["title"], one["result"])
            for one in _list(row["dependencies"])
        ),
        item_ids=tuple(format_item_id(number) for number in row["item_ids"]),
        notes=tuple(
            TaskNote(one["number"], datetime.fromisoformat(one["at"]), one["author"], one["text"])
            for one in _list(row["notes"])
        ),
        note_count=row["note_count"],
        lapsed=lease_until is not None and lease_until <= row["now"],
    )


def agent(row: Row, task_ids: tuple[int, ...] = ()) -> Agent:
    """Return the agent of an ``agents`` row."""
    return Agent(
        agent_id=public_id("agent", row["agent_id"]),
        name=row["name"],
        role=row["role"],
        capabilities=tuple(row["capabilities"]),
        revision=row["revision"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        task_ids=tuple(task_id(number) for number in task_ids),
    )


def task_id(number: int) -> str:
    """Write a number as a task's id."""
    return public_id("task", number)


def _list(text: str | None) -> list[Any]:
    return [] if text is None else json.loads(text)
