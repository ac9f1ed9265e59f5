"""Turns of conversations in the in-memory store."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..core import ladder
from ..core.budget import Budgets
from ..core.models import AddedTurns, ItemDraft, KnownTurn, SlidTurn, Standing
from .inmemory_changes import Changes, actor_of, drafted
from .inmemory_item import Record


class Conversations(Changes):
    """Adds turns, and says what is known of them."""

    async def known_turns(self, namespace: str, keys: Sequence[str]) -> Mapping[str, KnownTurn]:
        """See Store."""
        shelf = self._shelves[namespace]
        found = {key: shelf.records[shelf.keys[key][0]] for key in keys if key in shelf.keys}
        return {
            key: KnownTurn(one.item.item_id, one.item.sha256, frozenset(digest for _, digest in one.contents))
            for key, one in found.items()
        }

    async def add_turns(self, namespace: str, drafts: Sequence[ItemDraft], *, budgets: Budgets) -> AddedTurns:
        """See Store."""
        shelf, now, thread = self._shelves[namespace], self._clock.now(), drafts[0].thread
        before = shelf.snapshot()
        added: list[Record] = []
        following: dict[str, int] = {}
        for draft in drafts:
            if draft.idempotency_key is None or draft.idempotency_key in shelf.keys:
                continue
            if draft.sha256 not in following:
                twins = shelf.twins(thread, draft.sha256)
                following[draft.sha256] = max((one.occurrence + 1 for one in twins), default=0)
            record = Record(drafted(draft, now), occurrence=following[draft.sha256])
            following[draft.sha256] += 1
            record.put_content(draft)
            shelf.records[draft.item_id] = record
            shelf.enter(record)
            shelf.keys[draft.idempotency_key] = (draft.item_id, draft.sha256)
            self._put_jobs(shelf, record, draft)
            added.append(record)
        over = bool(added) and shelf.account(thread, budgets).over is not None
        steps = shelf.step(thread, ladder.under_trigger, budgets) if over else ()
        actor = actor_of(drafts[0])
        for record in added:
            last = record is added[-1]
            shelf.put_event(now, actor, "add", record.item, before=before if last else None)
        item_ids = tuple(record.item.item_id for record in added)
        return AddedTurns(item_ids, False, shelf.account(thread, budgets), tuple(steps))

    async def standing(self, namespace: str, thread: str) -> Mapping[Standing, int]:
        """See Store."""
        return Counter(record.item.detail for record in self._shelves[namespace].standing(thread))

    async def slid_turns(self, namespace: str, thread: str, session: str, *, limit: int) -> Sequence[SlidTurn]:
        """See Store."""
        told = 0
        found: list[SlidTurn] = []
        for record in sorted(self._shelves[namespace].records.values(), key=lambda one: one.position):
            item, source = record.item, record.item.source
            if (item.thread, source.get("session")) != (thread, session):
                continue
            told = max(told, int(source.get("recap_to", 0)))
            if record.active and item.detail == "archived" and item.labels.trust != "low" and "role" in source:
                text = record.contents[-1][0].decode()
                found.append(SlidTurn(item.item_id, record.position, item.happened_at, text))
        return [one for one in found if one.position > told][:limit]
