"""The agent service: who works on tasks, what they can do, and who is alive."""

from collections.abc import Sequence
from datetime import timedelta

from . import validation
from .calls import Caller
from .errors import InvalidInputError
from .models import Agent, AgentDraft, AgentReceipt
from .ports import Store
from .tasks import LEASE, check_agent_name, check_capability

MAX_CAPABILITIES = 50


class Agents:
    """Registers agents and lists them."""

    def __init__(self, *, store: Store, lease: timedelta = LEASE) -> None:
        """Take the store; a heartbeat prolongs an agent's claims by ``lease``."""
        self._store = store
        self._lease = lease

    async def register(
        self,
        caller: Caller,
        name: str | None = None,
        *,
        role: str | None = None,
        capabilities: Sequence[str] | None = None,
    ) -> AgentReceipt:
        """Register an agent, or note that it is alive and what it says of itself; without a name, the client itself.

        What is left out stays as it was. The claims that it still holds are prolonged.

        Raises:
            InvalidInputError: a name or capability is not acceptable.
        """
        named = check_agent_name(name, "agent name") or check_agent_name(caller.actor, "agent name")
        if named is None:
            raise InvalidInputError("The agent has no name; pass one in `name`.")
        draft = AgentDraft(
            named,
            validation.check_label(role, "role"),
            None if capabilities is None else _capabilities(capabilities),
        )
        return await self._store.put_agent(caller.namespace, draft, actor=caller.actor, lease=self._lease)

    async def list_agents(self, caller: Caller, limit: int = 50) -> Sequence[Agent]:
        """Return the agents with the tasks that they hold, last seen first."""
        return await self._store.agents(caller.namespace, validation.check_range(limit, 1, 1000, "limit"))


def _capabilities(texts: Sequence[str]) -> tuple[str, ...]:
    found = tuple(sorted({name for name in map(check_capability, texts) if name is not None}))
    if len(found) > MAX_CAPABILITIES:
        raise InvalidInputError(f"{len(found)} capabilities are too many; {MAX_CAPABILITIES} are allowed.")
    return found
