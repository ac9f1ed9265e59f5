"""What is said of adapters that cannot be what somebody wants of them."""

from collections.abc import Sequence

TAINTED = "It learned from an item that has been forgotten, purged or found untrustworthy since; train again."
TRAINING = "Another adapter is being trained; wait for it (`palimpsest slm status` shows it)."


def no_adapter(name: str) -> str:
    """Say that there is no such adapter."""
    return f"There is no adapter {name!r}; `palimpsest slm status` lists them."


def in_other_state(name: str, state: str, states: Sequence[str]) -> str:
    """Say that an adapter cannot be changed so from where it is."""
    return f"The adapter {name} is {state}; this can be done only with one that is {' or '.join(states)}."
