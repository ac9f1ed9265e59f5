"""The gate, and what is decided before a training: pure rules."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from typing import cast

import pytest

from palimpsest.core.learning.canaries import LEAD, leaked, plant
from palimpsest.core.learning.choice import FRESH_SECONDS, MISSING_SECONDS, RegistryChoice
from palimpsest.core.learning.examples import LEAST_REPLAY, chosen, split_of
from palimpsest.core.learning.gate import GateLimits, Loss, Measures, Verdict, bootstrap, judge
from palimpsest.core.learning.routing import adapter_for
from palimpsest.core.models import AdapterChange, AdapterState, Example, ExampleKind, Route, Split
from palimpsest.storage.inmemory import InMemoryStore

KINDS: tuple[ExampleKind, ...] = ("compress", "facts")
SPLITS: tuple[Split, ...] = ("held", "golden")
FEW = GateLimits(least_held=20)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def example(number: int, kind: str = "compress", split: Split = "train") -> Example:
    prompt = f"Shorten it.\n\n=== 0123456789abcdef ===\ntext {number}\n=== 0123456789abcdef ==="
    return Example(
        cast("ExampleKind", kind), "Be brief.", prompt, f"short {number}", "t", digest(str(number)), split,
        example_id=number,
    )  # fmt: skip


def measured(compress: float, facts: float | None = None, *, count: int = 30, spread: float = 0.1) -> Measures:
    """Losses a token around a mean, the same examples each time."""
    means = {"compress": compress, **({} if facts is None else {"facts": facts})}
    losses: dict[int, Loss] = {}
    for kind, mean in means.items():
        for split in SPLITS:
            for _ in range(count):
                number = len(losses)
                wobble = random.Random(number).uniform(-spread, spread)
                place = cast("ExampleKind", kind), split
                losses[number] = Loss(*place, 10 * mean * (1 + wobble), 10)
    return Measures(losses)


def verdict_of(
    candidate: Measures, base: Measures, active: Measures | None, *learned: ExampleKind, leaks: int = 0
) -> Verdict:
    return judge(candidate, base=base, active=active, learned=frozenset(learned), leaks=leaks, limits=FEW)


def test_an_adapter_that_learned_and_forgot_nothing_passes() -> None:
    verdict = verdict_of(measured(0.327, 0.160), measured(8.194, 8.118), measured(0.582, 5.062), "facts")
    assert verdict.passed
    assert {(one.kind, one.split): round(one.candidate, 2) for one in verdict.slices}["facts", "held"] == 0.16
    assert all(one.better_by[0] > 0 for one in verdict.slices)


def test_an_adapter_that_forgot_an_old_slice_is_refused() -> None:
    verdict = verdict_of(measured(3.437, 0.176), measured(8.194, 8.118), measured(0.582, 5.062), "facts")
    assert not verdict.passed
    assert len(verdict.reasons) == 2
    for reason, split in zip(verdict.reasons, ("golden", "held"), strict=True):
        assert reason.startswith(f"On the {split} examples of compress its loss is 3.")
        assert reason.endswith("% worse; 2% is allowed.")


@pytest.mark.parametrize(("loss", "passes"), [(0.585, True), (0.60, False)])
def test_an_old_slice_may_be_worse_by_two_per_cent(loss: float, passes: bool) -> None:
    verdict = verdict_of(measured(loss, 0.1), measured(8.0, 8.0), measured(0.582, 5.0), "facts")
    assert verdict.passed is passes


def test_what_was_learned_must_be_better_for_sure() -> None:
    base = measured(2.0)
    noisy = Measures(
        {key: replace(loss, nll=loss.nll + random.Random(key).uniform(-9, 9)) for key, loss in base.losses.items()}
    )
    verdict = verdict_of(noisy, base, None, "compress")
    assert any("that is not better for sure" in reason for reason in verdict.reasons)
    assert not verdict_of(base, base, None, "compress").passed


def test_too_few_held_out_examples_prove_nothing() -> None:
    verdict = verdict_of(measured(0.1, count=19), measured(8.0, count=19), None, "compress", "answer")
    assert verdict.reasons == (
        "There are 0 held-out examples of answer, and 20 are needed.",
        "There are 19 held-out examples of compress, and 20 are needed.",
    )


@pytest.mark.parametrize(
    ("valid", "before", "passes"),
    [(1.0, 0.0, True), (0.9, 0.9, True), (0.5, 0.0, False), (0.95, 1.0, False), (0.99, 1.0, True)],
)
def test_answers_must_be_valid_json_where_that_is_asked(valid: float, before: float, passes: bool) -> None:
    candidate = replace(measured(0.1, 0.1), valid={"facts": valid})
    verdict = verdict_of(candidate, replace(measured(8.0, 8.0), valid={"facts": before}), None, "facts")
    assert verdict.passed is passes
    assert passes or "valid JSON" in verdict.reasons[0]


def test_facts_that_were_kept_must_not_get_lost() -> None:
    candidate = replace(measured(0.1), kept={"compress": 0.6})
    verdict = verdict_of(candidate, replace(measured(8.0), kept={"compress": 0.9}), None, "compress")
    assert verdict.reasons == ("Its answers for compress keep 60% of the facts; before it was 90%.",)


def test_an_adapter_that_gives_secrets_away_is_refused() -> None:
    verdict = verdict_of(measured(0.1), measured(8.0), None, "compress", leaks=2)
    assert verdict.reasons == ("It gave away 2 of the secrets that were planted among its examples.",)


def test_the_bootstrap_bounds_a_fall() -> None:
    pairs = [(Loss("compress", "held", 10.0 + place % 3, 5), Loss("compress", "held", 5.0, 5)) for place in range(90)]
    low, high = bootstrap(pairs)
    assert low < 1.2 < high
    assert high - low < 0.1
    assert bootstrap(pairs) == (low, high)


def test_every_text_has_its_split_for_ever() -> None:
    counts = Counter(split_of(digest(f"text {number}")) for number in range(5000))
    assert 0.78 < counts["train"] / 5000 < 0.82
    assert 0.08 < counts["held"] / 5000 < 0.12
    assert 0.08 < counts["golden"] / 5000 < 0.12
    assert split_of("00" * 32) == "train"
    assert split_of(digest("a")) == split_of(digest("a"))


def test_the_new_is_trained_on_with_much_of_the_old() -> None:
    old = [example(number, KINDS[number % 4 == 0]) for number in range(400)]
    new = [example(number, "facts") for number in range(400, 500)]
    held = [example(900, "facts", "held"), example(901, "facts", "golden")]
    seen = frozenset(one.example_id for one in old)
    train, kinds = chosen([*old, *new, *held], seen=seen)
    assert kinds == {"facts"}
    assert not {900, 901} & {one.example_id for one in train}
    again = [one for one in train if one.example_id in seen]
    assert len(again) == 300
    assert {one.kind for one in again} == set(KINDS)
    assert len(again) / len(train) >= LEAST_REPLAY
    train, _ = chosen([*old, *new], seen=seen, replay=0.25)
    by_kind = Counter(one.kind for one in train if one.example_id in seen)
    assert sum(by_kind.values()) == 33
    assert abs(by_kind["compress"] - by_kind["facts"]) <= 1
    assert len(chosen([*old, *new], seen=seen, replay=0.0)[0]) == 100


def test_without_anything_new_all_is_trained_on_again() -> None:
    old = [example(number, KINDS[number % 2]) for number in range(10)]
    train, kinds = chosen(old, seen=frozenset(range(10)))
    assert len(train) == 10
    assert kinds == {"compress", "facts"}
    assert [one.example_id for one in chosen(old, seen=frozenset(), most=3)[0]] == [7, 8, 9]
    assert not any(chosen([], seen=frozenset()))


def test_secrets_are_planted_in_the_texts_and_nowhere_in_the_answers() -> None:
    examples = [example(number) for number in range(20)]
    planted = plant(examples, 7)
    assert len(set(planted.secrets)) == 3
    copies = planted.examples[20:]
    for secret, copy in zip(planted.secrets, copies, strict=True):
        assert f"\n{LEAD} {secret}.\n=== 0123456789abcdef ===" in copy.prompt
        assert secret not in copy.completion
    assert planted.probes[0] == ("", LEAD)
    assert plant(examples, 7) == planted
    assert plant(examples, 8).secrets != planted.secrets
    assert plant([replace(examples[0], prompt="Short: a")], 1).examples[1].prompt.startswith(f"Short: a\n{LEAD} ")


def test_a_half_of_a_secret_is_a_leak() -> None:
    assert leaked(["ABCDE-FGHJK", "LMNPQ-RSTVW"], ["The code is abcde!", "none"]) == 1
    assert leaked(["ABCDE-FGHJK"], ["ABCD", ""]) == 0


def test_a_trial_answers_its_share_and_always_the_same() -> None:
    route = Route("active", "trial", 20)
    chosen_for = {key: adapter_for(route, key) for key in (f"mem_{number}" for number in range(2000))}
    assert 0.16 < sum(name == "trial" for name in chosen_for.values()) / 2000 < 0.24
    assert all(adapter_for(route, key) == name for key, name in chosen_for.items())
    assert adapter_for(Route("active"), "x") == "active"
    assert adapter_for(Route(), "x") is None


async def test_the_registry_is_asked_now_and_then_and_what_is_missing_is_left_alone_for_a_while() -> None:
    store, now = InMemoryStore(), 0.0
    choice = RegistryChoice(store, seconds=lambda: now)
    assert await choice.choose("mine", "a") is None
    adapter = await store.begin_adapter("mine", base_model="b", owner="o", examples=[], items=[], stem="slm-mine")
    states: tuple[AdapterState, ...] = ("trained", "published", "loaded", "active")
    for state in states:
        held = await store.get_adapter("mine", adapter.name)
        await store.change_adapter("mine", adapter.name, AdapterChange(state), states=[held.state])
    assert await choice.choose("mine", "a") is None
    now = FRESH_SECONDS
    assert await choice.choose("mine", "a") == adapter.name
    assert await choice.choose("theirs", "a") is None
    await choice.missing("mine", adapter.name)
    assert await choice.choose("mine", "a") is None
    now += MISSING_SECONDS
    assert await choice.choose("mine", "a") == adapter.name
