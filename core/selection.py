"""What of a thread goes into a small block for a question: passages, whole items or renditions, by value per token."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .knapsack import Option, choose
from .models import DETAILS, Detail, Rung, Span

STEEPNESS = 8.0
"""A token of a passage is worth the passage's score to this power: the best count for much more than the middling."""
WHOLE = 1.02
"""A whole item is worth a little more than all of its passages apart."""
RENDITION_WORTH = 0.25
"""What a token of an item's rendition is worth, as a share of a token of its best passage."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that bears on the question, with its text, its tokens and its score in 0..1.

    ``after`` are the few bytes of the content that follow it.
    """

    item_id: str
    span: Span
    text: str
    after: bytes
    tokens: int
    score: float


@dataclass(frozen=True, slots=True)
class Pick:
    """An item's part in the block: its text at a detail, or these passages of it in their order."""

    item_id: str
    detail: Detail | Literal["excerpts"]
    passages: tuple[Passage, ...] = ()


def pick(rungs: Sequence[Rung], passages: Sequence[Passage], max_tokens: int) -> list[Pick]:
    """Return what fills ``max_tokens`` best, the item with the best passage first.

    Each item is a group of choices: its first one, two, three … passages by score, each of its renditions, or all of
    it; see ``knapsack.choose``. ``passages`` come best first; items without a rung (archived ones have one) are left
    out.
    """
    by_item: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        by_item[passage.item_id].append(passage)
    known = {rung.item_id: rung for rung in rungs}
    items = [(known[item_id], found) for item_id, found in by_item.items() if item_id in known]
    groups = [_choices(rung, found) for rung, found in items]
    chosen = choose([[option for _, option in group] for group in groups], max_tokens)
    return [group[index][0] for group, index in zip(groups, chosen, strict=True) if index is not None]


def _choices(rung: Rung, passages: Sequence[Passage]) -> list[tuple[Pick, Option]]:
    header = rung.header_tokens
    choices: list[tuple[Pick, Option]] = []
    cost, value = header, 0.0
    for place, passage in enumerate(passages, start=1):
        # Two more for the line that parts it from the passage before.
        cost += passage.tokens + 2
        value += passage.score**STEEPNESS * passage.tokens
        in_order = tuple(sorted(passages[:place], key=lambda one: one.span.start))
        choices.append((Pick(rung.item_id, "excerpts", in_order), Option(cost, value)))
    choices.append((Pick(rung.item_id, "full"), Option(max(1, rung.costs["full"]), value * WHOLE)))
    best = max(passage.score for passage in passages) ** STEEPNESS * RENDITION_WORTH
    for detail in DETAILS[1:]:
        if detail in rung.costs:
            option = Option(max(1, rung.costs[detail]), best * (rung.costs[detail] - header))
            choices.append((Pick(rung.item_id, detail), option))
    return choices
