"""Questions to people, as the service asks them and takes answers."""

from datetime import timedelta

import pytest

from palimpsest.core.errors import ConflictError, InvalidInputError, RequestNotFoundError
from palimpsest.core.models import HumanRequest, Said
from palimpsest.core.people import GRANT_SECONDS, MAX_OPEN, People, Question

from ..fakes import START
from .parts import ME, THEM, Parts, build_parts

UNASKED = Said()


@pytest.fixture
def parts() -> Parts:
    return build_parts()


@pytest.fixture
def people(parts: Parts) -> People:
    return parts.services.people


async def ask(people: People, question: str = "Which colour?", said: Said = UNASKED, **given: object) -> HumanRequest:
    asked, wrong = await people.ask(ME, Question(question, **given), said)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert wrong is None
    return asked


async def test_a_question_waits_and_is_answered_once(people: People) -> None:
    asked = await ask(people, choices=["red", "blue"], urgency="high")
    assert (asked.status, asked.asker, asked.choices) == ("open", "me", ("red", "blue"))
    assert [one.request_id for one in await people.list_requests("mine")] == [asked.request_id]
    with pytest.raises(InvalidInputError, match="none of the choices"):
        await people.answer(ME, asked.request_id, "green")
    assert (await people.get("mine", asked.request_id)).status == "open"
    done = await people.answer(ME, asked.request_id, "BLUE", by="ann")
    assert (done.answer, done.answered_by, done.answered_how) == ("blue", "ann", "cli")
    with pytest.raises(ConflictError, match=f"{asked.request_id} was answered: blue; it can no longer be changed"):
        await people.answer(ME, asked.request_id, "red")


async def test_another_namespace_knows_nothing_of_it(people: People) -> None:
    asked = await ask(people)
    for act in (people.decline, people.cancel):
        with pytest.raises(RequestNotFoundError, match="No request"):
            await act(THEM, asked.request_id)
    with pytest.raises(RequestNotFoundError):
        await people.answer(THEM, asked.request_id, "x")
    assert await people.list_requests("theirs") == []


async def test_declining_and_cancelling_end_a_question(people: People) -> None:
    first, second = await ask(people, "a?"), await ask(people, "b?")
    assert (await people.decline(ME, first.request_id, by="ann")).status == "declined"
    assert (await people.cancel(ME, second.request_id)).status == "cancelled"
    with pytest.raises(ConflictError, match="was declined by a person"):
        await people.answer(ME, first.request_id, "x")
    with pytest.raises(ConflictError, match="was cancelled"):
        await people.decline(ME, second.request_id)


@pytest.mark.parametrize(
    ("said", "status", "answer"),
    [
        (Said("accept", {"answer": "red"}), "answered", "red"),
        (Said("decline"), "declined", None),
        (Said("cancel"), "open", None),
        (UNASKED, "open", None),
    ],
)
async def test_a_dialog_ends_the_question_unless_it_is_dismissed(
    people: People, said: Said, status: str, answer: str | None
) -> None:
    asked = await ask(people, choices=["red", "blue"], said=said)
    assert (asked.status, asked.answer) == (status, answer)
    assert (asked.answered_how == "elicitation") == (status in ("answered", "declined"))
    # Who sees the dialog's outcome is not told again.
    assert await people.tell(ME) == []


async def test_a_wrong_answer_in_a_dialog_leaves_the_question_open(people: People) -> None:
    asked, wrong = await people.ask(ME, Question("Which?", ["a", "b"]), Said("accept", {"answer": "c"}))
    assert asked.status == "open"
    assert wrong is not None
    assert "none of the choices" in wrong
    assert (await people.answer(ME, asked.request_id, "a")).status == "answered"


