"""What undoes a change of an item: written as JSON with the event, read when it is taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.ids import format_item_id
from ..core.models import Event, ItemState, Linked, Outcome, Remodelled, Rendition, Step, Stepped, Trail
from . import rows
from .rows import Row

OWN = (
    *("thread", "version", "state", "title", "content_type", "memory_type", "priority", "pinned", "tags"),
    *("detail", "header_tokens", "position", "occurrence", "trust"),
)
if TYPE_CHECKING:
    from ..core.dump_records import ImageRecord

LABELS = ("title", "content_type", "memory_type", "priority", "pinned", "tags", "trust")
_PLACE = ("thread", "position", "occurrence", "lineage", "header_tokens", "happened_at")
_RETURNED: Mapping[str, Sequence[str]] = {
    "relabel": (*LABELS, *_PLACE),
    "edit": (*LABELS, *_PLACE, "detail"),
    "forget": ("state", "position"),
    "restore": ("state", "position"),
    "summarize": (),
    "fold": ("lineage",),
}


def returned(action: str) -> Sequence[str]:
    """Return which of its own fields an item gets back when an action is undone; others moved it on the ladder."""
    return _RETURNED.get(action, ("detail", "position"))


def outcome_of(event: Event, state: str) -> Outcome:
    """Say what became of an item of this state by undoing an event."""
    if event.action not in ("add", "forget", "restore"):
        return "updated"
    return "restored" if state == ItemState.ACTIVE else "forgotten"


def model_digest(model: str | None) -> bytes:
    """Return what the history says of a thread's model."""
    return hashlib.sha256((model or "").encode()).digest()


@dataclass(frozen=True, slots=True)
class Before:
    """The item's own fields before a change, empty where they say nothing, and what else the change did."""

    own: Mapping[str, Any]
    trail: Trail

    @classmethod
    def read(cls, image: Mapping[str, Any]) -> Before:
        """Read an image; those of earlier versions know less."""
        own = {name: value for name, value in image.items() if name not in _TRAIL}
        if own.get("happened_at") is not None:
            own["happened_at"] = datetime.fromisoformat(own["happened_at"])
        return cls(own, read_trail(image))


_TRAIL = ("steps", "links", "renditions", "model")


def write(row: Row | None, trail: Trail) -> str | None:
    """Return the image of an ``items`` row as it was, None for none, and of what else a change did.

    Of contents it has nothing, of renditions those that cannot be made again; None where there is nothing to tell.
    """
    own: dict[str, Any] = {}
    if row is not None:
        own = {name: row[name] for name in OWN}
        own |= {"happened_at": row["happened_at"].isoformat(), "lineage": rows.item_id_or_none(row["lineage"])}
    found = own | trail_fields(trail)
    return json.dumps(found) if found else None


def trail_fields(trail: Trail) -> dict[str, Any]:
    """Return what a trail has to tell, as JSON."""
    found = asdict(trail)
    # That an item had no renditions is something to tell; that nothing else moved is not.
    return {name: value for name, value in found.items() if value or (name == "renditions" and value is not None)}


def read_trail(image: Mapping[str, Any]) -> Trail:
    """Return the trail of an image."""
    renditions, model = image.get("renditions"), image.get("model")
    return Trail(
        steps=tuple(Stepped(**one) for one in image.get("steps", ())),
        links=tuple(Linked(**one) for one in image.get("links", ())),
        renditions=None if renditions is None else tuple(Rendition(**one) for one in renditions),
        model=None if model is None else Remodelled(**model),
    )


def image_fields(trail: Trail) -> Mapping[str, Any]:
    """Return a trail as the fields of an ImageRecord."""
    from ..core.dump_images import LinkImage, ModelImage, RenditionImage, StepImage

    return {
        "steps": tuple(StepImage(**asdict(one)) for one in trail.steps),
        "links": tuple(LinkImage(**asdict(one)) for one in trail.links),
        "renditions": None
        if trail.renditions is None
        else tuple(RenditionImage(**asdict(one)) for one in trail.renditions),
        "model": None if trail.model is None else ModelImage(**asdict(trail.model)),
    }


def trail_of(record: ImageRecord) -> Trail:
    """Return the trail of a record."""
    return read_trail(asdict(record))


def stepped(steps: Sequence[Step], added: int | None = None) -> tuple[Stepped, ...]:
    """Return which items stepped down, but for one that was ``added`` only then."""
    own = None if added is None else format_item_id(added)
    return tuple(Stepped(one.item_id, one.before, one.detail) for one in steps if one.item_id != own)


def renditions(found: Sequence[Row]) -> tuple[Rendition, ...]:
    """Return the renditions of rows."""
    return tuple(Rendition(row["detail"], row["body"], row["tokens"], row["compressor"]) for row in found)
