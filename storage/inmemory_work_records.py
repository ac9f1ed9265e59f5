"""Tasks and agents of the in-memory store as records, and back."""

from collections.abc import Iterator
from dataclasses import replace

from ..core.dump_records import (
    conflict,
)
from ..core.dump_work import AgentRecord, TaskDependencyRecord, TaskItemRecord, TaskNoteRecord, TaskRecord, WorkRecord
from ..core.models import Agent, Dependency, Task, TaskNote
from ..core.task_state import task_digest
from .inmemory_work import Work


def work_records(work: Work) -> Iterator[WorkRecord]:
    """Go through all records, in no order."""
    for agent in work.agents.values():
        yield _agent(agent)
    for task in work.held.values():
        yield _task(task)
        for one in task.dependencies:
            yield TaskDependencyRecord(task_id=task.task_id, depends_on=one.task_id)
        for item_id in task.item_ids:
            yield TaskItemRecord(task_id=task.task_id, item_id=item_id)
        for note in task.notes:
            yield TaskNoteRecord(
                task_id=task.task_id, number=note.number, at=note.at, author=note.author, body=note.text
            )


def take_work(work: Work, record: WorkRecord) -> bool:
    """Take a record in, and say whether it is new.

    Raises:
        ConflictError: its key is taken.
    """
    match record:
        case AgentRecord():
            return _take_agent(work, record)
        case TaskRecord():
            return _take_task(work, record)
        case TaskDependencyRecord():
            task, other = work.held[record.task_id], work.held[record.depends_on]
            if record.depends_on in (one.task_id for one in task.dependencies):
                return False
            dependency = Dependency(other.task_id, other.status, other.title)
            work.held[task.task_id] = replace(task, dependencies=(*task.dependencies, dependency))
        case TaskItemRecord():
            task = work.held[record.task_id]
            if record.item_id in task.item_ids:
                return False
            work.held[task.task_id] = replace(task, item_ids=(*task.item_ids, record.item_id))
        case TaskNoteRecord():
            task = work.held[record.task_id]
            if record.number in (note.number for note in task.notes):
                return False
            note = TaskNote(record.number, record.at, record.author, record.body)
            work.held[task.task_id] = replace(task, notes=(*task.notes, note), note_count=task.note_count + 1)
    return True


def _take_agent(work: Work, record: AgentRecord) -> bool:
    if record.name in work.agents:
        # It stays as it is: agents say anew what they are whenever they register.
        return False
    work.agents[record.name] = Agent(
        record.agent_id,
        record.name,
        record.role,
        record.capabilities,
        record.revision,
        record.created_at,
        record.last_seen_at,
    )
    return True


def _take_task(work: Work, record: TaskRecord) -> bool:
    known = work.held.get(record.task_id)
    if known is not None:
        if _lasting(_task(known)) != _lasting(record):
            raise conflict("task", record.task_id)
        return False
    work.held[record.task_id] = Task(
        task_id=record.task_id,
        title=record.title,
        description=record.description,
        priority=record.priority,
        status=record.status,
        assignee=record.assignee,
        capability=record.capability,
        due_at=record.due_at,
        agent=record.agent,
        lease_until=record.lease_until,
        result=record.result,
        revision=record.revision,
        created_by=record.created_by,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
    return True


def _lasting(record: TaskRecord) -> TaskRecord:
    """Return what must be equal for a task to be the same one: leases run on."""
    return replace(record, lease_until=None, updated_at=record.created_at)


def _agent(agent: Agent) -> AgentRecord:
    return AgentRecord(
        agent_id=agent.agent_id,
        name=agent.name,
        role=agent.role,
        capabilities=agent.capabilities,
        revision=agent.revision,
        created_at=agent.created_at,
        last_seen_at=agent.last_seen_at,
    )


def _task(task: Task) -> TaskRecord:
    return TaskRecord(
        task_id=task.task_id,
        title=task.title,
        description=task.description,
        priority=task.priority,
        status=task.status,
        assignee=task.assignee,
        capability=task.capability,
        due_at=task.due_at,
        agent=task.agent,
        lease_until=task.lease_until,
        result=task.result,
        revision=task.revision,
        sha256=task_digest(task).hex(),
        created_by=task.created_by,
        created_at=task.created_at,
        updated_at=task.updated_at,
    )
