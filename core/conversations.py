"""Conversation memory: turns are kept as episodic items, in order, each once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import validation
from .budget import Budgets
from .calls import Caller
from .errors import ConflictError, InvalidInputError, ItemNotFoundError
from .ids import new_item_id
from .ingest import Ingest, Text
from .models import (
    WINDOW_STRATEGIES,
    ItemDraft,
    KnownTurn,
    Labels,
    NewTurn,
    Step,
    ThreadState,
    TurnsReceipt,
    WindowStrategy,
)
from .ports import Store
from .recaps import Recaps
from .room import check_room
from .screening import Screening
from .spaces import Spaces
from .turns import CONTENT_TYPE, Session, Turn, check_turns, key_of, keys_of, source_of
from .validation import Limits
from .vault import SealedText

BATCH = 200
"""Turns that are committed together."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A turn as it may be kept, with what tells it from others."""

    turn: Turn
    key: str
    content: bytes
    digest: str


@dataclass(slots=True)
class _Tally:
    """What became of the turns so far."""

    added: int = 0
    known: int = 0
    changed: int = 0
    sealed: int = 0
    durable: bool = True
    pending: int = 0
    ledger: ThreadState | None = None
    steps: list[Step] = field(default_factory=list[Step])
    notes: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, *sentences: str) -> None:
        """Keep a sentence once, and count it."""
        for sentence in sentences:
            self.notes[sentence] = self.notes.get(sentence, 0) + 1

    def told(self) -> tuple[str, ...]:
        """Return each sentence, with how many turns it is true of where those are several."""
        return tuple(text if count == 1 else f"{text} ({count} turns)" for text, count in self.notes.items())


