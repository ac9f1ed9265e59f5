"""Rows of the database as records of a dump, and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import partial
from typing import Any

from ..core.dump_images import LATER_IMAGE_FIELDS, Image
from ..core.dump_lines import encoding_of
from ..core.dump_records import (
    ContentRecord,
    EventRecord,
    ImageRecord,
    PriorRecord,
    Record,
    RequestRecord,
)
from ..core.dump_sources import FactRecord
from ..core.ids import format_item_id, parse_id, parse_item_id, public_id
from ..core.models import TRUSTS
from . import rows
from .images import Before, image_fields, trail_fields, trail_of


def _same(value: Any) -> Any:
    return value


def _number_or_none(item_id: str | None) -> int | None:
    return None if item_id is None else parse_item_id(item_id)


def _hex(value: bytes) -> str:
    return value.hex()


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _hex_of_base64(value: str | None) -> str | None:
    return None if value is None else f"\\x{base64.b64decode(value).hex()}"


def _image(found: Mapping[str, Any]) -> Mapping[str, Any]:
    before = Before.read(found)
    values: dict[str, Any] = {**dict.fromkeys(LATER_IMAGE_FIELDS), **before.own}
    if values["trust"] is not None:
        values["trust"] = TRUSTS[values["trust"]]
    if before.own:
        values["tags"] = tuple(values["tags"])
    image = Image(**values) if before.own else None
    return {"image": image, **image_fields(before.trail)}


def _image_row(record: ImageRecord) -> Mapping[str, Any]:
    own = {} if record.image is None else asdict(record.image)
    if own.get("trust") is not None:
        own["trust"] = TRUSTS.index(own["trust"])
    kept = {name: value for name, value in own.items() if not (name in LATER_IMAGE_FIELDS and value is None)}
    return kept | trail_fields(trail_of(record))


_JSON = ("form", "fallback", "answer")
_READ: Mapping[str, Callable[[Any], Any]] = {
    "item_id": rows.item_id_or_none,
    "source_id": format_item_id,
    "source_sha256": _hex,
    "request_id": partial(public_id, "request"),
    "choices": tuple,
    "lineage": rows.item_id_or_none,
    "task_id": partial(public_id, "task"),
    "depends_on": partial(public_id, "task"),
    "agent_id": partial(public_id, "agent"),
    "capabilities": tuple,
    "sha256": _hex,
    "tags": tuple,
    "source": json.loads,
    "trust": TRUSTS.__getitem__,
    "categories": json.loads,
    "box": _base64,
    "wrapped_key": _base64,
    "fingerprint": _base64,
}
_WRITE: Mapping[str, Callable[[Any], Any]] = {
    "item_id": _number_or_none,
    "source_id": parse_item_id,
    "source_sha256": "\\x{}".format,
    "request_id": partial(parse_id, "request"),
    "lineage": _number_or_none,
    "task_id": partial(parse_id, "task"),
    "depends_on": partial(parse_id, "task"),
    "agent_id": partial(parse_id, "agent"),
    "sha256": "\\x{}".format,
    "trust": TRUSTS.index,
    "box": _hex_of_base64,
    "wrapped_key": _hex_of_base64,
    "fingerprint": _hex_of_base64,
}


def record_of(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """Return the record of a row of an ``export_`` query."""
    # What is not a column is told by another one.
    names = [field.name for field in fields(kind) if field.name in row]
    values = {name: _READ.get(name, _same)(row[name]) for name in names}
    if kind is ContentRecord:
        values["encoding"] = encoding_of(values["content"])
    elif kind is ImageRecord:
        values |= _image(json.loads(values["image"]))
    elif kind is PriorRecord:
        values["image"] = json.loads(values["image"])
    elif kind is RequestRecord:
        values |= {name: None if values[name] is None else json.loads(values[name]) for name in _JSON}
    if values.get("subject_id") is not None:
        values["subject_id"] = public_id(values["subject"], values["subject_id"])
    return kind(**values)


def row_of(record: Record) -> Mapping[str, Any]:
    """Return a record as the ``restore_`` queries read it."""
    names = [field.name for field in fields(record) if field.name != "type"]
    values = {name: _WRITE.get(name, _same)(getattr(record, name)) for name in names}
    match record:
        case ImageRecord():
            return {
                "event_id": record.event_id,
                "subject": "item",
                "subject_id": parse_item_id(record.item_id),
                "image": _image_row(record),
            }
        case FactRecord():
            return {**values, "subject_key": record.fact.subject_key, "slot": record.fact.slot}
        case EventRecord() | PriorRecord():
            return {**values, "subject_id": parse_id(record.subject, record.subject_id)}
        case RequestRecord(subject=subject, subject_id=subject_id) if subject is not None and subject_id is not None:
            return {**values, "subject_id": parse_id(subject, subject_id)}
        case _:
            return values
