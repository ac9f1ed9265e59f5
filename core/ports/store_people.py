"""Requests to people, as a store keeps them."""

from collections.abc import Sequence
from typing import Protocol

from ..ids import Subject
from ..models import Closing, HumanRequest, Purpose


class PeopleStore(Protocol):
    """Requests to people, as a store keeps them; each change has a line in the history."""

    async def put_request(self, namespace: str, request: HumanRequest) -> HumanRequest:
        """Commit a new request, and return it.

        Where one of its purpose, subject and state is open, that one is returned, and nothing is written. An open one
        of its purpose and subject in another state is cancelled: it asks about what is no more.
        """
        ...

    async def get_request(self, namespace: str, request_id: str) -> HumanRequest:
        """Return a request.

        Raises:
            RequestNotFoundError: there is none in this namespace.
        """
        ...

    async def list_requests(self, namespace: str, *, limit: int) -> Sequence[HumanRequest]:
        """Return open requests, the most urgent and then the oldest first, then closed ones, the newest first."""
        ...

    async def requests_about(
        self, namespace: str, subject: Subject, subject_id: str, *, limit: int
    ) -> Sequence[HumanRequest]:
        """Return answered questions about a subject, the oldest first; leave for a deed is none."""
        ...

    async def close_request(self, namespace: str, request_id: str, closing: Closing) -> HumanRequest:
        """End an open request, and return it.

        Raises:
            RequestNotFoundError: there is none in this namespace.
            ConflictError: it is not open, or its deadline has passed.
        """
        ...

    async def settle_requests(self, namespace: str) -> int:
        """Give open requests whose deadline has passed their default or let them expire; return how many."""
        ...

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
        """Return the newest leave that a person gave within so many seconds and that is not used up."""
        ...

    async def use_request(self, namespace: str, request_id: str, *, actor: str) -> HumanRequest:
        """Use up a leave, and return it.

        Raises:
            RequestNotFoundError: there is none in this namespace.
            ConflictError: nobody gave it, or it is used up.
        """
        ...

    async def tell_requests(self, namespace: str, asker: str, limit: int) -> Sequence[HumanRequest]:
        """Return requests of an asker that ended without its knowledge, the oldest first, and note that it knows."""
        ...

    async def count_forgets(self, namespace: str, actor: str, *, seconds: float) -> int:
        """Count how often an actor forgot an item within so many seconds and since its last leave for more."""
        ...
