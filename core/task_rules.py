"""What may become of a task, and what a change makes of it: pure, and the same for every store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from .errors import ConflictError, InvalidInputError
from .models import (
    UNFINISHED,
    Agent,
    Dependency,
    Task,
    TaskChange,
    TaskDraft,
    TaskFilters,
    TaskNote,
    TaskOutcome,
    TaskStatus,
)

MAX_NOTES = 500
_ENDS = ("done", "failed", "cancelled")
_ACTIONS: Mapping[TaskOutcome, str] = {
    "updated": "relabel",
    "claimed": "claim",
    "released": "release",
    "reopened": "reopen",
    "done": "finish",
    "failed": "fail",
    "cancelled": "cancel",
}
_LABELS = ("title", "description", "priority", "assignee", "capability", "due_at")


def drafted(draft: TaskDraft, dependencies: Iterable[Dependency], created_by: str, now: datetime) -> Task:
    """Return a new task, open or blocked."""
    return settled(
        Task(
            task_id=draft.task_id,
            title=draft.title,
            description=draft.description,
            priority=draft.priority,
            status="open",
            assignee=draft.assignee,
            capability=draft.capability,
            due_at=draft.due_at,
            agent=None,
            lease_until=None,
            result=None,
            revision=1,
            created_by=created_by,
            created_at=now,
            updated_at=now,
            item_ids=draft.item_ids,
        ),
        dependencies,
    )


def claim(task: Task, agent: Agent, until: datetime) -> tuple[Task, TaskOutcome]:
    """Return the task as ``agent`` holds it until then, and whether that is a new claim or prolongs its own.

    Raises:
        ConflictError: it cannot be worked, or not by this agent.
    """
    if (reason := unfit(task, agent)) is not None:
        raise ConflictError(reason)
    if task.holder == agent.name:
        return replace(task, lease_until=until), "renewed"
    if task.standing != "open":
        raise ConflictError(_unclaimable(task))
    return replace(task, status="claimed", agent=agent.name, lease_until=until, result=None, lapsed=False), "claimed"


def _unclaimable(task: Task) -> str:
    if task.status == "blocked":
        return f"Task {task.task_id} is blocked: {why_blocked(task)}; claim another one, or one of those."
    if task.status == "claimed":
        return (
            f"Task {task.task_id} is claimed by {task.agent!r} until {_time(task.lease_until)}; "
            "leave task_id out to claim the next one that is free."
        )
    return f"Task {task.task_id} is {task.status}; to have it worked again set its status to open first."


def unfit(task: Task, agent: Agent) -> str | None:
    """Say why an agent may not claim a task, None when it may."""
    if task.assignee not in (None, agent.name):
        return (
            f"Task {task.task_id} is assigned to {task.assignee!r}, not to {agent.name!r}; change its assignee first."
        )
    if task.capability is not None and task.capability not in agent.capabilities:
        return (
            f"Task {task.task_id} needs the capability {task.capability!r}, which {agent.name!r} is not registered "
            "with; agent_register adds it."
        )
    return None


def change(
    task: Task, wanted: TaskChange, agent: Agent | str, now: datetime, lease: timedelta
) -> tuple[Task, TaskOutcome]:
    """Return what a change makes of a task, and what to call that; its dependencies are settled by the store.

    Only a registered agent can claim; for anything else its name will do. Whoever holds the task prolongs its lease.

    Raises:
        ConflictError: the task's status does not allow it, or another agent holds it.
    """
    if wanted.status == "claimed" and isinstance(agent, Agent):
        claimed, outcome = claim(task, agent, now + lease)
        after, _ = change(claimed, replace(wanted, status=None), agent.name, now, lease)
        return after, outcome
    return _change(task, wanted, agent if isinstance(agent, str) else agent.name, now, lease)


def _change(task: Task, wanted: TaskChange, agent: str, now: datetime, lease: timedelta) -> tuple[Task, TaskOutcome]:
    after, outcome = _moved(task, wanted, agent)
    labels = {name: value for name, value in wanted.labels.items() if name in _LABELS}
    after = replace(after, **labels)
    if wanted.item_ids is not None:
        after = replace(after, item_ids=tuple(sorted(wanted.item_ids)))
    if wanted.note is not None and wanted.status not in _ENDS:
        after = with_note(after, now, agent, wanted.note)
    if task.holder == agent and after.status == "claimed":
        after = replace(after, lease_until=now + lease)
    if outcome == "unchanged" and after != replace(task, lease_until=after.lease_until):
        outcome = "updated"
    return after, outcome


def _moved(task: Task, wanted: TaskChange, agent: str) -> tuple[Task, TaskOutcome]:
    if wanted.depends_on is not None and task.standing not in ("open", "blocked") and wanted.status != "open":
        raise ConflictError(
            f"Task {task.task_id} is {task.standing}; what it depends on can change only while nobody works on it, "
            "so pass status open with it."
        )
    if wanted.status is None:
        return task, "unchanged"
    if wanted.status == "open":
        return _opened(task, agent)
    if task.status == wanted.status:
        if wanted.note not in (None, task.result):
            raise ConflictError(f"Task {task.task_id} is {task.status} already, with another result; reopen it first.")
        return task, "unchanged"
    if task.status in _ENDS:
        raise ConflictError(f"Task {task.task_id} is {task.status} already; set its status to open to reopen it first.")
    if wanted.status != "cancelled":
        _check_held(task, agent)
    ended = replace(task, status=wanted.status, agent=agent, lease_until=None, result=wanted.note, lapsed=False)
    return ended, "done" if wanted.status == "done" else "failed" if wanted.status == "failed" else "cancelled"


def _opened(task: Task, agent: str) -> tuple[Task, TaskOutcome]:
    if task.status in ("open", "blocked"):
        return task, "unchanged"
    outcome: TaskOutcome = "reopened"
    if task.status == "claimed":
        outcome = "released"
        if not task.lapsed and task.agent != agent:
            _check_held(task, agent)
    return replace(task, status="open", agent=None, lease_until=None, result=None, lapsed=False), outcome


def _check_held(task: Task, agent: str) -> None:
    """Refuse what only the holder of a live lease may do."""
    if task.lapsed and task.agent == agent:
        raise ConflictError(
            f"The lease of {agent!r} on {task.task_id} ran out at {_time(task.lease_until)} and it is open again; "
            "claim it again (nobody else has it yet), then finish it."
        )
    if task.standing != "claimed":
        raise ConflictError(
            f"Task {task.task_id} is {task.standing} and {agent!r} does not hold it; claim it first with "
            "status claimed."
        )
    if task.agent != agent:
        raise ConflictError(
            f"Task {task.task_id} is claimed by {task.agent!r} until {_time(task.lease_until)}, not by {agent!r}: if "
            "your lease ran out, what you found can be added as a note."
        )


def with_note(task: Task, now: datetime, author: str, text: str) -> Task:
    """Return the task with a further note.

    Raises:
        InvalidInputError: it has too many.
    """
    if len(task.notes) >= MAX_NOTES:
        raise InvalidInputError(
            f"Task {task.task_id} has {MAX_NOTES} notes and takes no more; keep the text with memory_add and link it."
        )
    notes = (*task.notes, TaskNote(len(task.notes) + 1, now, author, text))
    return replace(task, notes=notes, note_count=len(notes))


def settled(task: Task, dependencies: Iterable[Dependency]) -> Task:
    """Return the task with its dependencies as they are, blocked or open as follows from them."""
    known = replace(task, dependencies=tuple(sorted(dependencies, key=lambda one: one.task_id)))
    if known.status not in ("open", "blocked"):
        return known
    return replace(known, status="blocked" if known.waits_for else "open")


def check_dependents(task_id: str, standings: Mapping[str, TaskStatus]) -> None:
    """Refuse to take a done task back when those that waited for it have built upon it.

    Raises:
        ConflictError: one of them is worked on or done.
    """
    for other, standing in standings.items():
        if standing in ("claimed", "done"):
            raise ConflictError(
                f"Task {other} waited for {task_id} and is {standing} by now; reopen or release that one first."
            )


def find_cycle(task_id: str, depends_on: Collection[str], edges: Iterable[tuple[str, str]]) -> Sequence[str] | None:
    """Return the shortest way from a task over ``depends_on`` and ``edges`` (task, what it depends on) back to it."""
    graph: defaultdict[str, list[str]] = defaultdict(list)
    for task, other in edges:
        graph[task].append(other)
    ways: list[list[str]] = [[task_id, one] for one in sorted(depends_on)]
    seen: set[str] = set()
    for way in ways:
        last = way[-1]
        if last == task_id:
            return way
        if last not in seen:
            seen.add(last)
            ways += [[*way, one] for one in sorted(graph.get(last, ()))]
    return None


def check_cycle(task_id: str, depends_on: Collection[str], edges: Iterable[tuple[str, str]]) -> None:
    """Refuse dependencies that lead back to the task.

    Raises:
        InvalidInputError: they do; the message names the way.
    """
    way = find_cycle(task_id, depends_on, edges)
    if way is not None:
        shown = way if len(way) <= 8 else [*way[:4], "…", *way[-3:]]
        raise InvalidInputError(
            f"These dependencies form a cycle, in which each task would wait for the next for ever: "
            f"{' -> '.join(shown)}; leave one of them out."
        )


def why_blocked(task: Task) -> str:
    """Say what a blocked task waits for, and what can never come about by itself."""
    shown = [f"{one.task_id} ({one.status}{_because(one)})" for one in task.waits_for[:5]]
    more = len(task.waits_for) - len(shown)
    ended = any(one.status in ("failed", "cancelled") for one in task.waits_for)
    hint = ", which ended without being done: reopen it or take it out of depends_on" if ended else ""
    return f"it waits for {', '.join(shown)}{f' and {more} more' if more else ''}{hint}"


def _because(one: Dependency) -> str:
    if one.status not in ("failed", "cancelled") or not one.result:
        return ""
    line = " ".join(one.result.split())
    return f": {line if len(line) <= 120 else line[:120] + '…'}"


def action(outcome: TaskOutcome) -> str:
    """Return the history's word for what became of a task."""
    return _ACTIONS.get(outcome, outcome)


def order(task: Task) -> tuple[int, bool, datetime, str]:
    """Return what tasks are worked by: priority, then those due first, then the oldest."""
    return -task.priority, task.due_at is None, task.due_at or task.created_at, task.task_id


def stored_statuses(filters: TaskFilters) -> tuple[TaskStatus, ...]:
    """Return the statuses that a task of a list may have been left at: what is open now may be a claim that lapsed."""
    if filters.status is None:
        return UNFINISHED
    return ("open", "claimed") if filters.status == "open" else (filters.status,)


def passes(task: Task, filters: TaskFilters) -> bool:
    """Whether a list with these filters has the task."""
    if task.status not in stored_statuses(filters) or filters.status not in (None, task.standing):
        return False
    return filters.agent is None or filters.agent in (task.assignee, None if task.lapsed else task.agent)


def _time(at: datetime | None) -> str:
    return "now" if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
