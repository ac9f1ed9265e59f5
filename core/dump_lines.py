"""The lines of a dump, written in one way only, and read back."""

import base64
import binascii
import functools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from .dump_records import FORMAT, SCHEMA, ContentRecord, Record, Tally, type_names
from .errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Header:
    """A dump's first line; ``thread`` is None for a whole namespace."""

    namespace: str
    tally: Tally
    thread: str | None = None
    schema: int = SCHEMA
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class End:
    """A dump's last line: how many records came before, and the SHA-256 of all bytes before."""

    records: int
    sha256: str


def encode_header(header: Header) -> bytes:
    """Write the first line; it has no date, so that dumps of the same memory are equal."""
    return _line(
        {
            "palimpsest_dump": header.format,
            "schema": header.schema,
            "namespace": header.namespace,
            "thread": header.thread,
            "counts": dict(header.tally.counts),
        }
    )


def encode_record(record: Record, without: Collection[str] = ()) -> bytes:
    """Write a record's line, or what is left of it without some fields."""
    fields = {name: value for name, value in _plain(record).items() if name not in without}
    if isinstance(record, ContentRecord):
        raw = record.content
        fields["content"] = raw.decode() if record.encoding == "utf-8" else base64.b64encode(raw).decode()
    return _line(fields)


def encode_end(end: End) -> bytes:
    """Write the last line."""
    return _line({"type": "end", "records": end.records, "sha256": end.sha256})


def encoding_of(content: bytes) -> Any:
    """Say how a content's line carries it: as text where it is text."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return "base64"
    return "utf-8"


def decode_header(line: bytes) -> Header:
    """Read the first line.

    Raises:
        InvalidInputError: it is no dump, or one that a newer version made.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or "palimpsest_dump" not in fields:
        raise InvalidInputError("This is no dump: its first line is not the header that `palimpsest dump` writes.")
    known: dict[str, Any] = fields  # pyright: ignore[reportUnknownVariableType]
    for name, newest in (("palimpsest_dump", FORMAT), ("schema", SCHEMA)):
        if type(known.get(name)) is not int or known[name] < 1:
            raise InvalidInputError(f"The dump's header is damaged: {name} is no number.")
        if known[name] > newest:
            raise InvalidInputError(
                f"The dump was made by a newer version ({name} {known[name]}, this one reads up to {newest}); "
                "update palimpsest, then load it."
            )
    header = _header(known)
    if header is None or encode_header(header) != line:
        raise InvalidInputError("The dump's header is damaged; make the dump again.")
    return header


def _header(known: Mapping[str, Any]) -> Header | None:
    counts, namespace, thread = known.get("counts"), known.get("namespace"), known.get("thread")
    if not (isinstance(counts, dict) and isinstance(namespace, str) and isinstance(thread, str | None)):
        return None
    tally: dict[str, Any] = counts  # pyright: ignore[reportUnknownVariableType]
    if not set(tally) <= set(type_names()) or not all(type(count) is int and count >= 0 for count in tally.values()):
        return None
    return Header(namespace, Tally(tally), thread, known["schema"], known["palimpsest_dump"])


def decode_line(line: bytes, number: int, schema: int = SCHEMA) -> Record | End:
    """Read any line but the first; those of an older ``schema`` may lack fields that have a default.

    Raises:
        InvalidInputError: it is none that ``encode_record`` or ``encode_end`` would have written.
    """
    if _is_end(line):
        return _decode_end(line, number)
    try:
        record = _records().validate_json(line)
        if isinstance(record, ContentRecord) and record.encoding == "base64":
            record = replace(record, content=base64.b64decode(record.content, validate=True))
        same = schema < SCHEMA or encode_record(record) == line
    except ValidationError as error:
        raise InvalidInputError(_sentence(error, number)) from None
    except (binascii.Error, ValueError, OverflowError):
        same = False
        record = None
    if record is None or not same:
        raise InvalidInputError(
            f"Line {number} is not as `palimpsest dump` writes it (order of keys, spaces, dates or encoding); "
            "make the dump again."
        )
    return record


def _is_end(line: bytes) -> bool:
    return len(line) < 200 and line.endswith(b'"type":"end"}\n')


def _decode_end(line: bytes, number: int) -> End:
    fields: Any = None
    try:
        fields = json.loads(line)
        end = End(int(fields["records"]), str(fields["sha256"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        end = None
    if end is None or encode_end(end) != line:
        raise InvalidInputError(f"Line {number}, the dump's last one, is damaged; make the dump again.")
    return end


@functools.cache
def _records() -> TypeAdapter[Record]:
    return TypeAdapter(Annotated[Record, Field(discriminator="type")])


def _line(fields: Mapping[str, Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        # strftime would not pad early years everywhere.
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _sentence(error: ValidationError, number: int) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind, where = problem["type"], [str(part) for part in problem["loc"][1:]]
    if kind == "json_invalid":
        return f"Line {number} is not JSON; make the dump again."
    if kind in ("union_tag_invalid", "union_tag_not_found", "dict_type", "dataclass_type"):
        return f"Line {number} is of no type that this version knows ({', '.join(type_names())})."
    name = ".".join(where)
    if kind == "unexpected_keyword_argument":
        return f"Line {number} has the field {name!r}, which no {problem['loc'][0]} has."
    reason = problem["msg"].removeprefix("Value error, ")
    return f"Line {number} is no valid {problem['loc'][0]}: {name}: {reason[:1].lower()}{reason[1:]}."
