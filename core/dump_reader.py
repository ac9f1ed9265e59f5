"""Reading a dump: every line is checked, and every line's place among the others."""

import hashlib
from collections import Counter
from collections.abc import Generator
from typing import BinaryIO

from .dump_lines import End, Header, decode_header, decode_line
from .dump_records import (
    ContentRecord,
    EventRecord,
    ExampleRecord,
    ImageRecord,
    ItemRecord,
    KeyRecord,
    PriorRecord,
    Record,
    RenditionRecord,
    RequestRecord,
    Tally,
    ThreadRecord,
    place,
)
from .dump_sources import FactRecord, ItemSourceRecord
from .dump_work import TaskDependencyRecord, TaskItemRecord, TaskNoteRecord, TaskRecord
from .errors import InvalidInputError
from .ids import PREFIXES

MAX_LINE_BYTES = 100_000_000
"""An item of 16 MB whose every character needs an escape of six bytes."""


def read_dump(file: BinaryIO, max_line_bytes: int = MAX_LINE_BYTES) -> tuple[Header, Generator[Record, None, End]]:
    """Return a dump's header and its records; their generator ends only behind a valid last line.

    The file is read once, line by line; of the records before only ids and hashes are kept.

    Raises:
        InvalidInputError: the dump is cut, damaged, or of a newer version; the generator raises it as well.
    """
    digest = hashlib.sha256()
    first = _line(file, 1, max_line_bytes)
    header = decode_header(first)
    digest.update(first)

    def records() -> Generator[Record, None, End]:
        relations = Relations()
        counts: Counter[str] = Counter(dict.fromkeys(header.tally.counts, 0))
        number = 2
        while True:
            line = _line(file, number, max_line_bytes)
            found = decode_line(line, number, header.schema)
            if isinstance(found, End):
                break
            digest.update(line)
            relations.check(found, number)
            counts[found.type] += 1
            yield found
            number += 1
        relations.finish()
        _check_end(found, counts, header, digest.hexdigest())
        if file.read(1):
            raise InvalidInputError(f"The dump goes on behind its last line ({number}); make the dump again.")
        return found

    return header, records()


def _line(file: BinaryIO, number: int, max_line_bytes: int) -> bytes:
    line = file.readline(max_line_bytes + 1)
    if len(line) > max_line_bytes:
        raise InvalidInputError(
            f"Line {number} is longer than {max_line_bytes:,} bytes, so it holds no item of this memory; "
            "raise PALIMPSEST_MAX_ITEM_BYTES if it is a dump."
        )
    if number > 1 and not line.endswith(b"\n"):
        raise InvalidInputError(f"The dump is cut: it ends in line {number} without its last line; make it again.")
    return line


def _check_end(end: End, counts: Counter[str], header: Header, sha256: str) -> None:
    if end.records != counts.total() or Tally(dict(counts)) != header.tally:
        raise InvalidInputError(
            f"Lines are missing in the dump: it has {counts.total():,} records and should have "
            f"{header.tally.total:,}; make it again."
        )
    if end.sha256 != sha256:
        raise InvalidInputError("The dump was changed: its SHA-256 is not the one in its last line; make it again.")


