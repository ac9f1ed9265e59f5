"""The records of agents and tasks."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from .dump_fields import AgentId, Digest, DumpRecord, ItemId, Name, TaskId, Text, Version
from .models import TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord(DumpRecord):
    """Who works on tasks."""

    KEY: ClassVar[tuple[str, ...]] = ("agent_id",)
    PAST: ClassVar[tuple[str, ...]] = ("revision", "last_seen_at")
    type: Literal["agent"] = "agent"
    agent_id: AgentId
    name: Name
    role: Text | None
    capabilities: tuple[Text, ...]
    revision: Version
    created_at: AwareDatetime
    last_seen_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord(DumpRecord):
    """A task without what it depends on, links to and has as notes; ``sha256`` is of all of it."""

    KEY: ClassVar[tuple[str, ...]] = ("task_id",)
    # Leases run on without being changes.
    PAST: ClassVar[tuple[str, ...]] = ("revision", "updated_at", "lease_until")
    type: Literal["task"] = "task"
    task_id: TaskId
    title: Name
    description: Text
    priority: Annotated[int, Field(ge=0, le=10)]
    status: TaskStatus
    assignee: Text | None
    capability: Text | None
    due_at: AwareDatetime | None
    agent: Text | None
    lease_until: AwareDatetime | None
    result: Text | None
    revision: Version
    sha256: Digest
    created_by: Text
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDependencyRecord(DumpRecord):
    """What a task depends on."""

    KEY: ClassVar[tuple[str, ...]] = ("task_id", "depends_on")
    type: Literal["task_dependency"] = "task_dependency"
    task_id: TaskId
    depends_on: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItemRecord(DumpRecord):
    """What a task links to."""

    KEY: ClassVar[tuple[str, ...]] = ("task_id", "item_id")
    type: Literal["task_item"] = "task_item"
    task_id: TaskId
    item_id: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNoteRecord(DumpRecord):
    """A note of a task."""

    KEY: ClassVar[tuple[str, ...]] = ("task_id", "number")
    type: Literal["task_note"] = "task_note"
    task_id: TaskId
    number: Version
    at: AwareDatetime
    author: Text
    body: Text


WorkRecord = AgentRecord | TaskRecord | TaskDependencyRecord | TaskItemRecord | TaskNoteRecord
