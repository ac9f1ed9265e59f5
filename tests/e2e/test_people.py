"""A person decides: in the dialog over each transport and in each protocol era, at a terminal, or by default."""

from __future__ import annotations

import asyncio
import os
import pty
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult

from palimpsest.core.ids import parse_id
from palimpsest.storage.embedded import EmbeddedConfig, describe

from ..applications import Person, call, refusal, says
from .conftest import ERAS, Served, end, environment, serve_http, stdio_parameters

Connect = Callable[[Person | None], AbstractAsyncContextManager[Client]]
POLICY = {"PALIMPSEST_TOOLSETS": "all", "PALIMPSEST_HUMAN_FOR_PURGE": "always"}


@pytest.fixture(scope="module")
def namespace() -> str:
    """A namespace of these tests' own."""
    return f"people-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def strict(memory_dir: Path, namespace: str) -> Generator[Served, None, None]:
    """A listening server whose purges always need a person."""
    served = serve_http(memory_dir, PALIMPSEST_NAMESPACE=namespace, **POLICY)
    try:
        yield served
    finally:
        assert end(served) == 0


@pytest.fixture(params=["stdio", "http"])
def connect(request: pytest.FixtureRequest, era: str, memory_dir: Path, namespace: str, strict: Served) -> Connect:
    """How a client with or without a person connects, over the transport and in the era of this run."""

    @asynccontextmanager
    async def connected(person: Person | None) -> AsyncGenerator[Client, None]:
        local = stdio_client(stdio_parameters(memory_dir, PALIMPSEST_NAMESPACE=namespace, **POLICY))
        server = local if request.param == "stdio" else f"{strict.url}/mcp"
        async with Client(server, mode=ERAS[era], elicitation_callback=person) as client:
            yield client

    return connected


def inbox(folder: Path, namespace: str, *arguments: str, terminal: bool = True) -> tuple[int, str]:
    """Run the command at a terminal of its own, or at none, and return its exit code and what it shows."""
    command = [sys.executable, "-m", "palimpsest", "inbox", *arguments]
    variables = environment(folder, PALIMPSEST_NAMESPACE=namespace)
    if not terminal:
        done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done.returncode, (done.stdout + done.stderr).decode()
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(command, env=variables, stdin=theirs, stdout=theirs, stderr=subprocess.STDOUT) as process:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    piece = os.read(ours, 4096)
                except OSError:
                    break
                if not piece:
                    break
                shown += piece
            return process.wait(60), shown.decode()
    finally:
        os.close(ours)


async def at_inbox(folder: Path, namespace: str, *arguments: str, terminal: bool = True) -> tuple[int, str]:
    return await asyncio.to_thread(inbox, folder, namespace, *arguments, terminal=terminal)


def question() -> str:
    return f"Which colour has {secrets.token_hex(4)}?"


async def test_a_question_is_answered_in_the_dialog(connect: Connect) -> None:
    person = Person(says(answer="blue"), ElicitResult(action="decline"))
    async with connect(person) as client:
        asked = await call(client, "human_ask", question=question(), choices=["red", "blue"])
        assert (asked["status"], asked["answer"], asked["answered_how"]) == ("answered", "blue", "elicitation")
        declined = await call(client, "human_ask", question=question(), choices=["red", "blue"])
        assert declined["status"] == "declined"
    assert [list(one.requested_schema["properties"]) for one in person.shown] == [["answer"], ["answer"]]


async def test_a_question_is_answered_at_a_terminal_and_its_asker_told_once(
    connect: Connect, memory_dir: Path, namespace: str
) -> None:
    async with connect(None) as client:
        asked = await call(client, "human_ask", question=question(), choices=["red", "blue"])
        request_id = asked["request_id"]
        assert asked["status"] == "open"
        code, shown = await at_inbox(memory_dir, namespace, "answer", request_id, "red", terminal=False)
        assert code == 1
        assert "from a person at a terminal only" in shown
        code, shown = await at_inbox(memory_dir, namespace, "answer", request_id, "green")
        assert (code, "none of the choices" in shown) == (1, True)
        code, shown = await at_inbox(memory_dir, namespace, "answer", request_id, "red")
        assert (code, shown) == (0, f"{request_id} was answered: red.\r\n")
        code, shown = await at_inbox(memory_dir, namespace, "answer", request_id, "blue")
        assert (code, "can no longer be changed" in shown) == (1, True)
        told = [await call(client, "memory_add", content=question()) for _ in range(2)]
        assert [sum(request_id in note for note in receipt["notes"]) for receipt in told] == [1, 0]
        (listed,) = (await call(client, "human_list", request_id=request_id))["requests"]
        assert (listed["status"], listed["answer"]) == ("answered", "red")


