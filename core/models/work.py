"""Work that agents share: tasks, who can do them, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

TaskStatus = Literal["open", "claimed", "blocked", "done", "failed", "cancelled"]


TASK_STATUSES: tuple[TaskStatus, ...] = ("open", "claimed", "blocked", "done", "failed", "cancelled")


UNFINISHED: tuple[TaskStatus, ...] = ("open", "claimed", "blocked")


TaskOutcome = Literal[
    "created",
    "duplicate",
    "updated",
    "unchanged",
    "claimed",
    "renewed",
    "released",
    "reopened",
    "done",
    "failed",
    "cancelled",
]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A task that another one waits for; ``result`` is what it came to."""

    task_id: str
    status: TaskStatus
    title: str
    result: str | None = None


@dataclass(frozen=True, slots=True)
class TaskNote:
    """What somebody wrote down about a task; numbers run from 1."""

    number: int
    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work.

    ``status`` is ``blocked`` while a dependency is not done. While it is ``claimed`` its ``agent`` alone may finish it,
    until ``lease_until``; after that anybody may claim it again (``lapsed``). Of one that ended, ``agent`` ended it and
    ``result`` is what it came to. ``assignee`` is the only agent that may claim it, ``capability`` what an agent must
    be able to do, None for anybody.
    ``dependencies`` and ``item_ids`` are in the order of their ids; ``notes`` are left out of lists, which count them.
    """

    task_id: str
    title: str
    description: str
    priority: int
    status: TaskStatus
    assignee: str | None
    capability: str | None
    due_at: datetime | None
    agent: str | None
    lease_until: datetime | None
    result: str | None
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    dependencies: tuple[Dependency, ...] = ()
    item_ids: tuple[str, ...] = ()
    notes: tuple[TaskNote, ...] = ()
    note_count: int = 0
    lapsed: bool = False

    @property
    def waits_for(self) -> tuple[Dependency, ...]:
        """What it depends on and is not done."""
        return tuple(one for one in self.dependencies if one.status != "done")

    @property
    def standing(self) -> TaskStatus:
        """Its status as of now: a claim that lapsed is open."""
        return "open" if self.lapsed else self.status

    @property
    def holder(self) -> str | None:
        """Who works on it now."""
        return self.agent if self.standing == "claimed" else None


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A new task, checked."""

    task_id: str
    title: str
    description: str = ""
    priority: int = 5
    assignee: str | None = None
    capability: str | None = None
    due_at: datetime | None = None
    depends_on: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What to change about a task, checked: ``labels`` are the fields of a Task to replace, by name.

    With a ``status`` that ends the task, ``note`` is its result, else it is added to its notes.
    """

    status: TaskStatus | None = None
    labels: Mapping[str, Any] = field(default_factory=dict[str, Any])
    depends_on: tuple[str, ...] | None = None
    item_ids: tuple[str, ...] | None = None
    note: str | None = None

    @property
    def moves_others(self) -> bool:
        """Whether it may change what other tasks wait for, or what this one does."""
        return self.depends_on is not None or self.status not in (None, "claimed")


@dataclass(frozen=True, slots=True)
class Worker:
    """In whose name a task is changed: ``itself`` says that the client named no agent, so that a claim registers it."""

    name: str
    itself: bool = False


@dataclass(frozen=True, slots=True)
class TaskReceipt:
    """A task once its change is committed, what became of it, and which tasks that unblocked or blocked."""

    task: Task
    outcome: TaskOutcome
    unblocked: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """What a list of tasks is narrowed to: unfinished ones without ``status``; those that ``agent`` has or is to do."""

    status: TaskStatus | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class TaskList:
    """A page of tasks in the order in which they are worked: priority, due, age."""

    tasks: tuple[Task, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a task."""

    request_id: str
    question: str
    answer: str
    decided_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Handoff:
    """All that somebody needs who takes a task over, as one text of ``tokens``; ``omitted`` says what had no room."""

    task: Task
    text: str
    tokens: int
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """What an agent says of itself, checked; None leaves what it said before."""

    name: str
    role: str | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who works on tasks; ``task_ids`` are those that it holds now."""

    agent_id: str
    name: str
    role: str | None
    capabilities: tuple[str, ...]
    revision: int
    created_at: datetime
    last_seen_at: datetime
    task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentReceipt:
    """An agent once its registration is committed; ``renewed`` are the tasks whose leases it prolonged."""

    agent: Agent
    outcome: Literal["registered", "updated", "seen"]
    renewed: tuple[str, ...] = ()