async def test_the_default_is_taken_at_the_deadline(parts: Parts, people: People) -> None:
    deadline = (START + timedelta(hours=1)).isoformat()
    asked = await ask(people, choices=["red", "blue"], deadline=deadline, default="Red")
    parts.clock.advance(3599)
    assert await people.settle("mine") == 0
    parts.clock.advance(2)
    done = await people.get("mine", asked.request_id)
    assert (done.status, done.answer, done.answered_how) == ("answered", "red", "default")
    assert done.answered_at == START + timedelta(hours=1)
    with pytest.raises(ConflictError, match="the default at its deadline"):
        await people.answer(ME, asked.request_id, "blue")
    assert [one.request_id for one in await people.tell(ME)] == [asked.request_id]
    assert await people.tell(ME) == []


async def test_without_a_default_it_expires(parts: Parts, people: People) -> None:
    asked = await ask(people, deadline=(START + timedelta(hours=1)).isoformat())
    parts.clock.advance(3600)
    assert [one.status for one in await people.list_requests("mine")] == ["expired"]
    with pytest.raises(ConflictError, match="expired without an answer"):
        await people.answer(ME, asked.request_id, "late")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (Question(" "), "The question is empty"),
        (Question("x" * 102_400), "above the limit of 4,000"),
        (Question("a?", ["b"]), "leaves nothing to choose"),
        (Question("a?", ["b", "b"]), "given twice"),
        (Question("a?", ["b", "c"], {"properties": {"d": {"type": "string"}}}), "either choices or a form"),
        (Question("a?", form={"properties": {}}), "JSON Schema"),
        (Question("a?", urgency="now"), "'now' is no urgency; use low, normal, high"),
        (Question("a?", deadline="2025-12-31"), "has passed"),
        (Question("a?", deadline=START.isoformat()), "has passed"),
        (Question("a?", deadline="soon"), "is no ISO date"),
        (Question("a?", default="b"), "give a deadline too"),
        (Question("a?", ["b", "c"], deadline="2027-01-01", default="d"), "none of the choices"),
        (Question("a?", subject_id="thing_1"), "is no id of what a question can be about"),
        (Question("a?", subject_id="mem_1"), "is not an item id"),
        (Question("What is the password?"), "asks for a secret"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_a_sentence_and_not_kept(
    people: People, question: Question, sentence: str
) -> None:
    for said in (UNASKED, Said("accept", {"answer": "x"})):
        with pytest.raises(InvalidInputError) as caught:
            await people.ask(ME, question, said)
        assert sentence in str(caught.value)
    assert await people.list_requests("mine") == []


@pytest.mark.parametrize("request_id", ["", "ask_1", "mem_0000000000001", "ask_000000000000u"])
async def test_what_is_no_request_id_is_refused(people: People, request_id: str) -> None:
    with pytest.raises(InvalidInputError, match=r"is not a request id.*human_list"):
        await people.answer(ME, request_id, "x")


async def test_a_retry_asks_nothing_twice(people: People) -> None:
    first = await ask(people, choices=["a", "b"])
    assert (await ask(people, choices=["a", "b"])).request_id == first.request_id
    assert (await ask(people, choices=["a", "c"])).request_id != first.request_id


async def test_too_many_open_questions_are_refused(people: People) -> None:
    for number in range(MAX_OPEN):
        await ask(people, f"Question {number}?")
    with pytest.raises(InvalidInputError, match="200 requests wait for a person already"):
        await ask(people, "One more?")


async def test_leave_holds_for_a_day_and_is_used_once(parts: Parts, people: People) -> None:
    asked = await people.request(ME, question="May I?", purpose="release", state="s")
    assert await people.request(ME, question="May I?", purpose="release", state="s") == asked
    assert await people.granted("mine", "release", None, None) is None
    await people.answer(ME, asked.request_id, "yes")
    assert await people.granted("mine", "release", None, None, state="t") is None
    found = await people.granted("mine", "release", None, None, state="s")
    assert found is not None
    assert found.request_id == asked.request_id
    parts.clock.advance(GRANT_SECONDS + 1)
    assert await people.granted("mine", "release", None, None) is None
    await people.use(ME, asked.request_id)
    with pytest.raises(ConflictError, match="is used up, so it gives no leave"):
        await people.use(ME, asked.request_id)
