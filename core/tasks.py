"""The task service: work that agents share, claim, finish and hand over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from . import cursors, task_rules, validation
from .calls import Caller, NewTask, TaskEdit
from .errors import InvalidInputError
from .handoff import Packets
from .ids import new_number, parse_id, parse_item_id, public_id
from .models import (
    TASK_STATUSES,
    Handoff,
    TaskChange,
    TaskDraft,
    TaskFilters,
    TaskList,
    TaskReceipt,
    TaskStatus,
    Worker,
)
from .ports import Store

LEASE = timedelta(minutes=15)
"""How long a claim lasts unless it is renewed or the setting says otherwise."""
MAX_TEXT_BYTES = 20_000
MAX_LINKS = 200
MAX_NAME = 100
_AGENTS_ASKED = 10_000


class Tasks:
    """Creates, hands out, changes and lists tasks."""

    def __init__(self, *, store: Store, packets: Packets, lease: timedelta = LEASE) -> None:
        """Take the ports; claims last ``lease``."""
        self._store = store
        self._packets = packets
        self._lease = lease

    async def create(self, caller: Caller, new: NewTask) -> TaskReceipt:
        """Keep a new task; one that is the same as an unfinished one is not kept twice.

        Raises:
            InvalidInputError: a field is not acceptable.
            NotFoundError: a dependency or a linked item is not here.
            ConflictError: a linked item is forgotten.
        """
        draft = TaskDraft(
            task_id=public_id("task", new_number()),
            title=_title(new.title),
            description=_text(new.description, "description"),
            priority=validation.check_priority(new.priority),
            assignee=check_agent_name(new.assignee, "assignee"),
            capability=check_capability(new.capability),
            due_at=validation.check_moment(new.due or None),
            depends_on=_task_ids(new.depends_on),
            item_ids=_item_ids(new.item_ids),
        )
        receipt = await self._store.add_task(caller.namespace, draft, actor=caller.actor)
        return await self._advised(caller, receipt, draft.assignee, draft.capability)

    async def update(self, caller: Caller, task_id: str | None, edit: TaskEdit) -> TaskReceipt | None:
        """Change a task, or with status ``claimed`` and no id claim the next; None when there is none to claim.

        Raises:
            InvalidInputError: a field is not acceptable, or the dependencies form a cycle.
            NotFoundError: the task, the agent or something linked is not here.
            ConflictError: the task's status does not allow it, or another agent holds it.
        """
        worker = self.worker(caller, edit.agent)
        wanted = _change(edit)
        if task_id is not None:
            parse_id("task", task_id)
        if wanted == TaskChange():
            raise InvalidInputError(
                "Nothing to change was given; pass status, note, title, description, priority, depends_on, item_ids, "
                "due, assignee or capability."
            )
        actor = caller.actor if worker.itself else f"{caller.actor} as {worker.name}"
        if task_id is None:
            if wanted != TaskChange("claimed"):
                raise InvalidInputError(
                    "task_id is missing; only status claimed goes without it, and then with nothing but agent: "
                    "it claims the next task."
                )
            return await self._store.claim_next(caller.namespace, worker=worker, actor=actor, lease=self._lease)
        receipt = await self._store.change_task(
            caller.namespace, task_id, wanted, worker=worker, actor=actor, lease=self._lease
        )
        return await self._advised(caller, receipt, wanted.labels.get("assignee"), wanted.labels.get("capability"))

    async def list_tasks(
        self,
        caller: Caller,
        *,
        status: str | None = None,
        agent: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskList:
        """Return tasks in the order in which they are worked, a page at a time; unfinished ones unless ``status``.

        Raises:
            InvalidInputError: a filter, the cursor or a bound is not acceptable.
        """
        validation.check_range(limit, 1, 200, "limit")
        filters = TaskFilters(None if status is None else _status(status), check_agent_name(agent, "agent"))
        after = None if cursor is None else cursors.parse_task(cursor)
        if after is not None:
            parse_id("task", after[3])
        page = await self._store.tasks(caller.namespace, filters, limit=limit + 1, after=after)
        if len(page.tasks) <= limit:
            return page
        kept = page.tasks[:limit]
        return TaskList(kept, page.total, cursors.pack_task(task_rules.order(kept[-1])))

    async def counts(self, caller: Caller) -> Mapping[TaskStatus, int]:
        """Count the tasks by status, those first that are to be worked; one that none has is left out."""
        found = await self._store.task_counts(caller.namespace)
        return {status: found[status] for status in TASK_STATUSES if found.get(status)}

    async def handoff(self, caller: Caller, task_id: str, max_tokens: int = 4000) -> Handoff:
        """Return what somebody needs who takes a task over, within ``max_tokens``.

        Raises:
            InvalidInputError: the id or the bound is not acceptable.
            NotFoundError: no such task.
        """
        parse_id("task", task_id)
        validation.check_range(max_tokens, 200, 1_000_000, "max_tokens")
        return await self._packets.packet(caller.namespace, task_id, max_tokens)

    @staticmethod
    def worker(caller: Caller, agent: str | None) -> Worker:
        """Return in whose name a client acts: the agent that it names, else itself."""
        name = check_agent_name(agent, "agent")
        if name is None or name == caller.actor:
            return Worker(caller.actor[:MAX_NAME], itself=True)
        return Worker(name)

    async def _advised(
        self, caller: Caller, receipt: TaskReceipt, assignee: str | None, capability: str | None
    ) -> TaskReceipt:
        """Say so where nobody is here who could claim the task."""
        if assignee is None and capability is None:
            return receipt
        agents = await self._store.agents(caller.namespace, _AGENTS_ASKED)
        notes: list[str] = []
        if assignee is not None and assignee not in (agent.name for agent in agents):
            notes.append(f"No agent {assignee!r} is registered yet; the task waits for one of exactly that name.")
        if capability is not None and not any(capability in agent.capabilities for agent in agents):
            notes.append(f"No agent is registered yet that has the capability {capability!r}.")
        return replace(receipt, notes=(*receipt.notes, *notes))


def _change(edit: TaskEdit) -> TaskChange:
    labels: dict[str, Any] = {}
    if edit.title is not None:
        labels["title"] = _title(edit.title)
    if edit.description is not None:
        labels["description"] = _text(edit.description, "description")
    if edit.priority is not None:
        labels["priority"] = validation.check_priority(edit.priority)
    if edit.due is not None:
        labels["due_at"] = validation.check_moment(edit.due or None)
    if edit.assignee is not None:
        labels["assignee"] = check_agent_name(edit.assignee, "assignee")
    if edit.capability is not None:
        labels["capability"] = check_capability(edit.capability)
    return TaskChange(
        status=None if edit.status is None else _target(edit.status),
        labels=labels,
        depends_on=None if edit.depends_on is None else _task_ids(edit.depends_on),
        item_ids=None if edit.item_ids is None else _item_ids(edit.item_ids),
        note=None if edit.note is None else _text(edit.note, "note") or None,
    )


def _status(text: str) -> TaskStatus:
    if text not in TASK_STATUSES:
        raise InvalidInputError(f"{text[:60]!r} is no status; use one of {', '.join(TASK_STATUSES)}.")
    return text


def _target(text: str) -> Literal["open", "claimed", "done", "failed", "cancelled"]:
    status = _status(text)
    if status == "blocked":
        raise InvalidInputError(
            "A task is blocked by what it depends on, not by its status; name that task in depends_on, or set status "
            "open and say in a note what is missing."
        )
    return status


def _title(text: str) -> str:
    title = validation.check_label(text, "title")
    if title is None:
        raise InvalidInputError("The title is empty; say in one line what is to be done.")
    return title


def _text(text: str, what: str) -> str:
    if not text.strip():
        return ""
    cleaned = validation.check_text(text, what)
    size = len(cleaned.encode())
    if size > MAX_TEXT_BYTES:
        raise InvalidInputError(
            f"The {what} is {size:,} bytes, above the limit of {MAX_TEXT_BYTES:,}; keep the text with memory_add, link "
            "it with item_ids, and say here in short what it is about."
        )
    return cleaned


def check_agent_name(name: str | None, what: str) -> str | None:
    """Return an agent's name, or None when it is blank."""
    name = validation.check_label(name, what)
    if name is not None and len(name) > MAX_NAME:
        raise InvalidInputError(f"The {what} has {len(name)} characters; {MAX_NAME} are allowed.")
    return name


def check_capability(text: str | None) -> str | None:
    """Return a capability, written in one way, or None when it is blank."""
    name = check_agent_name(text, "capability")
    return None if name is None else name.lower()


def _task_ids(task_ids: Sequence[str]) -> tuple[str, ...]:
    for task_id in task_ids:
        parse_id("task", task_id)
    return _few(task_ids, "dependencies")


def _item_ids(item_ids: Sequence[str]) -> tuple[str, ...]:
    for item_id in item_ids:
        parse_item_id(item_id)
    return _few(item_ids, "linked items")


def _few(ids: Sequence[str], what: str) -> tuple[str, ...]:
    distinct = tuple(sorted(set(ids)))
    if len(distinct) > MAX_LINKS:
        raise InvalidInputError(f"{len(distinct)} {what} are too many for one task; {MAX_LINKS} are allowed.")
    return distinct