class Relations:
    """What a record must agree on with those before it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._last: Record | None = None
        self._threads: set[str] = set()
        self._items: dict[str, tuple[int, str, int]] = {}
        self._twins: dict[tuple[str, str, int], str] = {}
        self._complete: set[str] = set()
        self._without_text: set[tuple[str, str]] = set()
        self._tasks: set[str] = set()
        self._events: dict[int, tuple[str, bool]] = {}

    def check(self, record: Record, number: int) -> None:
        """Take the next record.

        Raises:
            InvalidInputError: it is not where it belongs, or contradicts one before.
        """
        if self._last is not None and place(record) <= place(self._last):
            what = "repeats the record before" if place(record) == place(self._last) else "is out of order"
            raise InvalidInputError(f"Line {number} {what}; make the dump again.")
        reason = self._reason(record)
        if reason is not None:
            raise InvalidInputError(f"Line {number} contradicts another: {reason}; make the dump again.")
        self._last = record

    def finish(self) -> None:
        """Take note that no record follows.

        Raises:
            InvalidInputError: an item's text is missing.
        """
        missing = self._items.keys() - self._complete
        if missing:
            raise InvalidInputError(f"The dump lacks the content of {min(missing)}; make it again.")
        if self._without_text:
            raise InvalidInputError(f"The dump lacks the {' of '.join(min(self._without_text)[::-1])}; make it again.")

    def _reason(self, record: Record) -> str | None:
        match record:
            case ThreadRecord():
                self._threads.add(record.thread)
            case ItemRecord():
                return self._item(record)
            case ContentRecord():
                return self._content(record)
            case RenditionRecord():
                self._without_text.discard((record.item_id, record.detail))
                return self._known(record.item_id)
            case KeyRecord() | FactRecord():
                return self._known(record.item_id)
            case EventRecord():
                self._events[record.event_id] = record.subject_id, record.action == "add"
                return _of_another_kind(record)
            case ImageRecord():
                return self._image(record)
            case PriorRecord():
                if self._events.get(record.event_id, ("", False))[0] != record.subject_id:
                    return f"there is no event {record.event_id} of {record.subject_id} that it could undo"
                return _of_another_kind(record)
            case TaskRecord():
                self._tasks.add(record.task_id)
                if (record.status == "claimed") != (record.lease_until is not None and record.agent is not None):
                    return f"{record.task_id} is claimed without an agent or a lease, or has a lease without a claim"
            case TaskDependencyRecord():
                return self._task(record.task_id) or self._task(record.depends_on)
            case TaskItemRecord():
                return self._task(record.task_id) or self._known(record.item_id)
            case TaskNoteRecord():
                return self._task(record.task_id)
            case ItemSourceRecord():
                return self._source(record)
            case RequestRecord():
                return _unlike_a_request(record)
            case ExampleRecord(item_id=item_id) if item_id is not None:
                return self._known(item_id)
            case _:
                pass
        return None

    def _task(self, task_id: str) -> str | None:
        return None if task_id in self._tasks else f"there is no task {task_id}"

    def _known(self, item_id: str) -> str | None:
        return None if item_id in self._items else f"there is no item {item_id}"

    def _source(self, record: ItemSourceRecord) -> str | None:
        if record.item_id == record.source_id:
            return f"{record.item_id} cannot have been made from itself"
        if record.end_offset is not None and record.end_offset <= record.start_offset:
            return f"the place of {record.source_id} that {record.item_id} was made from ends before it begins"
        return self._known(record.item_id) or self._known(record.source_id)

    def _item(self, item: ItemRecord) -> str | None:
        self._items[item.item_id] = item.version, item.sha256, item.size_bytes
        if item.detail in ("summary", "brief", "hint"):
            self._without_text.add((item.item_id, item.detail))
        if item.thread not in self._threads:
            return f"there is no thread {item.thread!r}"
        told = item.thread, item.sha256, item.occurrence
        twin = self._twins.setdefault(told, item.item_id) if item.active else item.item_id
        return None if twin == item.item_id else f"{twin} has the same content in the same thread"

    def _content(self, content: ContentRecord) -> str | None:
        if content.item_id not in self._items:
            return self._known(content.item_id)
        version, sha256, size = self._items[content.item_id]
        last = self._last
        before = last.version if isinstance(last, ContentRecord) and last.item_id == content.item_id else 0
        if content.version != before + 1:
            return f"{content.item_id} lacks a version before {content.version}"
        if hashlib.sha256(content.content).hexdigest() != content.sha256:
            return f"the content of {content.item_id} is not the one with its SHA-256"
        if content.version > version:
            return f"{content.item_id} has {version} versions only"
        if content.version == version:
            self._complete.add(content.item_id)
            if (sha256, size) != (content.sha256, len(content.content)):
                return f"{content.item_id} has another SHA-256 or size than its content"
        return None

    def _image(self, image: ImageRecord) -> str | None:
        if image.item_id not in self._items:
            return self._known(image.item_id)
        item_id, added = self._events.get(image.event_id, ("", False))
        # Steps that were asked for are told for all items alike.
        without = added or bool(image.steps)
        if item_id != image.item_id or (image.image is None and not without) or (image.image is not None and added):
            return f"there is no event {image.event_id} of {image.item_id} that it could undo"
        if image.image is not None and image.image.version > self._items[image.item_id][0]:
            return f"{image.item_id} has no version {image.image.version}"
        return None


def _unlike_a_request(record: RequestRecord) -> str | None:
    if (record.subject is None) != (record.subject_id is None):
        return f"{record.request_id} has a subject without an id, or an id without a subject"
    if (record.status == "open") == (record.answered_at is not None):
        return f"{record.request_id} is {record.status}, and has {'an end' if record.answered_at else 'no end'}"
    if record.subject is None or record.subject_id is None or record.subject_id.startswith(PREFIXES[record.subject]):
        return None
    return f"{record.subject_id} is the id of no {record.subject}"


def _of_another_kind(record: EventRecord | PriorRecord) -> str | None:
    if record.subject_id.startswith(PREFIXES[record.subject]):
        return None
    return f"{record.subject_id} is the id of no {record.subject}"
