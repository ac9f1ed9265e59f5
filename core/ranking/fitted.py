"""What ``bench/fit.py`` found, as data."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def fitted() -> dict[str, Any]:
    """Return the content of ``weights.json``: ``features``, ``priority``, ``recency`` and ``evidence``."""
    loaded: dict[str, Any] = json.loads((files("palimpsest.core.ranking") / "weights.json").read_text(encoding="utf-8"))
    return loaded
