"""Consolidation: what is said twice stands once, and what belongs together is merged; every original stays.

A run goes through the statements that changed since the last one, a page at a time, with whoever is near them. Each
step is one transaction and one event that undo takes back. What a run has not come to is what the next one finds, so
it may be stopped anywhere.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from .budget import Budgets
from .clusters import CONSOLIDATION
from .errors import ConflictError
from .grouping import MERGED_WITHIN, Fold, Grouping
from .merging import Making, Merging, MergingRun
from .models import Filters, ItemState, Member, Merged, Near, Statement
from .ports import Chunker, Store
from .releasing import Releasing
from .spaces import Spaces

RULES = "1"
"""Other rules than those of the last run look at everything again."""
REACH = 0.35
"""Cosine distance up to which texts are compared at all."""
NEIGHBOURS = 16
PAGE = 256
"""Statements between two looks at their neighbours."""
REGION = 2000
"""Statements of a page and around it that are looked at together: more than that is never held."""
_LOOKED_UP = 64
_ROUNDS = 50
"""Rounds of folds over one page: each halves at least what says the same."""
_LISTED = 200

BeforeWriting = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Folded:
    """A fold: who stays, who left the block for it, and the tokens that this freed."""

    keeper_id: str
    other_ids: tuple[str, ...]
    freed: int


@dataclass(slots=True)
class ConsolidationReport:
    """What a run did, or would do.

    ``released`` are merged items whose sources had changed; ``distilled`` counts jobs for facts that were left.
    """

    looked_at: int = 0
    folded: list[Folded] = field(default_factory=list[Folded])
    merged: list[Making] = field(default_factory=list[Making])
    released: list[str] = field(default_factory=list[str])
    distilled: int = 0
    notes: list[str] = field(default_factory=list[str])

    @property
    def before(self) -> int:
        """Tokens that the items of all steps took of their blocks."""
        return sum(one.freed for one in self.folded) + sum(one.before for one in self.merged)

    @property
    def after(self) -> int:
        """Tokens that they take then."""
        return sum(one.after for one in self.merged)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run."""

    namespace: str
    model_id: str
    dry_run: bool
    before_writing: BeforeWriting
    report: ConsolidationReport
    merging: MergingRun


