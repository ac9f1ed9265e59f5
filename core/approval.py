"""What needs a person's leave, and forgetting that asks for it."""

from dataclasses import dataclass, replace
from typing import Literal

from .answers import clean
from .calls import Caller
from .memory import Memory
from .models import HumanRequest, Item, ItemState, Leave, Outcome, Receipt, Said
from .people import People
from .ports import Store

HOUR_SECONDS = 3600.0
PurgePolicy = Literal["always", "dialog", "never"]


@dataclass(frozen=True, slots=True)
class HumanPolicy:
    """What needs a person: ``purge`` always, where the client can show a dialog, or never; and further forgetting by
    one client after so many items within an hour, 0 for no limit."""

    purge: PurgePolicy = "dialog"
    bulk_forget: int = 100


class Approval:
    """Forgets, restores and purges for agents; people themselves use Memory."""

    def __init__(self, *, memory: Memory, people: People, store: Store, policy: HumanPolicy) -> None:
        """Take the services."""
        self._memory = memory
        self._people = people
        self._store = store
        self._policy = policy

    async def wanted(self, caller: Caller, item_id: str, mode: str, *, dialog: bool) -> Leave | None:
        """Return what a person has to be asked now, None where nothing needs leave or it was given; writes nothing.

        ``dialog`` says whether the client can ask its user.

        Raises:
            InvalidInputError: the id is malformed.
            ItemNotFoundError: no such item.
        """
        leave = await self._needed(caller, item_id, mode, dialog=dialog)
        return None if leave is None or await self._granted(caller, leave) is not None else leave

    async def forget(self, caller: Caller, item_id: str, mode: str, *, noted: Caller, said: Said) -> Receipt:
        """Do what Memory.forget does, with a person's leave where one is needed.

        ``said`` is what a dialog about ``wanted`` brought; ``noted`` is the caller as the history shows it. Without
        leave nothing is done: outcome ``asked``, with the open request in the notes, or ``refused``.

        Raises:
            InvalidInputError: the id or the mode is not acceptable.
            ItemNotFoundError: no such item.
            ConflictError: see Memory.forget; or the item changed since leave was given.
        """
        leave = await self._needed(caller, item_id, mode, dialog=said.action != "unasked")
        if leave is None:
            return await self._memory.forget(noted, item_id, mode)
        grant = await self._granted(caller, leave)
        if grant is None:
            request, wrong = await self._ask(caller, leave, said)
            if not request.grants:
                return await self._undone(caller, item_id, mode, request, wrong)
            grant = request
        if leave.purpose == "purge":
            return await self._memory.forget(noted, item_id, mode, leave=grant.request_id)
        await self._people.use(caller, grant.request_id)
        return await self._memory.forget(noted, item_id, mode)

    async def _needed(self, caller: Caller, item_id: str, mode: str, *, dialog: bool) -> Leave | None:
        if mode == "purge" and (self._policy.purge == "always" or (self._policy.purge == "dialog" and dialog)):
            return _purge(await self._memory.get(caller, item_id), caller)
        if mode == "forget" and self._policy.bulk_forget:
            return await self._needed_for_many(caller, item_id)
        return None

    async def _needed_for_many(self, caller: Caller, item_id: str) -> Leave | None:
        limit = self._policy.bulk_forget
        forgotten = await self._store.count_forgets(caller.namespace, caller.actor, seconds=HOUR_SECONDS)
        if forgotten < limit or (await self._memory.get(caller, item_id)).state is ItemState.FORGOTTEN:
            return None
        question = (
            f"{caller.actor} has forgotten {limit} items within an hour, as many as it may without asking. "
            f"May it forget {limit} more? Forgotten items can be restored."
        )
        return Leave("bulk_forget", question, clean(question), caller.actor)

    async def _granted(self, caller: Caller, leave: Leave) -> HumanRequest | None:
        return await self._people.granted(
            caller.namespace, leave.purpose, leave.subject, leave.subject_id, state=leave.state
        )

    async def _ask(self, caller: Caller, leave: Leave, said: Said) -> tuple[HumanRequest, str | None]:
        request = await self._people.request(
            caller,
            question=leave.question,
            purpose=leave.purpose,
            subject=leave.subject,
            subject_id=leave.subject_id,
            state=leave.state,
        )
        if said.action == "accept" and said.asked != leave.shown:
            return request, "What the person agreed to has changed meanwhile."
        return await self._people.heard(caller, request, said)

    async def _undone(
        self, caller: Caller, item_id: str, mode: str, request: HumanRequest, wrong: str | None
    ) -> Receipt:
        """Return a receipt that says that nothing was done, and why."""
        standing = await self._memory.standing(caller, item_id)
        done = "purged" if mode == "purge" else "forgotten"
        outcome: Outcome = "asked"
        if request.status == "open":
            note = (
                f"Nothing was {done}: a person must agree first. {request.request_id} waits for them in `palimpsest "
                "inbox`; you are told of the answer, and call again after a yes."
            )
        else:
            outcome = "refused"
            note = f"Nothing was {done}: a person said no ({request.request_id}). Do not ask again unless they want it."
        return replace(standing, outcome=outcome, notes=(*([wrong] if wrong else []), note))


def _purge(item: Item, caller: Caller) -> Leave:
    question = (
        f"{caller.actor} wants to delete {item.item_id} for good, all its versions included. It has {item.tokens} "
        f"tokens in version {item.version} (sha256 {item.sha256[:12]}) in thread {item.thread}."
    )
    # What the table keeps must hold nothing of the item, or the purge would leave it there.
    title = f" Its title is {item.labels.title!r}." if item.labels.title else ""
    return Leave("purge", question, clean(question + title), item.sha256, "item", item.item_id)
