"""A budget spent on one choice of each group, against the exact optimum."""

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.knapsack import Option, choose

Groups = Sequence[Sequence[Option]]


def optimum(groups: Groups, budget: int) -> float:
    """The greatest value that any choice within the budget has, by trying every budget (Pisinger 1995, section 1)."""
    best = [0.0] * (budget + 1)
    for options in groups:
        grown = list(best)
        for option in options:
            for room in range(option.cost, budget + 1):
                grown[room] = max(grown[room], best[room - option.cost] + option.value)
        best = grown
    return best[budget]


def totals(groups: Groups, chosen: Sequence[int | None]) -> tuple[int, float]:
    held = [options[index] for options, index in zip(groups, chosen, strict=True) if index is not None]
    return sum(option.cost for option in held), sum(option.value for option in held)


options = st.builds(Option, st.integers(1, 60), st.floats(0, 10))


@given(st.lists(st.lists(options, max_size=5), max_size=7), st.integers(0, 150))
def test_a_choice_keeps_to_its_budget_and_is_worth_at_least_half_the_optimum(groups: Groups, budget: int) -> None:
    cost, value = totals(groups, choose(groups, budget))
    assert cost <= budget
    assert value >= optimum(groups, budget) / 2 - 1e-9


def test_on_small_cases_a_choice_is_worth_nearly_as_much_as_the_exact_optimum() -> None:
    """Groups as a block has them: costs of one item's details, more tokens being worth more, each of them less."""
    source = random.Random(3)
    shares: list[float] = []
    for _ in range(400):
        groups: list[list[Option]] = []
        for _ in range(source.randint(2, 8)):
            full, relevance = source.randint(20, 120), source.random()
            details = [(full // 20 + 1, 0.15), (full // 8 + 1, 0.35), (full // 3 + 1, 0.6), (full, 1.0)]
            groups.append([Option(cost, relevance * full * share) for cost, share in details])
        budget = source.randint(20, 250)
        best = optimum(groups, budget)
        shares.append(totals(groups, choose(groups, budget))[1] / best if best else 1.0)
    assert statistics.mean(shares) > 0.985
    assert min(shares) > 0.8


def test_one_group_gets_its_best_option_that_fits() -> None:
    group = [Option(10, 1.0), Option(20, 5.0), Option(30, 6.0), Option(40, 9.0)]
    assert choose([group], 35) == [2]
    assert choose([group], 9) == [None]
    assert choose([group], 1000) == [3]


def test_worthless_options_are_not_bought() -> None:
    assert choose([[Option(1, 0.0)], [Option(1, -2.0)], []], 10) == [None, None, None]


def test_a_cheap_dense_option_does_not_keep_out_a_valuable_one() -> None:
    assert choose([[Option(1, 3.0)], [Option(100, 100.0)]], 100) == [None, 0]


def test_what_is_left_over_is_spent_too() -> None:
    assert choose([[Option(60, 60.0)], [Option(60, 59.0)], [Option(40, 1.0)]], 100) == [0, None, 0]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_question_has_the_same_answer(seed: int) -> None:
    source = random.Random(seed)
    groups = [[Option(source.randint(1, 9), float(source.randint(1, 5))) for _ in range(4)] for _ in range(30)]
    assert choose(groups, 60) == choose([list(group) for group in groups], 60)
