"""Compression by request: items step down, or a client shortens a text itself and hands the summary back."""

from collections.abc import Sequence

from . import ladder, paging, reading, validation
from .budget import Budget, Budgets
from .calls import Caller
from .errors import InvalidInputError, NotFoundError
from .ids import parse_item_id
from .models import Compressed, Detail, Handout, Receipt, Rendition, Rung, Standing, Step
from .ports import Store, TokenCounter
from .summaries import CLIENT

RATIOS = {"summary": 10, "brief": 50}
"""How many times shorter than the text each rendition is meant to be."""
HINT_TOKENS = 40
SLACK = 2
"""A client's summary may be this many times as long as asked."""
_LEAST_TOKENS = 40
_MOST_IDS = 200


class Compression:
    """Steps items of a thread down, and lets clients write summaries."""

    def __init__(self, *, store: Store, counter: TokenCounter, budgets: Budgets, own: str) -> None:
        """``own`` is the name of the compressor that made the renditions which a client's summary replaces."""
        self._store = store
        self._counter = counter
        self._budgets = budgets
        # A newer version of the same compressor is still the same one.
        self._own = own.rpartition("-")[0] or own

    async def compress(
        self,
        caller: Caller,
        thread: str,
        *,
        item_ids: Sequence[str] = (),
        detail: str | None = None,
        share: float | None = None,
    ) -> Compressed:
        """Step items down, and return what was done.

        With ``item_ids``: those, to ``detail`` or by one step each, pinned ones too. With ``detail`` alone: every item
        of the thread that is not pinned and stands higher. With ``share``: until the block has at most that share of
        the window. With nothing: down to the thread's target, as when the trigger is crossed.

        Raises:
            InvalidInputError: arguments that do not go together, or are not acceptable.
            ItemNotFoundError: no such item.
        """
        thread = validation.check_name(thread, "thread")
        if share is not None and (item_ids or detail is not None):
            raise InvalidInputError("Pass either share, or item_ids and detail: they say the same thing differently.")
        standing = None if detail is None else validation.check_standing(detail)
        wanted = await self._checked(caller, thread, item_ids)
        choose = _chooser(wanted, standing, share)
        ledger, steps = await self._store.step(
            caller.namespace, thread, choose, actor=caller.actor, budgets=self._budgets
        )
        notes: list[str] = []
        if not steps:
            notes.append("Nothing stepped down: all that was asked already stands there, is too short, or is pinned.")
        if share is not None and ledger.used > ledger.window * share:
            notes.append(f"The block keeps {ledger.utilization:.1%}: what is left in it is pinned.")
        return Compressed(ledger, tuple(steps), tuple(notes))

    async def _checked(self, caller: Caller, thread: str, item_ids: Sequence[str]) -> frozenset[str]:
        if len(item_ids) > _MOST_IDS:
            raise InvalidInputError(f"{len(item_ids)} ids are too many for one call; pass at most {_MOST_IDS}.")
        for item_id in item_ids:
            parse_item_id(item_id)
        if not item_ids:
            return frozenset()
        _, rungs = await self._store.rungs(caller.namespace, thread, budgets=self._budgets, item_ids=item_ids)
        here = {rung.item_id for rung in rungs}
        for item_id in item_ids:
            if item_id not in here:
                item = await self._store.get(caller.namespace, item_id)
                raise InvalidInputError(
                    f"Item {item_id} is {item.state.value} in thread {item.thread!r}; pass the thread that its context "
                    "is in, and only active items."
                )
        return frozenset(item_ids)

    async def hand_out(self, caller: Caller, thread: str, *, max_tokens: int = 8000) -> Handout:
        """Return the next item whose summary the client may write: first those that stand as summaries already.

        Raises:
            NotFoundError: every item has a summary that a language model or a client wrote, or is too short for one.
        """
        thread = validation.check_name(thread, "thread")
        validation.check_range(max_tokens, 50, 1_000_000, "max_tokens")
        _, rungs = await self._store.rungs(caller.namespace, thread, budgets=self._budgets)
        waiting = [rung for rung in rungs if (rung.summarized_by or "").startswith(self._own)]
        if not waiting:
            raise NotFoundError(f"No item of thread {thread!r} waits for a better summary.")
        chosen = min(waiting, key=_urgency)
        text = await reading.load(self._store, caller.namespace, chosen.item_id, "full", None)
        page = paging.cut(text.item, "full", text.content, text.sha256, text.version, 0, max_tokens, self._counter)
        return Handout(page, asked_tokens(text.item.tokens, "summary"), len(waiting) - 1)

    async def submit(
        self, caller: Caller, item_id: str, sha256: str | None, summary: str, detail: str | None = None
    ) -> Receipt:
        """Take a client's own summary of an item as its rendition at ``detail`` (default: summary).

        Raises:
            InvalidInputError: empty, longer than twice what was asked, or without the source's SHA-256.
            ItemNotFoundError: no such item.
            ConflictError: the summary is of another content than the item's.
        """
        parse_item_id(item_id)
        wanted = validation.check_detail(detail or "summary")
        if wanted == "full":
            raise InvalidInputError("A summary is no full text; pass detail summary, brief or hint.")
        if not sha256:
            raise InvalidInputError("A summary needs sha256, that of the text it is of: memory_compress gave both.")
        text = validation.check_text(summary, "summary")
        item = await self._store.get(caller.namespace, item_id)
        tokens, most = self._counter.count(text).tokens, SLACK * asked_tokens(item.tokens, wanted)
        if tokens > most or tokens >= item.tokens:
            raise InvalidInputError(
                f"The {wanted} has {tokens:,} tokens and its text {item.tokens:,}; shorten it to "
                f"{min(most, item.tokens - 1):,} at most and pass it again."
            )
        rendition = Rendition(wanted, text, tokens, f"{CLIENT}{caller.actor}")
        return await self._store.put_renditions(
            caller.namespace, item_id, sha256.lower(), [rendition], actor=caller.actor, budgets=self._budgets
        )


def asked_tokens(tokens: int, detail: Detail) -> int:
    """Return how many tokens a rendition of a text of ``tokens`` is asked to have."""
    if detail == "hint":
        return HINT_TOKENS
    return max(_LEAST_TOKENS, tokens // RATIOS[detail])


def _urgency(rung: Rung) -> tuple[bool, int, str]:
    # What the client's words replace should be on show already, then what will be soonest: the longest.
    return rung.detail != "summary", -rung.costs["full"], rung.item_id


def _chooser(wanted: frozenset[str], detail: Standing | None, share: float | None) -> ladder.Choose:
    def choose(rungs: Sequence[Rung], budget: Budget) -> Sequence[Step]:
        if share is not None:
            return ladder.down_to(rungs, budget.tokens_of(validation.check_share(share, budget.trigger)))
        if not wanted and detail is None:
            return ladder.down_to(rungs, budget.target_tokens)
        some = [rung for rung in rungs if rung.item_id in wanted or (not wanted and not rung.pinned)]
        steps = ladder.one_down(some) if detail is None else ladder.to_detail(some, detail)
        return [step for step in steps if step.freed > 0]

    return choose
