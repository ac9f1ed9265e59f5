"""What a client sees: the tools, the resources and the prompts."""

from mcp.types import ToolAnnotations

from .agents import agent_list, agent_register
from .asking import memory_ask
from .context import memory_compress, memory_context
from .conversations import conversation_add
from .export import memory_export
from .people import human_ask, human_list
from .quarantine import quarantine_add, quarantine_list, quarantine_release, quarantine_retrieve
from .reading import memory_list, memory_retrieve, memory_search
from .state import memory_state
from .tasks import task_create, task_list, task_update
from .tool import MemoryTool, Toolset, ToolSpec
from .writing import memory_add, memory_forget, memory_update

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_DELETES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
_STEPS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
# The question may go to a language model elsewhere.
_ASKS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_ALWAYS = {"anthropic/alwaysLoad": True}
_LONG = {"anthropic/maxResultSizeChars": 200_000}

TOOLS = (
    ToolSpec(memory_add, "Remember", _ADDS, meta=_ALWAYS),
    ToolSpec(memory_search, "Search memories", _READS, meta=_ALWAYS),
    ToolSpec(memory_retrieve, "Read a memory", _READS, meta=_LONG),
    ToolSpec(memory_update, "Change a memory", _ADDS),
    ToolSpec(memory_forget, "Forget or restore", _DELETES),
    # With a model it is remembered, so this is no mere reading.
    ToolSpec(memory_context, "Context of a thread", _ADDS, meta=_LONG),
    ToolSpec(memory_compress, "Make room", _STEPS),
    ToolSpec(memory_state, "State of the memory", _READS),
    ToolSpec(task_create, "Leave a task", _STEPS),
    ToolSpec(task_update, "Work on a task", _STEPS),
    ToolSpec(task_list, "List tasks", _READS),
    ToolSpec(quarantine_add, "Seal a secret", _ADDS),
    ToolSpec(quarantine_list, "What is sealed", _READS),
    # Each look is written into the history.
    ToolSpec(quarantine_retrieve, "Read a sealed text", _STEPS, meta=_LONG),
    ToolSpec(quarantine_release, "Ask for release", _STEPS),
    ToolSpec(memory_list, "List memories", _READS, toolset="all"),
    ToolSpec(memory_export, "Export the memory", _READS, toolset="all", meta=_LONG),
    ToolSpec(agent_register, "Register an agent", _ADDS, toolset="all"),
    ToolSpec(agent_list, "List agents", _READS, toolset="all"),
    ToolSpec(human_ask, "Ask a person", _ADDS, toolset="all"),
    ToolSpec(human_list, "Questions to people", _READS, toolset="all"),
    ToolSpec(memory_ask, "Ask the memory", _ASKS, toolset="all"),
    ToolSpec(conversation_add, "Keep a conversation", _ADDS, toolset="all"),
)
"""Every tool of the server, in the order in which clients list them."""


def build_tools(toolset: Toolset) -> list[MemoryTool]:
    """Return the tools of a toolset: ``default``, or ``all``."""
    return [MemoryTool.build(spec) for spec in TOOLS if toolset == "all" or spec.toolset == "default"]


__all__ = ["TOOLS", "MemoryTool", "ToolSpec", "Toolset", "build_tools"]