class Consolidation:
    """Folds and merges a namespace's statements."""

    def __init__(
        self,
        *,
        store: Store,
        spaces: Spaces,
        chunker: Chunker,
        budgets: Budgets,
        grouping: Grouping,
        merging: Merging,
        distils: bool = False,
    ) -> None:
        """Take the ports and parts; ``distils`` leaves jobs for facts with what happened before there were any."""
        self._store = store
        self._spaces = spaces
        self._chunker = chunker
        self._budgets = budgets
        self._grouping = grouping
        self._merging = merging
        self._distils = distils
        self._releasing = Releasing(store=store, budgets=budgets)

    async def run(
        self,
        namespace: str,
        *,
        dry_run: bool = False,
        everything: bool = False,
        before_writing: BeforeWriting | None = None,
    ) -> ConsolidationReport:
        """Consolidate what changed since the last run, or ``everything``; a dry run says what that would change.

        ``before_writing`` may stop it by raising.

        Raises:
            StoreError: what was done so far is committed; the next run goes on.
        """
        state = await self._spaces.look(namespace)
        model_id = state.serving.model_id
        report = ConsolidationReport()
        run = _Run(namespace, model_id, dry_run, before_writing or _nothing, report, self._merging.run())
        await self._prepare(run)
        basis = f"{RULES} {model_id}{' facts' if self._distils else ''}"
        stretch = await self._store.consolidation_stretch(namespace, model_id, basis)
        since = None if everything else stretch.since
        if since is None and self._distils and not dry_run:
            await self._distil(run)
        after: str | None = None
        while page := await self._store.changed_statements(namespace, model_id, since=since, after=after, limit=PAGE):
            after = page[-1]
            report.looked_at += len(page)
            await self._page(run, page)
        if not dry_run:
            await run.before_writing()
            await self._store.note_consolidated(namespace, basis, stretch.until)
        report.notes += run.merging.notes
        return report

    async def _prepare(self, run: _Run) -> None:
        """Let go of what is no longer true."""
        if run.dry_run:
            merged = await self._store.merged(run.namespace)
            run.report.released += [one.item.item_id for one in merged if not one.intact]
            return
        run.report.released += await self._releasing.mend(run.namespace, before_writing=run.before_writing)

    async def _distil(self, run: _Run) -> None:
        """Leave a job for facts with everything that happened of which none were read: adds leave one themselves."""
        episodic, before = Filters(memory_type="episodic"), None
        while items := (
            await self._store.list_items(run.namespace, episodic, state=ItemState.ACTIVE, limit=_LISTED, before=before)
        ).items:
            before = items[-1].created_at, items[-1].item_id
            ids = [item.item_id for item in items]
            read = {one.origin.item_id for one in await self._store.derived(run.namespace, ids)}
            for item_id in ids:
                if item_id not in read:
                    run.report.distilled += await self._store.enqueue(run.namespace, "facts", item_id)

    async def _page(self, run: _Run, page: Sequence[str]) -> None:
        for _ in range(_ROUNDS):
            pairs, known = await self._region(run, page)
            folds = await self._kept(run, self._grouping.folds(known, pairs))
            folded = [fold for fold in folds if await self._fold(run, fold)]
            gone = {one.item.item_id for fold in folded for one in fold.others}
            if not folded or run.dry_run:
                known = {name: one for name, one in known.items() if name not in gone}
                await self._merge(run, known, pairs)
                return

    async def _region(self, run: _Run, page: Sequence[str]) -> tuple[list[Near], dict[str, Statement]]:
        """Return a page's statements and those around them that may be of their clusters, with who is near whom."""
        seen, waiting = dict.fromkeys(page), list(page)
        pairs: list[Near] = []
        while waiting and len(seen) < REGION:
            asked, waiting = waiting[:_LOOKED_UP], waiting[_LOOKED_UP:]
            found = await self._store.near(run.namespace, run.model_id, asked, distance=REACH, limit=NEIGHBOURS)
            pairs += found
            # Beyond the reach of a merge nobody is of the cluster: those are only compared.
            fresh = [one.other_id for one in found if one.other_id not in seen and one.distance <= MERGED_WITHIN]
            seen.update(dict.fromkeys(one.other_id for one in found))
            waiting += dict.fromkeys(fresh)
        statements = await self._store.statements(run.namespace, list(seen))
        return pairs, {one.item.item_id: one for one in statements if self._is_prose(one)}

    def _is_prose(self, statement: Statement) -> bool:
        labels = statement.item.labels
        return self._chunker.kind(statement.text, labels.content_type, labels.title) == "prose"

    async def _kept(self, run: _Run, folds: Sequence[Fold]) -> Sequence[Fold]:
        """Leave out the folds that somebody took back before."""
        if not folds:
            return ()
        keepers = sorted({fold.keeper.item.item_id for fold in folds})
        unfolded = await self._store.unfolded(run.namespace, keepers)
        return [fold for fold in folds if fold.keeper.item.item_id not in unfolded]

    async def _fold(self, run: _Run, fold: Fold) -> bool:
        freed = sum(one.item.cost for one in fold.others)
        if not run.dry_run:
            await run.before_writing()
            try:
                receipt = await self._store.fold(
                    run.namespace,
                    _member(fold.keeper),
                    [_member(one) for one in fold.others],
                    actor=CONSOLIDATION,
                    budgets=self._budgets,
                )
            except ConflictError:
                return False
            freed = sum(step.freed for step in receipt.steps)
        others = tuple(one.item.item_id for one in fold.others)
        run.report.folded.append(Folded(fold.keeper.item.item_id, others, freed))
        return True

    async def _merge(self, run: _Run, known: dict[str, Statement], pairs: Sequence[Near]) -> None:
        groups = self._grouping.merges(known, pairs)
        if not groups:
            return
        merged: Sequence[Merged] = await self._store.merged(
            run.namespace, [one.item.item_id for group in groups for one in group]
        )
        done = {one for making in run.report.merged for one in making.source_ids}
        for group in groups:
            if not done.isdisjoint(one.item.item_id for one in group):
                # Of a cluster that lies in two pages: it was looked at as a whole.
                continue
            making = await run.merging.make(
                run.namespace, group, merged, dry_run=run.dry_run, before_writing=run.before_writing
            )
            if making is not None:
                run.report.merged.append(making)


def _member(statement: Statement) -> Member:
    return Member(statement.item.item_id, statement.item.sha256)


async def _nothing() -> None:
    """Let everything be written."""
