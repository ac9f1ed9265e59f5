"""Requests that JSON parsers refuse whole for one damaged character: made readable, and marked to be refused in words.

Without this a lone surrogate escape (legal JSON, but no Unicode) is dropped silently on stdio, so that the client waits
for ever, and is a bare parse error over HTTP.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from ..tools.tool import DAMAGED

_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF_PAIR = (
    "An argument holds half a surrogate pair, which no UTF-8 text can carry; "
    "decode the source again (it was cut inside an emoji) and resend."
)
_NO_UTF8 = "The request is not UTF-8, so its text cannot be kept byte for byte; encode it as UTF-8 and resend."


def mend(message: bytes) -> bytes:
    """Return a JSON-RPC message unchanged, or readable and marked when it has lone surrogates or is no UTF-8."""
    try:
        text = message.decode()
        reason = _HALF_PAIR
    except UnicodeDecodeError:
        text = message.decode(errors="replace")
        reason = _NO_UTF8
    else:
        if _HALF.search(message) is None or _HALF.search(_PAIR.sub(b"", message)) is None:
            return message
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        return message
    if not isinstance(request, dict) or "method" not in request:
        return message
    request = cast("dict[str, Any]", request)
    mended = _without_halves(request)
    if reason is _HALF_PAIR and mended == request:
        return message
    params = mended.setdefault("params", {})
    if isinstance(params, dict):
        params = cast("dict[str, Any]", params)
        params["_meta"] = {**(params.get("_meta") or {}), DAMAGED: reason}
    return json.dumps(mended).encode()


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_halves(inner) for inner in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {
            _without_halves(name): _without_halves(inner) for name, inner in cast("dict[str, Any]", value).items()
        }
    return value
