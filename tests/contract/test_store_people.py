"""What every store promises of requests to people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from palimpsest.core.errors import ConflictError, ItemNotFoundError, RequestNotFoundError
from palimpsest.core.ids import new_number, public_id
from palimpsest.core.models import Closing, HumanRequest, ItemState, Purpose
from palimpsest.core.ports import Store
from palimpsest.core.requests import BLANKED, digest

from ..fakes import BUDGETS, START, draft
from .conftest import Backend
from .exporting import dump, load

YES = Closing("answered", "ann", "cli", "yes")


def request(
    question: str = "Which colour?",
    *,
    asker: str = "agent",
    purpose: Purpose = "question",
    state: str | None = None,
    item_id: str | None = None,
) -> HumanRequest:
    return HumanRequest(
        request_id=public_id("request", new_number()),
        asker=asker,
        question=question,
        created_at=START,
        purpose=purpose,
        choices=("yes", "no") if purpose != "question" else (),
        subject=None if item_id is None else "item",
        subject_id=item_id,
        state=question if state is None else state,
    )


async def due_in(backend: Backend, seconds: float) -> datetime:
    """A deadline by the clock that the backend goes by."""
    return (START if not backend.durable else datetime.now(UTC)) + timedelta(seconds=seconds)


async def test_a_request_is_kept_as_it_was_asked(store: Store, mine: str, theirs: str) -> None:
    form = {"type": "object", "properties": {"days": {"type": "integer", "maximum": 9}}, "required": ["days"]}
    item = draft(mine, "a text")
    await store.add(mine, item, budgets=BUDGETS)
    wanted = replace(
        request("How long, „Ünï“ 🎈?", item_id=item.item_id),
        form=form,
        urgency="high",
        deadline=datetime(2030, 5, 6, 7, 8, 9, 10, UTC),
        fallback={"days": 3},
    )
    made = await store.put_request(mine, wanted)
    assert replace(made, created_at=START) == wanted
    assert await store.get_request(mine, wanted.request_id) == made
    with pytest.raises(RequestNotFoundError, match=wanted.request_id):
        await store.get_request(theirs, wanted.request_id)
    assert await store.list_requests(theirs, limit=9) == []
    [event, *_] = await store.events(mine, 1)
    assert (event.action, event.subject, event.subject_id) == ("ask", "request", wanted.request_id)
    assert (event.actor, event.version, event.undoable) == ("agent", 1, False)


async def test_the_same_question_is_open_once_and_can_be_asked_again_after_its_end(store: Store, mine: str) -> None:
    first = await store.put_request(mine, request())
    assert await store.put_request(mine, request()) == first
    other = await store.put_request(mine, request("Which size?"))
    assert other.request_id != first.request_id
    await store.close_request(mine, first.request_id, Closing("answered", "ann", "cli", "blue"))
    again = await store.put_request(mine, request())
    assert again.request_id not in (first.request_id, other.request_id)


async def test_leave_for_what_changed_is_asked_for_anew_and_the_old_question_cancelled(store: Store, mine: str) -> None:
    old = await store.put_request(mine, request(purpose="bulk_forget", state="a"))
    assert await store.put_request(mine, request(purpose="bulk_forget", state="a")) == old
    new = await store.put_request(mine, request(purpose="bulk_forget", state="b"))
    assert (await store.get_request(mine, old.request_id)).status == "cancelled"
    assert (await store.get_request(mine, new.request_id)).status == "open"


async def test_an_answer_is_taken_once(store: Store, mine: str) -> None:
    made = await store.put_request(mine, request())
    done = await store.close_request(mine, made.request_id, Closing("answered", "ann", "cli", "blue"))
    assert (done.status, done.answer, done.answered_by, done.answered_how) == ("answered", "blue", "ann", "cli")
    assert (done.revision, done.told_at) == (2, None)
    assert done.answered_at is not None
    assert await store.get_request(mine, made.request_id) == done
    for closing in (
        Closing("answered", "bob", "cli", "red"),
        Closing("declined", "bob", "cli"),
        Closing("cancelled", "x"),
    ):
        with pytest.raises(ConflictError, match="was answered: blue"):
            await store.close_request(mine, made.request_id, closing)
    assert await store.get_request(mine, made.request_id) == done
    with pytest.raises(RequestNotFoundError):
        await store.close_request(mine, request().request_id, YES)
    assert [event.action for event in await store.events(mine, 9)] == ["answer", "ask"]


async def test_a_deadline_takes_the_default_or_lets_the_question_expire(backend: Backend, mine: str) -> None:
    store, deadline = backend.store, await due_in(backend, 60)
    with_default = await store.put_request(mine, replace(request("a"), deadline=deadline, fallback="green"))
    without = await store.put_request(mine, replace(request("b"), deadline=deadline))
    late = await store.put_request(mine, replace(request("c"), deadline=deadline + timedelta(days=9)))
    assert await store.settle_requests(mine) == 0
    await backend.pass_time(mine, 120)
    with pytest.raises(ConflictError, match="the default at its deadline"):
        await store.close_request(mine, with_default.request_id, Closing("answered", "ann", "cli", "red"))
    with pytest.raises(ConflictError, match="expired without an answer"):
        await store.close_request(mine, without.request_id, Closing("answered", "ann", "cli", "red"))
    assert await store.settle_requests(mine) == 2
    assert await store.settle_requests(mine) == 0
    done = await store.get_request(mine, with_default.request_id)
    assert (done.status, done.answer, done.answered_how) == ("answered", "green", "default")
    assert (await store.get_request(mine, without.request_id)).status == "expired"
    assert (await store.get_request(mine, late.request_id)).status == "open"
    assert {event.action for event in await store.events(mine, 2)} == {"answer", "expire"}


async def test_the_most_urgent_open_requests_come_first_then_those_that_ended(store: Store, mine: str) -> None:
    asked = {name: await store.put_request(mine, request(name)) for name in ("old", "ended", "older end")}
    asked["high"] = await store.put_request(mine, replace(request("high"), urgency="high"))
    asked["low"] = await store.put_request(mine, replace(request("low"), urgency="low"))
    asked["new"] = await store.put_request(mine, request("new"))
    for name in ("older end", "ended"):
        await store.close_request(mine, asked[name].request_id, Closing("declined", "ann", "cli"))
    order = [one.question for one in await store.list_requests(mine, limit=9)]
    assert order[:4] == ["high", "old", "new", "low"]
    assert set(order[4:]) == {"ended", "older end"}
    assert [one.question for one in await store.list_requests(mine, limit=3)] == ["high", "old", "new"]


async def test_leave_is_found_for_its_subject_and_state_and_used_once(backend: Backend, mine: str) -> None:
    store = backend.store
    item = draft(mine, "a text")
    await store.add(mine, item, budgets=BUDGETS)
    made = await store.put_request(mine, request(purpose="release", state="s", item_id=item.item_id))

    async def find(state: str | None = "s", seconds: float = 60.0) -> HumanRequest | None:
        return await store.find_grant(mine, "release", "item", item.item_id, state=state, lasting_seconds=seconds)

    assert await find() is None
    with pytest.raises(ConflictError, match="is open"):
        await store.use_request(mine, made.request_id, actor="agent")
    await store.close_request(mine, made.request_id, YES)
    found = await find()
    assert found is not None
    assert found.request_id == made.request_id
    assert await find(None) == found
    assert await find("other") is None
    assert await store.find_grant(mine, "purge", "item", item.item_id, state=None, lasting_seconds=60) is None
    assert await store.find_grant(mine, "release", None, None, state=None, lasting_seconds=60) is None
    await backend.pass_time(mine, 61)
    assert await find() is None
    assert await find(seconds=100.0) is not None
    spent = await store.use_request(mine, made.request_id, actor="agent")
    assert (spent.status, spent.revision, spent.used_at is None) == ("used", 3, False)
    assert await find(seconds=100.0) is None
    with pytest.raises(ConflictError, match="used up"):
        await store.use_request(mine, made.request_id, actor="agent")
    with pytest.raises(RequestNotFoundError):
        await store.use_request(mine, request().request_id, actor="agent")


async def test_no_is_no_leave(store: Store, mine: str) -> None:
    made = await store.put_request(mine, request(purpose="bulk_forget"))
    done = await store.close_request(mine, made.request_id, Closing("answered", "ann", "cli", "no"))
    assert done.status == "declined"
    assert await store.find_grant(mine, "bulk_forget", None, None, state=None, lasting_seconds=60) is None
    with pytest.raises(ConflictError, match="declined"):
        await store.use_request(mine, made.request_id, actor="agent")


async def test_a_purge_uses_leave_up_for_the_item_as_it_was(store: Store, mine: str) -> None:
    item = draft(mine, "to go")
    await store.add(mine, item, budgets=BUDGETS)
    asked = await store.put_request(mine, request(purpose="purge", state="0" * 64, item_id=item.item_id))
    await store.close_request(mine, asked.request_id, YES)
    with pytest.raises(ConflictError, match="has changed since"):
        await store.purge(mine, item.item_id, actor="a", budgets=BUDGETS, leave=asked.request_id)
    assert (await store.get_request(mine, asked.request_id)).status == "answered"
    right = await store.put_request(mine, request(purpose="purge", state=item.sha256, item_id=item.item_id))
    with pytest.raises(ConflictError, match="gives no leave"):
        await store.purge(mine, item.item_id, actor="a", budgets=BUDGETS, leave=right.request_id)
    assert (await store.get(mine, item.item_id)).sha256 == item.sha256
    await store.close_request(mine, right.request_id, YES)
    receipt = await store.purge(mine, item.item_id, actor="a", budgets=BUDGETS, leave=right.request_id)
    assert receipt.outcome == "purged"
    assert (await store.get_request(mine, right.request_id)).status == "used"
    with pytest.raises(ItemNotFoundError):
        await store.get(mine, item.item_id)


async def test_a_purge_takes_the_words_of_questions_about_the_item_with_it(backend: Backend, mine: str) -> None:
    store = backend.store
    item, kept = draft(mine, "xylophonic secretum"), draft(mine, "another")
    for one in (item, kept):
        await store.add(mine, one, budgets=BUDGETS)
    words = "Is it right that xylophonic secretum stays?"
    waiting = await store.put_request(mine, request(words, item_id=item.item_id))
    ended = replace(request("b xylophonic secretum", item_id=item.item_id), choices=("xylophonic secretum", "b"))
    ended = await store.put_request(mine, ended)
    await store.close_request(mine, ended.request_id, Closing("answered", "ann", "cli", "xylophonic secretum"))
    other = await store.put_request(mine, request("About another", item_id=kept.item_id))
    await store.purge(mine, item.item_id, actor="a", budgets=BUDGETS)
    blank = await store.get_request(mine, waiting.request_id)
    assert (blank.question, blank.status, blank.answered_at is None) == (BLANKED, "cancelled", False)
    blank = await store.get_request(mine, ended.request_id)
    assert (blank.question, blank.status, blank.answer, blank.choices) == (BLANKED, "answered", None, ())
    assert (await store.get_request(mine, other.request_id)).question == "About another"
    assert await backend.remains(0, "xylophonic secretum") == set()


async def test_an_asker_is_told_once_how_its_requests_ended(store: Store, mine: str) -> None:
    made = [await store.put_request(mine, request(str(number))) for number in range(5)]
    theirs = await store.put_request(mine, request("other", asker="somebody"))
    assert await store.tell_requests(mine, "agent", 9) == []
    endings = [
        Closing("answered", "ann", "cli", "x"),
        Closing("declined", "ann", "cli"),
        Closing("cancelled", "agent"),
        Closing("answered", "ann", "elicitation", "x"),
    ]
    for one, closing in zip(made, endings, strict=False):
        await store.close_request(mine, one.request_id, closing)
    await store.close_request(mine, theirs.request_id, endings[0])
    # It was there when a dialog was answered, and cancelled the third itself.
    assert [one.question for one in await store.tell_requests(mine, "agent", 1)] == ["0"]
    told = await store.tell_requests(mine, "agent", 9)
    assert [one.question for one in told] == ["1"]
    assert told[0].told_at is not None
    assert await store.tell_requests(mine, "agent", 9) == []
    assert [one.question for one in await store.tell_requests(mine, "somebody", 9)] == ["other"]


async def test_what_an_actor_forgot_lately_is_counted_since_its_last_leave(backend: Backend, mine: str) -> None:
    store = backend.store
    made = [draft(mine, f"text {number}") for number in range(4)]
    for one in made:
        await store.add(mine, one, budgets=BUDGETS)
    for one, actor in zip(made, ("agent", "agent: it is old", "agents", "other"), strict=True):
        await store.set_state(mine, one.item_id, ItemState.FORGOTTEN, actor=actor, budgets=BUDGETS)
    assert await store.count_forgets(mine, "agent", seconds=3600) == 2
    assert await store.count_forgets(mine, "agents", seconds=3600) == 1
    asked = await store.put_request(mine, request(purpose="bulk_forget", state="agent"))
    await store.close_request(mine, asked.request_id, YES)
    assert await store.count_forgets(mine, "agent", seconds=3600) == 2
    await store.use_request(mine, asked.request_id, actor="agent")
    assert await store.count_forgets(mine, "agent", seconds=3600) == 0
    assert await store.count_forgets(mine, "other", seconds=3600) == 1


async def test_forgetting_of_long_ago_is_not_counted(backend: Backend, mine: str) -> None:
    made = draft(mine, "text")
    await backend.store.add(mine, made, budgets=BUDGETS)
    await backend.store.set_state(mine, made.item_id, ItemState.FORGOTTEN, actor="agent", budgets=BUDGETS)
    assert await backend.store.count_forgets(mine, "agent", seconds=100) == 1
    await backend.pass_time(mine, 101)
    assert await backend.store.count_forgets(mine, "agent", seconds=100) == 0


async def test_each_change_of_a_request_has_another_hash(store: Store, mine: str) -> None:
    made = await store.put_request(mine, request(purpose="bulk_forget"))
    answered = await store.close_request(mine, made.request_id, YES)
    spent = await store.use_request(mine, made.request_id, actor="agent")
    assert len({digest(one) for one in (made, answered, spent)}) == 3
    assert digest(await store.get_request(mine, made.request_id)) == digest(spent)
    told = await store.tell_requests(mine, "agent", 9)
    assert told == []


async def test_a_receipt_of_an_item_as_it_stands_says_unchanged_and_writes_nothing(store: Store, mine: str) -> None:
    made = draft(mine, "one\n\ntwo", embedded=False)
    added = await store.add(mine, made, budgets=BUDGETS)
    assert await store.receipt(mine, made.item_id, budgets=BUDGETS) == replace(added, outcome="unchanged")
    assert len(await store.events(mine, 9)) == 1
    with pytest.raises(ItemNotFoundError):
        await store.receipt(mine, draft(mine, "x").item_id, budgets=BUDGETS)


async def test_answers_about_a_task_are_given_back_and_leave_is_not(store: Store, mine: str, theirs: str) -> None:
    task_id, other = (public_id("task", new_number()) for _ in range(2))
    asked: tuple[tuple[str, Purpose, str], ...] = (
        ("Red or blue?", "question", task_id),
        ("How many?", "question", task_id),
        ("Still open?", "question", task_id),
        ("Of another?", "question", other),
        ("May I?", "bulk_forget", task_id),
    )
    made = [
        replace(request(question, purpose=purpose, state=question), subject="task", subject_id=about)
        for question, purpose, about in asked
    ]
    for one in made:
        await store.put_request(mine, one)
        if one.question != "Still open?":
            said = YES if one.purpose == "bulk_forget" else Closing("answered", "ann", "cli", one.question[::-1])
            await store.close_request(mine, one.request_id, said)
    found = await store.requests_about(mine, "task", task_id, limit=9)
    assert [(one.question, one.answer) for one in found] == [
        ("Red or blue?", "?eulb ro deR"),
        ("How many?", "?ynam woH"),
    ]
    assert len(await store.requests_about(mine, "task", task_id, limit=1)) == 1
    assert not await store.requests_about(theirs, "task", task_id, limit=9)


async def test_a_load_leaves_what_was_answered_since_the_dump(store: Store, mine: str) -> None:
    made = await store.put_request(mine, request())
    dumped = await dump(store, mine)
    done = await store.close_request(mine, made.request_id, Closing("answered", "ann", "cli", "blue"))
    restored = await load(store, mine, dumped)
    assert (restored.added["human_request"], restored.known["human_request"]) == (0, 1)
    assert await store.get_request(mine, made.request_id) == done


@pytest.mark.parametrize("way", ["ended otherwise", "ended here only in the dump", "asked here too"])
async def test_a_load_of_requests_that_went_another_way_is_refused(
    store: Store, mine: str, theirs: str, way: str
) -> None:
    made = await store.put_request(mine, request())
    if way == "asked here too":
        await store.put_request(theirs, request())
    else:
        await load(store, theirs, await dump(store, mine), from_any=True)
    if way != "asked here too":
        await store.close_request(mine, made.request_id, Closing("answered", "ann", "cli", "blue"))
    if way == "ended otherwise":
        await store.close_request(theirs, made.request_id, Closing("declined", "ann", "cli"))
    before = await dump(store, theirs)
    with pytest.raises(ConflictError, match=f"human request {made.request_id} of the dump is here already"):
        await load(store, theirs, await dump(store, mine), from_any=True)
    assert await dump(store, theirs) == before
