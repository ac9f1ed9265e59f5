"""Making one item of several statements that belong together."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from .budget import Budgets
from .clusters import CONSOLIDATION, cluster_key
from .errors import ConflictError, TextModelError, UnusableAnswerError
from .grouping import age
from .ids import new_item_id
from .ingest import Ingest
from .models import Item, Labels, Member, Merged, Origin, Statement
from .ports import Merger, Store, TokenCounter

LEAST_SAVED = 0.1
"""A merge must save this share of what its sources cost in the block."""
_MOST_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Making:
    """A merge: its item's id (None where it was only tried), what it is of, and the block's tokens before and after."""

    item_id: str | None
    source_ids: tuple[str, ...]
    replaced: tuple[str, ...]
    by: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Statements that belong together, and what was made of some of them before."""

    sources: Sequence[Statement]
    former: Sequence[Merged]

    @property
    def thread(self) -> str:
        return self.sources[0].item.thread

    @property
    def members(self) -> list[Member]:
        return [Member(one.item.item_id, one.item.sha256) for one in self.sources]

    @property
    def replaced(self) -> list[Member]:
        return [Member(one.item.item_id, one.item.sha256) for one in self.former]

    @property
    def cost(self) -> int:
        return sum(item.cost for item in self.items)

    @property
    def items(self) -> list[Item]:
        return [*(one.item for one in self.sources), *(one.item for one in self.former)]

    def labels(self) -> Labels:
        """What all of them have in common; of priorities the highest, of trust the least."""
        first = self.sources[0].item.labels
        return replace(first, memory_type="semantic", priority=max(one.labels.priority for one in self.items))


class Merging:
    """Merges groups of statements, with the best of some mergers that can."""

    def __init__(
        self, *, store: Store, ingest: Ingest, counter: TokenCounter, budgets: Budgets, mergers: Sequence[Merger]
    ) -> None:
        """``mergers`` are asked in their order; the last one needs no model."""
        self._store = store
        self._ingest = ingest
        self._counter = counter
        self._budgets = budgets
        self._mergers = tuple(mergers)

    def run(self) -> "MergingRun":
        """Begin a run."""
        return MergingRun(self._store, self._ingest, self._counter, self._budgets, list(self._mergers))


@dataclass(slots=True)
class MergingRun:
    """The merges of one run: a merger that fails is not asked again in it."""

    store: Store
    ingest: Ingest
    counter: TokenCounter
    budgets: Budgets
    mergers: list[Merger]
    notes: tuple[str, ...] = ()

    async def make(
        self,
        namespace: str,
        statements: Sequence[Statement],
        known: Sequence[Merged],
        *,
        dry_run: bool,
        before_writing: Callable[[], Awaitable[None]],
    ) -> Making | None:
        """Merge a group, or say what that would come to; None where nothing is to be done, or cannot be.

        Raises:
            StoreError: nothing was written.
        """
        group = await self._group(namespace, statements, known)
        if group is None or not self.mergers:
            return None
        text, by = await self._text(namespace, group, dry_run=dry_run)
        labels, item_id = group.labels(), new_item_id()
        tokens = self.counter.count(text).tokens
        after = tokens + self.ingest.header_tokens(item_id, tokens, labels)
        content = text.encode()
        if after > group.cost * (1 - LEAST_SAVED) or len(content) > _MOST_BYTES or not text.strip():
            return None
        ids = tuple(one.item_id for one in group.members), tuple(one.item_id for one in group.replaced)
        if dry_run:
            return Making(None, *ids, by, group.cost, after)
        digest = hashlib.sha256(content).hexdigest()
        draft, _ = await self.ingest.draft(namespace, item_id, group.thread, labels, text, content, digest)
        draft = replace(
            draft,
            frame=None,
            origins=tuple(Origin(item_id) for item_id in ids[0]),
            happened_at=max(one.item.happened_at for one in group.sources),
            source={
                "actor": CONSOLIDATION,
                "tool": CONSOLIDATION,
                "by": by,
                "derived_from": " ".join(ids[0]),
                "cluster": cluster_key(group.members),
            },
        )
        await before_writing()
        try:
            receipt = await self.store.merge(
                namespace, draft, group.members, replaces=group.replaced, actor=CONSOLIDATION, budgets=self.budgets
            )
        except ConflictError:
            # Something changed since the look at it; the next run sees what.
            return None
        return Making(receipt.item.item_id, *ids, by, group.cost, receipt.item.cost)

    async def _group(self, namespace: str, statements: Sequence[Statement], known: Sequence[Merged]) -> _Group | None:
        """Return a group with what it replaces; None where it is merged already, or was and that was taken back."""
        here = {one.item.item_id for one in statements}
        touching = [one for one in known if not here.isdisjoint(one.source_ids)]
        if any(
            not here.issuperset(one.source_ids) or one.item.version > 1 or one.item.labels.pinned or not one.intact
            for one in touching
        ):
            return None
        group = _Group(sorted(statements, key=age), touching)
        key = cluster_key(group.members)
        if any(one.item.source["cluster"] == key for one in touching):
            return None
        if await self.store.declined(namespace, [key]):
            return None
        return group

    async def _text(self, namespace: str, group: _Group, *, dry_run: bool) -> tuple[str, str]:
        """Return the merged text, and who wrote it."""
        texts = [one.text for one in group.sources]
        # A dry run asks nobody who may want money for it.
        while len(self.mergers) > 1 and not dry_run:
            merger = self.mergers[0]
            try:
                return await merger.merge(namespace, group.thread, texts), merger.name
            except TextModelError as error:
                self.notes = (*self.notes, f"{merger.name} gave no text: {error}")
                if not isinstance(error, UnusableAnswerError):
                    self.mergers.pop(0)
                break
        return await self.mergers[-1].merge(namespace, group.thread, texts), self.mergers[-1].name
