"""Tasks and agents as a store keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ..models import (
    Agent,
    AgentDraft,
    AgentReceipt,
    Rung,
    Task,
    TaskChange,
    TaskDraft,
    TaskFilters,
    TaskList,
    TaskReceipt,
    TaskStatus,
    Worker,
)


class TaskStore(Protocol):
    """Tasks and agents as a store keeps them; every change of one writes its event and what undoes it."""

    async def add_task(self, namespace: str, draft: TaskDraft, *, actor: str) -> TaskReceipt:
        """Commit a new task, ``blocked`` while one of its dependencies is not done.

        An unfinished task that is the same in every field stays alone: outcome ``duplicate``.

        Raises:
            NotFoundError: a dependency or a linked item is not here.
            ConflictError: a linked item is not active.
        """
        ...

    async def change_task(
        self, namespace: str, task_id: str, wanted: TaskChange, *, worker: Worker, actor: str, lease: timedelta
    ) -> TaskReceipt:
        """Change a task by the rules of ``task_rules``, and in the same transaction what others wait for.

        A task that becomes done opens those that waited for it alone; one that is reopened blocks them again. A claim
        of a worker ``itself`` registers it where it is new.

        Raises:
            NotFoundError: the task, a dependency, a linked item or the agent is not here.
            InvalidInputError: the dependencies would form a cycle.
            ConflictError: the task's status does not allow it, another agent holds it, its lease ran out, or work was
                built upon what would be taken back.
        """
        ...

    async def claim_next(self, namespace: str, *, worker: Worker, actor: str, lease: timedelta) -> TaskReceipt | None:
        """Claim the first task in their order that is open, or whose lease ran out, and that the agent may do.

        None when there is none. Two claims never get the same task, and none waits for another.

        Raises:
            NotFoundError: the agent is not registered, and named by its client.
        """
        ...

    async def task(self, namespace: str, task_id: str) -> Task:
        """Return a task with its notes.

        Raises:
            NotFoundError: there is none in this namespace.
        """
        ...

    async def tasks(
        self, namespace: str, filters: TaskFilters, *, limit: int, after: tuple[int, bool, datetime, str] | None
    ) -> TaskList:
        """Return tasks by ``task_rules.order``, those behind the place ``after``; ``next_cursor`` is left None."""
        ...

    async def task_counts(self, namespace: str) -> Mapping[TaskStatus, int]:
        """Count the tasks by their status as of now; a status that none has is left out."""
        ...

    async def linked(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Rung]:
        """Return the active ones of these items, of whatever thread, as they would cost in full, by id."""
        ...

    async def put_agent(self, namespace: str, draft: AgentDraft, *, actor: str, lease: timedelta) -> AgentReceipt:
        """Register an agent, or note what it says of itself and that it is alive.

        The leases of its tasks that still last then last ``lease`` from now. Outcome ``seen`` when nothing differs.
        """
        ...

    async def agents(self, namespace: str, limit: int) -> Sequence[Agent]:
        """Return the agents with the tasks that they hold, last seen first."""
        ...
