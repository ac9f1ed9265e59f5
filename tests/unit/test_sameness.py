"""Which texts say the same, which may stand beside each other, and which differ in a fact."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.sameness import MOST_WORDS, Judge, Sameness
from palimpsest.slm.commonness import is_word

JUDGE = Judge(is_word)

SAME = (
    ("User prefers tea.", "  user   PREFERS tea!! "),
    ("By the way, the server listens on port 8080.", "the server listens on port 8080"),
    ("Please note that Ann is away.", "Ann is away"),
    ("In the morning, Ann drinks tea.", "Ann drinks tea in the morning."),
    ("Ann does not like tea", "Ann doesn\u2019t like tea"),
    ("Ann cannot drive, it is broken", "Ann can't drive; it's broken"),
    ("Ann keeps three cats", "Ann keeps 3 cats"),
    ("The budget is 1,500 euros", "the budget is 1500 euros"),
    ("The organisation ships colour prints", "The organization ships color prints"),
    ("We meet at the theatre", "we meet at the theater"),
    ("The deployment happens on Friday", "The deploymnet happens on Friday"),
    ("Ann has her favourite deployment", "Ann has her favorite deploymen"),
    ("okay thanks", "okay thanks"),
)
DIFFERENT = (
    ("The server listens on port 8080.", "The server listens on port 8081."),
    ("Ann lives in Rome.", "Bob lives in Rome."),
    ("Ann pays Bob", "Bob pays Ann"),
    ("Ann likes tea", "Ann does not like tea"),
    ("Ann never was in Rome with us", "Ann was in Rome with us"),
    ("Ann prefers tea at breakfast", "Ann prefers coffee at breakfast"),
    ("It is -5 degrees", "It is 5 degrees"),
    ("It costs $1,500", "It costs $1,600"),
    ("It takes one and a half hours, 1.5", "It takes one and a half hours, 15"),
    ("Is it done?", "It is done."),
    ("Uses C++ daily at work", "Uses C daily at work"),
    ("Casual dress is fine", "Causal dress is fine"),
    ("marina lives here now", "martina lives here now"),
    ("The Deployment of Cardif", "The Deployment of Cardiff"),
    ("we moved to Rome with Bob in May", "we moved with Bob in May to Paris"),
    ("the ticket is A-17", "the ticket is A-18"),
    ("meet at 9:00 sharp", "meet at 9:30 sharp"),
    ("?", "!"),
    ("", "something"),
)
RELATED = (
    ("ann has a cat", "ann has a cat called tom"),
    ("ann has a cat called tom", "since may ann has a cat"),
    ("the cat of ann sleeps a lot", "tom is two years old"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_nothing_may_differ(one: str, other: str) -> None:
    assert JUDGE.compare(one, other) == JUDGE.compare(other, one) == "same"


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_one_other_word_is_another_fact(one: str, other: str) -> None:
    assert JUDGE.compare(one, other) == JUDGE.compare(other, one) == "different"


@pytest.mark.parametrize(("one", "other"), RELATED)
def test_what_only_says_more_or_other_things_stands_beside_it(one: str, other: str) -> None:
    assert JUDGE.compare(one, other) == JUDGE.compare(other, one) == "related"


def test_long_texts_are_compared_with_nothing() -> None:
    text = " ".join(f"word{place}" for place in range(MOST_WORDS + 1))
    assert JUDGE.compare(text, text) == "different"


def test_without_a_list_of_words_nothing_is_a_slip() -> None:
    assert Judge(lambda _: False).compare("the deployment happens", "the deploymnet happens") == "different"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_it_is_told_of_any_two_texts_and_both_ways_alike(one: str, other: str) -> None:
    told: Sameness = JUDGE.compare(one, other)
    assert told == JUDGE.compare(other, one)
