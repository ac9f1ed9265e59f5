"""Tools of agents: who is here, and what they can do."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from ..core import models
from .access import Memories
from .results import joined
from .task_results import AgentListResult, AgentResult, RegisteredResult


async def agent_register(
    memories: Memories,
    name: Annotated[str | None, Field(description="Default your client's")] = None,
    role: str | None = None,
    capabilities: list[str] | None = None,
) -> Annotated[CallToolResult, RegisteredResult]:
    """Call before claiming tasks under a name of your own, and now and then while you work, to keep your claims."""
    receipt = await memories.services.agents.register(memories.caller, name, role=role, capabilities=capabilities)
    agent = AgentResult.of(receipt.agent)
    result = RegisteredResult(**agent.model_dump(), outcome=receipt.outcome)
    kept = f"Claims prolonged: {', '.join(receipt.renewed)}." if receipt.renewed else None
    return result.answer(joined([f"{receipt.outcome.capitalize()}: {describe_agent(receipt.agent)}", kept]))


async def agent_list(memories: Memories, limit: int = 50) -> Annotated[CallToolResult, AgentListResult]:
    """Call to see which agents there are, what they can do and what they work on."""
    agents = await memories.services.agents.list_agents(memories.caller, limit)
    result = AgentListResult(agents=[AgentResult.of(agent) for agent in agents])
    return result.answer(joined([f"{len(agents)} agents, last seen first.", *map(describe_agent, agents)]))


def describe_agent(agent: models.Agent) -> str:
    """Return an agent as one line."""
    parts = [agent.name, agent.role or "no role", ", ".join(agent.capabilities) or "no capabilities"]
    parts.append(f"seen {agent.last_seen_at.isoformat(timespec='seconds').replace('+00:00', 'Z')}")
    parts += [f"works on {', '.join(agent.task_ids)}"] if agent.task_ids else []
    return " · ".join(parts)
