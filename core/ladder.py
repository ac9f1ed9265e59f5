"""Which items step down to a lower level of detail, and how far, when a thread's block has to become shorter.

Each item stands on a rung: full, summary, brief, hint or archived. A step costs what is lost of the item's worth and
frees tokens; the cheapest step per freed token is taken first, until the block is short enough. Nothing is taken up
again by itself, so nothing can swing back and forth.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .budget import Budget
from .models import Detail, Rung, Standing, Step

LADDER: tuple[Standing, ...] = ("full", "summary", "brief", "hint", "archived")
WORTH: Mapping[Standing, float] = {"full": 1.0, "summary": 0.55, "brief": 0.33, "hint": 0.2, "archived": 0.0}
"""How much of an item's worth is left at each rung."""
TOP_PRIORITY = 10

Choose = Callable[[Sequence[Rung], Budget], Sequence[Step]]
"""From a thread's rungs and budget to the steps to take."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How worth is weighed.

    Every ``items_per_half_life`` items that were used later halve it, ``half_lives`` times at most;
    ``priority_doubling`` points of priority double it; ``size`` is the power of an item's tokens that it grows with.
    """

    items_per_half_life: float = 4.0
    half_lives: float = 5.0
    priority_doubling: float = 2.0
    size: float = 0.75


def under_trigger(rungs: Sequence[Rung], budget: Budget) -> Sequence[Step]:
    """Return the steps that bring a block over its trigger down to its target; none when it is not over."""
    if sum(rung.cost for rung in rungs) <= budget.trigger_tokens:
        return ()
    return down_to(rungs, budget.target_tokens, ceiling=budget.trigger_tokens)


def down_to(
    rungs: Sequence[Rung], target: int, *, ceiling: int | None = None, shape: Shape | None = None
) -> Sequence[Step]:
    """Return the steps, one an item, that bring the block to ``target`` tokens.

    Pinned items keep their rung. Items of priority 10 follow only when all others are gone and the block is still over
    ``ceiling``. What cannot give way narrows the room: the others keep half of what it leaves under the ceiling.
    """
    ceiling = target if ceiling is None else ceiling
    climb = _Descent(rungs, shape or Shape())
    ordinary = [rung for rung in rungs if not rung.pinned and rung.priority < TOP_PRIORITY]
    top = [rung for rung in rungs if not rung.pinned and rung.priority >= TOP_PRIORITY]
    pinned = sum(rung.cost for rung in rungs if rung.pinned)
    climb.descend(ordinary, _room(target, ceiling, pinned + sum(rung.cost for rung in top)))
    if climb.used > ceiling:
        climb.descend(top, _room(target, ceiling, pinned))
    return climb.steps()


def to_detail(rungs: Sequence[Rung], detail: Standing) -> Sequence[Step]:
    """Return the steps that bring each item to ``detail``, or to the next one below that it has."""
    return [step for rung in rungs if (step := _to(rung, detail)) is not None]


def one_down(rungs: Sequence[Rung]) -> Sequence[Step]:
    """Return the step to each item's next lower rung; items that have none are left out."""
    return [_step(rung, *lower) for rung in rungs if (lower := _lower(rung, rung.detail, rung.cost)) is not None]


def cost_at(costs: Mapping[Detail, int], detail: Standing) -> tuple[Standing, int]:
    """Return the rung that an item stands on when ``detail`` is asked, and its tokens there.

    A text that is too short for a rendition stands on the next higher one that it has.
    """
    if detail == "archived":
        return "archived", 0
    for standing in reversed(LADDER[: LADDER.index(detail) + 1]):
        if standing != "archived" and standing in costs:
            return standing, costs[standing]
    return "full", costs["full"]


def reason_over(used: int, budget: Budget) -> str | None:
    """Say why a block of ``used`` tokens is still over its trigger after all steps; None when it is not."""
    if used <= budget.trigger_tokens:
        return None
    return (
        f"The block's {used:,} tokens are over the trigger of {budget.trigger_tokens:,} and all that is left in it is "
        "pinned; unpin items with memory_update, or step them down by their ids with memory_compress."
    )


