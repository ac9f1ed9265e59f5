"""The in-memory store's requests to people as records, and back."""

from dataclasses import fields, replace

from ..core.dump_records import RequestRecord, conflict
from ..core.models import HumanRequest
from .inmemory_shelf import Shelf


def request_record(request: HumanRequest) -> RequestRecord:
    """Return a request's record."""
    return RequestRecord(**{one.name: getattr(request, one.name) for one in fields(HumanRequest)})


def take_request(shelf: Shelf, record: RequestRecord) -> bool:
    """Put a request onto a shelf, and say whether it is new there.

    Raises:
        ConflictError: it is here, and went another way.
    """
    request = HumanRequest(**{one.name: getattr(record, one.name) for one in fields(HumanRequest)})
    known = shelf.requests.get(request.request_id)
    if known is None and not any(_same_open(one, request) for one in shelf.requests.values()):
        shelf.requests[request.request_id] = request
        return True
    if known is None or _went_another_way(known, request):
        raise conflict("human_request", request.request_id)
    return False


def _went_another_way(known: HumanRequest, loaded: HumanRequest) -> bool:
    """Say whether a loaded request is another, or knows what this one does not; what went on here since stays."""
    same = (known.asker, known.purpose, known.created_at) == (loaded.asker, loaded.purpose, loaded.created_at)
    if not same or loaded.revision != known.revision:
        return not same or loaded.revision > known.revision
    return replace(known, told_at=None) != replace(loaded, told_at=None)


def _same_open(one: HumanRequest, other: HumanRequest) -> bool:
    return one.status == other.status == "open" and (one.purpose, one.subject_id, one.state) == (
        other.purpose,
        other.subject_id,
        other.state,
    )
