"""The tools' surface: a contract in snapshots, and a cost in tokens that must not grow.

After a change that is meant, run with ``UPDATE_SNAPSHOTS=1`` and review the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ListToolsResult, Tool

from palimpsest.server.mcp_server import INSTRUCTIONS, build_server
from palimpsest.tools import TOOLS, build_tools

from ..applications import fake_application

SNAPSHOTS = Path(__file__).parents[1] / "snapshots" / "tools"
NAMES = [spec.function.__name__ for spec in TOOLS]


async def listed(toolset: str = "all") -> ListToolsResult:
    server = build_server(fake_application(), toolset="all" if toolset == "all" else "default")
    async with Client(server) as client:
        return await client.list_tools()


def surface(tool: Tool) -> dict[str, Any]:
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def tokens(text: str) -> int:
    harmony = pytest.importorskip("openai_harmony", reason="oss-harmony, which carries o200k, is not installed")
    encoding = harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
    return len(encoding.encode(text))


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("name", NAMES)
async def test_each_tool_is_as_its_snapshot_says(name: str) -> None:
    (tool,) = [tool for tool in (await listed()).tools if tool.name == name]
    file = SNAPSHOTS / f"{name}.json"
    now = json.dumps(surface(tool), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(now, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == now, "a tool changed; UPDATE_SNAPSHOTS=1 writes the new snapshot"


def test_no_snapshot_is_left_of_a_tool_that_is_gone() -> None:
    assert sorted(file.stem for file in SNAPSHOTS.glob("*.json")) == sorted(NAMES)


async def test_the_default_list_leaves_memory_list_out_and_all_has_it() -> None:
    default = [tool.name for tool in (await listed("default")).tools]
    assert default == [
        "memory_add",
        "memory_search",
        "memory_retrieve",
        "memory_update",
        "memory_forget",
        "memory_context",
        "memory_compress",
        "memory_state",
        "task_create",
        "task_update",
        "task_list",
        "quarantine_add",
        "quarantine_list",
        "quarantine_retrieve",
        "quarantine_release",
    ]
    assert [tool.name for tool in (await listed("all")).tools] == [
        *default,
        "memory_list",
        "memory_export",
        *("agent_register", "agent_list", "human_ask", "human_list", "memory_ask", "conversation_add"),
    ]


async def test_what_a_model_is_given_costs_at_most_2200_tokens_and_the_whole_list_4500(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = await listed("default")
    given = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema} for tool in answer.tools
    ]
    for_model = sum(tokens(compact(tool)) for tool in given)
    whole = tokens(answer.model_dump_json(by_alias=True, exclude_none=True))
    with capsys.disabled():
        print(f"\ntools/list, default: {for_model} tokens of names, descriptions and input schemas; {whole} in all")
    assert for_model <= 2200
    assert whole <= 4500


async def test_the_task_tools_keep_their_share(capsys: pytest.CaptureFixture[str]) -> None:
    answer = await listed("all")
    for prefix, most, most_whole in (("task_", 370, 720), ("agent_", 190, 360)):
        tools = [tool for tool in answer.tools if tool.name.startswith(prefix)]
        given = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema} for tool in tools
        ]
        for_model = sum(tokens(compact(tool)) for tool in given)
        whole = sum(tokens(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools)
        with capsys.disabled():
            print(f"\n{prefix}*: {for_model} tokens of names, descriptions and input schemas; {whole} in all")
        assert for_model <= most
        assert whole <= most_whole


async def test_the_tools_for_asking_people_cost_a_model_at_most_230_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    given = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        for tool in (await listed()).tools
        if tool.name.startswith("human_")
    ]
    cost = sum(tokens(compact(tool)) for tool in given)
    with capsys.disabled():
        print(f"\ntools for asking people: {cost} tokens of names, descriptions and input schemas")
    assert cost <= 230


async def test_the_tools_of_conversations_keep_their_share(capsys: pytest.CaptureFixture[str]) -> None:
    answer = await listed("all")
    for name, most in (("conversation_add", 260), ("memory_ask", 140)):
        (tool,) = [tool for tool in answer.tools if tool.name == name]
        given = {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        cost = tokens(compact(given))
        with capsys.disabled():
            print(f"\n{name}: {cost} tokens of name, description and input schema")
        assert cost <= most


@pytest.mark.parametrize("tool", build_tools("all"), ids=lambda tool: str(tool.name))
def test_every_hint_is_stated_and_every_description_is_short(tool: Any) -> None:
    hints = tool.annotations
    assert None not in (
        hints.read_only_hint,
        hints.destructive_hint,
        hints.idempotent_hint,
        hints.open_world_hint,
    )
    assert hints.destructive_hint == (tool.name == "memory_forget")
    assert tool.title
    assert tool.description.startswith("Call ")
    assert len(tool.description) < 500


@pytest.mark.parametrize("tool", build_tools("all"), ids=lambda tool: str(tool.name))
def test_schemas_carry_no_titles_and_no_null_alternatives(tool: Any) -> None:
    assert tool.parameters["additionalProperties"] is False
    text = compact(tool.parameters)
    assert "anyOf" not in text
    assert "null" not in text
    assert "memories" not in text
    assert "anyOf" not in compact(tool.output_schema)
    for name, schema in tool.parameters["properties"].items():
        assert schema.get("type"), name
        assert not isinstance(schema.get("title"), str)


def test_instructions_fit_and_begin_with_when_to_use_the_memory() -> None:
    assert len(INSTRUCTIONS.encode()) < 2000
    assert "memory_search first" in "".join(INSTRUCTIONS.splitlines()[:2])


def test_every_tool_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
    for tool in build_tools("all"):
        assert f"`{tool.name}`" in page
        for name in tool.parameters["properties"]:
            assert f"`{name}`" in page, f"{tool.name}({name})"
