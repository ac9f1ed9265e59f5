"""Reading a dump: whatever is not as it was written is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from palimpsest.core.dump_lines import (
    End,
    Header,
    encode_end,
    encode_header,
    encode_record,
)
from palimpsest.core.dump_reader import read_dump
from palimpsest.core.dump_records import (
    RECORDS,
    ContentRecord,
    EventRecord,
    ImageRecord,
    ItemRecord,
    KeyRecord,
    Record,
    RenditionRecord,
    ThreadRecord,
    place,
)
from palimpsest.core.errors import InvalidInputError

from .dump_parts import (
    AT,
    IMAGE,
    content,
    dump_of,
    event,
    item,
    item_id,
    made_from,
    prior,
    read,
    rendition,
    request,
    sealed,
    sha256,
    tally,
    thread,
    told,
    whole,
)


def test_a_dump_reads_back_as_it_was_written() -> None:
    header, records = read_dump(io.BytesIO(dump_of(whole(), thread="main")))
    assert header == Header("mine", tally(whole()), "main")
    assert list(records) == whole()
    assert {type(record) for record in whole()} == set(RECORDS)


def test_a_dump_that_is_cut_anywhere_is_refused() -> None:
    dumped = dump_of(whole())
    ends = [place for place, byte in enumerate(dumped) if byte == 10]
    for cut in {*range(0, len(dumped) - 1, 97), *ends[:-1], *(end + 1 for end in ends[:-1]), len(dumped) - 1}:
        with pytest.raises(InvalidInputError):
            read(dumped[:cut])
    with pytest.raises(InvalidInputError, match="The dump is cut: it ends in line 4"):
        read(dumped[: ends[3] - 1])
    with pytest.raises(InvalidInputError, match="The dump is cut: it ends in line 5"):
        read(dumped[: ends[3] + 1])


def test_a_byte_that_is_changed_anywhere_is_noticed() -> None:
    dumped = dump_of(whole())
    for spot in range(0, len(dumped), 13):
        for mask in (1, 32, 128):
            broken = bytearray(dumped)
            broken[spot] ^= mask
            with pytest.raises(InvalidInputError):
                read(bytes(broken))


def test_what_follows_the_last_line_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="goes on behind its last line"):
        read(dump_of(whole()) + b"\n")


def test_a_line_over_the_bound_is_refused_without_reading_it_whole() -> None:
    long = content(1, b"x" * 5000)
    dumped = dump_of([thread(), item(1, long.content), long])
    assert len(read(dumped)) == 3
    with pytest.raises(InvalidInputError, match="Line 4 is longer than 1,000 bytes"):
        read(dumped, max_line_bytes=1000)
    with pytest.raises(InvalidInputError, match="Line 1 is longer"):
        read(b"x" * 5000, max_line_bytes=1000)


Change = Callable[[list[Record]], list[Record]]


def without(kind: type[Record], number: int = 0) -> Change:
    """Leave out the record of a type that comes in this place among them."""

    def change(records: list[Record]) -> list[Record]:
        found = [record for record in records if isinstance(record, kind)]
        return [record for record in records if record is not found[number]]

    return change


def with_(*more: Record) -> Change:
    """Add records in their places."""
    return lambda records: sorted([*records, *more], key=place)


def only(*records: Record) -> Change:
    """Take these in place of all."""
    return lambda _: list(records)


def in_order(*places: int) -> Change:
    """Take the records in these places, then all from the third on."""
    return lambda records: [*(records[place] for place in places), *records[2:]]


BARE: list[Record] = [thread(), item(1, b"x"), content(1, b"x")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (in_order(1, 0), "Line 3 is out of order"),
        (in_order(0, 1, 9, 8), "Line 5 is out of order"),
        (in_order(0, 0, 1), "Line 3 repeats the record before"),
        (with_(content(1, b"first\x00\r\n")), "repeats the record before"),
        (without(ThreadRecord), "there is no thread 'main'"),
        (without(ItemRecord), "there is no item mem_"),
        (without(ContentRecord), "lacks a version before 2"),
        (without(ContentRecord, 1), "lacks the content of mem_"),
        (without(ContentRecord, 2), "lacks the content of mem_"),
        (without(RenditionRecord), "lacks the summary of mem_"),
        (without(EventRecord, 1), "no event 11 of mem_"),
        (with_(content(1, b"third", 3)), "has 2 versions only"),
        (with_(content(3, b"x")), "there is no item"),
        (with_(rendition(3)), "there is no item"),
        (with_(KeyRecord(key="l", item_id=item_id(3), sha256="0" * 64, created_at=AT)), "there is no item"),
        (with_(ImageRecord(event_id=12, item_id=item_id(9), image=None)), "there is no item"),
        (with_(ImageRecord(event_id=12, item_id=item_id(1), image=IMAGE)), "no event 12 of"),
        (with_(event(14, 3, subject="task"), prior(14, 4)), "no event 14 of task_"),
        (with_(replace(event(14, 3, subject="task"), subject="agent")), "is the id of no agent"),
        (with_(event(14, 3, subject="task"), replace(prior(14, 3), subject="agent")), "is the id of no agent"),
        (with_(request(21, subject=None)), "has a subject without an id, or an id without a subject"),
        (with_(request(21, subject="task")), "is the id of no task"),
        (with_(told(3)), "there is no item"),
        (with_(made_from(3, 1)), "there is no item"),
        (with_(made_from(1, 3)), "there is no item"),
        (with_(made_from(2, 2)), "made from itself"),
        (with_(made_from(1, 2, start_offset=4, end_offset=4)), "ends before it begins"),
        (with_(request(21, status="open")), "is open, and has an end"),
        (with_(request(21, answered_at=None)), "is answered, and has no end"),
        (with_(item(3, b"second"), content(3, b"second")), "has the same content in the same thread"),
        (only(thread(), item(1, b"x"), content(1, b"y")), "another SHA-256 or size"),
        (only(thread(), item(1, b"x", size_bytes=2), content(1, b"x")), "another SHA-256 or size"),
        (only(thread(), item(1, b"x"), content(1, b"x", sha256="0" * 64)), "is not the one with its SHA-256"),
        (
            only(*BARE, event(1, 1, "edit"), ImageRecord(event_id=1, item_id=item_id(1), image=None)),
            "no event 1 of",
        ),
        (
            only(*BARE, event(1, 1), ImageRecord(event_id=1, item_id=item_id(1), image=IMAGE)),
            "no event 1 of",
        ),
    ],
)
def test_records_that_contradict_each_other_are_refused_though_hash_and_counts_are_right(
    change: Change, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read(dump_of(change(whole())))


def test_the_same_content_may_stand_twice_when_one_is_forgotten_or_elsewhere() -> None:
    records = with_(
        item(3, b"second", state="forgotten"),
        content(3, b"second"),
        item(4, b"second", thread="other"),
        content(4, b"second"),
    )(whole())
    assert read(dump_of(records)) == records


def test_counts_and_hash_must_be_those_of_the_lines() -> None:
    lines = [encode_header(Header("mine", tally(whole()))), *map(encode_record, whole())]
    # Without the last record nothing else is missing: only the header's counts know of it.
    with pytest.raises(InvalidInputError, match="it has 27 records and should have 28"):
        read(sealed(lines[:-1]))
    body = b"".join(lines)
    with pytest.raises(InvalidInputError, match="it has 28 records and should have 28"):
        read(body + encode_end(End(27, sha256(body))))
    with pytest.raises(InvalidInputError, match="was changed: its SHA-256"):
        read(body + encode_end(End(28, sha256(body[1:]))))
