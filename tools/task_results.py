"""What the tools of tasks and agents answer."""

from typing import Self

from pydantic import BaseModel

from ..core import models
from .results import Result, written


class TaskResult(Result):
    """A task once a change of it is committed; ``task_id`` is null when there was none to claim."""

    outcome: str
    task_id: str | None
    status: str
    lease_until: str | None
    notes: list[str]

    @classmethod
    def of(cls, receipt: models.TaskReceipt) -> Self:
        """Say what the core's receipt says."""
        task = receipt.task
        until = task.lease_until if task.standing == "claimed" else None
        opened = f"Open now that it is done: {', '.join(receipt.unblocked)}." if receipt.unblocked else None
        blocked = f"Blocked by it again: {', '.join(receipt.blocked)}." if receipt.blocked else None
        return cls(
            outcome=receipt.outcome,
            task_id=task.task_id,
            status=task.standing,
            lease_until=None if until is None else written(until),
            notes=[note for note in (opened, blocked, *receipt.notes) if note],
        )


class ListedTask(BaseModel):
    """A task in a list; ``agent`` is who works on it or did, else who is to."""

    task_id: str
    title: str
    status: str
    priority: int
    due: str | None
    agent: str | None
    waits_for: list[str]

    @classmethod
    def of(cls, task: models.Task) -> Self:
        """Say what the core's task says."""
        return cls(
            task_id=task.task_id,
            title=task.title,
            status=task.standing,
            priority=task.priority,
            due=None if task.due_at is None else written(task.due_at),
            agent=(None if task.lapsed else task.agent) or task.assignee,
            waits_for=[one.task_id for one in task.waits_for],
        )


class TaskListResult(Result):
    """Tasks in the order in which they are worked; ``packet`` is the text of one that is handed over, else empty."""

    tasks: list[ListedTask]
    total: int
    next_cursor: str | None
    packet: str = ""


class AgentResult(BaseModel):
    """An agent, and the tasks that it holds."""

    name: str
    role: str | None
    capabilities: list[str]
    last_seen: str
    tasks: list[str]

    @classmethod
    def of(cls, agent: models.Agent) -> Self:
        """Say what the core's agent says."""
        return cls(
            name=agent.name,
            role=agent.role,
            capabilities=list(agent.capabilities),
            last_seen=agent.last_seen_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            tasks=list(agent.task_ids),
        )


class AgentListResult(Result):
    """Agents, last seen first."""

    agents: list[AgentResult]


class RegisteredResult(AgentResult, Result):
    """An agent once its registration is committed."""

    outcome: str
