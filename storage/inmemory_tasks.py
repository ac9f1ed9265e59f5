"""The in-memory store's tasks and agents: the rules of the core over what a shelf holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..core import task_rules
from ..core.errors import ConflictError
from ..core.ids import Subject, new_number, public_id
from ..core.models import (
    Agent,
    AgentDraft,
    AgentReceipt,
    Dependency,
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
from ..core.task_refusals import check_links, check_tasks, unregistered
from ..core.task_state import agent_digest, agent_image, task_before, task_digest, task_image
from .inmemory_shelf import Prior, Shelf
from .inmemory_spaces import Spaces
from .inmemory_undo import Undoer

_AUTOMATIC = "palimpsest"


class Tasks(Spaces):
    """Once a method has begun to change something, it awaits nothing."""

    async def add_task(self, namespace: str, draft: TaskDraft, *, actor: str) -> TaskReceipt:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        if (same := shelf.work.same(draft)) is not None:
            return TaskReceipt(shelf.work.task(same, now), "duplicate")
        check_tasks(draft.depends_on, shelf.work.held)
        check_links(draft.item_ids, _states(shelf, draft.item_ids))
        task = task_rules.drafted(draft, shelf.work.dependencies(draft.depends_on, now), actor, now)
        shelf.work.held[task.task_id] = task
        self._note_task(shelf, actor, "create", task, {})
        return TaskReceipt(task, "created")

    async def change_task(
        self, namespace: str, task_id: str, wanted: TaskChange, *, worker: Worker, actor: str, lease: timedelta
    ) -> TaskReceipt:
        """See Store."""
        shelf = self._shelves[namespace]
        agent = self._worker(shelf, worker, claims=wanted.status == "claimed")
        return self._change_task(shelf, task_id, wanted, agent, actor, lease)

    async def claim_next(self, namespace: str, *, worker: Worker, actor: str, lease: timedelta) -> TaskReceipt | None:
        """See Store."""
        shelf = self._shelves[namespace]
        agent = self._worker(shelf, worker, claims=True)
        assert isinstance(agent, Agent)
        free = [
            task
            for task in shelf.work.tasks(self._clock.now())
            if task.standing == "open" and task_rules.unfit(task, agent) is None
        ]
        if not free:
            self._enroll(shelf, agent, actor)
            return None
        first = min(free, key=task_rules.order)
        return self._change_task(shelf, first.task_id, TaskChange("claimed"), agent, actor, lease)

    def _change_task(
        self, shelf: Shelf, task_id: str, wanted: TaskChange, agent: Agent | str, actor: str, lease: timedelta
    ) -> TaskReceipt:
        now, work = self._clock.now(), shelf.work
        before = work.task(task_id, now)
        after, outcome = task_rules.change(before, wanted, agent, now, lease)
        dependencies: Sequence[Dependency] = before.dependencies
        if wanted.depends_on is not None:
            dependencies = self._redepend(shelf, before, wanted.depends_on)
        after = task_rules.settled(after, dependencies)
        links = sorted(set(after.item_ids) - set(before.item_ids))
        check_links(links, _states(shelf, links))
        _check_dependents(shelf, before, after)
        self._enroll(shelf, agent, actor)
        if task_digest(after) == task_digest(before):
            work.held[task_id] = after
            return TaskReceipt(after, "renewed" if outcome == "renewed" else "unchanged")
        outcome = "updated" if outcome == "unchanged" else outcome
        after = replace(after, revision=before.revision + 1, updated_at=now)
        unblocked, blocked = self._put_task(shelf, before, after)
        self._note_task(shelf, actor, task_rules.action(outcome), after, task_image(before))
        return TaskReceipt(after, outcome, unblocked, blocked)

    def _redepend(self, shelf: Shelf, task: Task, depends_on: Sequence[str]) -> Sequence[Dependency]:
        check_tasks(depends_on, shelf.work.held)
        edges = [edge for edge in shelf.work.edges() if edge[0] != task.task_id]
        task_rules.check_cycle(task.task_id, depends_on, edges)
        return shelf.work.dependencies(depends_on, self._clock.now())

    def _put_task(self, shelf: Shelf, before: Task, after: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Keep a task, and open or block what depends on it; return the ids of both."""
        work, moved = shelf.work, {"open": list[str](), "blocked": list[str]()}
        dependents = work.dependents(after.task_id)
        work.held[after.task_id] = after
        if (before.status == "done") != (after.status == "done"):
            for other in dependents:
                was, now = work.held[other], self._clock.now()
                fresh = work.task(other, now)
                settled = task_rules.settled(fresh, fresh.dependencies)
                if settled.status != was.status:
                    work.held[other] = replace(settled, updated_at=now)
                    moved[settled.status].append(other)
                    action = "unblock" if settled.status == "open" else "block"
                    self._note_task(shelf, _AUTOMATIC, action, settled, None)
        return tuple(moved["open"]), tuple(moved["blocked"])

    def _note_task(self, shelf: Shelf, actor: str, action: str, task: Task, image: Mapping[str, Any] | None) -> None:
        shelf.note(
            self._clock.now(),
            actor=actor,
            action=action,
            subject="task",
            subject_id=task.task_id,
            version=task.revision,
            sha256=task_digest(task).hex(),
            prior=None if image is None else Prior("task", task.task_id, other=image),
        )

    async def task(self, namespace: str, task_id: str) -> Task:
        """See Store."""
        return self._shelves[namespace].work.task(task_id, self._clock.now())

    async def tasks(
        self, namespace: str, filters: TaskFilters, *, limit: int, after: tuple[int, bool, datetime, str] | None
    ) -> TaskList:
        """See Store."""
        all_tasks = self._shelves[namespace].work.tasks(self._clock.now())
        passing = sorted((task for task in all_tasks if task_rules.passes(task, filters)), key=task_rules.order)
        page = [task for task in passing if after is None or task_rules.order(task) > after]
        return TaskList(tuple(_listed(task) for task in page[:limit]), len(passing), None)

    async def task_counts(self, namespace: str) -> Mapping[TaskStatus, int]:
        """See Store."""
        return Counter(task.standing for task in self._shelves[namespace].work.tasks(self._clock.now()))

    async def linked(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Rung]:
        """See Store."""
        records = self._shelves[namespace].records
        found = [
            records[item_id].rung for item_id in sorted(item_ids) if item_id in records and records[item_id].active
        ]
        return [replace(rung, detail="full", cost=rung.costs["full"]) for rung in found]

    async def put_agent(self, namespace: str, draft: AgentDraft, *, actor: str, lease: timedelta) -> AgentReceipt:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        known = shelf.work.agents.get(draft.name)
        if known is None:
            agent = self._new_agent(draft)
            self._enroll(shelf, agent, actor)
            return AgentReceipt(agent, "registered")
        renewed = shelf.work.renew(draft.name, now, lease)
        seen = replace(known, last_seen_at=now)
        after = replace(
            seen,
            role=known.role if draft.role is None else draft.role,
            capabilities=known.capabilities if draft.capabilities is None else draft.capabilities,
        )
        changed = after != seen
        if changed:
            after = replace(after, revision=known.revision + 1)
            self._note_agent(shelf, actor, "relabel", after, agent_image(known))
        shelf.work.agents[draft.name] = after
        return AgentReceipt(replace(after, task_ids=renewed), "updated" if changed else "seen", renewed)

    async def agents(self, namespace: str, limit: int) -> Sequence[Agent]:
        """See Store."""
        work, now = self._shelves[namespace].work, self._clock.now()
        found = sorted(work.agents.values(), key=lambda one: one.agent_id)
        found.sort(key=lambda one: one.last_seen_at, reverse=True)
        return [replace(one, task_ids=work.holds(one.name, now)) for one in found[:limit]]

    def _worker(self, shelf: Shelf, worker: Worker, *, claims: bool) -> Agent | str:
        """Return the agent in whose name a task is changed, one that is not registered yet for a client's own claim."""
        known = shelf.work.agents.get(worker.name)
        if known is None and not worker.itself:
            raise unregistered(worker.name)
        if known is None:
            return self._new_agent(AgentDraft(worker.name)) if claims else worker.name
        return known

    def _enroll(self, shelf: Shelf, agent: Agent | str, actor: str) -> None:
        """Note that an agent is alive, once nothing can be refused any more; register it where it is new."""
        if isinstance(agent, str):
            return
        new = agent.name not in shelf.work.agents
        shelf.work.agents[agent.name] = replace(agent, last_seen_at=self._clock.now())
        if new:
            self._note_agent(shelf, actor, "register", agent, {})

    def _new_agent(self, draft: AgentDraft) -> Agent:
        now, capabilities = self._clock.now(), draft.capabilities or ()
        return Agent(public_id("agent", new_number()), draft.name, draft.role, capabilities, 1, now, now)

    def _note_agent(self, shelf: Shelf, actor: str, action: str, agent: Agent, image: Mapping[str, Any]) -> None:
        shelf.note(
            self._clock.now(),
            actor=actor,
            action=action,
            subject="agent",
            subject_id=agent.agent_id,
            version=agent.revision,
            sha256=agent_digest(agent).hex(),
            prior=Prior("agent", agent.agent_id, other=image),
        )

    def undoers(self) -> Mapping[Subject, Undoer]:
        """See Changes."""
        return {**super().undoers(), "task": self._undo_task, "agent": self._undo_agent}

    def _undo_task(self, shelf: Shelf, task_id: str, image: Mapping[str, Any]) -> tuple[int, str]:
        work, at = shelf.work, self._clock.now()
        now = work.task(task_id, at)
        if not image:
            if work.dependents(task_id):
                raise ConflictError(f"Other tasks depend on {task_id}; take it out of their depends_on first.")
            del work.held[task_id]
            return now.revision + 1, task_digest(now).hex()
        before, depends_on = task_before(now, image)
        dependencies: Sequence[Dependency] = now.dependencies
        if depends_on != tuple(one.task_id for one in dependencies):
            dependencies = self._redepend(shelf, now, depends_on)
        links = tuple(one for one in before.item_ids if one in shelf.records)
        before = replace(before, revision=now.revision + 1, item_ids=links, updated_at=at)
        before = task_rules.settled(before, dependencies)
        _check_dependents(shelf, now, before)
        self._put_task(shelf, now, before)
        return before.revision, task_digest(before).hex()

    def _undo_agent(self, shelf: Shelf, agent_id: str, image: Mapping[str, Any]) -> tuple[int, str]:
        agent = next((one for one in shelf.work.agents.values() if one.agent_id == agent_id), None)
        if agent is None:
            raise ConflictError("The agent is not registered any more.")
        if image:
            before = replace(
                agent, role=image["role"], capabilities=tuple(image["capabilities"]), revision=agent.revision + 1
            )
            shelf.work.agents[agent.name] = before
            return before.revision, agent_digest(before).hex()
        if shelf.work.holds(agent.name, self._clock.now()):
            raise ConflictError(f"The agent {agent.name!r} holds tasks; release them first.")
        del shelf.work.agents[agent.name]
        return agent.revision + 1, agent_digest(agent).hex()


def _check_dependents(shelf: Shelf, before: Task, after: Task) -> None:
    if before.status == "done" and after.status != "done":
        task_rules.check_dependents(after.task_id, shelf.work.dependents(after.task_id))


def _states(shelf: Shelf, item_ids: Sequence[str]) -> Mapping[str, str]:
    return {one: shelf.records[one].item.state.value for one in item_ids if one in shelf.records}


def _listed(task: Task) -> Task:
    """Return a task as lists have it: without its notes, nor the results of what it depends on."""
    dependencies = tuple(replace(one, result=None) for one in task.dependencies)
    return replace(task, notes=(), dependencies=dependencies)
