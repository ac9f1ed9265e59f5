"""Turns as they are kept: checked, and told apart so that what comes again adds nothing."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import validation
from .errors import InvalidInputError
from .models import NewTurn, Trust
from .validation import Limits

MOST_TURNS = 1_000
"""Turns that one call may bring."""
MAX_ROLE = 60
CONTENT_TYPE = "conversation"
_KEY_BYTES = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that can be kept: its text begins with who speaks, as a transcript's line does."""

    place: int
    role: str
    text: str
    turn_id: str | None
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """Whose turns they are, and where they go."""

    name: str
    thread: str
    trust: Trust = "normal"


def check_turns(turns: Sequence[NewTurn], limits: Limits) -> tuple[list[Turn], int]:
    """Return the turns that say something, and how many say nothing.

    Raises:
        InvalidInputError: there are none or too many, or one of them is not acceptable; nothing is to be kept then.
    """
    if not turns:
        raise InvalidInputError("There are no turns; pass at least one, with its role and content.")
    if len(turns) > MOST_TURNS:
        raise InvalidInputError(
            f"{len(turns):,} turns are too many for one call; pass at most {MOST_TURNS:,} at a time, in order (those "
            "that are known add nothing), or give the file to `palimpsest import --transcripts`."
        )
    spoken = [(place, turn) for place, turn in enumerate(turns) if turn.content and not turn.content.isspace()]
    return [check_turn(place, turn, limits) for place, turn in spoken], len(turns) - len(spoken)


def check_turn(place: int, turn: NewTurn, limits: Limits) -> Turn:
    """Return a turn as it can be kept.

    Raises:
        InvalidInputError: it cannot; the sentence says which one it is.
    """
    try:
        role = validation.check_label(turn.role, "role")
        if role is None:
            raise InvalidInputError("It has no role; say who speaks, such as user or assistant.")
        if len(role) > MAX_ROLE:
            raise InvalidInputError(f"Its role has {len(role)} characters; {MAX_ROLE} are allowed.")
        text = f"{role}: {turn.content}"
        validation.encode_content(text, CONTENT_TYPE, limits)
        date = validation.check_moment(turn.date)
        return Turn(place, role, text, validation.check_label(turn.turn_id, "turn's id"), date)
    except InvalidInputError as error:
        raise InvalidInputError(f"Turn {place + 1} cannot be kept, so nothing was: {error}") from error


def keys_of(session: str, turns: Sequence[Turn]) -> list[str]:
    """Return what tells each turn from all others, in order.

    It is the session and the client's id; without one, what was said, by whom and when, and how often that was said
    among the given turns before.
    """
    said: Counter[tuple[str, ...]] = Counter()
    keys: list[str] = []
    for turn in turns:
        if turn.turn_id is not None:
            keys.append(key_of(session, "id", turn.turn_id))
            continue
        words = (turn.text, "" if turn.date is None else turn.date.isoformat())
        keys.append(key_of(session, "said", *words, str(said[words])))
        said[words] += 1
    return keys


def key_of(*parts: str) -> str:
    """Return an idempotency key of some parts."""
    digest = hashlib.blake2b(digest_size=_KEY_BYTES)
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8) + raw)
    return f"turn/{digest.hexdigest()}"


def source_of(actor: str, session: Session, turn: Turn, source: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a turn's item says of where it came from."""
    named = {} if turn.turn_id is None else {"turn": turn.turn_id}
    return {"actor": actor, **source, "session": session.name, "role": turn.role, **named}
