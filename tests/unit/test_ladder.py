"""Which items step down, how far, and in what order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core import ladder
from palimpsest.core.budget import Budget
from palimpsest.core.models import Detail, Rung, Standing, Step

START = datetime(2026, 1, 1, tzinfo=UTC)
BUDGET = Budget(10_000)


def rung(
    number: int,
    full: int = 1000,
    *,
    summary: int | None = 100,
    brief: int | None = 20,
    hint: int | None = 5,
    detail: Standing = "full",
    priority: int = 5,
    pinned: bool = False,
) -> Rung:
    """An item added ``number`` minutes after the start."""
    costs: dict[Detail, int] = {"full": full}
    for name, cost in (("summary", summary), ("brief", brief), ("hint", hint)):
        if cost is not None:
            costs[name] = cost  # type: ignore[index]
    cost = 0 if detail == "archived" else costs[detail]
    return Rung(f"mem_{number}", detail, cost, costs, priority, pinned, START + timedelta(minutes=number), number)


def used_after(rungs: Sequence[Rung], steps: Sequence[Step]) -> int:
    return sum(one.cost for one in rungs) - sum(step.freed for step in steps)


def standing(rungs: Sequence[Rung], steps: Sequence[Step]) -> dict[str, Standing]:
    moved: dict[str, Standing] = {step.item_id: step.detail for step in steps}
    return {one.item_id: moved.get(one.item_id, one.detail) for one in rungs}


def test_a_block_just_under_its_trigger_stays_as_it_is_and_one_at_it_steps_down() -> None:
    assert BUDGET.trigger_tokens == 7499
    assert ladder.under_trigger([rung(1, 7499)], BUDGET) == ()
    assert len(ladder.under_trigger([rung(1, 7500)], BUDGET)) == 1


def test_a_block_over_its_trigger_goes_down_to_its_target() -> None:
    rungs = [rung(number) for number in range(8)]
    steps = ladder.under_trigger(rungs, BUDGET)
    assert BUDGET.target_tokens - 1000 < used_after(rungs, steps) <= BUDGET.target_tokens == 6000


def test_what_was_used_longest_ago_steps_down_first_and_the_newest_stays_in_full() -> None:
    rungs = [rung(number) for number in range(8)]
    stands = standing(rungs, ladder.under_trigger(rungs, BUDGET))
    assert [stands[f"mem_{number}"] for number in range(8)] == ["summary"] * 3 + ["full"] * 5 or (
        stands["mem_0"] != "full" and [stands[f"mem_{n}"] for n in range(3, 8)] == ["full"] * 5
    )


def test_details_fall_with_age_when_much_has_to_go() -> None:
    rungs = [rung(number) for number in range(60)]
    stands = standing(rungs, ladder.under_trigger(rungs, BUDGET))
    places = [ladder.LADDER.index(stands[f"mem_{number}"]) for number in range(60)]
    assert places == sorted(places, reverse=True)
    assert places[-1] == 0
    assert places[0] > 1


def test_priority_outweighs_a_little_age() -> None:
    rungs = [rung(number, priority=8 if number < 4 else 3) for number in range(8)]
    stands = standing(rungs, ladder.under_trigger(rungs, BUDGET))
    assert all(stands[f"mem_{number}"] == "full" for number in range(4))
    assert stands["mem_4"] != "full"


def test_of_two_alike_the_larger_steps_down_first() -> None:
    small, big = rung(1, 3000, summary=300), rung(2, 5000, summary=500)
    small = replace(small, used_at=big.used_at, position=3)
    assert [step.item_id for step in ladder.under_trigger([small, big], BUDGET)] == ["mem_2"]


def test_pinned_items_never_step_down_by_themselves() -> None:
    rungs = [rung(number, pinned=True) for number in range(9)]
    assert ladder.under_trigger(rungs, BUDGET) == []
    reason = ladder.reason_over(9000, BUDGET)
    assert reason is not None
    assert "pinned" in reason


def test_priority_ten_follows_only_when_everything_else_is_gone() -> None:
    rungs = [rung(number, priority=10) for number in range(7)] + [rung(number) for number in range(7, 9)]
    stands = standing(rungs, ladder.under_trigger(rungs, BUDGET))
    assert all(stands[f"mem_{number}"] == "full" for number in range(7))
    more = [rung(number, priority=10) for number in range(9)] + [rung(number) for number in range(9, 11)]
    stands = standing(more, ladder.under_trigger(more, BUDGET))
    assert all(stands[f"mem_{number}"] == "archived" for number in (9, 10))
    assert any(stands[f"mem_{number}"] == "summary" for number in range(9))


def test_what_is_pinned_leaves_the_others_half_of_the_room() -> None:
    rungs = [rung(0, 7000, pinned=True)] + [rung(number, 100, summary=None, brief=None) for number in range(1, 8)]
    steps = ladder.under_trigger(rungs, BUDGET)
    assert 7000 < used_after(rungs, steps) <= 7250


def test_texts_without_renditions_leave_the_context_oldest_first() -> None:
    rungs = [rung(number, 30, summary=None, brief=None, hint=None) for number in range(300)]
    stands = standing(rungs, ladder.under_trigger(rungs, BUDGET))
    gone = [number for number in range(300) if stands[f"mem_{number}"] == "archived"]
    assert gone == list(range(100))


def test_an_item_larger_than_the_trigger_enters_at_the_detail_that_fits() -> None:
    rungs = [rung(0, 200), rung(1, 50_000, summary=5000, brief=1000)]
    assert standing(rungs, ladder.under_trigger(rungs, BUDGET)) == {"mem_0": "full", "mem_1": "summary"}
    larger = [rung(0, 200), rung(1, 500_000, summary=50_000, brief=10_000, hint=20)]
    assert standing(larger, ladder.under_trigger(larger, BUDGET)) == {"mem_0": "full", "mem_1": "hint"}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [("full", ("full", 50)), ("summary", ("full", 50)), ("hint", ("hint", 5)), ("archived", ("archived", 0))],
)
def test_a_text_too_short_for_a_detail_stands_at_the_next_higher_one(
    detail: Standing, expected: tuple[Standing, int]
) -> None:
    assert ladder.cost_at({"full": 50, "hint": 5}, detail) == expected


def test_one_step_down_goes_to_the_next_rung_that_frees_anything() -> None:
    odd = rung(1, 100, summary=100, brief=120, hint=5)
    (step,) = ladder.one_down([odd])
    assert (step.before, step.detail, step.cost, step.freed) == ("full", "hint", 5, 95)
    assert ladder.one_down([rung(1, detail="archived")]) == []


details = st.sampled_from(ladder.LADDER)


@st.composite
def threads(draw: st.DrawFn) -> list[Rung]:
    """Up to 40 items of any size, priority and standing."""
    rungs: list[Rung] = []
    for number in range(draw(st.integers(0, 40))):
        full = draw(st.integers(1, 4000))
        shorter = {name: full // ratio for name, ratio in (("summary", 10), ("brief", 50), ("hint", 100))}
        has = {name: cost for name, cost in shorter.items() if cost and draw(st.booleans())}
        one = rung(
            number,
            full,
            summary=has.get("summary"),
            brief=has.get("brief"),
            hint=has.get("hint"),
            priority=draw(st.integers(0, 10)),
            pinned=draw(st.booleans()) and draw(st.booleans()),
        )
        stands, cost = ladder.cost_at(one.costs, draw(details))
        rungs.append(Rung(one.item_id, stands, cost, one.costs, one.priority, one.pinned, one.used_at, one.position))
    return rungs


@given(threads(), st.sampled_from([500, 2000, 10_000, 40_000]))
def test_whatever_a_thread_holds_it_ends_at_its_trigger_or_only_pinned_items_are_left(
    rungs: list[Rung], window: int
) -> None:
    budget = Budget(window)
    steps = ladder.under_trigger(rungs, budget)
    used, pinned = used_after(rungs, steps), sum(one.cost for one in rungs if one.pinned)
    assert used <= budget.trigger_tokens or used == pinned
    assert all(step.freed > 0 for step in steps)
    assert not {step.item_id for step in steps} & {one.item_id for one in rungs if one.pinned}
    assert (ladder.reason_over(used, budget) is None) == (used <= budget.trigger_tokens)


@given(threads(), st.sampled_from([2000, 10_000]))
def test_a_second_look_takes_no_further_step(rungs: list[Rung], window: int) -> None:
    budget = Budget(window)
    taken = {step.item_id: step for step in ladder.under_trigger(rungs, budget)}
    after = [
        replace(one, detail=taken[one.item_id].detail, cost=taken[one.item_id].cost) if one.item_id in taken else one
        for one in rungs
    ]
    assert ladder.under_trigger(after, budget) in ((), [])
