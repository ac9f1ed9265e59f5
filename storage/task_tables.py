"""Tasks: written with their events, claimed with leases, and kept right with what they depend on."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..core import task_rules
from ..core.errors import ConflictError, TaskNotFoundError
from ..core.ids import Subject, format_item_id, new_number, parse_id, parse_item_id
from ..core.models import (
    Agent,
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
from ..core.task_refusals import check_links, check_tasks
from ..core.task_state import task_before, task_digest, task_image
from . import rows, task_rows
from .agent_tables import AgentTables
from .history_tables import Undoer
from .tables import AUTOMATIC
from .task_rows import task_id as public

if TYPE_CHECKING:
    from .pool import Connection


class TaskTables(AgentTables):
    """Every change holds the agent that makes it first, then what tasks wait for, then tasks by their ids.

    In that one order nobody waits in a ring; a claim of the next task waits for nobody.
    """

    async def add_task(self, namespace: str, draft: TaskDraft, *, actor: str) -> TaskReceipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            now = await self._hold_work(connection, namespace)
            if (same := await self._same_task(connection, namespace, draft)) is not None:
                return TaskReceipt(same, "duplicate")
            dependencies = await self._dependencies(connection, namespace, draft.depends_on)
            await self._check_links(connection, namespace, draft.item_ids)
            task = task_rules.drafted(draft, dependencies, actor, now)
            await self._write(connection, namespace, None, task)
            await self._record_task(connection, namespace, actor, "create", task, {})
            return TaskReceipt(task, "created")

    async def change_task(
        self, namespace: str, task_id: str, wanted: TaskChange, *, worker: Worker, actor: str, lease: timedelta
    ) -> TaskReceipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            agent = await self._worker(connection, namespace, worker, actor, claims=wanted.status == "claimed")
            if wanted.moves_others:
                await self._hold_work(connection, namespace)
            before, now = await self._lock_task(connection, namespace, task_id)
            return await self._change(connection, namespace, before, wanted, agent, actor, (now, lease))

    async def claim_next(self, namespace: str, *, worker: Worker, actor: str, lease: timedelta) -> TaskReceipt | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            agent = await self._worker(connection, namespace, worker, actor, claims=True)
            assert isinstance(agent, Agent)
            number = await connection.fetchval(
                self._queries["next_task"], namespace, agent.name, list(agent.capabilities)
            )
            if number is None:
                return None
            # Only now, for the lock may have waited for nothing but have found a newer row than its own snapshot's.
            before, now = await self._load(connection, namespace, public(number))
            return await self._change(connection, namespace, before, TaskChange("claimed"), agent, actor, (now, lease))

    async def _change(
        self,
        connection: Connection,
        namespace: str,
        before: Task,
        wanted: TaskChange,
        agent: Agent | str,
        actor: str,
        when: tuple[datetime, timedelta],
    ) -> TaskReceipt:
        after, outcome = task_rules.change(before, wanted, agent, *when)
        dependencies: Sequence[Dependency] = before.dependencies
        if wanted.depends_on is not None:
            dependencies = await self._redepend(connection, namespace, before, wanted.depends_on)
        after = task_rules.settled(after, dependencies)
        await self._check_links(connection, namespace, set(after.item_ids) - set(before.item_ids))
        if task_digest(after) == task_digest(before):
            if after.lease_until != before.lease_until:
                await self._write(connection, namespace, before, after)
            return TaskReceipt(after, "renewed" if outcome == "renewed" else "unchanged")
        outcome = "updated" if outcome == "unchanged" else outcome
        after = replace(after, revision=before.revision + 1, updated_at=when[0])
        await self._write(connection, namespace, before, after)
        unblocked, blocked = await self._settle_dependents(connection, namespace, before, after)
        await self._record_task(connection, namespace, actor, task_rules.action(outcome), after, task_image(before))
        return TaskReceipt(after, outcome, unblocked, blocked)

    async def _redepend(
        self, connection: Connection, namespace: str, task: Task, depends_on: Sequence[str]
    ) -> Sequence[Dependency]:
        dependencies = await self._dependencies(connection, namespace, depends_on)
        numbers = [parse_id("task", one) for one in depends_on]
        edges = await connection.fetch(self._queries["dependency_edges"], namespace, numbers)
        known = [(public(row["task_id"]), public(row["depends_on"])) for row in edges]
        task_rules.check_cycle(task.task_id, depends_on, known)
        return dependencies

    async def _settle_dependents(
        self, connection: Connection, namespace: str, before: Task, after: Task
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Open what waited for a task that is done now, or block what would again; return the ids of both."""
        if (before.status == "done") == (after.status == "done"):
            return (), ()
        number = parse_id("task", after.task_id)
        held = await connection.fetch(self._queries["lock_dependents"], namespace, number)
        if before.status == "done":
            task_rules.check_dependents(after.task_id, {public(row["task_id"]): row["status"] for row in held})
        if not held:
            return (), ()
        moved = await connection.fetch(
            self._queries["settle_dependents"],
            namespace,
            [row["task_id"] for row in held],
            [new_number() for _ in held],
            AUTOMATIC,
        )
        found: dict[TaskStatus, list[str]] = {"open": [], "blocked": []}
        for row in moved:
            found[row["status"]].append(public(row["task_id"]))
        return tuple(found["open"]), tuple(found["blocked"])

    async def _hold_work(self, connection: Connection, namespace: str) -> datetime:
        """Hold what tasks of the namespace wait for until the transaction ends, and return the time."""
        now: datetime | None = await connection.fetchval(self._queries["hold_work"], namespace)
        if now is None:
            await connection.execute(self._queries["make_namespace"], namespace)
            now = await connection.fetchval(self._queries["hold_work"], namespace)
            assert now is not None
        return now

    async def _lock_task(self, connection: Connection, namespace: str, task_id: str) -> tuple[Task, datetime]:
        if await connection.fetchval(self._queries["lock_task"], namespace, parse_id("task", task_id)) is None:
            raise TaskNotFoundError(task_id)
        return await self._load(connection, namespace, task_id)

    async def _load(self, connection: Connection, namespace: str, task_id: str) -> tuple[Task, datetime]:
        """Return a task, and as of when it is so."""
        row = await connection.fetchrow(self._queries["get_tasks"], namespace, [parse_id("task", task_id)], True)
        if row is None:
            raise TaskNotFoundError(task_id)
        return task_rows.task(row), row["now"]

    async def _same_task(self, connection: Connection, namespace: str, draft: TaskDraft) -> Task | None:
        number = await connection.fetchval(
            self._queries["same_task"],
            namespace,
            draft.title,
            draft.description,
            draft.priority,
            draft.assignee,
            draft.capability,
            draft.due_at,
            [parse_id("task", one) for one in draft.depends_on],
            [parse_item_id(one) for one in draft.item_ids],
        )
        return None if number is None else (await self._load(connection, namespace, public(number)))[0]

    async def _dependencies(
        self, connection: Connection, namespace: str, task_ids: Sequence[str]
    ) -> Sequence[Dependency]:
        if not task_ids:
            return ()
        numbers = [parse_id("task", one) for one in task_ids]
        found = [
            task_rows.task(row) for row in await connection.fetch(self._queries["get_tasks"], namespace, numbers, False)
        ]
        check_tasks(task_ids, {task.task_id for task in found})
        return [Dependency(task.task_id, task.standing, task.title, task.result) for task in found]

    async def _check_links(self, connection: Connection, namespace: str, item_ids: Collection[str]) -> None:
        if item_ids:
            check_links(sorted(item_ids), await self._item_states(connection, namespace, item_ids))

    async def _item_states(
        self, connection: Connection, namespace: str, item_ids: Collection[str]
    ) -> Mapping[str, str]:
        numbers = [parse_item_id(one) for one in item_ids]
        found = await connection.fetch(self._queries["item_states"], namespace, numbers)
        return {format_item_id(row["item_id"]): row["state"] for row in found}

    async def _write(self, connection: Connection, namespace: str, before: Task | None, after: Task) -> None:
        number = parse_id("task", after.task_id)
        await connection.execute(
            self._queries["put_task"],
            namespace,
            number,
            after.title,
            after.description,
            after.priority,
            after.status,
            after.assignee,
            after.capability,
            after.due_at,
            after.agent,
            after.lease_until,
            after.result,
            after.revision,
            task_digest(after),
            after.created_by,
            after.created_at,
            after.updated_at,
        )
        was, now = ([one.task_id for one in task.dependencies] if task else [] for task in (before, after))
        if was != now:
            numbers = [parse_id("task", one) for one in now]
            await connection.execute(self._queries["put_dependencies"], namespace, number, numbers)
        if (before.item_ids if before else ()) != after.item_ids:
            numbers = [parse_item_id(one) for one in after.item_ids]
            await connection.execute(self._queries["put_links"], namespace, number, numbers)
        await self._write_notes(connection, namespace, number, len(before.notes) if before else 0, after)

    async def _write_notes(self, connection: Connection, namespace: str, number: int, had: int, after: Task) -> None:
        fresh = after.notes[had:]
        if fresh:
            columns = zip(*((one.number, one.at, one.author, one.text) for one in fresh), strict=True)
            await connection.execute(self._queries["put_task_notes"], namespace, number, *map(list, columns))
        elif len(after.notes) < had:
            await connection.execute(self._queries["drop_task_notes"], namespace, number, len(after.notes))

    async def _record_task(
        self, connection: Connection, namespace: str, actor: str, action: str, task: Task, image: Mapping[str, Any]
    ) -> None:
        await self.record(
            connection,
            namespace,
            actor=actor,
            action=action,
            subject="task",
            number=parse_id("task", task.task_id),
            version=task.revision,
            sha256=task_digest(task),
            image=json.dumps(image, ensure_ascii=False),
        )

    async def task(self, namespace: str, task_id: str) -> Task:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return (await self._load(connection, namespace, task_id))[0]

    async def tasks(
        self, namespace: str, filters: TaskFilters, *, limit: int, after: tuple[int, bool, datetime, str] | None
    ) -> TaskList:
        """See Store."""
        place = (None,) * 4 if after is None else (parse_id("task", after[3]), *after[:3])
        async with self._pool.transaction(namespace) as connection:
            page = await connection.fetchrow(
                self._queries["list_tasks"],
                namespace,
                list(task_rules.stored_statuses(filters)),
                filters.status,
                filters.agent,
                limit,
                *place,
            )
            assert page is not None
            found = await connection.fetch(self._queries["get_tasks"], namespace, page["task_ids"], False)
        shown = sorted((task_rows.task(row) for row in found), key=task_rules.order)
        return TaskList(tuple(shown), page["total"], None)

    async def task_counts(self, namespace: str) -> Mapping[TaskStatus, int]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["task_counts"], namespace)
        return {row["standing"]: row["tasks"] for row in found}

    async def linked(self, namespace: str, item_ids: Sequence[str]) -> Sequence[Rung]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            numbers = [parse_item_id(one) for one in item_ids]
            found = [
                rows.rung(row) for row in await connection.fetch(self._queries["linked_rungs"], namespace, numbers)
            ]
        return [replace(rung, detail="full", cost=rung.costs["full"]) for rung in found]

    def undoers(self) -> Mapping[Subject, Undoer]:
        """See HistoryTables."""
        return {**super().undoers(), "task": self._undo_task}

    async def _undo_task(
        self, connection: Connection, namespace: str, number: int, image: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        await self._hold_work(connection, namespace)
        now, at = await self._lock_task(connection, namespace, public(number))
        if not image:
            if await connection.fetchval(self._queries["drop_task"], namespace, number) is None:
                raise ConflictError(f"Other tasks depend on {now.task_id}; take it out of their depends_on first.")
            return now.revision + 1, task_digest(now)
        before, depends_on = task_before(now, image)
        dependencies: Sequence[Dependency] = now.dependencies
        if depends_on != tuple(one.task_id for one in dependencies):
            dependencies = await self._redepend(connection, namespace, now, depends_on)
        links = await self._item_states(connection, namespace, before.item_ids)
        kept = tuple(one for one in before.item_ids if one in links)
        before = replace(before, revision=now.revision + 1, item_ids=kept, updated_at=at)
        before = task_rules.settled(before, dependencies)
        await self._write(connection, namespace, now, before)
        await self._settle_dependents(connection, namespace, now, before)
        return before.revision, task_digest(before)
