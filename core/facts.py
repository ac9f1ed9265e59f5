"""Facts: read off what was told, compared with what is known, and kept as items of their own."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import validation
from .calls import Caller, Change, NewMemory
from .comparing import Compared, compare
from .errors import (
    InvalidInputError,
    ItemNotFoundError,
    SpendingLimitError,
    TextModelError,
    TextModelUnavailableError,
    UnusableAnswerError,
)
from .ids import parse_item_id
from .memory import Memory
from .models import (
    IMPORTANCES,
    TRUSTS,
    Fact,
    FactChange,
    Filters,
    FoundFact,
    Item,
    ItemState,
    KnownFact,
    Origin,
    Receipt,
    Telling,
    folded,
)
from .ports import FactExtractor, Store

ACTOR = "palimpsest: facts"
"""The actor of facts that are written by themselves."""
_MOST_FACTS = 50
"""Of one text: more are a list or a table, which is found as it is."""
_LONGEST = 400
"""Characters of a subject, a relation or a value; longer ones are no facts."""
_EARLY = timedelta(days=1)
"""So far before the end of the day that it was told on a fact may begin: what will be is no fact yet."""
_LABEL = re.compile(
    r"(?:\*\*|__)?(?P<name>[A-Z][\w.'-]{0,30}(?: [A-Z][\w.'-]{0,30}){0,2}|user|human|assistant)(?:\*\*|__)?:\s"
)
_ASSISTANTS = frozenset({"assistant", "ai", "bot", "model", "system", "tool"})


@dataclass(frozen=True, slots=True)
class Read:
    """What came of reading an item: ``by`` names what read it, ``note`` says what did not work."""

    item_id: str
    changes: tuple[FactChange, ...] = ()
    by: str = ""
    note: str | None = None


class Facts:
    """Reads facts off items with the first extractor that can, and keeps them."""

    def __init__(self, *, store: Store, memory: Memory, extractors: Sequence[FactExtractor] = ()) -> None:
        """Take the ports; the last extractor is the one that always works. Without any nothing is read."""
        self._store = store
        self._memory = memory
        self._extractors = extractors

    @property
    def extracts(self) -> bool:
        """Whether facts can be read."""
        return bool(self._extractors)

    async def known(
        self,
        caller: Caller,
        *,
        subject: str | None = None,
        thread: str | None = None,
        past: bool = False,
        limit: int = 50,
    ) -> Sequence[KnownFact]:
        """Return what is known, newest first: of a subject, of a thread; with ``past`` what was so before, too.

        Raises:
            InvalidInputError: a bound or a name is not acceptable.
        """
        validation.check_range(limit, 1, 1000, "limit")
        about = None if subject is None else folded(subject)
        return await self._store.list_facts(
            caller.namespace, subject=about, thread=thread, superseded=past, limit=limit
        )

    async def read(
        self,
        caller: Caller,
        item_id: str,
        *,
        dry_run: bool = False,
        before_writing: Callable[[], Awaitable[None]] | None = None,
    ) -> Read:
        """Read the facts off an item and keep what is new, or only say what would be kept.

        An item that is gone, forgotten or no text has none. Doing it twice does no harm. A model that cannot answer is
        stood in for by the rules.

        Raises:
            InvalidInputError: malformed id, or nothing that reads facts is set.
            TextModelUnavailableError: what the rules find is kept; the model may read it later.
            SpendingLimitError: the same, tomorrow.
            StoreError: the store cannot be asked.
        """
        if not self._extractors:
            raise InvalidInputError("Nothing reads facts here: set PALIMPSEST_FACTS to rules, model or auto.")
        telling, version = await self._telling(caller.namespace, item_id)
        if telling is None:
            return Read(item_id)
        found, by, failure = await self._extract(telling)
        changes = await self._keep(caller, telling, version, found, dry_run=dry_run, before_writing=before_writing)
        if isinstance(failure, TextModelUnavailableError | SpendingLimitError) and not dry_run:
            raise failure
        return Read(item_id, tuple(changes), by, None if failure is None else str(failure))

    async def readable(self, caller: Caller, *, thread: str | None = None) -> Sequence[str]:
        """Return the ids of all items that tell what happened, oldest first."""
        filters, found = Filters(thread=thread, memory_type="episodic"), list[Item]()
        while True:
            before = (found[-1].created_at, found[-1].item_id) if found else None
            page = await self._store.list_items(
                caller.namespace, filters, state=ItemState.ACTIVE, limit=200, before=before
            )
            found += page.items
            if len(page.items) < 200:
                return [item.item_id for item in reversed(found)]

    async def _telling(self, namespace: str, item_id: str) -> tuple[Telling | None, int]:
        parse_item_id(item_id)
        try:
            item, content, _ = await self._store.read(namespace, item_id)
        except ItemNotFoundError:
            return None, 0
        if item.state is not ItemState.ACTIVE or "derived_from" in item.source:
            return None, 0
        text = content.decode(errors="replace")
        if text.encode() != content:
            return None, 0
        speaker = speaker_of(item, text)
        if speaker is not None and speaker.casefold() in _ASSISTANTS:
            return None, 0
        labels = item.labels
        return Telling(namespace, item.thread, item_id, text, speaker, item.happened_at, labels.trust), item.version

    async def _extract(self, telling: Telling) -> tuple[Sequence[FoundFact], str, TextModelError | None]:
        failure: TextModelError | None = None
        for extractor in self._extractors:
            try:
                return await extractor.extract(telling), extractor.name, failure
            except (UnusableAnswerError, TextModelError) as error:
                failure = error
        assert failure is not None
        raise failure

    async def _keep(
        self,
        caller: Caller,
        telling: Telling,
        version: int,
        found: Sequence[FoundFact],
        *,
        dry_run: bool,
        before_writing: Callable[[], Awaitable[None]] | None,
    ) -> list[FactChange]:
        """Compare what was found with what is known, and write what is not."""
        wanted = [one for one in found if _is_keepable(one, telling.at)][:_MOST_FACTS]
        if not wanted:
            return []
        since = [one.fact.valid_from or telling.at for one in wanted]
        slots = [(one.fact.slot, at) for one, at in zip(wanted, since, strict=True)]
        known = await self._store.known_facts(telling.namespace, telling.thread, slots)
        changes: list[FactChange] = []
        touched: set[int] = set()
        for one, at, kin in zip(wanted, since, known, strict=True):
            if one.fact.slot in touched:
                # The text told of it already: what is known has changed.
                [kin] = await self._store.known_facts(telling.namespace, telling.thread, [(one.fact.slot, at)])
            compared = compare(one.fact, at, kin)
            if dry_run:
                changes.append(_change(one, compared, None))
                continue
            if before_writing is not None:
                await before_writing()
            changes.append(await self._write(caller, telling, version, one, at, compared))
            touched.add(one.fact.slot)
        return changes

    async def _write(
        self, caller: Caller, telling: Telling, version: int, found: FoundFact, at: datetime, compared: Compared
    ) -> FactChange:
        origin = Origin(telling.item_id, found.start, found.end, version)
        if compared.verdict == "repeat" and compared.of is not None:
            return await self._repeated(caller, telling, found, compared.of.item, origin)
        new = NewMemory(
            found.text,
            memory_type=found.memory_type,
            priority=IMPORTANCES[found.fact.importance],
            thread=telling.thread,
            date=at.isoformat(),
            source={"tool": "facts", "extractor": found.fact.extractor},
            origins=[origin],
            fact=found.fact,
            joins=found.fact.single and compared.verdict != "contradiction",
        )
        me = replace(caller, actor=ACTOR)
        receipt = await self._memory.add(me, new)
        if receipt.outcome == "duplicate" and receipt.item.labels.memory_type == "episodic":
            # It was told in the very words of the fact, and a thread holds a text once.
            receipt = await self._memory.add(me, replace(new, content=_listed(found.fact)))
        if receipt.outcome in ("duplicate", "retyped"):
            return await self._repeated(caller, telling, found, receipt.item, origin)
        return _change(found, compared, _written(receipt))

    async def _repeated(
        self, caller: Caller, telling: Telling, found: FoundFact, item: Item, origin: Origin
    ) -> FactChange:
        """Link what says a fact again; what somebody more trusted says as well is trusted as much."""
        await self._store.link_sources(telling.namespace, item.item_id, [origin])
        if TRUSTS.index(telling.trust) > TRUSTS.index(item.labels.trust):
            await self._memory.update(replace(caller, actor=ACTOR), item.item_id, Change(trust=telling.trust))
        return FactChange(found, "repeat", None, item.item_id)


def speaker_of(item: Item, text: str) -> str | None:
    """Return who says a text: what the item's source says of that, or the name before its first colon."""
    named = item.source.get("speaker") or item.source.get("role")
    if named:
        return named
    label = _LABEL.match(text)
    return None if label is None else label["name"]


def _listed(fact: Fact) -> str:
    """Return a fact in other words than a sentence's."""
    return f"{fact.subject}, {fact.relation}: {fact.value}"


def _change(found: FoundFact, compared: Compared, item_id: str | None) -> FactChange:
    return FactChange(found, compared.verdict, item_id, None if compared.of is None else compared.of.item.item_id)


def _written(receipt: Receipt) -> str | None:
    return None if receipt.outcome == "quarantined" else receipt.item.item_id


def _is_keepable(found: FoundFact, told: datetime) -> bool:
    """Say whether a fact has a subject, a relation and a value of a fact's size, and does not lie in the future."""
    fact = found.fact
    parts = (fact.subject, fact.relation, fact.value, found.text)
    if any(not part.strip() or len(part) > _LONGEST or "\x00" in part for part in parts):
        return False
    return fact.valid_from is None or fact.valid_from <= told + _EARLY
