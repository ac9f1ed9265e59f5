"""The clock on the wall."""

from datetime import UTC, datetime


class SystemClock:
    """The system's time, in UTC."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)
