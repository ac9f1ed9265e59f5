"""What changes of items are made in: a transaction of their own, and the place that an item comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.errors import ConflictError, StoreError

if TYPE_CHECKING:
    from .pool import Connection

_TWIN = (
    "Its thread already holds exactly this content in another active item, so {item_id} was left as it is; "
    "use that one (memory_search finds it), or forget it first."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relabelled item belongs: None leaves its tokens and its time as they are."""

    thread: str
    header_tokens: int | None = None
    happened_at: datetime | None = None


class Changing:
    """A transaction in which running into the same content of another item is a conflict, not a failure."""

    def __init__(self, transaction: Any, item_id: str) -> None:
        self._transaction = transaction
        self._item_id = item_id

    async def __aenter__(self) -> Connection:
        connection: Connection = await self._transaction.__aenter__()
        return connection

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import asyncpg

        try:
            await self._transaction.__aexit__(kind, error, trace)
        except StoreError as failure:
            cause = failure.__cause__
            if isinstance(cause, asyncpg.UniqueViolationError) and cause.constraint_name == "items_same_content":
                raise ConflictError(_TWIN.format(item_id=self._item_id)) from failure
            raise
