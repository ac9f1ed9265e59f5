"""Records and dumps that tests of the format are made of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from palimpsest.core.dump_images import Image
from palimpsest.core.dump_lines import (
    End,
    Header,
    encode_end,
    encode_header,
    encode_record,
    encoding_of,
)
from palimpsest.core.dump_reader import read_dump
from palimpsest.core.dump_records import (
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
    SealedRecord,
    Tally,
    ThreadRecord,
    UsageRecord,
    type_names,
)
from palimpsest.core.dump_sources import FactRecord, ItemSourceRecord
from palimpsest.core.dump_work import AgentRecord, TaskDependencyRecord, TaskItemRecord, TaskNoteRecord, TaskRecord
from palimpsest.core.ids import Subject, format_item_id, public_id

AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def item_id(number: int) -> str:
    return format_item_id(number)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def thread(name: str = "main") -> ThreadRecord:
    return ThreadRecord(thread=name, model=None, entries=2, compressions=1, created_at=AT)


def item(number: int, content: bytes, **fields: Any) -> ItemRecord:
    values: dict[str, Any] = {
        "item_id": item_id(number),
        "thread": "main",
        "version": 1,
        "state": "active",
        "title": "Ünïcode\u2028",
        "content_type": "text/plain",
        "memory_type": "document",
        "priority": 5,
        "pinned": False,
        "tags": ("a", "b"),
        "sha256": sha256(content),
        "size_bytes": len(content),
        "tokens": 3,
        "token_counter": "words",
        "source": {"actor": "me"},
        "created_at": AT,
        "updated_at": AT,
        "last_used_at": None,
        "detail": "full",
        "position": 1,
        "header_tokens": 2,
        "cost": 5,
        "expires_at": AT,
    }
    return ItemRecord(**{**values, **fields})


def content(number: int, raw: bytes, version: int = 1, **fields: Any) -> ContentRecord:
    values: dict[str, Any] = {"encoding": encoding_of(raw), "sha256": sha256(raw)}
    return ContentRecord(
        item_id=item_id(number),
        version=version,
        content=raw,
        tokens=3,
        token_counter="words",
        created_at=AT,
        **{**values, **fields},
    )


def rendition(number: int) -> RenditionRecord:
    return RenditionRecord(
        item_id=item_id(number), detail="summary", body="short", tokens=1, compressor="c", created_at=AT
    )


def event(number: int, of: int, action: str = "add", subject: Subject = "item") -> EventRecord:
    return EventRecord(
        event_id=number,
        at=AT,
        actor="me",
        action=action,
        subject=subject,
        subject_id=public_id(subject, of),
        version=1,
        sha256="0" * 64,
    )


IMAGE = Image(
    thread="main",
    version=1,
    state="active",
    title=None,
    content_type="text/plain",
    memory_type="document",
    priority=5,
    pinned=False,
    tags=(),
    detail=None,
    header_tokens=None,
)


def quarantined(number: int, **fields: Any) -> SealedRecord:
    values: dict[str, Any] = {"box": None, "wrapped_key": None, "fingerprint": None}
    return SealedRecord(
        item_id=item_id(number),
        reason="found 1 password",
        categories={"password": 1},
        state="sealed",
        size_bytes=9,
        key_id="0123456789abcdef",
        actor="me",
        created_at=AT,
        settled_at=None,
        **{**values, **fields},
    )


def prior(number: int, of: int) -> PriorRecord:
    return PriorRecord(
        event_id=number, subject="task", subject_id=public_id("task", of), image={"status": ["open", None]}
    )


def request(number: int, **given: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": public_id("request", number),
        "revision": 1,
        "asker": "agent",
        "purpose": "question",
        "question": "Which?",
        "choices": ("a", "b"),
        "form": None,
        "urgency": "normal",
        "deadline": AT,
        "fallback": "a",
        "subject": "item",
        "subject_id": item_id(1),
        "state": "s",
        "status": "answered",
        "answer": {"days": 3},
        "answered_by": "ann",
        "answered_how": "cli",
        "created_at": AT,
        "answered_at": AT,
        "used_at": None,
        "told_at": None,
    }
    return RequestRecord(**{**fields, **given})


def made_from(number: int, source: int, **given: Any) -> ItemSourceRecord:
    fields: dict[str, Any] = {"source_version": 1, "start_offset": 0, "end_offset": None}
    return ItemSourceRecord(item_id=item_id(number), source_id=item_id(source), **{**fields, **given})


def told(number: int, **given: Any) -> FactRecord:
    fields: dict[str, Any] = {"subject": "Ann", "relation": "home", "value": "Oslo", "single": True, "importance": 3}
    stated: dict[str, Any] = {"sha256": sha256(b"second"), "valid_from": AT, "extractor": "rules/1"}
    return FactRecord(item_id=item_id(number), **{**fields, **stated, **given})


def whole() -> list[Record]:
    """One of everything, as a store would give it."""
    return [
        thread(),
        thread("other"),
        item(1, b"second", version=2, detail="summary"),
        item(2, b"\xff raw", state="forgotten"),
        content(1, b"first\x00\r\n"),
        content(1, b"second", 2),
        content(2, b"\xff raw"),
        rendition(1),
        KeyRecord(key="k", item_id=item_id(1), sha256=sha256(b"first"), created_at=AT),
        event(10, 1),
        event(11, 1, "edit"),
        event(12, 9, "purge"),
        event(13, 3, "edit", subject="task"),
        ImageRecord(event_id=11, item_id=item_id(1), image=IMAGE),
        prior(13, 3),
        quarantined(20),
        quarantined(21, box="AAE=", wrapped_key="AgM=", fingerprint="BA=="),
        UsageRecord(
            usage_id=2**63 - 1,
            at=AT,
            thread=None,
            purpose="summary",
            model="m",
            prompt_tokens=1,
            cached_tokens=0,
            completion_tokens=2,
            micros=None,
        ),
        *work(),
        request(20),
        made_from(2, 1),
        told(1),
        ExampleRecord(
            example_id=30,
            kind="compress",
            system="",
            prompt="Shorten\u2028 it.",
            completion="Short.",
            teacher="client:ann",
            source_sha256=sha256(b"s"),
            split="held",
            item_id=item_id(1),
            sha256=sha256(b"e"),
            created_at=AT,
            revoked_at=None,
        ),
    ]


def work() -> list[Record]:
    """An agent, and two tasks of which one waits for the other."""
    return [
        AgentRecord(
            agent_id=public_id("agent", 5),
            name="ann",
            role=None,
            capabilities=("x", "y"),
            revision=1,
            created_at=AT,
            last_seen_at=AT,
        ),
        task(6, status="claimed", agent="ann", lease_until=AT),
        task(7, status="blocked", due_at=AT),
        TaskDependencyRecord(task_id=public_id("task", 7), depends_on=public_id("task", 6)),
        TaskItemRecord(task_id=public_id("task", 6), item_id=item_id(1)),
        TaskNoteRecord(task_id=public_id("task", 6), number=1, at=AT, author="ann", body="so far"),
    ]


def task(number: int, **fields: Any) -> TaskRecord:
    values: dict[str, Any] = {
        "task_id": public_id("task", number),
        "title": "work",
        "description": "",
        "priority": 5,
        "status": "open",
        "assignee": None,
        "capability": None,
        "due_at": None,
        "agent": None,
        "lease_until": None,
        "result": None,
        "revision": 2,
        "sha256": "0" * 64,
        "created_by": "me",
        "created_at": AT,
        "updated_at": AT,
    }
    return TaskRecord(**{**values, **fields})


def tally(records: Sequence[Record]) -> Tally:
    return Tally({name: sum(record.type == name for record in records) for name in type_names()})


def dump_of(records: Sequence[Record], **header: Any) -> bytes:
    """A dump whose counts and hash are right, whatever the records say."""
    lines = [encode_header(Header("mine", tally(records), **header)), *map(encode_record, records)]
    return sealed(lines)


def sealed(lines: Sequence[bytes]) -> bytes:
    body = b"".join(lines)
    return body + encode_end(End(len(lines) - 1, sha256(body)))


def read(dumped: bytes, **options: Any) -> list[Record]:
    _, records = read_dump(io.BytesIO(dumped), **options)
    return list(records)
