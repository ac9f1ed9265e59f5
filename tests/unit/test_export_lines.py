"""The lines of a dump: one way to write each, and a sentence for everything else."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.dump_lines import (
    End,
    Header,
    decode_header,
    decode_line,
    encode_header,
    encode_record,
)
from palimpsest.core.dump_reader import read_dump
from palimpsest.core.dump_records import (
    SCHEMA,
    ContentRecord,
    ImageRecord,
    ItemRecord,
    place,
    type_names,
)
from palimpsest.core.errors import InvalidInputError

from .dump_parts import (
    AT,
    IMAGE,
    content,
    event,
    item,
    item_id,
    tally,
    thread,
    whole,
)


def test_records_are_sorted_by_type_and_key() -> None:
    shuffled = whole()[::-1]
    assert sorted(shuffled, key=place) == whole()
    assert type_names() == (
        *("thread", "item", "content", "rendition"),
        *("idempotency_key", "event", "before_image", "prior", "quarantine_item", "usage"),
        *("agent", "task", "task_dependency", "task_item", "task_note", "human_request"),
        *("item_source", "fact", "training_example"),
    )


def test_a_line_has_sorted_keys_no_spaces_and_utf8() -> None:
    line = encode_record(item(1, b"x"))
    assert line.startswith(b'{"content_type":"text/plain","cost":5,"created_at":"2026-01-02T03:04:05.000006Z"')
    assert "Ünïcode\u2028".encode() in line
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    parsed = json.loads(line)
    assert list(parsed) == sorted(parsed)


def test_times_are_written_in_utc_with_microseconds() -> None:
    east = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert encode_record(item(1, b"x", created_at=east)) == encode_record(item(1, b"x"))
    early = encode_record(item(1, b"x", created_at=datetime(1, 1, 1, tzinfo=UTC)))
    assert b'"created_at":"0001-01-01T00:00:00.000000Z"' in early
    decoded = decode_line(early, 2)
    assert isinstance(decoded, ItemRecord)
    assert decoded.created_at == datetime(1, 1, 1, tzinfo=UTC)


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_every_content_survives(raw: bytes) -> None:
    line = encode_record(content(1, raw))
    decoded = decode_line(line, 2)
    assert isinstance(decoded, ContentRecord)
    assert decoded.content == raw
    fields = json.loads(line)
    if fields["encoding"] == "base64":
        assert base64.b64decode(fields["content"]) == raw
    else:
        assert fields["content"] == raw.decode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
def test_every_label_survives(text: str) -> None:
    record = item(1, b"x", title=text, tags=(text,), source={text: text})
    assert decode_line(encode_record(record), 2) == record


@pytest.mark.parametrize(
    ("first_line", "reason"),
    [
        (b"", "no dump"),
        (b"\n", "no dump"),
        (b"hello\n", "no dump"),
        (b"[]\n", "no dump"),
        (b"{}\n", "no dump"),
        (b"\x1f\x8b\x08\x00\n", "no dump"),
        (b"[" * 100_000 + b"\n", "no dump"),
        (b'{"palimpsest_dump":"1"}\n', "palimpsest_dump is no number"),
        (b'{"palimpsest_dump":true,"schema":5}\n', "palimpsest_dump is no number"),
        (b'{"palimpsest_dump":0,"schema":5}\n', "palimpsest_dump is no number"),
        (b'{"palimpsest_dump":1}\n', "schema is no number"),
        (b'{"palimpsest_dump":2,"schema":5}\n', "newer version .palimpsest_dump 2, this one reads up to 1"),
        (b'{"palimpsest_dump":1,"schema":999}\n', "newer version .schema 999"),
        (b'{"palimpsest_dump":1,"schema":5}\n', "header is damaged"),
        (b'{"counts":{"dream":1},"namespace":"n","palimpsest_dump":1,"schema":5,"thread":null}\n', "damaged"),
        (b'{"counts":{"item":-1},"namespace":"n","palimpsest_dump":1,"schema":5,"thread":null}\n', "damaged"),
        (b'{"counts":{},"namespace":7,"palimpsest_dump":1,"schema":5,"thread":null}\n', "damaged"),
        (b'{"counts":{},"namespace":"n","palimpsest_dump":1,"schema":5,"thread":7}\n', "damaged"),
        (b'{"namespace":"n","counts":{},"palimpsest_dump":1,"schema":5,"thread":null}\n', "damaged"),
        (b'{"counts":{},"namespace":"n","palimpsest_dump":1,"schema":5,"thread":null,"x":1}\n', "damaged"),
        (b'{"counts":{},"namespace":"n","palimpsest_dump":1,"schema":5,"thread":null}', "damaged"),
    ],
)
def test_a_first_line_that_is_no_header_is_refused(first_line: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read_dump(io.BytesIO(first_line))


def test_an_older_schema_is_read() -> None:
    header = Header("mine", tally([]), schema=SCHEMA - 1)
    assert decode_header(encode_header(header)) == header
    # An older line may lack what has a default, and so differ from how this version would write it.
    spaced = encode_record(thread()).replace(b",", b", ")
    assert decode_line(spaced, 2, SCHEMA - 1) == thread()


def test_the_history_of_an_older_dump_is_of_items() -> None:
    line = encode_record(event(1, 1)).replace(b'"subject":"item",', b"").replace(b'"subject_id"', b'"item_id"')
    assert decode_line(line, 2, 5) == event(1, 1)
    with pytest.raises(InvalidInputError, match="not as `palimpsest dump` writes it"):
        decode_line(line, 2)


def changed(line: bytes, **fields: Any) -> bytes:
    parsed = {**json.loads(line), **fields}
    text = json.dumps({key: value for key, value in parsed.items() if value != "absent"}, sort_keys=True)
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


ITEM = encode_record(item(1, b"x"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello\n", "Line 7 is not JSON"),
        (b"\n", "Line 7 is not JSON"),
        (b"[1]\n", "no type that this version knows"),
        (b"3\n", "no type that this version knows"),
        (b"{}\n", "no type that this version knows"),
        (b'{"type":"dream"}\n', "no type that this version knows .thread, item"),
        (b'{"type":7}\n', "no type that this version knows"),
        (changed(ITEM, namespace="theirs"), "has the field 'namespace', which no item has"),
        (changed(ITEM, colour="red"), "has the field 'colour'"),
        (changed(ITEM, tokens="absent"), "no valid item: tokens: field required"),
        (changed(ITEM, tokens="3"), "no valid item: tokens"),
        (changed(ITEM, tokens=3.0), "no valid item: tokens"),
        (changed(ITEM, tokens=-1), "no valid item: tokens"),
        (changed(ITEM, tokens=2**31), "no valid item: tokens"),
        (changed(ITEM, version=0), "no valid item: version"),
        (changed(ITEM, priority=11), "no valid item: priority"),
        (changed(ITEM, pinned=1), "no valid item: pinned"),
        (changed(ITEM, state="purged"), "no valid item: state"),
        (changed(ITEM, detail="half"), "no valid item: detail"),
        (changed(ITEM, memory_type="dream"), "no valid item: memory_type"),
        (changed(ITEM, item_id="mem_x"), "no valid item: item_id: it is no item id"),
        (changed(ITEM, item_id=17), "no valid item: item_id"),
        (changed(ITEM, sha256="0" * 63), "no valid item: sha256"),
        (changed(ITEM, sha256="0" * 64 + "\n"), "no valid item: sha256"),
        (changed(ITEM, sha256="A" * 64), "no valid item: sha256"),
        (changed(ITEM, title="a\x00b"), "no valid item: title: no store keeps NUL"),
        (changed(ITEM, thread=""), "no valid item: thread"),
        (changed(ITEM, tags="a"), "no valid item: tags"),
        (changed(ITEM, source={"a": 1}), "no valid item: source.a"),
        (changed(ITEM, created_at="yesterday"), "no valid item: created_at"),
        (changed(ITEM, created_at="2026-01-02T03:04:05.000006"), "no valid item: created_at"),
        (changed(ITEM, created_at=1767322245), "no valid item: created_at|not as"),
        (changed(ITEM, created_at="2026-01-02T03:04:05Z"), "not as `palimpsest dump` writes it"),
        (changed(ITEM, created_at="2026-01-02T05:04:05.000006+02:00"), "not as `palimpsest dump` writes it"),
        (changed(ITEM, created_at="9999-12-31T23:59:59.000000-10:00"), "not as|created_at"),
        (ITEM.replace(b'"cost":5', b'"cost":5,"cost":5'), "not as `palimpsest dump` writes it"),
        (ITEM.replace(b",", b", "), "not as `palimpsest dump` writes it"),
        (ITEM[:-1] + b"\r\n", "not as `palimpsest dump` writes it"),
        (ITEM.replace("Ü".encode(), b"\\u00dc"), "not as `palimpsest dump` writes it"),
        (ITEM.replace("Ü".encode(), b"\\ud800"), "Line 7 is not JSON"),
        (ITEM.replace("Ü".encode(), b"\xff"), "Line 7 is not JSON"),
        (ITEM.replace(b'"cost":5', b'"cost":NaN'), "not JSON|no valid item"),
        (changed(encode_record(content(1, b"\xff")), content="/w"), "not as `palimpsest dump` writes it"),
        (changed(encode_record(content(1, b"\xff")), content="/w==\n"), "not as `palimpsest dump` writes it"),
        (changed(encode_record(content(1, b"x")), encoding="base64"), "not as `palimpsest dump` writes it"),
        (changed(encode_record(content(1, b"x")), encoding="latin-1"), "no valid content: encoding"),
        (b'{"records":1,"sha256":"x","type":"end"}\n', ""),
        (b'{"records":"1","sha256":"x","type":"end"}\n', "the dump's last one, is damaged"),
        (b'{"sha256":"x","type":"end"}\n', "the dump's last one, is damaged"),
        (b'nonsense"type":"end"}\n', "the dump's last one, is damaged"),
    ],
)
def test_a_line_that_no_dump_has_is_refused(line: bytes, reason: str) -> None:
    if not reason:
        assert decode_line(line, 7) == End(1, "x")
        return
    with pytest.raises(InvalidInputError, match=reason) as caught:
        decode_line(line, 7)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_before_image_is_checked_field_by_field() -> None:
    line = encode_record(ImageRecord(event_id=1, item_id=item_id(1), image=IMAGE))
    assert b'"image":{"content_type":"text/plain","detail":null' in line
    with pytest.raises(InvalidInputError, match=r"image\.thread: field required"):
        decode_line(line.replace(b'"thread":"main",', b""), 2)
    with pytest.raises(InvalidInputError, match=r"field 'image\.colour'"):
        decode_line(line.replace(b'"content_type"', b'"colour":1,"content_type"'), 2)
