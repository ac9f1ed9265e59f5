"""Cursors: opaque, bound to what is paged, refused when anything about them is wrong."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core import cursors
from palimpsest.core.errors import InvalidInputError

ITEM = "mem_0123456789abc"


def packed(*fields: object) -> str:
    """A cursor that nobody handed out."""
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


@settings(deadline=None)
@given(st.text(), st.integers(1, cursors.MAX_VERSION), st.text(), st.integers(0, 10**12))
def test_a_reading_cursor_round_trips(item_id: str, version: int, detail: str, offset: int) -> None:
    cursor = cursors.pack_read(item_id, version, detail, offset)
    assert cursor.isascii()
    assert cursors.parse_read(cursor, item_id) == (version, detail, offset)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)), st.integers(-12, 12), st.text())
def test_a_listing_cursor_round_trips_in_any_zone(at: datetime, hours: int, item_id: str) -> None:
    place = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert cursors.parse_list(cursors.pack_list(place, item_id)) == (place, item_id)


MALFORMED = [
    "",
    "x",
    "!!!",
    "caf\u00e9",
    "\ud800",
    "\x00",
    "A" * 100_000,
    "[" * 1000,
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    packed(),
    packed("read"),
    packed("write", ITEM, 1, "full", 0),
    packed("read", ITEM, 1, "full", 0, 0),
    packed("read", ITEM, "1", "full", 0),
    packed("read", ITEM, True, "full", 0),
    packed("read", ITEM, 1.0, "full", 0),
    packed("read", None, 1, "full", 0),
    packed("list", 5, ITEM),
    base64.urlsafe_b64encode(b'{"read": 1}').decode(),
]


@pytest.mark.parametrize("cursor", MALFORMED)
def test_a_malformed_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        cursors.parse_read(cursor, ITEM)
    with pytest.raises(InvalidInputError, match="cursor"):
        cursors.parse_list(cursor)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_as_a_cursor_in_one_way(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        cursors.parse_read(cursor, ITEM)
    with pytest.raises(InvalidInputError):
        cursors.parse_list(cursor)


def test_a_cursor_of_one_kind_is_not_one_of_the_other() -> None:
    with pytest.raises(InvalidInputError):
        cursors.parse_list(cursors.pack_read(ITEM, 1, "full", 0))
    with pytest.raises(InvalidInputError):
        cursors.parse_read(cursors.pack_list(datetime(2026, 1, 1, tzinfo=UTC), ITEM), ITEM)


def test_a_cursor_of_another_item_names_both() -> None:
    with pytest.raises(InvalidInputError, match=f"'other', not '{ITEM}'"):
        cursors.parse_read(cursors.pack_read("other", 1, "full", 0), ITEM)


@pytest.mark.parametrize(("version", "offset"), [(1, -1), (0, 0), (-1, 0), (2**31, 0), (10**30, 0)])
def test_a_cursor_that_points_outside_is_refused(version: int, offset: int) -> None:
    with pytest.raises(InvalidInputError, match="outside"):
        cursors.parse_read(cursors.pack_read(ITEM, version, "full", offset), ITEM)


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_date_that_cannot_be_compared_is_refused(at: str) -> None:
    with pytest.raises(InvalidInputError, match="date"):
        cursors.parse_list(packed("list", at, ITEM))
