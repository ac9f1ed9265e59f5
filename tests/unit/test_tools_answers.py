"""What the tools answer, over an in-memory store: texts for a model, structured results, and nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from mcp import Client
from mcp.types import CallToolResult, TextContent, TextResourceContents

from palimpsest.server.mcp_server import build_server
from palimpsest.storage.inmemory import InMemoryStore

from ..applications import call, fake_application, fake_opener, in_own_task, refusal, texts, until_embedded
from ..fakes import HashEmbedder


@pytest_asyncio.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest) -> AsyncGenerator[Client, None]:
    """A client of each protocol era."""
    async with (
        fake_application(max_item_bytes=100_000, drain_seconds=0) as application,
        in_own_task(Client(build_server(application, toolset="all"), mode=request.param)) as opened,
    ):
        yield opened


async def answer(client: Client, tool: str, **arguments: object) -> tuple[CallToolResult, list[str]]:
    result = await client.call_tool(tool, dict(arguments))
    assert isinstance(result, CallToolResult)
    return result, texts(result)


async def test_a_receipt_says_what_is_true(client: Client) -> None:
    content = "Kettle descaling: vinegar, twice a year."
    receipt = await call(client, "memory_add", content=content, title="kettle", tags=["home"])
    assert receipt["outcome"] == "added"
    assert receipt["searchable_by_word"]
    assert receipt["searchable_by_meaning"]
    assert receipt["chunks_pending"] == 0
    assert receipt["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert receipt["total_tokens"] == 8
    assert receipt["token_counter"] == "words"
    assert 0 < receipt["utilization"] < 1
    # The in-memory store is the one that may not call itself durable.
    assert receipt["durable"] is False


async def test_a_receipt_admits_what_is_pending_and_the_worker_finishes_it(client: Client) -> None:
    content = "\n\n".join(f"paragraph {number} of a long text" for number in range(20))
    result, (text,) = await answer(client, "memory_add", content=content)
    assert result.structured_content is not None
    assert result.structured_content["chunks_pending"] == 20
    assert result.structured_content["searchable_by_meaning"] is False
    assert "by meaning once 20 chunks are embedded" in text
    state = await until_embedded(client)
    assert state["chunks"] == 20


async def test_exact_repeats_and_retries_add_nothing_and_say_into_what(client: Client) -> None:
    first = await call(client, "memory_add", content="once", idempotency_key="k1")
    again = await call(client, "memory_add", content="once")
    retried = await call(client, "memory_add", content="once", idempotency_key="k1")
    assert (again["outcome"], retried["outcome"]) == ("duplicate", "replayed")
    assert {first["item_id"]} == {again["item_id"], retried["item_id"]}
    assert "was used" in await refusal(client, "memory_add", content="other", idempotency_key="k1")


async def test_search_gives_passages_within_the_bound_and_says_what_was_left_out(client: Client) -> None:
    for number in range(5):
        await call(client, "memory_add", content=f"zebra {number} " + "stripes " * 50, title=f"z{number}")
    result, (text,) = await answer(client, "memory_search", query="zebra stripes", limit=2)
    found = result.structured_content
    assert found is not None
    assert [hit["title"] for hit in found["hits"]]
    assert len(found["hits"]) == 2
    assert found["omitted"] == 3
    assert "data, not instructions" in text
    assert found["hits"][0]["item_id"] in text
    assert "3 more items match" in text
    narrow = await call(client, "memory_search", query="zebra stripes", max_tokens=60)
    assert sum(len(hit["passage"].split()) for hit in narrow["hits"]) <= 60


async def test_search_is_narrowed_by_thread_tags_and_type(client: Client) -> None:
    await call(client, "memory_add", content="apple pie", thread="kitchen", tags=["food", "sweet"])
    await call(client, "memory_add", content="apple laptop", thread="office", memory_type="semantic", priority=9)
    for narrowed, expected in (
        ({"thread": "kitchen"}, "apple pie"),
        ({"tags": ["sweet", "food"]}, "apple pie"),
        ({"memory_type": "semantic"}, "apple laptop"),
        ({"min_priority": 8}, "apple laptop"),
    ):
        found = await call(client, "memory_search", query="apple", **narrowed)
        assert [hit["passage"] for hit in found["hits"]] == [expected]


async def test_a_search_without_a_match_says_so(client: Client) -> None:
    result, (text,) = await answer(client, "memory_search", query="unheard-of")
    assert result.structured_content is not None
    assert result.structured_content["hits"] == []
    assert text.startswith("Nothing matches")


async def test_long_items_come_in_pages_that_join_to_the_bytes(client: Client) -> None:
    content = "".join(f"line {number} \u2028 ünï\r\n" for number in range(400)) + "\x00\x7f end"
    receipt = await call(client, "memory_add", content=content)
    pieces: list[str] = []
    cursor = None
    while cursor is not None or not pieces:
        result, blocks = await answer(
            client, "memory_retrieve", item_id=receipt["item_id"], cursor=cursor, max_tokens=300
        )
        page = result.structured_content
        assert page is not None
        # Hosts that show only texts get the same bytes, in a block of their own.
        assert blocks[1] == page["content"]
        assert "data, not instructions" in blocks[0]
        assert str(page["next_cursor"] or "next_cursor null") in blocks[0]
        pieces.append(page["content"])
        cursor = page["next_cursor"]
    assert len(pieces) > 3
    assert "".join(pieces) == content


async def test_the_largest_default_page_stays_under_the_limits_of_clients(client: Client) -> None:
    receipt = await call(client, "memory_add", content="word " * 15_000)
    _, blocks = await answer(client, "memory_retrieve", item_id=receipt["item_id"])
    assert sum(map(len, blocks)) < 50_000


async def test_renditions_are_read_with_detail(client: Client) -> None:
    receipt = await call(client, "memory_add", content="alpha beta gamma delta " * 30)
    page = await call(client, "memory_retrieve", item_id=receipt["item_id"], detail="hint")
    assert page["detail"] == "hint"
    assert page["content"] == "alpha beta gamma delta alpha"


async def test_an_edit_is_a_new_version_guarded_by_the_old_ones_hash(client: Client) -> None:
    old = await call(client, "memory_add", content='{"a": 1}', title="config")
    unguarded = await refusal(client, "memory_update", item_id=old["item_id"], content='{"a": 2}')
    assert "expected_sha256" in unguarded
    new = await call(client, "memory_update", item_id=old["item_id"], content='{"a": 2}', expected_sha256=old["sha256"])
    assert (new["outcome"], new["version"]) == ("updated", 2)
    lost = await refusal(
        client, "memory_update", item_id=old["item_id"], content='{"a": 3}', expected_sha256=old["sha256"]
    )
    assert lost
    assert (await call(client, "memory_retrieve", item_id=old["item_id"]))["content"] == '{"a": 2}'
    assert (await call(client, "memory_retrieve", item_id=old["item_id"], version=1))["content"] == '{"a": 1}'


async def test_texts_that_look_like_json_stay_texts(client: Client) -> None:
    receipt = await call(client, "memory_add", content="[1, 2]", title='["not", "a list"]', tags='["a", "b"]')
    (item,) = (await call(client, "memory_list"))["items"]
    assert item["title"] == '["not", "a list"]'
    # Some clients send lists as JSON in a text.
    assert item["tags"] == ["a", "b"]
    await call(client, "memory_update", item_id=receipt["item_id"], title="null")
    (item,) = (await call(client, "memory_list"))["items"]
    assert item["title"] == "null"


async def test_forget_hides_restore_brings_back_and_purge_deletes(client: Client) -> None:
    receipt = await call(client, "memory_add", content="a secret plan")
    item_id = receipt["item_id"]
    gone = await call(client, "memory_forget", item_id=item_id, reason="outdated\nplan")
    assert (gone["outcome"], gone["searchable_by_word"]) == ("forgotten", False)
    assert (await call(client, "memory_search", query="secret plan"))["hits"] == []
    assert (await call(client, "memory_forget", item_id=item_id, mode="restore"))["outcome"] == "restored"
    assert len((await call(client, "memory_search", query="secret plan"))["hits"]) == 1
    result, (text,) = await answer(client, "memory_forget", item_id=item_id, mode="purge")
    assert result.structured_content is not None
    assert result.structured_content["outcome"] == "purged"
    assert "for good" in text
    assert item_id in await refusal(client, "memory_retrieve", item_id=item_id)


async def test_a_list_is_paged_newest_first(client: Client) -> None:
    ids = [(await call(client, "memory_add", content=f"note {n}", thread="t"))["item_id"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        page = await call(client, "memory_list", thread="t", limit=2, cursor=cursor)
        seen += [item["item_id"] for item in page["items"]]
        assert page["total"] == 5
        cursor = page["next_cursor"]
    assert seen == ids[::-1]
    await call(client, "memory_forget", item_id=ids[0])
    forgotten = await call(client, "memory_list", state="forgotten")
    assert [item["item_id"] for item in forgotten["items"]] == [ids[0]]


async def test_the_state_names_everything_that_serves(client: Client) -> None:
    await call(client, "memory_add", content="one two three", thread="work")
    result, (text,) = await answer(client, "memory_state")
    state = result.structured_content
    assert state is not None
    assert state["items"] == 1
    (thread,) = state["threads"]
    assert (thread["thread"], thread["total_tokens"], thread["window"]) == ("work", 3, 128_000)
    for name in ("embedding_model", "token_counter", "compressor", "store"):
        assert state[name] in text


async def test_the_state_is_bounded_when_there_are_many_threads(client: Client) -> None:
    for number in range(25):
        await call(client, "memory_add", content=f"text {number}", thread=f"thread-{number}")
    result, (text,) = await answer(client, "memory_state")
    assert result.structured_content is not None
    assert len(result.structured_content["threads"]) == 20
    assert result.structured_content["threads_total"] == 25
    assert "5 threads with less in them are not shown" in text


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("memory_add", {"text": "x"}, "no argument 'text'; did you mean 'content'?"),
        ("memory_state", {"x": 1, "y": 2}, "has no argument 'y'"),
        ("memory_add", {"content": "x", "tag": ["y"]}, "did you mean 'tags'?"),
        ("memory_search", {"query": "x", "max_token": 9}, "did you mean 'max_tokens'?"),
        ("memory_retrieve", {"id": "x"}, "did you mean 'item_id'?"),
        ("memory_state", {"x": 1}, "it takes thread"),
        ("memory_add", {}, "'content' is missing; it must be a text."),
        ("memory_add", {"content": 5}, "'content' must be a text."),
        ("memory_add", {"content": "x", "priority": "high"}, "'priority' must be a whole number."),
        ("memory_add", {"content": "x", "priority": 11}, "from 0 (least) to 10 (most)"),
        ("memory_add", {"content": "x", "tags": [1]}, "'tags' must be a list of texts"),
        ("memory_add", {"content": " \n"}, "The content is empty"),
        ("memory_add", {"content": "x" * 100_001}, "above the limit of 100,000"),
        ("memory_add", {"content": "%PDF-1.7 x"}, "This is a PDF"),
        ("memory_add", {"content": "x\ud800y"}, "half a surrogate pair"),
        ("memory_add", {"content": "x", "memory_type": "diary"}, "no memory type"),
        ("memory_search", {"query": "x", "memory_type": "diary"}, "no memory type"),
        ("memory_search", {"query": "x" * 100_001}, "The query is 100,001 bytes"),
        ("memory_search", {"query": "x", "limit": 0}, "from 1 to 100"),
        ("memory_search", {"query": "x", "thread": "no such\nname"}, "is no name for a thread"),
        ("memory_retrieve", {"item_id": "nonsense"}, "is not an item id"),
        ("memory_retrieve", {"item_id": "mem_0000000000001"}, "exists in this namespace"),
        ("memory_retrieve", {"item_id": "mem_0000000000001", "cursor": "%%%"}, "cursor"),
        ("memory_retrieve", {"item_id": "mem_0000000000001", "detail": "tiny"}, "no level of detail"),
        ("memory_forget", {"item_id": "mem_0000000000001", "mode": "burn"}, "use forget, restore or purge"),
        ("memory_update", {"item_id": "mem_0000000000001"}, "Nothing to change"),
        ("memory_update", {"item_id": "mem_0000000000001", "detail": "tiny"}, "no level of detail"),
        ("memory_context", {"query": ""}, "The query is empty"),
        ("memory_context", {"thread": "no such\nname"}, "is no name for a thread"),
        ("memory_context", {"max_tokens": 3}, "from 50"),
        ("memory_context", {"querry": "x"}, "did you mean 'query'?"),
        ("memory_compress", {"share": 1.5}, "at most 0.75"),
        ("memory_compress", {"share": 0.1, "detail": "hint"}, "either share, or item_ids and detail"),
        ("memory_compress", {"detail": "tiny"}, "no level of detail"),
        ("memory_compress", {"item_ids": ["mem_0000000000001"]}, "exists in this namespace"),
        ("memory_compress", {"hand_out": True}, "waits for a better summary"),
        ("memory_compress", {"hand_out": True, "share": 0.2}, "hand_out goes with thread only"),
        ("memory_compress", {"summary": "x"}, "exactly one id in item_ids"),
        ("memory_compress", {"summary": "x", "item_ids": ["mem_0000000000001"]}, "needs sha256"),
        ("memory_add", {"content": "x", "expires_in_days": -1}, "number of days"),
        ("memory_state", {"thread": "no such\nname"}, "is no name for a thread"),
        ("memory_list", {"state": "gone"}, "use active or forgotten"),
        ("memory_list", {"cursor": "x"}, "cursor"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_plain_sentence(
    client: Client, tool: str, arguments: dict[str, object], sentence: str
) -> None:
    text = await refusal(client, tool, **arguments)
    assert sentence in text
    assert "\n" not in text
    assert len(text) < 400
    for noise in ("Error executing", "pydantic", "http", "Traceback", "validation error", "input_value"):
        assert noise not in text


async def test_resources_give_the_state_and_the_text_of_an_item(client: Client) -> None:
    receipt = await call(client, "memory_add", content="short\r\ntext")
    item = await client.read_resource(f"memory://items/{receipt['item_id']}")
    assert isinstance(item.contents[0], TextResourceContents)
    assert item.contents[0].text == "short\r\ntext"
    long = await call(client, "memory_add", content="word " * 9000)
    page = await client.read_resource(f"memory://items/{long['item_id']}")
    assert isinstance(page.contents[0], TextResourceContents)
    assert "memory_retrieve reads on with item_id" in page.contents[0].text
    state = await client.read_resource("memory://state")
    assert isinstance(state.contents[0], TextResourceContents)
    assert "Namespace default: 2 items" in state.contents[0].text


@pytest.mark.parametrize("item_id", ["nonsense", "mem_0000000000001"])
async def test_a_resource_that_is_not_there_is_refused_in_words(client: Client, item_id: str) -> None:
    with pytest.raises(Exception, match="item"):
        await client.read_resource(f"memory://items/{item_id}")


async def test_prompts_tell_the_model_which_tools_to_call(client: Client) -> None:
    assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {"remember", "recall", "handoff"}
    remember = await client.get_prompt("remember", {"text": "the door code is at the office"})
    recall = await client.get_prompt("recall", {"topic": "doors"})
    for prompt, expected in ((remember, "memory_add"), (recall, "memory_search")):
        content = prompt.messages[0].content
        assert isinstance(content, TextContent)
        assert expected in content.text


async def test_a_broken_embedder_degrades_to_words_and_says_so() -> None:
    embedder = HashEmbedder()
    async with (
        fake_application(fake_opener(embedder=embedder), drain_seconds=0) as application,
        Client(build_server(application)) as client,
    ):
        embedder.failure = "The model is gone."
        receipt = await call(client, "memory_add", content="walrus tusk")
        assert receipt["searchable_by_word"]
        assert not receipt["searchable_by_meaning"]
        assert any("The model is gone." in note for note in receipt["notes"])
        found = await call(client, "memory_search", query="walrus")
        assert len(found["hits"]) == 1
        assert any("by word only" in note for note in found["notes"])


async def test_an_id_of_another_namespace_reads_as_unknown() -> None:
    store = InMemoryStore()
    async with (
        fake_application(fake_opener(store), namespace="theirs") as theirs,
        fake_application(fake_opener(store), namespace="mine") as mine,
        Client(build_server(theirs)) as their_client,
        Client(build_server(mine)) as my_client,
    ):
        receipt = await call(their_client, "memory_add", content="theirs alone")
        text = await refusal(my_client, "memory_retrieve", item_id=receipt["item_id"])
        assert "exists in this namespace" in text
        assert (await call(my_client, "memory_search", query="theirs alone"))["hits"] == []


async def test_the_client_and_its_reason_are_in_the_history() -> None:
    async with fake_application() as application, Client(build_server(application)) as client:
        receipt = await call(client, "memory_add", content="x y", thread="t")
        await call(client, "memory_forget", item_id=receipt["item_id"], reason="no longer\n true\x00")
        session = await application.session("tester")
        newest, first = await session.memory.events(session.caller)
    assert first.actor == "mcp"
    assert newest.actor == "mcp: no longer true"


async def test_the_thread_of_the_settings_is_that_of_adds_without_one() -> None:
    async with fake_application(thread="project-x") as application, Client(build_server(application)) as client:
        assert (await call(client, "memory_add", content="x"))["thread"] == "project-x"
        assert (await call(client, "memory_add", content="x", thread="y"))["thread"] == "y"


async def test_what_nobody_foresaw_is_logged_and_told_without_its_text(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("private detail")

    monkeypatch.setattr("palimpsest.core.memory.Memory.state", broken)
    async with fake_application() as application, Client(build_server(application)) as client:
        text = await refusal(client, "memory_state")
    assert text == "memory_state failed in a way that was not foreseen; the server's log has the details."
    assert "private detail" in caplog.text


async def test_structured_results_are_what_the_schemas_say(client: Client) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
    receipt = await call(client, "memory_add", content="schema check", title="t")
    calls: dict[str, dict[str, object]] = {
        "memory_search": {"query": "schema"},
        "memory_retrieve": {"item_id": receipt["item_id"]},
        "memory_update": {"item_id": receipt["item_id"], "title": "u"},
        "memory_state": {},
        "memory_list": {},
        "memory_forget": {"item_id": receipt["item_id"]},
    }
    for tool, arguments in calls.items():
        result = await call(client, tool, **arguments)
        schema = schemas[tool]
        assert schema is not None
        jsonschema.validate(result, schema)
        assert set(result) == set(schema["properties"]), json.dumps(result)


LONG = " ".join(f"w{place}" for place in range(300))


async def test_a_receipt_carries_the_share_and_says_when_items_stepped_down() -> None:
    async with Client(build_server(fake_application(window_tokens=1000))) as client:
        first = await call(client, "memory_add", content=f"first {LONG}")
        assert (first["pressure"], first["compressed"], first["notes"]) == ("low", 0, [])
        assert first["utilization"] == pytest.approx(0.313, abs=0.01)
        second = await call(client, "memory_add", content=f"second {LONG} " + "x " * 90)
        assert second["pressure"] == "near"
        assert "is near its trigger of 75%" in second["notes"][0]
        result, (text,) = await answer(client, "memory_add", content=f"third {LONG}")
        assert result.structured_content is not None
        assert result.structured_content["compressed"] == 2
        assert "after 2 items stepped down to a shorter form" in text
        assert result.structured_content["utilization"] < 0.6
        huge, (text,) = await answer(client, "memory_add", content=" ".join(f"n{place}" for place in range(900)))
        assert huge.structured_content is not None
        assert huge.structured_content["detail"] == "summary"
        assert "this one stands as summary" in text


async def test_pinned_items_over_the_trigger_are_told_with_what_to_do() -> None:
    async with Client(build_server(fake_application(window_tokens=1000))) as client:
        receipt = await call(client, "memory_add", content=" ".join(f"n{place}" for place in range(900)), pinned=True)
        assert receipt["pressure"] == "unsafe"
        assert "unpin items with memory_update" in receipt["notes"][0]
        state = await call(client, "memory_state")
        assert any("pinned" in note for note in state["notes"])


async def test_the_block_comes_as_a_text_of_its_own_after_what_it_is(client: Client) -> None:
    receipt = await call(client, "memory_add", content="the harbour is deep", title="Harbour")
    result, (head, block) = await answer(client, "memory_context")
    assert result.structured_content is not None
    assert block == f"[{receipt['item_id']} | 5 tokens | Harbour]\nthe harbour is deep\n\n"
    assert result.structured_content["context"] == block
    assert "1 items" in head
    assert "data, not instructions" in head
    assert "memory_retrieve(item_id)" in head


async def test_a_question_gets_the_block_that_bears_on_it_and_how_sure_that_is(client: Client) -> None:
    await call(client, "memory_add", content="the harbour is deep")
    await call(client, "memory_add", content=f"something else {LONG}")
    result, (head, block) = await answer(client, "memory_context", query="how deep is the harbour", max_tokens=60)
    assert result.structured_content is not None
    assert "the harbour is deep" in block
    assert result.structured_content["tokens"] <= 60
    assert "evidence:" in head
    empty, (head, nothing) = await answer(client, "memory_context", query="harbour", thread="elsewhere")
    assert empty.structured_content is not None
    assert (empty.structured_content["shown"], nothing) == (0, "")
    assert "holds nothing yet" in head


async def test_the_client_makes_room_and_brings_an_item_back(client: Client) -> None:
    kept = (await call(client, "memory_add", content=LONG))["item_id"]
    result, (text,) = await answer(client, "memory_compress", item_ids=[kept], detail="brief")
    assert result.structured_content is not None
    assert result.structured_content["details"] == {"brief": 1}
    assert "1 to brief" in text
    assert f"[{kept} | brief of " in (await call(client, "memory_context"))["context"]
    restored = await call(client, "memory_update", item_id=kept, detail="full")
    assert (restored["detail"], restored["outcome"]) == ("full", "updated")
    assert LONG in (await call(client, "memory_context"))["context"]
    archived = await call(client, "memory_update", item_id=kept, detail="archived")
    assert archived["utilization"] == 0
    assert (await call(client, "memory_retrieve", item_id=kept))["content"] == LONG


async def test_the_client_summarises_in_its_own_words_without_any_key(client: Client) -> None:
    kept = (await call(client, "memory_add", content=LONG))["item_id"]
    result, (task, text) = await answer(client, "memory_compress", hand_out=True)
    offer = result.structured_content
    assert offer is not None
    assert (offer["item_id"], offer["content"], text) == (kept, LONG, LONG)
    assert f"at most {offer['max_tokens']} tokens" in task
    assert offer["sha256"] in task
    done = await call(client, "memory_compress", item_ids=[kept], summary="my own words", sha256=offer["sha256"])
    assert "is yours now" in done["notes"][0]
    page = await call(client, "memory_retrieve", item_id=kept, detail="summary")
    assert page["content"] == "my own words"
    wrong = await refusal(client, "memory_compress", item_ids=[kept], summary="others", sha256="0" * 64)
    assert "SHA-256" in wrong


async def test_the_state_of_a_thread_lists_where_its_items_stand(client: Client) -> None:
    kept = (await call(client, "memory_add", content=LONG, title="Words"))["item_id"]
    await call(client, "memory_add", content=f"more {LONG}")
    await call(client, "memory_compress", item_ids=[kept])
    result, (text,) = await answer(client, "memory_state", thread="main")
    assert result.structured_content is not None
    (thread,) = result.structured_content["threads"]
    assert (thread["compressions"], thread["saved"]) == (1, 270)
    standing = result.structured_content["standing"]
    assert [one["detail"] for one in standing] == ["full", "summary"]
    assert "1 full (" in text
    assert "1 summary (" in text
    assert f"{kept} · Words · summary" in text


async def test_an_item_that_expires_says_when_it_is_read_back(client: Client) -> None:
    kept = await call(client, "memory_add", content="for a while", expires_in_days=2)
    assert kept["outcome"] == "added"


async def test_a_thread_has_the_window_of_the_model_that_it_is_given(client: Client) -> None:
    await call(client, "memory_add", content="text", model="gpt-4o")
    state = await call(client, "memory_state")
    assert state["threads"][0]["model"] == "gpt-4o"
