"""What a namespace of the in-memory store has learned from, and its adapters."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..core.learning.sentences import TAINTED
from ..core.models import Adapter, Example, Item, ItemState

_PAST_TAINT = ("refused", "tainted", "failed")


def may_teach(item: Item | None) -> bool:
    """Say whether what an item holds may be learned from."""
    return item is not None and item.state is ItemState.ACTIVE and item.labels.trust != "low"


@dataclass(slots=True)
class Lessons:
    """Examples by their SHA-256, and adapters by name."""

    examples: dict[str, Example] = field(default_factory=dict[str, Example])
    adapters: dict[str, Adapter] = field(default_factory=dict[str, Adapter])

    def sweep(self, items: Mapping[str, Item], at: datetime) -> None:
        """Revoke the examples of items that may not teach any more, and taint what learned from those."""
        for key, example in list(self.examples.items()):
            if example.item_id is None:
                continue
            if example.item_id not in items:
                del self.examples[key]
            elif example.revoked_at is None and not may_teach(items[example.item_id]):
                self.examples[key] = replace(example, revoked_at=at)
        for name, adapter in self.adapters.items():
            gone = any(not may_teach(items.get(item_id)) for item_id in adapter.items)
            if gone and adapter.state not in _PAST_TAINT:
                self.adapters[name] = replace(
                    adapter, state="tainted", share=0, stage=None, reason=TAINTED, updated_at=at
                )
