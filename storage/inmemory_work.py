"""A namespace's tasks and agents without a database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..core.errors import TaskNotFoundError
from ..core.models import Agent, Dependency, Task, TaskDraft, TaskStatus


@dataclass(slots=True)
class Work:
    """Tasks by id and agents by name; what a task knows of its dependencies is as of its last change."""

    held: dict[str, Task] = field(default_factory=dict[str, Task])
    agents: dict[str, Agent] = field(default_factory=dict[str, Agent])

    def task(self, task_id: str, now: datetime) -> Task:
        """Return a task as it is now.

        Raises:
            TaskNotFoundError: there is none.
        """
        try:
            task = self.held[task_id]
        except KeyError:
            raise TaskNotFoundError(task_id) from None
        depends_on = [one.task_id for one in task.dependencies]
        return replace(task, dependencies=tuple(self.dependencies(depends_on, now)), lapsed=lapsed(task, now))

    def tasks(self, now: datetime) -> Iterator[Task]:
        """Go through all tasks as they are now."""
        return (self.task(task_id, now) for task_id in sorted(self.held))

    def dependencies(self, task_ids: Collection[str], now: datetime) -> Sequence[Dependency]:
        """Return tasks as what others depend on."""
        found = (self.held[one] for one in sorted(task_ids))
        return [
            Dependency(one.task_id, "open" if lapsed(one, now) else one.status, one.title, one.result) for one in found
        ]

    def edges(self) -> Iterator[tuple[str, str]]:
        """Go through all pairs of a task and what it depends on."""
        return ((task.task_id, one.task_id) for task in self.held.values() for one in task.dependencies)

    def dependents(self, task_id: str) -> Mapping[str, TaskStatus]:
        """Return the statuses of the tasks that depend on a task."""
        return {other: self.held[other].status for other, one in sorted(self.edges()) if one == task_id}

    def same(self, draft: TaskDraft) -> str | None:
        """Return the unfinished task that is the same in every field, None when there is none."""
        fields = ("title", "description", "priority", "assignee", "capability", "due_at", "item_ids")
        for task in self.held.values():
            alike = all(getattr(task, name) == getattr(draft, name) for name in fields)
            if (
                alike
                and task.status in ("open", "claimed", "blocked")
                and tuple(one.task_id for one in task.dependencies) == draft.depends_on
            ):
                return task.task_id
        return None

    def holds(self, agent: str, now: datetime) -> tuple[str, ...]:
        """Return the tasks that an agent holds."""
        return tuple(task.task_id for task in self.tasks(now) if task.holder == agent)

    def renew(self, agent: str, now: datetime, lease: timedelta) -> tuple[str, ...]:
        """Prolong the leases of an agent that still last."""
        renewed = self.holds(agent, now)
        for task_id in renewed:
            self.held[task_id] = replace(self.held[task_id], lease_until=now + lease)
        return renewed

    def drop_item(self, item_id: str) -> None:
        """Take away the links to a purged item."""
        for task in list(self.held.values()):
            if item_id in task.item_ids:
                kept = tuple(one for one in task.item_ids if one != item_id)
                self.held[task.task_id] = replace(task, item_ids=kept)


def lapsed(task: Task, now: datetime) -> bool:
    """Whether a claim's time is over."""
    return task.lease_until is not None and task.lease_until <= now
