"""Requests to people on a shelf: found, kept with their history, and blanked with what they were about."""

from datetime import datetime

from ..core import requests
from ..core.errors import RequestNotFoundError
from ..core.ids import parse_id
from ..core.models import HumanRequest
from .inmemory_shelf import Shelf


def find_request(shelf: Shelf, request_id: str) -> HumanRequest:
    """Return a request.

    Raises:
        RequestNotFoundError: there is none.
    """
    parse_id("request", request_id)
    try:
        return shelf.requests[request_id]
    except KeyError:
        raise RequestNotFoundError(request_id) from None


def keep_request(
    shelf: Shelf, request: HumanRequest, at: datetime, *, actor: str, action: str | None = None
) -> HumanRequest:
    """Keep what a request has become, with its line of the history, and return it."""
    shelf.requests[request.request_id] = request
    shelf.note(
        at,
        actor=actor,
        action=action or requests.ACTIONS[request.status],
        subject="request",
        subject_id=request.request_id,
        version=request.revision,
        sha256=requests.digest(request),
    )
    return request


def use_request(shelf: Shelf, request_id: str, at: datetime, *, actor: str, state: str | None = None) -> HumanRequest:
    """Use up a leave, and return it; ``state`` is that of its subject now.

    Raises:
        RequestNotFoundError: there is none.
        ConflictError: it gives none, or none for that state.
    """
    return keep_request(shelf, requests.used(find_request(shelf, request_id), at, state=state), at, actor=actor)


def blank_requests(shelf: Shelf, item_id: str, at: datetime) -> None:
    """Take the words out of questions about an item that is purged."""
    for one in [one for one in shelf.requests.values() if one.subject_id == item_id]:
        after = requests.blanked(one, at)
        if after is not None:
            keep_request(shelf, after, at, actor=requests.AUTOMATIC, action="blank")
