"""Requests with damaged characters are made readable and marked; all others pass unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.server.mending import mend
from palimpsest.tools.tool import DAMAGED


def mark(message: bytes) -> str:
    meta: dict[str, Any] = json.loads(message)["params"]["_meta"]
    return str(meta[DAMAGED])


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"method": "m", "params": {"a": "\ud800"}}',
        rb'{"method": "m", "params": {"a": ["x\uDFFFy"], "_meta": {"k": 1}}}',
        rb'{"method": "m", "params": {"a": {"\ud83d": "\ud83d\ude00"}}}',
        rb'{"method": "m", "params": {"a": "\ude00\ud83d"}}',
    ],
)
def test_lone_surrogates_are_replaced_and_marked(raw: bytes) -> None:
    mended = mend(raw)
    assert "half a surrogate pair" in mark(mended)
    json.loads(mended)["params"]["a"].__repr__().encode()


def test_what_is_no_utf8_is_replaced_and_marked() -> None:
    assert "not UTF-8" in mark(mend(b'{"method": "m", "params": {"a": "caf\xe9"}}'))


def test_other_metadata_stays() -> None:
    mended = json.loads(mend(rb'{"method": "m", "params": {"a": "\ud800", "_meta": {"k": 1}}}'))
    assert mended["params"]["_meta"]["k"] == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no json",
        rb'{"method": "m", "params": {"a": "\\ud800 is how one writes it"}}',
        rb'{"method": "m", "params": {"a": "\ud83d\ude00 \uD83D\uDE00"}}',
        rb'["\ud800"]',
        rb'{"result": "\ud800"}',
        b'{"result": "caf\xe9"}',
        b'"caf\xe9',
    ],
)
def test_everything_else_passes_unchanged(raw: bytes) -> None:
    assert mend(raw) == raw


def test_a_request_without_parameters_is_marked_too() -> None:
    assert mark(mend(rb'{"method": "\ud800"}'))
    assert mend(rb'{"method": "\ud800", "params": [1]}')


@given(st.text())
def test_every_text_without_surrogates_passes_unchanged(text: str) -> None:
    for ascii_only in (True, False):
        raw = json.dumps({"method": "m", "params": {"a": text}}, ensure_ascii=ascii_only).encode()
        assert mend(raw) == raw
