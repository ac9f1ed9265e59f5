"""What is learned from, and the registry of adapters, on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.errors import ConflictError, NotFoundError
from ..core.ids import format_item_id, new_number, parse_item_id
from ..core.learning.sentences import TRAINING, in_other_state, no_adapter
from ..core.models import (
    Adapter,
    AdapterChange,
    AdapterState,
    Example,
    ExampleCount,
    ExampleDraft,
    Lesson,
    Route,
)
from . import rows
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection


class LearningTables(Tables):
    """Training examples and adapters."""

    async def lessons(
        self, namespace: str, *, teachers: Sequence[str], strangers: Sequence[str], after: str | None, limit: int
    ) -> Sequence[Lesson]:
        """See Store."""
        place = -1 if after is None else parse_item_id(after)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["lessons"], namespace, list(teachers), list(strangers), place, limit
            )
        return [
            Lesson(
                item_id=format_item_id(row["item_id"]),
                title=row["title"],
                content=row["content"],
                sha256=row["sha256"].hex(),
                summary=row["body"],
                summary_tokens=row["summary_tokens"],
                teacher=row["compressor"],
            )
            for row in found
        ]

    async def put_examples(self, namespace: str, drafts: Sequence[ExampleDraft]) -> int:
        """See Store."""
        distinct = {draft.sha256: draft for draft in drafts}
        if not distinct:
            return 0
        wanted = json.dumps([_example_row(draft) for draft in distinct.values()])
        async with self._pool.transaction(namespace) as connection:
            return len(await connection.fetch(self._queries["put_examples"], namespace, wanted))

    async def examples(self, namespace: str) -> Sequence[Example]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["examples"], namespace)
        return [_example(row) for row in found]

    async def count_examples(self, namespace: str) -> Sequence[ExampleCount]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["count_examples"], namespace)
        return [ExampleCount(row["kind"], row["split"], row["examples"], row["revoked"]) for row in found]

    async def begin_adapter(
        self,
        namespace: str,
        *,
        base_model: str,
        owner: str,
        examples: Sequence[int],
        items: Sequence[str],
        stem: str,
    ) -> Adapter:
        """See Store."""
        numbers = [parse_item_id(item_id) for item_id in items]
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(
                self._queries["begin_adapter"], namespace, stem, base_model, owner, list(examples), numbers
            )
        if row is None:
            raise ConflictError(TRAINING)
        return _adapter(row)

    async def change_adapter(
        self, namespace: str, name: str, change: AdapterChange, *, states: Sequence[AdapterState]
    ) -> Adapter:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            active = await self._check_adapter(connection, namespace, name, states)
            if change.state == "active":
                await connection.execute(self._queries["retire_adapter"], namespace, name)
            row = await connection.fetchrow(
                self._queries["change_adapter"],
                namespace,
                name,
                change.state,
                change.stage,
                change.share,
                change.reason,
                None if change.report is None else json.dumps(change.report),
                None if change.manifest is None else bytes.fromhex(change.manifest),
                active,
            )
        return _adapter(row)

    async def _check_adapter(
        self, connection: Connection, namespace: str, name: str, states: Sequence[AdapterState]
    ) -> str | None:
        """Hold an adapter and the active one, and return the name of that."""
        held = await connection.fetch(self._queries["lock_adapters"], namespace, name)
        states_now = {row["name"]: row["state"] for row in held}
        if name not in states_now:
            raise NotFoundError(no_adapter(name))
        if states_now[name] not in states:
            raise ConflictError(in_other_state(name, states_now[name], states))
        return next((other for other, state in states_now.items() if state == "active" and other != name), None)

    async def get_adapter(self, namespace: str, name: str) -> Adapter:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["get_adapter"], namespace, name)
        if row is None:
            raise NotFoundError(no_adapter(name))
        return _adapter(row)

    async def adapters(self, namespace: str) -> Sequence[Adapter]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return [_adapter(row) for row in await connection.fetch(self._queries["adapters"], namespace)]

    async def route(self, namespace: str) -> Route:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["route"], namespace)
        assert row is not None
        return Route(row["active"], row["trial"], row["share"])


def _example_row(draft: ExampleDraft) -> dict[str, Any]:
    return {
        "example_id": new_number(),
        "kind": draft.kind,
        "system": draft.system,
        "prompt": draft.prompt,
        "completion": draft.completion,
        "teacher": draft.teacher,
        "source_sha256": f"\\x{draft.source_sha256}",
        "split": draft.split,
        "item_id": None if draft.item_id is None else parse_item_id(draft.item_id),
        "sha256": f"\\x{draft.sha256}",
    }


def _example(row: Any) -> Example:
    return Example(
        kind=row["kind"],
        system=row["system"],
        prompt=row["prompt"],
        completion=row["completion"],
        teacher=row["teacher"],
        source_sha256=row["source_sha256"].hex(),
        split=row["split"],
        item_id=rows.item_id_or_none(row["item_id"]),
        example_id=row["example_id"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def _adapter(row: Any) -> Adapter:
    return Adapter(
        name=row["name"],
        version=row["version"],
        state=row["state"],
        base_model=row["base_model"],
        owner=row["owner"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        heartbeat_at=row["heartbeat_at"],
        stage=row["stage"],
        parent=row["parent"],
        previous=row["previous"],
        share=row["share"],
        reason=row["reason"],
        report=json.loads(row["report"]),
        manifest=None if row["manifest"] is None else row["manifest"].hex(),
        examples=tuple(row["examples"]),
        items=tuple(format_item_id(number) for number in row["items"]),
    )
