"""Letting go of what was made of items that are no longer what they were."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from .budget import Budgets
from .clusters import CONSOLIDATION
from .errors import ConflictError, NotFoundError
from .ids import parse_item_id
from .models import Merged
from .ports import Store

_LOOKED_BACK = 50


class Releasing:
    """Takes back the adding of merged items, so that their sources stand again as they stood."""

    def __init__(self, *, store: Store, budgets: Budgets) -> None:
        """Take the ports."""
        self._store = store
        self._budgets = budgets

    async def mend(
        self,
        namespace: str,
        source_ids: Sequence[str] | None = None,
        *,
        leaving: bool = False,
        before_writing: Callable[[], Awaitable[None]] | None = None,
    ) -> Sequence[str]:
        """Let go of what was made of some items (None: of any) and is not intact, and return their ids.

        ``leaving``: also of what is, for these items are about to be purged.
        One that somebody changed since is left as it is: what it says is theirs now.
        """
        gone: list[str] = []
        tried: set[str] = set()
        while True:
            # Behind one that goes there may be the one that it replaced.
            found = [
                one
                for one in await self._store.merged(namespace, source_ids)
                if (leaving or not one.intact) and one.item.item_id not in tried
            ]
            if not found:
                return gone
            for one in found:
                tried.add(one.item.item_id)
                if before_writing is not None:
                    await before_writing()
                if await self._release(namespace, one):
                    gone.append(one.item.item_id)

    async def _release(self, namespace: str, merged: Merged) -> bool:
        number = parse_item_id(merged.item.item_id)
        events = await self._store.events(namespace, _LOOKED_BACK, about=("item", number))
        added = next((event for event in events if event.action == "add" and event.undoable), None)
        if merged.item.version > 1 or added is None:
            return False
        try:
            await self._store.undo(
                namespace, added.event_id, actor=CONSOLIDATION, budgets=self._budgets, redraft=_redraft
            )
        except (ConflictError, NotFoundError):
            return False
        return True


def _redraft(*_: object) -> NoReturn:
    raise AssertionError("an add has no former content")