class Conversations:
    """Keeps what is said."""

    def __init__(
        self,
        *,
        store: Store,
        spaces: Spaces,
        ingest: Ingest,
        screening: Screening,
        recaps: Recaps,
        budgets: Budgets,
        limits: Limits | None = None,
    ) -> None:
        """Take the ports; nothing is opened here."""
        self._store = store
        self._spaces = spaces
        self._ingest = ingest
        self._screening = screening
        self._recaps = recaps
        self._budgets = budgets
        self._limits = limits or Limits()

    async def add(
        self,
        caller: Caller,
        turns: Sequence[NewTurn],
        *,
        session: str,
        thread: str | None = None,
        window: str = "sliding",
        trust: str = "normal",
        source: Mapping[str, str] | None = None,
    ) -> TurnsReceipt:
        """Keep turns of a session, in the order in which they were said.

        They stand in a thread, that of the session's own name unless another is given, whose block is the session's
        window: the ladder lets its oldest turns slide out first, and with ``window`` ``summarising`` a recap takes
        their place. Turns that are known add nothing; one whose id is known and whose words differ becomes a new
        version of its item.

        Raises:
            InvalidInputError: a name, a turn or the window's strategy is not acceptable; nothing was written.
            SealError: a turn is to be sealed, and cannot be; those of earlier batches are kept.
            StoreError: those of earlier batches are kept; repeating the call completes it.
        """
        where = self._session(session, thread, trust)
        strategy = _strategy(window)
        checked, empty = check_turns(turns, self._limits)
        for turn in checked:
            if turn.turn_id is not None:
                self._screening.check_clear(turn.turn_id, f"id of turn {turn.place + 1}")
        size = sum(len(turn.text.encode()) for turn in checked)
        await check_room(self._store, caller.namespace, size, self._limits, self._spaces.own.model_id, self._budgets)
        tally = _Tally()
        kept = [
            _Kept(turn, key, content := turn.text.encode(), hashlib.sha256(content).hexdigest())
            for turn, key in await self._screened(caller, where, checked, tally)
        ]
        origin = {"tool": "conversation_add", **(source or {})}
        for start in range(0, len(kept), BATCH):
            await self._batch(caller, where, kept[start : start + BATCH], origin, tally)
        return await self._receipt(caller, where, strategy, tally, empty)

    def _session(self, session: str, thread: str | None, trust: str) -> Session:
        # Looked at before anything else: a refusal repeats what it refuses.
        name = validation.check_name(self._screening.check_clear(session, "session's name"), "session")
        to = name if thread is None else validation.check_name(thread, "thread")
        return Session(name, to, validation.check_trust(trust))

    async def _screened(
        self, caller: Caller, where: Session, turns: Sequence[Turn], tally: _Tally
    ) -> list[tuple[Turn, str]]:
        """Return the turns as they may be kept, with their keys; those that hold too much are sealed."""
        free: list[Turn] = []
        for turn in turns:
            date = None if turn.date is None else turn.date.isoformat()
            text = SealedText(
                content=turn.text,
                content_type=CONTENT_TYPE,
                memory_type="episodic",
                thread=where.thread,
                date=date,
                source={"session": where.name},
            )
            screened = await self._screening.screen(caller, text)
            tally.note(*screened.notes)
            if screened.sealing is None:
                free.append(replace(turn, text=screened.text.content))
            else:
                tally.sealed += 1
                tally.durable = tally.durable and screened.sealing.durable
        return list(zip(free, keys_of(where.name, free), strict=True))

    async def _batch(
        self, caller: Caller, where: Session, kept: Sequence[_Kept], origin: Mapping[str, str], tally: _Tally
    ) -> None:
        known = await self._store.known_turns(caller.namespace, list({one.key for one in kept}))
        fresh = {one.key: one for one in reversed(kept) if one.key not in known}
        first = [one for one in kept if fresh.get(one.key) is one]
        if first:
            await self._add(caller, where, first, origin, tally)
        for one in kept:
            if fresh.get(one.key) is one:
                continue
            held = known.get(one.key) or KnownTurn("", fresh[one.key].digest, frozenset({fresh[one.key].digest}))
            if one.digest in held.spoken:
                tally.known += 1
            else:
                await self._change(caller, where, one, origin, tally)

    async def _add(
        self, caller: Caller, where: Session, kept: Sequence[_Kept], origin: Mapping[str, str], tally: _Tally
    ) -> int:
        labels = Labels(content_type=CONTENT_TYPE, memory_type="episodic", trust=where.trust)
        texts = [Text(new_item_id(), labels, one.turn.text, one.content, one.digest) for one in kept]
        made, notes = await self._ingest.draft_many(caller.namespace, where.thread, texts)
        drafts = [
            replace(
                draft,
                source=source_of(caller.actor, where, one.turn, origin),
                idempotency_key=one.key,
                happened_at=one.turn.date,
            )
            for draft, one in zip(made, kept, strict=True)
        ]
        added = await self._store.add_turns(caller.namespace, drafts, budgets=self._budgets)
        there = frozenset(added.item_ids)
        tally.added += len(there)
        # Another process added the others meanwhile.
        tally.known += len(drafts) - len(there)
        tally.pending += sum(_pending(draft) for draft in drafts if draft.item_id in there)
        tally.durable = tally.durable and added.durable
        tally.ledger = added.ledger
        tally.steps += added.steps
        tally.note(*notes)
        return len(there)

    async def _change(
        self, caller: Caller, where: Session, one: _Kept, origin: Mapping[str, str], tally: _Tally
    ) -> None:
        """Keep other words under a known id as a new version, or beside it where that item cannot take them."""
        held = (await self._store.known_turns(caller.namespace, [one.key])).get(one.key)
        if held is None or one.digest in held.spoken:
            # Purged at this moment, which no turn survives, or written by another process.
            tally.known += 1
            return
        try:
            item = await self._store.get(caller.namespace, held.item_id)
            # What is trusted less must not speak in the name of what is trusted more.
            labels = replace(item.labels, trust="low") if where.trust == "low" else item.labels
            text = Text(item.item_id, labels, one.turn.text, one.content, one.digest)
            (draft,), notes = await self._ingest.draft_many(caller.namespace, item.thread, [text])
            receipt = await self._store.replace_content(
                caller.namespace,
                replace(draft, source={"actor": caller.actor}, happened_at=one.turn.date),
                expected_sha256=held.sha256,
                budgets=self._budgets,
            )
        except (ConflictError, ItemNotFoundError):
            # Forgotten, or the thread has the same words in another item: it stands for itself.
            beside = replace(one, key=key_of(one.key, one.digest))
            again = await self._store.known_turns(caller.namespace, [beside.key])
            if again or not await self._add(caller, where, [beside], origin, tally):
                tally.known += 1
            else:
                tally.added, tally.changed = tally.added - 1, tally.changed + 1
                tally.note("A turn came again with other words, and is kept beside the first.")
            return
        tally.changed += 1
        tally.pending += receipt.chunks_pending
        tally.durable = tally.durable and receipt.durable
        tally.ledger = receipt.ledger
        tally.steps += receipt.steps
        tally.note("A turn came again with other words: a new version of its item, the old one stays.", *notes)

    async def _receipt(
        self, caller: Caller, where: Session, strategy: WindowStrategy, tally: _Tally, empty: int
    ) -> TurnsReceipt:
        recaps: tuple[str, ...] = ()
        if strategy == "summarising" and any(step.detail == "archived" for step in tally.steps):
            recaps = await self._recaps.write(caller, where)
        if empty:
            tally.note(f"{empty} empty turns were left out.")
        ledger = tally.ledger
        if ledger is None or recaps:
            ledger, _ = await self._store.rungs(caller.namespace, where.thread, budgets=self._budgets, item_ids=())
        return TurnsReceipt(
            session=where.name,
            thread=where.thread,
            added=tally.added,
            known=tally.known,
            changed=tally.changed,
            sealed=tally.sealed,
            empty=empty,
            durable=tally.durable,
            chunks_pending=tally.pending,
            ledger=ledger,
            standing=await self._store.standing(caller.namespace, where.thread),
            recaps=recaps,
            notes=tally.told(),
        )


def _strategy(window: str) -> WindowStrategy:
    for strategy in WINDOW_STRATEGIES:
        if strategy == window:
            return strategy
    raise InvalidInputError(f"{window[:60]!r} is no window; use {' or '.join(WINDOW_STRATEGIES)}.")


def _pending(draft: ItemDraft) -> int:
    return sum(chunk.embedding is None for chunk in draft.chunks)
