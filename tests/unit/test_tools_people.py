"""Asking people through the client's dialog or their inbox, in both protocol eras, over an in-memory store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, ErrorData

from palimpsest.core.calls import Caller
from palimpsest.core.people import People
from palimpsest.server.app import Application
from palimpsest.server.mcp_server import build_server

from ..applications import Person, call, fake_application, refusal, says, texts

Connect = Callable[[Person | None], AbstractAsyncContextManager[Client]]
ANN = Caller("default", "ann")


@pytest.fixture
async def application() -> AsyncGenerator[Application, None]:
    """A memory whose purges need a person, and whose dialogs are waited for a short while."""
    async with fake_application(
        human_for_purge="always", human_for_bulk_forget=2, human_dialog_seconds=0.1, drain_seconds=0
    ) as opened:
        yield opened


@pytest.fixture(params=["auto", "legacy"])
def connect(request: pytest.FixtureRequest, application: Application) -> Connect:
    """How a client of each era connects, with a person at it or with nobody."""

    @asynccontextmanager
    async def connected(person: Any = None) -> AsyncGenerator[Client, None]:
        async with Client(
            build_server(application, toolset="all"), mode=request.param, elicitation_callback=person
        ) as client:
            yield client

    return connected


async def people_of(application: Application) -> People:
    return (await application.session("x")).services.people


async def said(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, dict(arguments))
    return "\n".join(texts(result))  # pyright: ignore[reportArgumentType]


async def test_a_question_is_answered_in_the_clients_dialog(connect: Connect) -> None:
    person = Person(says(answer="blue"))
    async with connect(person) as client:
        asked = await call(client, "human_ask", question="Which colour?", choices=["red", "blue"])
        assert (asked["status"], asked["answer"], asked["answered_how"]) == ("answered", "blue", "elicitation")
        (shown,) = person.shown
        assert shown.message == "Which colour?"
        assert shown.requested_schema["properties"]["answer"]["enum"] == ["red", "blue"]
        # It was told at once.
        assert asked["request_id"] not in await said(client, "memory_add", content="next")


async def test_a_form_is_answered_in_the_clients_dialog(connect: Connect) -> None:
    fields = {"type": "object", "properties": {"days": {"type": "integer"}, "sure": {"type": "boolean"}}}
    person = Person(says(days=3, sure=True))
    async with connect(person) as client:
        asked = await call(client, "human_ask", question="How long?", fields=fields)
    assert asked["answer"] == '{"days": 3, "sure": true}'
    assert set(person.shown[0].requested_schema["properties"]) == {"days", "sure"}


@pytest.mark.parametrize(
    ("answer", "status", "note"),
    [
        (ElicitResult(action="decline"), "declined", None),
        (ElicitResult(action="cancel"), "open", "palimpsest inbox"),
        (says(answer="green"), "open", "none of the choices"),
        (says(days=3), "open", "must be a text"),
    ],
)
async def test_what_else_a_dialog_may_bring_loses_no_question(
    connect: Connect, answer: ElicitResult, status: str, note: str | None
) -> None:
    async with connect(Person(answer)) as client:
        asked = await call(client, "human_ask", question="Which colour?", choices=["red", "blue"])
        assert asked["status"] == status
        assert (note is None and asked["notes"] == []) or any(str(note) in one for one in asked["notes"])
        listed = await call(client, "human_list")
        assert [one["status"] for one in listed["requests"]] == [status]


async def test_a_client_without_dialogs_leaves_the_question_in_the_inbox_and_is_told_once(
    connect: Connect, application: Application
) -> None:
    async with connect(None) as client:
        asked = await call(client, "human_ask", question="Which colour?", choices=["red", "blue"], urgency="high")
        request_id = asked["request_id"]
        assert asked["status"] == "open"
        assert "palimpsest inbox" in asked["notes"][0]
        assert request_id not in await said(client, "memory_add", content="one")
        await (await people_of(application)).answer(ANN, request_id, "red")
        assert request_id not in await said(client, "memory_search", query="one")
        receipt = await call(client, "memory_add", content="two")
        assert receipt["notes"] == [f"{request_id} was answered: red. You asked: Which colour?"]
        assert request_id not in await said(client, "memory_add", content="three")
        (listed,) = (await call(client, "human_list", request_id=request_id))["requests"]
        assert (listed["status"], listed["answer"]) == ("answered", "red")


async def test_a_dialog_that_nobody_answers_is_given_up_and_the_question_kept(
    connect: Connect, request: pytest.FixtureRequest
) -> None:
    released = asyncio.Event()

    async def away(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        await released.wait()
        return ElicitResult(action="cancel")

    async with connect(away) as client, asyncio.TaskGroup() as group:  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        if "auto" in request.node.name:
            # Newer clients hold the dialog themselves.
            released.set()
        asking = group.create_task(call(client, "human_ask", question="Anybody?"))
        async with asyncio.timeout(10):
            assert (await asking)["status"] == "open"
        released.set()


async def test_a_dialog_that_cannot_be_shown_leaves_the_question_open(connect: Connect, request: Any) -> None:
    if "auto" in request.node.name:
        pytest.skip("a newer client that cannot show a dialog ends its own call")
    async with connect(Person(ErrorData(code=-32603, message="no screen"))) as client:
        assert (await call(client, "human_ask", question="Anybody?"))["status"] == "open"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"question": ""}, "The question is empty"),
        ({"question": "x" * 102_400}, "above the limit of 4,000"),
        ({"question": "a?", "choices": ["b", "b"]}, "given twice"),
        ({"question": "a?", "choices": ["b"]}, "leaves nothing to choose"),
        ({"question": "a?", "deadline": "2001-01-01"}, "has passed"),
        ({"question": "a?", "fields": {"properties": {"b": {"type": "array"}}}}, "forms are flat"),
        ({"question": "a?", "urgency": "now"}, "is no urgency"),
        ({"question": "a?", "default": "b"}, "give a deadline too"),
        ({"question": "What is your password?"}, "asks for a secret"),
        ({"question": "a?", "subject_id": "x"}, "is no id of what a question can be about"),
    ],
)
async def test_what_cannot_be_asked_bothers_nobody(connect: Connect, arguments: dict[str, Any], sentence: str) -> None:
    person = Person()
    async with connect(person) as client:
        assert sentence in await refusal(client, "human_ask", **arguments)
        assert person.shown == []
        assert (await call(client, "human_list"))["requests"] == []
        assert "No questions" in await said(client, "human_list")


async def test_an_unknown_request_is_said(connect: Connect) -> None:
    async with connect(None) as client:
        assert "No request" in await refusal(client, "human_list", request_id="ask_0000000000001")
        assert "is not a request id" in await refusal(client, "human_list", request_id="mem_0000000000001")
        assert "limit is 0" in await refusal(client, "human_list", limit=0)


async def test_a_list_cuts_long_questions_and_one_is_shown_whole(connect: Connect) -> None:
    question = "Why? " + "word " * 500
    async with connect(None) as client:
        request_id = (await call(client, "human_ask", question=question))["request_id"]
        (cut,) = (await call(client, "human_list"))["requests"]
        (whole,) = (await call(client, "human_list", request_id=request_id))["requests"]
        assert len(cut["question"]) == 200
        assert whole["question"] == question.strip()
        assert len(await said(client, "human_list")) < 400


async def test_no_tool_answers_a_question(connect: Connect) -> None:
    async with connect(None) as client:
        tools = (await client.list_tools()).tools
    people = [tool.name for tool in tools if tool.name.startswith("human_")]
    assert people == ["human_ask", "human_list"]
    taking = [tool.name for tool in tools if "request_id" in tool.input_schema.get("properties", {})]
    assert taking == ["human_list"]
    assert not any("answer" in tool.input_schema.get("properties", {}) for tool in tools)


async def test_a_purge_is_agreed_to_in_the_dialog(connect: Connect) -> None:
    person = Person(says(answer="yes"))
    async with connect(person) as client:
        item_id = (await call(client, "memory_add", content="to go", title="diary"))["item_id"]
        assert (await call(client, "memory_forget", item_id=item_id, mode="purge"))["outcome"] == "purged"
        assert item_id in person.shown[0].message
        assert "'diary'" in person.shown[0].message
        (listed,) = (await call(client, "human_list"))["requests"]
        assert (listed["status"], listed["purpose"], listed["subject_id"]) == ("used", "purge", item_id)
        assert "diary" not in listed["question"]
        assert "exists in this namespace" in await refusal(client, "memory_retrieve", item_id=item_id)


@pytest.mark.parametrize("answer", [ElicitResult(action="decline"), says(answer="no")])
async def test_a_purge_that_a_person_refuses_is_not_done(connect: Connect, answer: ElicitResult) -> None:
    async with connect(Person(answer)) as client:
        item_id = (await call(client, "memory_add", content="to stay"))["item_id"]
        receipt = await call(client, "memory_forget", item_id=item_id, mode="purge")
        assert receipt["outcome"] == "refused"
        assert (await call(client, "memory_retrieve", item_id=item_id))["content"] == "to stay"


async def test_a_purge_without_a_dialog_waits_for_the_inbox(connect: Connect, application: Application) -> None:
    async with connect(None) as client:
        item_id = (await call(client, "memory_add", content="to go"))["item_id"]
        first = await call(client, "memory_forget", item_id=item_id, mode="purge")
        assert first["outcome"] == "asked"
        (listed,) = (await call(client, "human_list"))["requests"]
        assert listed["request_id"] in first["notes"][-1]
        people = await people_of(application)
        await people.answer(ANN, listed["request_id"], "yes")
        done = await said(client, "memory_forget", item_id=item_id, mode="purge", reason="asked for")
        assert f"Purged {item_id}" in done
        assert (await people.get("default", listed["request_id"])).status == "used"


async def test_much_forgetting_is_agreed_to_in_the_dialog_and_little_asks_nobody(connect: Connect) -> None:
    person = Person(says(answer="yes"))
    async with connect(person) as client:
        ids = [(await call(client, "memory_add", content=f"text {number}"))["item_id"] for number in range(4)]
        for item_id in ids[:2]:
            assert (await call(client, "memory_forget", item_id=item_id))["outcome"] == "forgotten"
        assert person.shown == []
        assert (await call(client, "memory_forget", item_id=ids[2]))["outcome"] == "forgotten"
        assert "May it forget 2 more?" in person.shown[0].message
        assert (await call(client, "memory_forget", item_id=ids[3]))["outcome"] == "forgotten"
        assert len(person.shown) == 1


async def test_a_purge_is_asked_about_only_where_the_client_can_unless_it_is_set_otherwise() -> None:
    async with fake_application(drain_seconds=0) as application:
        server = build_server(application)
        for answers, outcome in (([], "purged"), ([ElicitResult(action="decline")], "refused")):
            async with Client(server, elicitation_callback=Person(*answers) if answers else None) as client:
                item_id = (await call(client, "memory_add", content=f"text {outcome}"))["item_id"]
                assert (await call(client, "memory_forget", item_id=item_id, mode="purge"))["outcome"] == outcome
