"""What of a task and an agent the history hashes, and what undoes their changes: plain values that JSON can carry."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from .models import Agent, Task


def task_image(task: Task) -> dict[str, Any]:
    """Return what restores a task as it stands; of the notes, which are only added to, their number."""
    return {
        "title": task.title,
        "description": task.description,
        "priority": task.priority,
        # Whether it is blocked follows from its dependencies.
        "status": "open" if task.status == "blocked" else task.status,
        "assignee": task.assignee,
        "capability": task.capability,
        "due_at": _written(task.due_at),
        "agent": task.agent,
        "lease_until": _written(task.lease_until),
        "result": task.result,
        "depends_on": [one.task_id for one in task.dependencies],
        "item_ids": list(task.item_ids),
        "notes": len(task.notes),
    }


def task_before(task: Task, image: Mapping[str, Any]) -> tuple[Task, tuple[str, ...]]:
    """Return the task as an image has it, and the ids of what it depended on; its dependencies are still those of now.

    Links to items that are gone stay away.
    """
    before = replace(
        task,
        **{name: image[name] for name in ("title", "description", "priority", "status", "assignee", "capability")},
        agent=image["agent"],
        result=image["result"],
        due_at=_moment(image["due_at"]),
        lease_until=_moment(image["lease_until"]),
        item_ids=tuple(image["item_ids"]),
        notes=task.notes[: image["notes"]],
        note_count=min(len(task.notes), image["notes"]),
        lapsed=False,
    )
    return before, tuple(image["depends_on"])


def task_digest(task: Task) -> bytes:
    """Return the SHA-256 of a task's state; leases run on without being changes."""
    state = {name: value for name, value in task_image(task).items() if name != "lease_until"}
    state["notes"] = [[one.author, one.text] for one in task.notes]
    return _digest({"task_id": task.task_id, **state})


def agent_image(agent: Agent) -> dict[str, Any]:
    """Return what restores an agent's registration."""
    return {"role": agent.role, "capabilities": list(agent.capabilities)}


def agent_digest(agent: Agent) -> bytes:
    """Return the SHA-256 of an agent's registration."""
    return _digest({"name": agent.name, **agent_image(agent)})


def _digest(state: Mapping[str, Any]) -> bytes:
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
