"""How an adapter comes to answer, and how it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import AdapterError, ConflictError, InvalidInputError, TextModelError
from ..models import Adapter, AdapterChange, AdapterState, Route
from ..ports import AdapterFiles, AdapterHost, Store, Teaching

PROBE_TOKENS = 64
_SERVABLE: tuple[AdapterState, ...] = ("published", "loaded", "retired")


@dataclass(frozen=True, slots=True)
class Promoted:
    """An adapter that answers now, and what it said when it was tried."""

    adapter: Adapter
    route: Route
    said: Sequence[str]


class Deployment:
    """Loads adapters, tries them, and says which one answers."""

    def __init__(self, *, store: Store, files: AdapterFiles, host: AdapterHost, teaching: Teaching) -> None:
        """Take the ports; nothing is asked of the server here."""
        self._store = store
        self._files = files
        self._host = host
        self._teaching = teaching

    async def promote(self, namespace: str, name: str, *, share: int = 100) -> Promoted:
        """Load an adapter, try it, and let it answer ``share`` per cent of the calls: at 100 it is the active one.

        Raises:
            InvalidInputError: no share.
            NotFoundError: no such adapter.
            ConflictError: it was refused, failed or tainted, or is still in training.
            AdapterError: its files are not as they were published, or the server refuses them.
            TextModelUnavailableError: the server cannot be reached.
        """
        if not 1 <= share <= 100:
            raise InvalidInputError(f"A share of {share} per cent is none; use 1 to 100.")
        adapter = await self._store.get_adapter(namespace, name)
        if adapter.state == "active":
            await self._load(adapter)
            return Promoted(adapter, await self._store.route(namespace), ())
        if adapter.state not in _SERVABLE:
            why = f": {adapter.reason}" if adapter.reason else "."
            raise ConflictError(f"The adapter {name} is {adapter.state}, so it cannot be promoted{why}")
        said = await self._tried(namespace, adapter)
        await self._store.change_adapter(namespace, name, AdapterChange("loaded", share=0), states=_SERVABLE)
        change = AdapterChange("active", share=0) if share == 100 else AdapterChange(share=share)
        adapter = await self._store.change_adapter(namespace, name, change, states=["loaded"])
        return Promoted(adapter, await self._store.route(namespace), said)

    async def roll_back(self, namespace: str, reason: str) -> Route:
        """Let answer what did before: a trial is ended, else the active adapter gives way to the one before it.

        That one is looked at and loaded first; where it cannot be, the base model answers.

        Raises:
            ConflictError: the base model answers already.
        """
        route = await self._store.route(namespace)
        if route.trial is not None:
            await self._retire(namespace, route.trial, reason)
        elif route.active is not None:
            active = await self._store.get_adapter(namespace, route.active)
            before = None if active.previous is None else await self._servable(namespace, active.previous)
            if before is None:
                await self._retire(namespace, active.name, reason)
            else:
                # One transaction: there is no moment at which nobody knows who answers.
                await self._store.change_adapter(namespace, before.name, AdapterChange("active"), states=_SERVABLE)
                await self._noted(namespace, active.name, reason)
        else:
            raise ConflictError("No adapter answers; there is nothing to roll back.")
        await self.tidy(namespace)
        return await self._store.route(namespace)

    async def tidy(self, namespace: str) -> Sequence[str]:
        """Unload what must not or need not answer any more, as far as the server can be reached; return the names."""
        gone: list[str] = []
        try:
            loaded = await self._host.loaded()
            for adapter in await self._store.adapters(namespace):
                if adapter.name in loaded and adapter.state not in ("loaded", "active"):
                    await self._host.unload(adapter.name)
                    gone.append(adapter.name)
        except TextModelError:
            # What the route does not name is not asked for either.
            pass
        return gone

    async def load(self, namespace: str, name: str) -> None:
        """Load an adapter that answers nobody yet; see ``promote`` for what it raises."""
        await self._load(await self._store.get_adapter(namespace, name))

    async def restore(self, namespace: str) -> Route:
        """Load again what should answer, after the server of the model was started anew.

        Raises:
            AdapterError: its files are not as they were published.
            TextModelUnavailableError: the server cannot be reached.
        """
        route = await self._store.route(namespace)
        for name in (route.active, route.trial):
            if name is not None:
                await self._load(await self._store.get_adapter(namespace, name))
        return route

    async def _servable(self, namespace: str, name: str) -> Adapter | None:
        adapter = await self._store.get_adapter(namespace, name)
        if adapter.state not in _SERVABLE:
            return None
        try:
            await self._load(adapter)
        except AdapterError:
            return None
        return adapter

    async def _load(self, adapter: Adapter) -> None:
        path = await self._files.verified(adapter)
        if adapter.name not in await self._host.loaded():
            await self._host.load(adapter.name, path)

    async def _tried(self, namespace: str, adapter: Adapter) -> Sequence[str]:
        """Load an adapter and ask it something; what cannot answer is unloaded again."""
        try:
            await self._load(adapter)
        except AdapterError as error:
            await self._noted(namespace, adapter.name, str(error))
            raise
        said: list[str] = []
        try:
            for system, prompt in self._teaching.probes():
                said.append(await self._host.say(adapter.name, system, prompt, max_tokens=PROBE_TOKENS))
                if not said[-1].strip():
                    raise AdapterError(f"The adapter {adapter.name} said nothing to a trial question; it is not used.")
        except (AdapterError, TextModelError) as error:
            await self._host.unload(adapter.name)
            await self._noted(namespace, adapter.name, str(error))
            raise
        return said

    async def _retire(self, namespace: str, name: str, reason: str) -> None:
        await self._store.change_adapter(
            namespace, name, AdapterChange("retired", share=0, reason=reason), states=["loaded", "active"]
        )

    async def _noted(self, namespace: str, name: str, reason: str) -> None:
        held = await self._store.get_adapter(namespace, name)
        await self._store.change_adapter(namespace, name, AdapterChange(reason=reason), states=[held.state])
