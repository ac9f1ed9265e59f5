"""How a tool reaches the memory that it acts on, and on whose behalf."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

from mcp.server.mcpserver import Context, Resolve

from ..core.calls import Caller
from ..core.memory import Memory

if TYPE_CHECKING:
    # What all services stand on is not needed before the first call.
    from ..core.services import Services


@dataclass(frozen=True, slots=True)
class Session:
    """What one call works with.

    ``wake`` tells the background worker that an add left something to finish; ``thread`` is that of what is added
    without one; ``dialog_seconds`` is how long a dialog is waited for where the protocol leaves that to the server.
    """

    services: "Services"
    caller: Caller
    wake: Callable[[], None]
    thread: str = "main"
    dialog_seconds: float = 50.0

    @property
    def memory(self) -> Memory:
        """The memory service."""
        return self.services.memory

    def because(self, reason: str | None) -> Caller:
        """Return the caller with its reason, as the history shows it."""
        return self.caller.because(reason)


class Access(Protocol):
    """What the server's lifespan gives to the tools."""

    async def session(self, client: str) -> Session:
        """Open the memory where it is not open yet, for a client of this name.

        Raises:
            StoreUnavailableError: the database cannot be reached; the next call tries again.
            SettingsError: it cannot run as configured.
        """
        ...

    def lose(self) -> None:
        """Take note that the database could not be reached, so that the next call may open it anew."""
        ...


def client_name(context: Context[Any, Any]) -> str:
    """Return the name that the client gave itself; ``client`` when it gave none."""
    parameters = context.session.client_params
    name = parameters.client_info.name if parameters is not None else ""
    return " ".join(name.replace("\x00", " ").split())[:60] or "client"


async def open_session(context: Context) -> Session:
    """Return the session of a call."""
    access = cast(Access, context.request_context.lifespan_context)
    return await access.session(client_name(context))


Memories = Annotated[Session, Resolve(open_session)]
"""A tool's way to its session: filled in by the server, hidden from the schema."""
