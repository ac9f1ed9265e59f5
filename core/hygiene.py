"""Hygiene: what nobody used for long steps down, then leaves the context; what expired is forgotten."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from . import ladder
from .budget import Budget, Budgets
from .errors import ConflictError, ItemNotFoundError
from .models import ItemState, Rung, Stale, StaleItem, Step
from .ports import Clock, Store

BATCH = 500
"""Items looked at between two commits."""
ACTOR = "hygiene"


@dataclass(frozen=True, slots=True)
class HygieneLimits:
    """After how many days without use an item steps down to a summary, and leaves the context; 0 for never.

    Pinned items and those of ``spared_priority`` and above are left alone.
    """

    compress_days: float = 7.0
    archive_days: float = 30.0
    spared_priority: int = 10


@dataclass(frozen=True, slots=True)
class HygieneReport:
    """What hygiene did, or would do: the items, in the order in which it acts on them."""

    compressed: tuple[StaleItem, ...]
    archived: tuple[StaleItem, ...]
    forgotten: tuple[StaleItem, ...]

    @property
    def count(self) -> int:
        """Return how many items that is."""
        return len(self.compressed) + len(self.archived) + len(self.forgotten)


class Hygiene:
    """Keeps contexts clean of what nobody uses."""

    def __init__(self, *, store: Store, clock: Clock, budgets: Budgets, limits: HygieneLimits | None = None) -> None:
        """Take the ports; nothing is done here."""
        self._store = store
        self._clock = clock
        self._budgets = budgets
        self._limits = limits or HygieneLimits()

    async def run(self, namespace: str, *, dry_run: bool = False) -> HygieneReport:
        """Act on everything that is due, or say what that would be.

        Raises:
            StoreError: what was done so far is committed; the next run goes on.
        """
        done: list[StaleItem] = []
        seen: set[str] = set()
        while True:
            limits, now = self._stale(), self._clock.now()
            # A dry run changes nothing, so the whole list is looked at once.
            found = await self._store.stale(namespace, limits, now=now, limit=1_000_000 if dry_run else BATCH)
            fresh = [one for one in found if one.item_id not in seen]
            if not fresh:
                return _report(done)
            seen.update(one.item_id for one in fresh)
            done += fresh if dry_run else await self._act(namespace, fresh, limits)
            if dry_run:
                return _report(done)

    def _stale(self) -> Stale:
        now, limits = self._clock.now(), self._limits
        long_ago = now - timedelta(days=1_000_000 // 4)
        return Stale(
            compress_before=now - timedelta(days=limits.compress_days) if limits.compress_days else long_ago,
            archive_before=now - timedelta(days=limits.archive_days) if limits.archive_days else long_ago,
            spared_priority=limits.spared_priority,
        )

    async def _act(self, namespace: str, found: Sequence[StaleItem], limits: Stale) -> list[StaleItem]:
        done: list[StaleItem] = []
        threads: defaultdict[str, list[StaleItem]] = defaultdict(list)
        for one in found:
            if one.to == "forgotten":
                done += await self._forget(namespace, one)
            else:
                threads[one.thread].append(one)
        for thread, items in threads.items():
            _, steps = await self._store.step(
                namespace, thread, _chooser(items, limits), actor=ACTOR, budgets=self._budgets
            )
            moved = {step.item_id for step in steps}
            done += [one for one in items if one.item_id in moved]
        return done

    async def _forget(self, namespace: str, one: StaleItem) -> list[StaleItem]:
        try:
            await self._store.set_state(namespace, one.item_id, ItemState.FORGOTTEN, actor=ACTOR, budgets=self._budgets)
        except (ItemNotFoundError, ConflictError):
            return []
        return [one]


def _chooser(items: Collection[StaleItem], limits: Stale) -> ladder.Choose:
    goals = {one.item_id: one.to for one in items}

    def choose(rungs: Sequence[Rung], budget: Budget) -> Sequence[Step]:
        # Looked at again while the thread is held: an item may have been used or pinned since it was found.
        due = [rung for rung in rungs if rung.item_id in goals and not rung.pinned]
        archived = [one for one in due if goals[one.item_id] == "archived" and one.used_at < limits.archive_before]
        shortened = [one for one in due if goals[one.item_id] == "summary" and one.used_at < limits.compress_before]
        steps = [*ladder.to_detail(archived, "archived"), *_shorter(shortened)]
        return [step for step in steps if step.freed > 0]

    return choose


def _shorter(rungs: Sequence[Rung]) -> Sequence[Step]:
    """Bring items down to their summary, or to the next lower rung that they have."""
    with_summary = [rung for rung in rungs if "summary" in rung.costs]
    without = [rung for rung in rungs if "summary" not in rung.costs]
    return [*ladder.to_detail(with_summary, "summary"), *ladder.one_down(without)]


def _report(done: Sequence[StaleItem]) -> HygieneReport:
    return HygieneReport(
        compressed=tuple(one for one in done if one.to == "summary"),
        archived=tuple(one for one in done if one.to == "archived"),
        forgotten=tuple(one for one in done if one.to == "forgotten"),
    )
