"""Which adapter answers a call."""

import hashlib

from ..models import Route


def adapter_for(route: Route, key: str) -> str | None:
    """Return the adapter that answers for an item or a question, None for the base model.

    The same ``key`` is always answered by the same one, so that a trial can be compared with what was before.
    """
    if route.trial is not None and int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 100 < route.share:
        return route.trial
    return route.active