def _room(target: int, ceiling: int, fixed: int) -> int:
    if fixed >= ceiling:
        return fixed
    return max(target, (fixed + ceiling) // 2) if ceiling > target else target


@dataclass(slots=True)
class _Descent:
    """The block while steps are chosen."""

    rungs: Sequence[Rung]
    shape: Shape
    used: int = 0
    standing: dict[str, tuple[Standing, int]] = field(default_factory=dict[str, tuple[Standing, int]])

    def __post_init__(self) -> None:
        self.used = sum(rung.cost for rung in self.rungs)

    def descend(self, rungs: Sequence[Rung], target: int) -> None:
        """Take the cheapest steps of ``rungs`` until the block has at most ``target`` tokens."""
        worth = _worths(rungs, self.shape)
        heap = [entry for rung in rungs if (entry := _entry(rung, rung.detail, rung.cost, worth)) is not None]
        heapq.heapify(heap)
        by_id = {rung.item_id: rung for rung in rungs}
        while self.used > target and heap:
            _, _, item_id, standing, cost, freed = heapq.heappop(heap)
            self.used -= freed
            self.standing[item_id] = standing, cost
            if (further := _entry(by_id[item_id], standing, cost, worth)) is not None:
                heapq.heappush(heap, further)
        self._take_back([rung for rung in rungs if rung.item_id in self.standing], target, worth)

    def _take_back(self, rungs: Sequence[Rung], target: int, worth: Mapping[str, float]) -> None:
        """Take steps back that a later, larger one made needless, those first that lose most for what they free."""

        def regret(rung: Rung) -> float:
            standing, cost = self.standing[rung.item_id]
            return worth[rung.item_id] * (WORTH[rung.detail] - WORTH[standing]) / (rung.cost - cost)

        for rung in sorted(rungs, key=lambda rung: (-regret(rung), rung.position)):
            for detail in LADDER[LADDER.index(rung.detail) :]:
                standing, cost = self.standing[rung.item_id]
                if detail == standing:
                    break
                higher = rung.cost if detail == rung.detail else _cost(rung, detail)
                if higher is not None and higher > cost and self.used + higher - cost <= target:
                    self.used += higher - cost
                    self.standing[rung.item_id] = detail, higher
                    break

    def steps(self) -> Sequence[Step]:
        """Return where items came to stand, in the order of the block."""
        return [
            _step(rung, *stands)
            for rung in self.rungs
            if (stands := self.standing.get(rung.item_id)) is not None and stands[0] != rung.detail
        ]


_Entry = tuple[float, int, str, Standing, int, int]


def _entry(rung: Rung, detail: Standing, cost: int, worth: Mapping[str, float]) -> _Entry | None:
    lower = _lower(rung, detail, cost)
    if lower is None:
        return None
    standing, less = lower
    loss = worth[rung.item_id] * (WORTH[detail] - WORTH[standing])
    return loss / (cost - less), rung.position, rung.item_id, standing, less, cost - less


def _cost(rung: Rung, standing: Standing) -> int | None:
    return 0 if standing == "archived" else rung.costs.get(standing)


def _lower(rung: Rung, detail: Standing, cost: int) -> tuple[Standing, int] | None:
    """Return the next rung below that frees anything."""
    for standing in LADDER[LADDER.index(detail) + 1 :]:
        less = _cost(rung, standing)
        if less is not None and less < cost:
            return standing, less
    return None


def _worths(rungs: Sequence[Rung], shape: Shape) -> Mapping[str, float]:
    """Return what each item is worth in full: by its recency of use among the others, its priority and its size."""
    by_use = sorted(rungs, key=lambda rung: (rung.used_at, rung.position))
    last = max(1, len(by_use) - 1)
    half_lives = min(shape.half_lives, last / shape.items_per_half_life)
    return {
        rung.item_id: 2.0 ** (half_lives * (rank / last - 1) + rung.priority / shape.priority_doubling)
        * max(1, rung.costs["full"]) ** shape.size
        for rank, rung in enumerate(by_use)
    }


def _to(rung: Rung, detail: Standing) -> Step | None:
    standing, cost = cost_at(rung.costs, detail)
    return None if (standing, cost) == (rung.detail, rung.cost) else _step(rung, standing, cost)


def _step(rung: Rung, standing: Standing, cost: int) -> Step:
    return Step(rung.item_id, rung.detail, standing, cost, rung.cost - cost)
