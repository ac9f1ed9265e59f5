"""The in-memory store's requests to people."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ..core import requests
from ..core.ids import Subject
from ..core.models import URGENCIES, Closing, HumanRequest, Purpose
from .inmemory_requests import find_request, keep_request, use_request
from .inmemory_shelf import Shelf
from .inmemory_spaces import Spaces


class People(Spaces):
    """What people are asked, and what they said; once a method has begun to change something, it awaits nothing."""

    async def put_request(self, namespace: str, request: HumanRequest) -> HumanRequest:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        about = (request.purpose, request.subject, request.subject_id)
        same = [
            one
            for one in shelf.requests.values()
            if one.status == "open" and (one.purpose, one.subject, one.subject_id) == about
        ]
        for one in same:
            if one.state == request.state:
                return one
        self._keep_request(shelf, request.asker, request)
        if request.purpose != "question":
            for one in same:
                closing = Closing("cancelled", requests.AUTOMATIC)
                self._keep_request(shelf, requests.AUTOMATIC, requests.closed(one, closing, now))
        return request

    async def get_request(self, namespace: str, request_id: str) -> HumanRequest:
        """See Store."""
        return find_request(self._shelves[namespace], request_id)

    async def list_requests(self, namespace: str, *, limit: int) -> Sequence[HumanRequest]:
        """See Store."""
        held = self._shelves[namespace].requests.values()
        waiting = [one for one in held if one.status == "open"]
        waiting.sort(key=lambda one: (-URGENCIES.index(one.urgency), one.request_id))
        over = [one for one in held if one.status != "open"]
        over.sort(key=lambda one: (one.answered_at or one.created_at, one.request_id), reverse=True)
        return [*waiting[:limit], *over[:limit]][:limit]

    async def requests_about(
        self, namespace: str, subject: Subject, subject_id: str, *, limit: int
    ) -> Sequence[HumanRequest]:
        """See Store."""
        held = self._shelves[namespace].requests.values()
        found = [
            one
            for one in held
            if (one.subject, one.subject_id) == (subject, subject_id)
            and (one.status, one.purpose) == ("answered", "question")
        ]
        return sorted(found, key=lambda one: one.request_id)[:limit]

    async def close_request(self, namespace: str, request_id: str, closing: Closing) -> HumanRequest:
        """See Store."""
        shelf = self._shelves[namespace]
        after = requests.closed(find_request(shelf, request_id), closing, self._clock.now())
        return self._keep_request(shelf, closing.by, after)

    async def settle_requests(self, namespace: str) -> int:
        """See Store."""
        shelf, now = self._shelves[namespace], self._clock.now()
        due = [after for one in shelf.requests.values() if (after := requests.settled(one, now)) is not None]
        for after in due:
            self._keep_request(shelf, requests.AUTOMATIC, after)
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
        since = self._clock.now() - timedelta(seconds=lasting_seconds)
        found = [
            one
            for one in self._shelves[namespace].requests.values()
            if one.grants
            and (one.purpose, one.subject, one.subject_id) == (purpose, subject, subject_id)
            and state in (None, one.state)
            and one.answered_at is not None
            and one.answered_at > since
        ]
        return max(found, key=lambda one: one.request_id, default=None)

    async def use_request(self, namespace: str, request_id: str, *, actor: str) -> HumanRequest:
        """See Store."""
        shelf = self._shelves[namespace]
        return use_request(shelf, request_id, self._clock.now(), actor=actor)

    async def tell_requests(self, namespace: str, asker: str, limit: int) -> Sequence[HumanRequest]:
        """See Store."""
        shelf, now, ended = self._shelves[namespace], self._clock.now(), ("answered", "declined", "expired")
        untold = [one for one in shelf.requests.values() if one.told_at is None and one.status in ended]
        mine = sorted((one for one in untold if one.asker == asker), key=lambda one: one.request_id)[:limit]
        shelf.requests |= {one.request_id: replace(one, told_at=now) for one in mine}
        return [shelf.requests[one.request_id] for one in mine]

    async def count_forgets(self, namespace: str, actor: str, *, seconds: float) -> int:
        """See Store."""
        shelf = self._shelves[namespace]
        since, count = self._clock.now() - timedelta(seconds=seconds), 0
        for event in shelf.events:
            if (event.subject, event.action) == ("request", "use"):
                used = shelf.requests[event.subject_id]
                count = 0 if (used.purpose, used.state) == ("bulk_forget", actor) else count
            elif (event.subject, event.action) == ("item", "forget") and event.at > since:
                count += event.actor == actor or event.actor.startswith(f"{actor}: ")
        return count

    def _keep_request(self, shelf: Shelf, actor: str, request: HumanRequest) -> HumanRequest:
        return keep_request(shelf, request, self._clock.now(), actor=actor)
