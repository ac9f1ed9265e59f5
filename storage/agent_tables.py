"""Agents: who works on tasks, what they can do, and when they were last seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..core.errors import ConflictError
from ..core.ids import Subject, new_number, parse_id
from ..core.models import Agent, AgentDraft, AgentReceipt, Worker
from ..core.task_refusals import unregistered
from ..core.task_state import agent_digest, agent_image
from . import task_rows
from .history_tables import HistoryTables, Undoer

if TYPE_CHECKING:
    from .pool import Connection


class AgentTables(HistoryTables):
    """Registration, heartbeats, and the list of agents."""

    async def put_agent(self, namespace: str, draft: AgentDraft, *, actor: str, lease: timedelta) -> AgentReceipt:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            known = await self._see(connection, namespace, draft.name)
            if known is None:
                agent = await self._register(connection, namespace, draft, actor)
                if agent is not None:
                    return AgentReceipt(agent, "registered")
                # Somebody else registered it at this moment.
                known = await self._see(connection, namespace, draft.name)
                assert known is not None
            renewed = await connection.fetch(self._queries["renew_leases"], namespace, draft.name, lease)
            ids = tuple(task_rows.task_id(row["task_id"]) for row in sorted(renewed, key=lambda row: row["task_id"]))
            after = replace(
                known,
                role=known.role if draft.role is None else draft.role,
                capabilities=known.capabilities if draft.capabilities is None else draft.capabilities,
            )
            if after == known:
                return AgentReceipt(replace(known, task_ids=ids), "seen", ids)
            agent = await self._change_agent(connection, namespace, after)
            await self._record_agent(connection, namespace, actor, "relabel", agent, agent_image(known))
            return AgentReceipt(replace(agent, task_ids=ids), "updated", ids)

    async def agents(self, namespace: str, limit: int) -> Sequence[Agent]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["agents"], namespace, limit)
        return [task_rows.agent(row, tuple(row["task_ids"])) for row in found]

    async def _worker(
        self, connection: Connection, namespace: str, worker: Worker, actor: str, *, claims: bool
    ) -> Agent | str:
        """Return the agent in whose name a task is changed and hold it, or its name where it need not be registered.

        Raises:
            NotFoundError: it is not registered, and named by its client.
        """
        agent = await self._see(connection, namespace, worker.name)
        if agent is None and worker.itself and claims:
            draft = AgentDraft(worker.name)
            agent = await self._register(connection, namespace, draft, actor)
            agent = agent or await self._see(connection, namespace, worker.name)
        if agent is None and not worker.itself:
            raise unregistered(worker.name)
        return worker.name if agent is None else agent

    async def _see(self, connection: Connection, namespace: str, name: str) -> Agent | None:
        row = await connection.fetchrow(self._queries["see_agent"], namespace, name)
        return None if row is None else task_rows.agent(row)

    async def _register(self, connection: Connection, namespace: str, draft: AgentDraft, actor: str) -> Agent | None:
        await connection.execute(self._queries["make_namespace"], namespace)
        row = await connection.fetchrow(
            self._queries["put_agent"],
            namespace,
            new_number(),
            draft.name,
            draft.role,
            list(draft.capabilities or ()),
        )
        if row is None:
            return None
        agent = task_rows.agent(row)
        await self._record_agent(connection, namespace, actor, "register", agent, {})
        return agent

    async def _change_agent(self, connection: Connection, namespace: str, agent: Agent) -> Agent:
        row = await connection.fetchrow(
            self._queries["change_agent"],
            namespace,
            parse_id("agent", agent.agent_id),
            agent.role,
            list(agent.capabilities),
        )
        assert row is not None
        return task_rows.agent(row)

    async def _record_agent(
        self, connection: Connection, namespace: str, actor: str, action: str, agent: Agent, image: Mapping[str, Any]
    ) -> None:
        await self.record(
            connection,
            namespace,
            actor=actor,
            action=action,
            subject="agent",
            number=parse_id("agent", agent.agent_id),
            version=agent.revision,
            sha256=agent_digest(agent),
            image=json.dumps(image),
        )

    def undoers(self) -> Mapping[Subject, Undoer]:
        """See HistoryTables."""
        return {**super().undoers(), "agent": self._undo_agent}

    async def _undo_agent(
        self, connection: Connection, namespace: str, number: int, image: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        row = await connection.fetchrow(self._queries["lock_agent"], namespace, number)
        if row is None:
            raise ConflictError("The agent is not registered any more.")
        agent = task_rows.agent(row)
        if image:
            before = replace(agent, role=image["role"], capabilities=tuple(image["capabilities"]))
            after = await self._change_agent(connection, namespace, before)
            return after.revision, agent_digest(after)
        if await connection.fetchval(self._queries["drop_agent"], namespace, number) is None:
            raise ConflictError(f"The agent {agent.name!r} holds tasks; release them first.")
        return agent.revision + 1, agent_digest(agent)
