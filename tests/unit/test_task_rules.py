"""What may become of a task: tables of statuses, agents and graphs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from palimpsest.core import task_rules
from palimpsest.core.errors import ConflictError, InvalidInputError, PalimpsestError
from palimpsest.core.models import (
    TASK_STATUSES,
    Agent,
    Dependency,
    Task,
    TaskChange,
    TaskDraft,
    TaskFilters,
    TaskStatus,
)
from palimpsest.core.task_state import task_before, task_digest, task_image

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=10)
ANN = Agent("agent_1", "ann", None, ("welding",), 1, NOW, NOW)
BOB = replace(ANN, agent_id="agent_2", name="bob", capabilities=())


def task(status: TaskStatus = "open", **fields: Any) -> Task:
    made = task_rules.drafted(TaskDraft("task_1", "work"), (), "me", NOW)
    if status == "claimed":
        fields = {"agent": "ann", "lease_until": NOW + LEASE, **fields}
    return replace(made, status=status, **fields)


def lapsed() -> Task:
    return task("claimed", lease_until=NOW, lapsed=True)


def wanted(status: TaskStatus | None) -> TaskChange:
    return TaskChange(status, note="result" if status in ("done", "failed", "cancelled") else None)


ALLOWED: dict[tuple[str, TaskStatus], str] = {
    ("open", "open"): "unchanged",
    ("open", "claimed"): "claimed",
    ("open", "cancelled"): "cancelled",
    ("blocked", "open"): "unchanged",
    ("blocked", "cancelled"): "cancelled",
    ("claimed", "claimed"): "renewed",
    ("claimed", "open"): "released",
    ("claimed", "done"): "done",
    ("claimed", "failed"): "failed",
    ("claimed", "cancelled"): "cancelled",
    ("lapsed", "open"): "released",
    ("lapsed", "claimed"): "claimed",
    ("lapsed", "cancelled"): "cancelled",
    ("done", "open"): "reopened",
    ("failed", "open"): "reopened",
    ("cancelled", "open"): "reopened",
}


@pytest.mark.parametrize("before", [*TASK_STATUSES, "lapsed"])
@pytest.mark.parametrize("status", ["open", "claimed", "done", "failed", "cancelled"])
def test_each_change_of_status_by_the_holder_is_allowed_or_refused(before: str, status: TaskStatus) -> None:
    known = lapsed() if before == "lapsed" else task(next(one for one in TASK_STATUSES if one == before))
    expected = ALLOWED.get((before, status))
    if before in ("done", "failed", "cancelled") and before == status:
        known, expected = replace(known, result="result"), "unchanged"
    if expected is None:
        with pytest.raises(ConflictError, match="task_1"):
            task_rules.change(known, wanted(status), ANN, NOW, LEASE)
        return
    after, outcome = task_rules.change(known, wanted(status), ANN, NOW, LEASE)
    assert outcome == expected
    assert after.status == ("blocked" if before == "blocked" and status == "open" else status)
    assert (after.lease_until == NOW + LEASE) == (status == "claimed")
    assert after.agent == (known.agent if outcome == "unchanged" else None if status == "open" else "ann")


@pytest.mark.parametrize("status", ["open", "claimed", "done", "failed"])
def test_a_task_that_another_holds_is_left_alone(status: TaskStatus) -> None:
    with pytest.raises(ConflictError, match=r"claimed by 'ann' until 2026-01-01T00:10:00Z"):
        task_rules.change(task("claimed"), wanted(status), BOB, NOW, LEASE)


def test_a_claim_by_a_name_alone_is_none() -> None:
    with pytest.raises(ConflictError, match="does not hold it"):
        task_rules.change(task(), TaskChange("done"), "ann", NOW, LEASE)


@pytest.mark.parametrize(
    ("edges", "depends_on", "way"),
    [
        ([], ["a"], None),
        ([("a", "b"), ("b", "c")], ["a"], None),
        ([], ["t"], ["t", "t"]),
        ([("a", "t")], ["a"], ["t", "a", "t"]),
        ([("a", "b"), ("b", "c"), ("c", "t"), ("a", "c")], ["a"], ["t", "a", "c", "t"]),
        ([("a", "b"), ("b", "a")], ["a"], None),
    ],
)
def test_the_shortest_way_of_a_cycle_is_found(
    edges: list[tuple[str, str]], depends_on: list[str], way: list[str] | None
) -> None:
    assert task_rules.find_cycle("t", depends_on, edges) == way


def test_a_long_cycle_is_told_in_short_and_a_wide_graph_is_walked_once() -> None:
    chain = [(f"n{number}", f"n{number + 1}") for number in range(50)] + [("n50", "t")]
    with pytest.raises(InvalidInputError, match=r"t -> n0 -> n1 -> n2 -> … -> n49 -> n50 -> t;"):
        task_rules.check_cycle("t", ["n0"], chain)
    layers = [(f"{layer}-{a}", f"{layer + 1}-{b}") for layer in range(30) for a in range(5) for b in range(5)]
    assert task_rules.find_cycle("t", ["0-0"], layers) is None


def test_a_blocked_task_says_what_it_waits_for_in_a_line() -> None:
    waits = [Dependency(f"task_{number}", "open", "x") for number in range(7)]
    waits[0] = Dependency("task_0", "failed", "x", "no\npower " + "y" * 200)
    blocked = task_rules.settled(task(), [*waits, Dependency("task_9", "done", "x")])
    text = task_rules.why_blocked(blocked)
    assert text.startswith("it waits for task_0 (failed: no power yyy")
    assert "…), task_1 (open)" in text
    assert text.endswith("and 2 more, which ended without being done: reopen it or take it out of depends_on")
    assert "task_9" not in text


def test_notes_have_an_end() -> None:
    full = task()
    for number in range(task_rules.MAX_NOTES):
        full = task_rules.with_note(full, NOW, "ann", f"note {number}")
    with pytest.raises(InvalidInputError, match="takes no more; keep the text with memory_add"):
        task_rules.with_note(full, NOW, "ann", "one more")


@pytest.mark.parametrize(
    ("status", "filters", "listed"),
    [
        ("open", TaskFilters(), True),
        ("done", TaskFilters(), False),
        ("done", TaskFilters("done"), True),
        ("claimed", TaskFilters("open"), False),
        ("claimed", TaskFilters(agent="ann"), True),
        ("claimed", TaskFilters(agent="bob"), False),
        ("open", TaskFilters(agent="ann"), False),
    ],
)
def test_lists_are_narrowed(status: TaskStatus, filters: TaskFilters, listed: bool) -> None:
    assert task_rules.passes(task(status), filters) == listed


def test_the_hash_is_of_all_but_leases_and_blocks() -> None:
    known = task("claimed")
    digest = task_digest(known)
    assert task_digest(replace(known, lease_until=NOW + 2 * LEASE, revision=9, updated_at=NOW + LEASE)) == digest
    assert task_digest(task("blocked")) == task_digest(task("open"))
    noted = task_rules.with_note(known, NOW, "ann", "x")
    changes: list[dict[str, Any]] = [
        {"title": "other"},
        {"description": "x"},
        {"priority": 1},
        {"agent": "bob"},
        {"due_at": NOW},
        {"item_ids": ("mem_1",)},
        {"result": "x"},
        {"dependencies": (Dependency("task_2", "done", "x"),)},
    ]
    others = [task_digest(replace(known, **fields)) for fields in changes]
    others += [task_digest(noted), task_digest(task_rules.with_note(known, NOW, "ann", "y"))]
    assert len({digest, *others}) == len(changes) + 3


def test_an_image_brings_back_what_it_was_taken_of() -> None:
    known = task_rules.with_note(task("claimed", due_at=NOW, item_ids=("mem_1",)), NOW, "ann", "x")
    later = task_rules.with_note(replace(known, status="done", lease_until=None, title="z"), NOW, "ann", "y")
    before, depends_on = task_before(later, task_image(known))
    assert (before, depends_on) == (known, ())


def test_errors_are_sentences_that_say_what_to_do() -> None:
    for known, change in (
        (task("blocked"), TaskChange("claimed")),
        (task("done"), TaskChange("claimed")),
        (lapsed(), TaskChange("done")),
        (task("claimed"), TaskChange(depends_on=())),
        (task(assignee="bob"), TaskChange("claimed")),
        (task(capability="juggling"), TaskChange("claimed")),
    ):
        with pytest.raises(PalimpsestError) as caught:
            task_rules.change(known, change, ANN, NOW, LEASE)
        text = str(caught.value)
        assert text.endswith(".")
        assert "\n" not in text
        assert len(text) < 300
