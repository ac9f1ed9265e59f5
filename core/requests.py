"""How a request to a person goes from open to answered, declined, expired, cancelled or used; stores obey these."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from .answers import write_answer
from .errors import ConflictError
from .models import NO, Closing, HumanRequest, RequestStatus

AUTOMATIC = "palimpsest"
ACTIONS: Mapping[RequestStatus, str] = {
    "open": "ask",
    "answered": "answer",
    "declined": "decline",
    "expired": "expire",
    "cancelled": "cancel",
    "used": "use",
}
"""What the history calls the change that led to a status."""


BLANKED = "(about an item that is purged)"


def digest(request: HumanRequest) -> str:
    """Return the SHA-256 of all that a request says, in hex; whether its asker has heard of it is no part of that."""
    values = {one.name: getattr(request, one.name) for one in fields(request) if one.name != "told_at"}
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=datetime.isoformat)
    return hashlib.sha256(text.encode()).hexdigest()


def told(request: HumanRequest) -> str:
    """Say in a few words how a request stands."""
    match request.status:
        case "open":
            return "is open" if request.deadline is None else f"is open until {_moment(request.deadline)}"
        case "answered":
            how = ", the default at its deadline" if request.answered_how == "default" else ""
            return f"was answered: {write_answer(request.answer)}{how}"
        case "declined":
            return "was declined by a person"
        case "expired":
            return "expired without an answer"
        case "cancelled":
            return "was cancelled"
        case "used":
            return f"was answered: {write_answer(request.answer)}, and is used up"


def _moment(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes").replace("+00:00", " UTC")


def settled(request: HumanRequest, now: datetime) -> HumanRequest | None:
    """Return an open request as its passed deadline leaves it, None where it stays as it is."""
    if request.status != "open" or request.deadline is None or request.deadline > now:
        return None
    if request.fallback is None:
        return _changed(request, status="expired", answered_at=request.deadline)
    return _changed(
        request,
        status="answered",
        answer=request.fallback,
        answered_by=AUTOMATIC,
        answered_how="default",
        answered_at=request.deadline,
    )


def closed(request: HumanRequest, closing: Closing, now: datetime) -> HumanRequest:
    """Return an open request as it ended; leave that was answered with no is declined.

    Raises:
        ConflictError: it is not open, or its deadline has passed.
    """
    request = settled(request, now) or request
    if request.status != "open":
        raise ConflictError(f"{request.request_id} {told(request)}; it can no longer be changed, so ask anew.")
    status = closing.status
    if status == "answered" and request.purpose != "question" and closing.answer == NO:
        status = "declined"
    return _changed(
        request,
        status=status,
        answer=closing.answer,
        answered_by=closing.by,
        answered_how=closing.how,
        answered_at=now,
        # In a dialog the one who asked is told at once.
        told_at=now if closing.how == "elicitation" else None,
    )


def used(request: HumanRequest, now: datetime, *, state: str | None = None) -> HumanRequest:
    """Return a leave as used up; ``state`` is that of its subject now.

    Raises:
        ConflictError: no person gave it, it was used before, or its subject has changed since.
    """
    if not request.grants:
        raise ConflictError(f"{request.request_id} {told(request)}, so it gives no leave; nothing was done.")
    if state is not None and state != request.state:
        raise ConflictError(
            f"What {request.request_id} gave leave for has changed since; nothing was done, so ask anew."
        )
    return _changed(request, status="used", used_at=now)


def blanked(request: HumanRequest, now: datetime) -> HumanRequest | None:
    """Return a question about what is purged without any words of it, None where the request has none.

    One that is open is cancelled.
    """
    if request.purpose != "question":
        return None
    status = "cancelled" if request.status == "open" else request.status
    ended = now if request.status == "open" else request.answered_at
    return _changed(
        request,
        status=status,
        answered_at=ended,
        question=BLANKED,
        choices=(),
        form=None,
        fallback=None,
        answer=None,
        state="",
    )


def _changed(request: HumanRequest, **changes: Any) -> HumanRequest:
    return replace(request, revision=request.revision + 1, **changes)
