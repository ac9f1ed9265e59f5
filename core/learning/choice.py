"""Which adapter answers whom, as the registry says, without asking that for every call."""

from collections.abc import Callable
from time import monotonic

from ..models import Route
from ..ports import AdapterChoice, Store
from .routing import adapter_for

FRESH_SECONDS = 5.0
"""A promotion or a roll back comes to every process within so long."""
MISSING_SECONDS = 60.0
"""An adapter that the server did not know is asked for again after so long."""


class RegistryChoice(AdapterChoice):
    """An AdapterChoice by the registry."""

    def __init__(
        self, store: Store, *, told: Callable[[str], None] | None = None, seconds: Callable[[], float] = monotonic
    ) -> None:
        """``told`` hears what is amiss; ``seconds`` is a clock that only moves forward."""
        self._told = told
        self._store = store
        self._seconds = seconds
        self._routes: dict[str, tuple[float, Route]] = {}
        self._missing: dict[tuple[str, str], float] = {}

    async def choose(self, namespace: str, key: str) -> str | None:
        """See AdapterChoice."""
        read, route = self._routes.get(namespace, (float("-inf"), Route()))
        if self._seconds() - read >= FRESH_SECONDS:
            route = await self._store.route(namespace)
            self._routes[namespace] = self._seconds(), route
        name = adapter_for(route, key)
        if name is None or self._seconds() < self._missing.get((namespace, name), float("-inf")):
            return None
        return name

    async def missing(self, namespace: str, name: str) -> None:
        """See AdapterChoice; the registry stays as it is, for the server may only have been started anew."""
        self._missing[namespace, name] = self._seconds() + MISSING_SECONDS
        if self._told is not None:
            self._told(f"The small model's server lacks the adapter {name}; `palimpsest slm reload` loads it again.")
