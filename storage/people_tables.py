"""Requests to people: made, ended, used and told of, each change with its line in the history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core import requests
from ..core.errors import ConflictError, RequestNotFoundError
from ..core.ids import Subject, number_at, parse_id, public_id
from ..core.models import Closing, HumanRequest, Json, Purpose
from .rows import Row
from .tables import AUTOMATIC, Tables

if TYPE_CHECKING:
    from datetime import datetime

    from .pool import Connection

_SETTLED_AT_ONCE = 100


class PeopleTables(Tables):
    """What people are asked, and what they said."""

    async def put_request(self, namespace: str, request: HumanRequest) -> HumanRequest:
        """See Store."""
        number = parse_id("request", request.request_id)
        subject = _number(request.subject, request.subject_id)
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(
                self._queries["put_request"],
                namespace,
                number,
                request.asker,
                request.purpose,
                request.question,
                list(request.choices),
                _written(request.form),
                request.urgency,
                request.deadline,
                _written(request.fallback),
                request.subject,
                subject,
                request.state,
            )
            same = await connection.fetch(
                self._queries["open_requests"], namespace, request.purpose, request.subject, subject
            )
            if row is None:
                found = next((one for one in map(read_request, same) if one.state == request.state), None)
                if found is None:
                    raise ConflictError("The same question was answered at this very moment; ask again.")
                return found
            made = read_request(row)
            await self._note_request(connection, namespace, request.asker, "ask", made)
            if request.purpose != "question":
                for old in map(read_request, same):
                    if old.request_id != made.request_id:
                        closing = Closing("cancelled", AUTOMATIC)
                        await self._save_request(
                            connection, namespace, AUTOMATIC, requests.closed(old, closing, made.created_at)
                        )
            return made

    async def get_request(self, namespace: str, request_id: str) -> HumanRequest:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(self._queries["get_request"], namespace, parse_id("request", request_id))
        if row is None:
            raise RequestNotFoundError(request_id)
        return read_request(row)

    async def list_requests(self, namespace: str, *, limit: int) -> Sequence[HumanRequest]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["list_requests"], namespace, limit)
        return [read_request(row) for row in found]

    async def requests_about(
        self, namespace: str, subject: Subject, subject_id: str, *, limit: int
    ) -> Sequence[HumanRequest]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(
                self._queries["requests_about"], namespace, subject, parse_id(subject, subject_id), limit
            )
        return [read_request(row) for row in found]

    async def close_request(self, namespace: str, request_id: str, closing: Closing) -> HumanRequest:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            held, now = await self._hold_request(connection, namespace, request_id)
            return await self._save_request(connection, namespace, closing.by, requests.closed(held, closing, now))

    async def settle_requests(self, namespace: str) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            due = await connection.fetch(self._queries["due_requests"], namespace, _SETTLED_AT_ONCE)
            for row in due:
                after = requests.settled(read_request(row), row["moment"])
                assert after is not None
                await self._save_request(connection, namespace, AUTOMATIC, after)
        return len(due)

    async def find_grant(
        self,
        namespace: str,
        purpose: Purpose,
        subject: Subject | None,
        subject_id: str | None,
        *,
        state: str | None,
        lasting_seconds: float,
    ) -> HumanRequest | None:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            row = await connection.fetchrow(
                self._queries["find_grant"],
                namespace,
                purpose,
                subject,
                _number(subject, subject_id),
                state,
                lasting_seconds,
            )
        return None if row is None else read_request(row)

    async def use_request(self, namespace: str, request_id: str, *, actor: str) -> HumanRequest:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return await self.use_leave(connection, namespace, request_id, actor=actor)

    async def use_leave(
        self, connection: Connection, namespace: str, request_id: str, *, actor: str, state: str | None = None
    ) -> HumanRequest:
        """Use up a leave in the transaction of its deed; ``state`` is that of its subject now.

        Raises:
            RequestNotFoundError: there is none.
            ConflictError: it gives none, or none for that state.
        """
        held, now = await self._hold_request(connection, namespace, request_id)
        return await self._save_request(connection, namespace, actor, requests.used(held, now, state=state))

    async def blank_requests(self, connection: Connection, namespace: str, subject: Subject, number: int) -> None:
        """Take the words out of questions about what is purged."""
        about = await connection.fetch(self._queries["lock_requests_about"], namespace, subject, number)
        for row in about:
            after = requests.blanked(read_request(row), row["moment"])
            if after is not None:
                await self._save_request(connection, namespace, AUTOMATIC, after, "blank")

    async def tell_requests(self, namespace: str, asker: str, limit: int) -> Sequence[HumanRequest]:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            found = await connection.fetch(self._queries["tell_requests"], namespace, asker, limit)
        return sorted(map(read_request, found), key=lambda one: one.request_id)

    async def count_forgets(self, namespace: str, actor: str, *, seconds: float) -> int:
        """See Store."""
        async with self._pool.transaction(namespace) as connection:
            return int(
                await connection.fetchval(
                    self._queries["count_forgets"], namespace, number_at(-2 * seconds), actor, seconds
                )
            )

    async def _hold_request(
        self, connection: Connection, namespace: str, request_id: str
    ) -> tuple[HumanRequest, datetime]:
        row = await connection.fetchrow(self._queries["lock_request"], namespace, parse_id("request", request_id))
        if row is None:
            raise RequestNotFoundError(request_id)
        return read_request(row), row["moment"]

    async def _save_request(
        self, connection: Connection, namespace: str, actor: str, request: HumanRequest, action: str | None = None
    ) -> HumanRequest:
        await connection.execute(
            self._queries["save_request"],
            namespace,
            parse_id("request", request.request_id),
            request.revision,
            request.question,
            list(request.choices),
            _written(request.form),
            _written(request.fallback),
            request.state,
            request.status,
            _written(request.answer),
            request.answered_by,
            request.answered_how,
            request.answered_at,
            request.used_at,
            request.told_at,
        )
        await self._note_request(connection, namespace, actor, action or requests.ACTIONS[request.status], request)
        return request

    async def _note_request(
        self, connection: Connection, namespace: str, actor: str, action: str, request: HumanRequest
    ) -> None:
        await self.record(
            connection,
            namespace,
            actor=actor,
            action=action,
            subject="request",
            number=parse_id("request", request.request_id),
            version=request.revision,
            sha256=bytes.fromhex(requests.digest(request)),
        )


def read_request(row: Row) -> HumanRequest:
    """Return the request of a ``human_requests`` row."""
    subject: Subject | None = row["subject"]
    return HumanRequest(
        request_id=public_id("request", row["request_id"]),
        asker=row["asker"],
        question=row["question"],
        created_at=row["created_at"],
        purpose=row["purpose"],
        choices=tuple(row["choices"]),
        form=_read(row["form"]),
        urgency=row["urgency"],
        deadline=row["deadline"],
        fallback=_read(row["fallback"]),
        subject=subject,
        subject_id=None if subject is None else public_id(subject, row["subject_id"]),
        state=row["state"],
        status=row["status"],
        answer=_read(row["answer"]),
        answered_by=row["answered_by"],
        answered_how=row["answered_how"],
        answered_at=row["answered_at"],
        used_at=row["used_at"],
        told_at=row["told_at"],
        revision=row["revision"],
    )


def _number(subject: Subject | None, subject_id: str | None) -> int | None:
    return None if subject is None or subject_id is None else parse_id(subject, subject_id)


def _written(value: Json) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _read(text: str | None) -> Json:
    return None if text is None else json.loads(text)
