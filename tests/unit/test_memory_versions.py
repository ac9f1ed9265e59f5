"""The service: dates, versions, and texts that differ only in their typing."""

import pytest

from palimpsest.bench import versions as bench
from palimpsest.core.errors import ConflictError, InvalidInputError
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import Filters, Receipt
from palimpsest.storage.inmemory import InMemoryStore

from .parts import ME, build_parts

RED, BLUE = "Alice's favourite colour is red.", "Alice's favourite colour is blue."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-31", "2024-05-31T00:00:00+00:00"),
        (" 2024-05-31 14:30 ", "2024-05-31T14:30:00+00:00"),
        ("2024-05-31T14:30:15.25Z", "2024-05-31T14:30:15.250000+00:00"),
        ("2024-05-31t01:00+02:00", "2024-05-30T23:00:00+00:00"),
        ("2999-12-31", "2999-12-31T00:00:00+00:00"),
        ("0001-01-01", "0001-01-01T00:00:00.000001+00:00"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999998+00:00"),
    ],
)
async def test_a_date_is_an_iso_day_or_time_in_utc_unless_it_says_otherwise(written: str, meant: str) -> None:
    parts = build_parts()
    item = (await parts.memory.add(ME, NewMemory(RED, date=written))).item
    assert item.happened_at.isoformat() == meant
    assert item.created_at == parts.clock.now()
    other = (await parts.memory.add(ME, NewMemory("told now"))).item
    assert other.happened_at == other.created_at
    changed = await parts.memory.update(ME, other.item_id, Change(date=written))
    assert (changed.outcome, changed.item.happened_at.isoformat()) == ("updated", meant)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "is no ISO date"),
        ("yesterday", "is no ISO date"),
        ("2024", "is no ISO date"),
        ("31.05.2024", "is no ISO date"),
        ("10000-01-01", "is no ISO date"),
        ("0000-01-01", "does not exist"),
        ("2023-02-30", "does not exist"),
        ("2024-05-31T25:00", "does not exist"),
        ("2024-05-31 noon", "does not exist"),
        ("0001-01-01T00:00+14:00", "does not exist"),
        ("9" * 5_000, "is no ISO date"),
    ],
)
async def test_what_is_no_date_is_refused_in_one_sentence(written: str, reason: str) -> None:
    parts = build_parts()
    item = (await parts.memory.add(ME, NewMemory("kept"))).item
    for call in (
        parts.memory.add(ME, NewMemory(RED, date=written)),
        parts.memory.update(ME, item.item_id, Change(date=written)),
        parts.memory.update(ME, item.item_id, Change(content=RED, expected_sha256=item.sha256, date=written)),
    ):
        with pytest.raises(InvalidInputError, match=f"^The date '.*' {reason}; write a day") as refused:
            await call
        assert len(str(refused.value)) < 200
    assert await parts.memory.get(ME, item.item_id) == item


async def test_a_changed_fact_is_kept_and_found_as_of_its_date() -> None:
    parts = build_parts()
    first = await parts.memory.add(ME, NewMemory(RED, date="2024-01-01"))
    second = await parts.memory.add(ME, NewMemory(BLUE, date="2024-03-01"))
    assert (second.version_of, second.item.latest) == (first.item.item_id, True)
    for at, expected in ((first.item.happened_at, RED), (second.item.happened_at, BLUE)):
        answer = await parts.memory.search(ME, "favourite colour", filters=Filters(as_of=at))
        assert [hit.passage for hit in answer.hits] == [expected]
    undated = await parts.memory.add(ME, NewMemory("Alice's favourite colour is green."))
    assert undated.item.latest


async def test_a_new_content_may_bring_its_date() -> None:
    parts = build_parts()
    item = (await parts.memory.add(ME, NewMemory(RED, date="2024-01-01"))).item
    change = Change(content=BLUE, expected_sha256=item.sha256, date="2024-02-01")
    assert (await parts.memory.update(ME, item.item_id, change)).item.happened_at.month == 2


async def test_other_typing_becomes_a_version_of_the_same_item() -> None:
    parts = build_parts()
    first = (await parts.memory.add(ME, NewMemory(RED, title="Colour", priority=8))).item
    typed = "alice\u2019s favourite colour is  RED"
    receipt = await parts.memory.add(ME, NewMemory(typed, priority=1, model="other-model"))
    assert (receipt.outcome, receipt.item.item_id, receipt.item.version) == ("duplicate", first.item_id, 2)
    assert receipt.item.labels == first.labels
    assert receipt.ledger.model == "other-model"
    assert receipt.notes == ("It differed only in its typing; yours is kept as version 2 of that item.",)
    for version, text in ((1, RED), (2, typed)):
        assert (await parts.memory.retrieve(ME, first.item_id, version=version)).text == text
    for text in (RED, typed):
        again = await parts.memory.add(ME, NewMemory(text))
        assert (again.outcome, again.item.version) == ("duplicate", 2)
    assert (await parts.memory.state(ME)).counts.items == 1
    # It brought a model, and a content.
    assert [(await parts.memory.undo(ME))[0].action for _ in range(2)] == ["model", "edit"]
    assert (await parts.memory.retrieve(ME, first.item_id)).text == RED


class Meddling(InMemoryStore):
    """A store in which somebody else edits an item before each edit."""

    async def replace_content(self, *arguments: object, **options: object) -> Receipt:
        raise ConflictError("somebody else was here")


async def test_other_typing_of_an_item_that_changes_at_this_moment_is_kept_by_itself() -> None:
    parts = build_parts(store=Meddling())
    first = (await parts.memory.add(ME, NewMemory(RED))).item
    receipt = await parts.memory.add(ME, NewMemory(RED.lower()))
    assert receipt.outcome == "added"
    assert receipt.item.item_id != first.item_id
    assert (await parts.memory.retrieve(ME, receipt.item.item_id)).text == RED.lower()


async def test_what_happened_has_no_versions() -> None:
    parts = build_parts()
    for text in (RED, BLUE, RED.lower()):
        receipt = await parts.memory.add(ME, NewMemory(text, memory_type="episodic"))
        assert (receipt.outcome, receipt.version_of) == ("added", None)


async def test_facts_of_the_bench_are_all_kept_and_no_two_subjects_meet() -> None:
    facts = bench.make_facts(7, subjects=16)
    assert facts == bench.make_facts(7, subjects=16) != bench.make_facts(8, subjects=16)
    assert len(bench.make_facts(7)) == 455
    outcome = await bench.measure(build_parts().memory, facts, 7)
    assert (outcome.kept, outcome.lineages, outcome.mixed) == (80, 16, 0)
    assert outcome.as_of_right == 80
    assert (outcome.repeated, outcome.retyped) == (0, 0)
    assert "items kept                                80" in bench.report(outcome)
