"""When items were last read: noted in memory, written in batches, so that reading costs no write."""

from collections import defaultdict
from datetime import datetime

from .ports import Store


class UsageLog:
    """Reads since the last flush; those of a process that is killed are lost, which costs nothing but recency."""

    def __init__(self) -> None:
        """Start with nothing noted."""
        self._read: dict[str, dict[str, datetime]] = defaultdict(dict)

    def note(self, namespace: str, item_id: str, at: datetime) -> None:
        """Remember that an item was read."""
        self._read[namespace][item_id] = at

    async def flush(self, store: Store) -> int:
        """Write what was noted and return how many items that were.

        Raises:
            StoreError: nothing was written; the notes are kept for the next flush.
        """
        flushed = 0
        while self._read:
            namespace, read = self._read.popitem()
            try:
                await store.touch(namespace, list(read), max(read.values()))
            except BaseException:
                self._read[namespace] = read | self._read.get(namespace, {})
                raise
            flushed += len(read)
        return flushed
