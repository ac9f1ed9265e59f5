"""Requests that JSON parsers refuse whole for one damaged character: made readable, and marked to be refused in words.

Without this a lone surrogate escape (legal JSON, but no Unicode) is dropped silently on stdio, so that the client waits
for ever, and is a bare parse error over HTTP.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from ..tools.tool import DAMAGED

_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | float | bool | None"
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
        request: _Json = json.loads(text)
    except (ValueError, RecursionError):
        return message
    if not isinstance(request, dict) or "method" not in request:
        return message
    mended = _without_halves(request)
    if not isinstance(mended, dict) or (reason is _HALF_PAIR and mended == request):
        return message
    params = mended.setdefault("params", {})
    if isinstance(params, dict):
        meta = params.get("_meta")
        params["_meta"] = {**(meta if isinstance(meta, dict) else {}), DAMAGED: reason}
    return json.dumps(mended).encode()


def _without_halves(value: _Json) -> _Json:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_halves(inner) for inner in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", name): _without_halves(inner) for name, inner in value.items()}
    return value
