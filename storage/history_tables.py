"""The history of any subject: lines, before-images, and taking changes back."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.errors import ConflictError, NotFoundError
from ..core.ids import Subject, public_id
from ..core.models import Event
from . import rows
from .tables import Tables

if TYPE_CHECKING:
    from .pool import Connection

Undoer = Callable[["Connection", str, int, Mapping[str, Any]], Awaitable[tuple[int, bytes]]]
"""Puts a subject back: (connection, namespace, number, image) to its (version, sha256) as it is then.

It holds the subject's row first; ``image`` is what ``record`` was given, empty for what had been made. The line of the
history and the before-image are not its business.
"""


class HistoryTables(Tables):
    """What was changed and can be taken back."""

    def undoers(self) -> Mapping[Subject, Undoer]:
        """Return who takes back changes of which subject; a family adds its own to those of ``super()``."""
        return {}

    async def events(self, namespace: str, limit: int, *, about: tuple[Subject, int] | None = None) -> Sequence[Event]:
        """See Store."""
        subject, number = about or (None, None)
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["events"], namespace, limit, subject, number)
        return [rows.event(row) for row in found]

    async def _undoable(self, namespace: str, event_id: int | None) -> tuple[Event, Mapping[str, Any]]:
        """Return an event that can be taken back, the newest unless it is named, and what it overwrote."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetchrow(self._queries["undoable"], namespace, event_id)
        if found is None:
            raise NotFoundError(
                "There is nothing to undo." if event_id is None else f"Event {event_id} cannot be undone (any more)."
            )
        return rows.event({**found, "undoable": True}), json.loads(found["image"] or "{}")

    async def _undo_other(
        self, namespace: str, event: Event, number: int, image: Mapping[str, Any], *, actor: str
    ) -> None:
        """Take back a change of what is no item."""
        async with self._pool.transaction(namespace) as connection:
            version, sha256 = await self.undoers()[event.subject](connection, namespace, number, image)
            await self._check_newest(connection, namespace, event.subject, number, event.event_id)
            await self._drop_image(connection, namespace, event.event_id)
            await self.record(
                connection,
                namespace,
                actor=actor,
                action="undo",
                subject=event.subject,
                number=number,
                version=version,
                sha256=sha256,
            )

    async def _check_newest(
        self, connection: Connection, namespace: str, subject: Subject, number: int, event_id: int
    ) -> None:
        later = await connection.fetchrow(self._queries["built_upon"], namespace, subject, number, event_id)
        if later is not None:
            raise ConflictError(
                f"The {subject} {public_id(subject, number)} changed again since: event {later['event_id']} "
                f"({later['action']}) stands on event {event_id}; undo that one first."
            )

    async def _drop_image(self, connection: Connection, namespace: str, event_id: int) -> None:
        if await connection.execute(self._queries["drop_image"], namespace, event_id) != "DELETE 1":
            raise ConflictError("Somebody else took this change back at the same moment.")

    async def clear_images(self, connection: Connection, namespace: str, subject: Subject, number: int) -> None:
        """Take away what could bring a purged subject's text back."""
        await connection.execute(self._queries["clear_images"], namespace, subject, number)
