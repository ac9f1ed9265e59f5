"""Recaps: what a session's window let go of, told in a few lines that stand in its place."""

from collections.abc import Sequence

from .calls import Caller, NewMemory
from .memory import Memory
from .models import Receipt, SlidTurn
from .ports import Compressor, Store, TokenCounter
from .turns import Session

TURNS = 100
"""A recap tells of at most so many turns."""
FEWEST = 4
"""Fewer turns wait for the next recap: theirs would hardly be shorter than they are."""


class Recaps:
    """Writes recaps, by the compressor that makes every other summary."""

    def __init__(self, *, store: Store, memory: Memory, compressor: Compressor, counter: TokenCounter) -> None:
        """``memory`` takes them as it takes any text: screened, indexed, and on the ladder."""
        self._store = store
        self._memory = memory
        self._compressor = compressor
        self._counter = counter

    async def write(self, caller: Caller, session: Session) -> tuple[str, ...]:
        """Tell of the turns that slid out since the last recap, and return the items that do.

        A recap steps down the ladder as it grows old: what is long ago is told in ever fewer words.
        """
        made: list[str] = []
        while True:
            turns = await self._store.slid_turns(caller.namespace, session.thread, session.name, limit=TURNS)
            if len(turns) < FEWEST:
                return tuple(made)
            receipt = await self._write(caller, session, turns)
            if receipt.outcome != "added":
                # It was written before, and then purged, or is sealed for what it holds.
                return tuple(made)
            made.append(receipt.item.item_id)

    async def _write(self, caller: Caller, session: Session, turns: Sequence[SlidTurn]) -> Receipt:
        transcript = "\n".join(f"[{turn.happened_at:%Y-%m-%d}] {turn.content}" for turn in turns)
        tokens = self._counter.count(transcript).tokens
        shorter = self._compressor.compress(transcript, "conversation", None, tokens)
        text = shorter[0].text if shorter else transcript
        first, last = (f"{turn.happened_at:%Y-%m-%d}" for turn in (turns[0], turns[-1]))
        when = first if first == last else f"{first} to {last}"
        # Titles of their own keep recaps from being taken for versions of each other.
        places = f"{turns[0].position} to {turns[-1].position}"
        new = NewMemory(
            text,
            title=f"Recap of {session.name}, {places}: {len(turns)} turns, {when}",
            thread=session.thread,
            date=turns[-1].happened_at.isoformat(),
            idempotency_key=f"recap/{turns[0].item_id}/{turns[-1].item_id}",
            source={"tool": "conversation_add", "session": session.name, "recap_to": str(turns[-1].position)},
            derived_from=[turn.item_id for turn in turns],
            trust=session.trust,
        )
        return await self._memory.add(caller, new)
