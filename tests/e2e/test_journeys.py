"""The same journey over every transport, in both protocol eras, against the real thing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import pytest
from mcp.types import TextResourceContents

from ..applications import call, refusal, until_embedded
from .conftest import Connect, small_model_answers


async def test_a_client_adds_finds_reads_changes_and_forgets(connect: Connect, era: str) -> None:
    thread = f"t-{secrets.token_hex(6)}"
    async with connect() as client:
        assert client.protocol_version == era
        assert client.instructions is not None
        assert "memory_search first" in client.instructions
        assert len((await client.list_tools()).tools) == 15

        short = f"{thread}: the greenhouse door sticks when it rains"
        receipt = await call(client, "memory_add", content=short, thread=thread, title="greenhouse", tags=["house"])
        assert receipt["outcome"] == "added"
        assert receipt["durable"]
        assert receipt["searchable_by_word"]
        assert receipt["searchable_by_meaning"]
        assert (await call(client, "memory_add", content=short, thread=thread))["outcome"] == "duplicate"

        by_meaning = await call(client, "memory_search", query="which entrance jams in wet weather?", thread=thread)
        assert by_meaning["hits"][0]["item_id"] == receipt["item_id"]
        by_word = await call(client, "memory_search", query=thread, thread=thread)
        assert by_word["hits"][0]["passage"] == short

        long = "".join(f"{thread} row {row} \U0001f98a é\r\n" for row in range(800)) + "\x00end"
        added = await call(client, "memory_add", content=long, thread=thread, title="rows")
        assert added["sha256"] == hashlib.sha256(long.encode()).hexdigest()
        pieces: list[str] = []
        cursor = None
        while cursor is not None or not pieces:
            page = await call(client, "memory_retrieve", item_id=added["item_id"], cursor=cursor)
            pieces.append(page["content"])
            cursor = page["next_cursor"]
        assert len(pieces) > 1
        assert "".join(pieces) == long
        assert (await call(client, "memory_retrieve", item_id=added["item_id"], detail="brief"))["detail"] == "brief"

        changed = await call(
            client,
            "memory_update",
            item_id=receipt["item_id"],
            content=short + ", fixed",
            expected_sha256=receipt["sha256"],
        )
        assert changed["version"] == 2
        old = await call(client, "memory_retrieve", item_id=receipt["item_id"], version=1)
        assert old["content"] == short

        await call(client, "memory_forget", item_id=receipt["item_id"], reason="fixed")
        hidden = await call(client, "memory_search", query="greenhouse door", thread=thread)
        assert receipt["item_id"] not in [hit["item_id"] for hit in hidden["hits"]]
        restored = await call(client, "memory_forget", item_id=receipt["item_id"], mode="restore")
        assert restored["outcome"] == "restored"
        await call(client, "memory_forget", item_id=receipt["item_id"], mode="purge")
        assert "exists in this namespace" in await refusal(client, "memory_retrieve", item_id=receipt["item_id"])

        state = await until_embedded(client)
        assert thread in [account["thread"] for account in state["threads"]]
        assert "pgvector" in state["store"]

        item = await client.read_resource(f"memory://items/{added['item_id']}")
        assert isinstance(item.contents[0], TextResourceContents)
        assert item.contents[0].text.startswith(long[:200])
        with pytest.raises(Exception, match="not an item id"):
            await client.read_resource("memory://items/nonsense")
        assert (await client.get_prompt("recall", {"topic": "doors"})).messages


async def test_refusals_reach_the_model_as_one_sentence(connect: Connect) -> None:
    async with connect() as client:
        for tool, arguments, sentence in (
            ("memory_add", {"content": "   "}, "The content is empty"),
            ("memory_add", {"content": "x", "priority": 11}, "from 0 (least) to 10 (most)"),
            ("memory_add", {"content": "x", "prio": 11}, "did you mean 'priority'?"),
            ("memory_retrieve", {"item_id": "mem_0000000000001"}, "exists in this namespace"),
            ("memory_retrieve", {"item_id": "mem_0000000000001", "cursor": "!"}, "cursor"),
            ("memory_search", {"query": "x" * 100_001}, "The query is 100,001 bytes"),
        ):
            text = await refusal(client, tool, **arguments)
            assert sentence in text
            assert "\n" not in text


async def test_a_thread_outgrows_its_window_and_loses_nothing(connect: Connect) -> None:
    thread = f"t-{secrets.token_hex(6)}"
    async with connect() as client:
        texts: dict[str, str] = {}
        compressed = 0
        for number in range(7):
            rows = "\n".join(f"{thread} ledger {number} row {row}: {row * number} crowns paid." for row in range(40))
            text = f"# Ledger {number}\n\nThe clerk of ledger {number} is called Ada{number}.\n\n{rows}\n"
            receipt = await call(
                client, "memory_add", content=text, thread=thread, title=f"l{number}.md", model="phi-2"
            )
            texts[receipt["item_id"]] = text
            assert receipt["utilization"] < 0.75
            assert receipt["pressure"] in ("low", "near")
            compressed += receipt["compressed"]
        assert compressed >= 1

        whole = await call(client, "memory_context", thread=thread)
        assert whole["window"] == 2048
        assert whole["used"] < 0.75 * 2048
        resource = (await client.read_resource(f"memory://context/{thread}")).contents[0]
        assert isinstance(resource, TextResourceContents)
        if not small_model_answers():
            # A model's summaries come at any moment.
            assert resource.text == whole["context"]

        asked = await call(
            client, "memory_context", thread=thread, query="who is the clerk of ledger 3", max_tokens=300
        )
        assert "Ada3" in asked["context"]
        assert asked["tokens"] <= 300

        smaller = await call(client, "memory_compress", thread=thread, share=0.2)
        assert smaller["utilization"] <= 0.2
        if small_model_answers():
            # Once it has written all summaries, none is left to hand out.
            page = await call(client, "memory_retrieve", item_id=next(iter(texts)))
            offer: Mapping[str, Any] = {"item_id": page["item_id"], "sha256": page["sha256"]}
        else:
            offer = await call(client, "memory_compress", thread=thread, hand_out=True)
        mine = f"A ledger of {thread}, in my own words."
        await call(
            client, "memory_compress", item_ids=[offer["item_id"]], summary=mine, sha256=offer["sha256"], thread=thread
        )
        page = await call(client, "memory_retrieve", item_id=offer["item_id"], detail="summary")
        assert page["content"] == mine

        state = await call(client, "memory_state", thread=thread)
        (ledger,) = [one for one in state["threads"] if one["thread"] == thread]
        assert ledger["saved"] > 0
        assert {one["item_id"] for one in state["standing"]} == set(texts)
        for item_id, text in texts.items():
            assert (await call(client, "memory_retrieve", item_id=item_id))["content"] == text
        restored = await call(client, "memory_update", item_id=offer["item_id"], detail="full")
        assert restored["utilization"] < 0.75