async def test_a_dismissed_question_waits_at_the_terminal(connect: Connect, memory_dir: Path, namespace: str) -> None:
    async with connect(Person(ElicitResult(action="cancel"))) as client:
        asked = await call(client, "human_ask", question=question())
        assert asked["status"] == "open"
        _, shown = await at_inbox(memory_dir, namespace, terminal=False)
        assert asked["request_id"] in shown
        assert (await at_inbox(memory_dir, namespace, "decline", asked["request_id"]))[0] == 0


async def let_pass(folder: Path, request_id: str, *, hours: float) -> None:
    """Let a question's deadline come nearer."""
    endpoint = (await describe(EmbeddedConfig(data_dir=folder))).endpoint
    assert endpoint is not None
    connection = await asyncpg.connect(**asdict(endpoint))
    try:
        sooner = (
            "UPDATE palimpsest.human_requests SET deadline = deadline - make_interval(secs => $2) WHERE request_id = $1"
        )
        assert await connection.execute(sooner, parse_id("request", request_id), hours * 3600) == "UPDATE 1"
    finally:
        await connection.close()


async def test_the_default_is_taken_at_the_deadline(connect: Connect, memory_dir: Path, namespace: str) -> None:
    async with connect(None) as client:
        deadline = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        asked = await call(
            client, "human_ask", question=question(), choices=["red", "blue"], deadline=deadline, default="red"
        )
        request_id = asked["request_id"]
        assert asked["status"] == "open"
        await let_pass(memory_dir, request_id, hours=2)
        (listed,) = (await call(client, "human_list", request_id=request_id))["requests"]
        assert (listed["status"], listed["answer"]) == ("answered", "red")
        code, shown = await at_inbox(memory_dir, namespace, "answer", request_id, "blue")
        assert (code, "the default at its deadline" in shown) == (1, True)


async def test_a_purge_is_refused_without_a_person_and_done_with_one(
    connect: Connect, memory_dir: Path, namespace: str
) -> None:
    content = question()
    async with connect(None) as client:
        item_id = (await call(client, "memory_add", content=content))["item_id"]
        receipt = await call(client, "memory_forget", item_id=item_id, mode="purge")
        assert receipt["outcome"] == "asked"
        assert (await call(client, "memory_retrieve", item_id=item_id))["content"] == content
        (open_one,) = [one for one in (await call(client, "human_list"))["requests"] if one["subject_id"] == item_id]
        assert open_one["request_id"] in receipt["notes"][-1]
        assert (await at_inbox(memory_dir, namespace, "answer", open_one["request_id"], "yes"))[0] == 0
        assert (await call(client, "memory_forget", item_id=item_id, mode="purge"))["outcome"] == "purged"
        assert "exists in this namespace" in await refusal(client, "memory_retrieve", item_id=item_id)
        (used,) = (await call(client, "human_list", request_id=open_one["request_id"]))["requests"]
        assert used["status"] == "used"


async def test_a_purge_is_agreed_to_or_refused_in_the_dialog(connect: Connect) -> None:
    person = Person(says(answer="no"), ElicitResult(action="decline"), says(answer="yes"))
    async with connect(person) as client:
        item_id = (await call(client, "memory_add", content=question()))["item_id"]
        outcomes = [(await call(client, "memory_forget", item_id=item_id, mode="purge"))["outcome"] for _ in range(3)]
    assert outcomes == ["refused", "refused", "purged"]
    assert all(item_id in one.message for one in person.shown)
