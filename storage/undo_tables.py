"""Taking back changes of items: each returns to what it was, and so does what followed from the change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core import ladder
from ..core.budget import Budgets
from ..core.errors import ConflictError, ItemNotFoundError
from ..core.ids import parse_id, parse_item_id, thread_number
from ..core.models import Event, ItemDraft, ItemState, Receipt, Trail
from . import images, rows
from .accounts import NOTHING, Weight, less, plus, weight
from .change_tables import ChangeTables, costs_of
from .images import LABELS, Before, outcome_of, returned
from .rows import Row
from .tables import Settled

if TYPE_CHECKING:
    from ..core.ports import Redraft
    from .pool import Connection

_COLUMNS = (
    "thread",
    "state",
    *LABELS[:-1],
    "detail",
    "position",
    "occurrence",
    "lineage",
    "header_tokens",
    "happened_at",
    "trust",
)


@dataclass(frozen=True, slots=True)
class _Held:
    """What an undo is about: its event, the rows that are held, and how things were."""

    event: Event
    before: Before
    row: Row
    others: Mapping[int, Row]


class UndoTables(ChangeTables):
    """Undo."""

    async def undo(
        self, namespace: str, event_id: int | None, *, actor: str, budgets: Budgets, redraft: Redraft
    ) -> tuple[Event, Receipt | None]:
        """See Store."""
        event, image = await self._undoable(namespace, event_id)
        if event.subject == "thread":
            await self._undo_model(namespace, event, image, actor, budgets)
            return event, None
        if event.subject != "item":
            number = parse_id(event.subject, event.subject_id)
            await self._undo_other(namespace, event, number, image, actor=actor)
            return event, None
        before = Before.read(image)
        draft = await self._redrafted(namespace, event, before, redraft) if event.action == "edit" else None
        number = parse_item_id(event.subject_id)
        async with self._changing(namespace, event.subject_id) as connection:
            wanted = [event.subject_id, *before.trail.items]
            held = dict(await self._hold(connection, namespace, wanted, _threads(before)))
            if number not in held:
                raise ItemNotFoundError(event.subject_id)
            about = _Held(event, before, held.pop(number), held)
            await self._check_newest(connection, namespace, "item", number, event.event_id)
            new, settled = await self._put_back(connection, namespace, about, draft, budgets)
            if image:
                await self._drop_image(connection, namespace, event.event_id)
            await self._record(connection, namespace, actor, "undo", new, None)
            return event, await self._done(
                connection, namespace, new, outcome_of(event, new["state"]), settled, budgets
            )

    async def _redrafted(self, namespace: str, event: Event, before: Before, redraft: Redraft) -> ItemDraft:
        number = parse_item_id(event.subject_id)
        async with self._pool.transaction(namespace) as connection:
            old = await connection.fetchrow(self._queries["read_version"], namespace, number, before.own["version"])
        assert old is not None
        # Images of earlier versions know of no trust.
        labels = rows.labels({"trust": 1, **before.own})
        draft = await redraft(rows.item(old), labels, before.own["thread"], old["content"])
        return replace(draft, happened_at=before.own["happened_at"])

    async def _put_back(
        self, connection: Connection, namespace: str, about: _Held, draft: ItemDraft | None, budgets: Budgets
    ) -> tuple[Row, Settled]:
        """Let everything be as it was, then bring the accounts up to date."""
        trail, written = about.before.trail, about.row
        if draft is not None:
            occurrence = about.before.own.get("occurrence") or 0
            written = await self._write_version(connection, namespace, about.row, draft, None, occurrence)
        if trail.renditions is not None:
            former = trail.renditions
            made = [one.detail for one in former]
            await self._write_renditions(connection, namespace, written["item_id"], former, made)
        if trail.model is not None:
            await connection.execute(self._queries["put_model_back"], namespace, *astuple(trail.model))
        others = await self._others_back(connection, namespace, about.event, trail, about.others)
        costs = costs_of((await connection.fetch(self._queries["lock"], namespace, [written["item_id"]]))[0])
        target = await self._target(connection, namespace, about, written)
        target["detail"], cost = ladder.cost_at(_with_header(costs, written, target), target["detail"])
        new = await connection.fetchrow(
            self._queries["put_back"], namespace, written["item_id"], *(target[name] for name in _COLUMNS), cost
        )
        assert new is not None
        if new["state"] != about.row["state"]:
            live = new["state"] == ItemState.ACTIVE
            await connection.execute(self._queries["set_live"], namespace, new["item_id"], live)
        lineages = {about.row["lineage"], new["lineage"], *_lineages(trail)}
        await self._resettle(connection, namespace, *lineages)
        moved = [(about.row, new), *((about.others[row["item_id"]], row) for row in others)]
        settled = await self._recount(connection, namespace, moved, budgets)
        return new, settled[new["thread"]]

    async def _target(self, connection: Connection, namespace: str, about: _Held, written: Row) -> dict[str, Any]:
        """Return what the item's columns are to be."""
        target = {name: written[name] for name in _COLUMNS}
        if about.event.action == "add":
            if written["state"] != ItemState.ACTIVE:
                raise ConflictError(
                    f"Item {about.event.subject_id} is forgotten already; there is nothing to take back."
                )
            return {**target, "state": ItemState.FORGOTTEN.value}
        own = about.before.own
        for step in about.before.trail.steps:
            # It may have stepped down itself.
            if step.item_id == about.event.subject_id and step.to == written["detail"]:
                target["detail"] = step.detail
        for name in returned(about.event.action) if own else ():
            # Images of earlier versions lack some fields.
            if own.get(name) is not None or name in ("title", "lineage"):
                target[name] = own.get(name)
        if isinstance(target["lineage"], str):
            target["lineage"] = parse_item_id(target["lineage"])
        if own and own.get("position") is None and target["thread"] != about.row["thread"]:
            target["position"] = await self._next_place(connection, namespace, target["thread"])
        return target

    async def _others_back(
        self, connection: Connection, namespace: str, event: Event, trail: Trail, held: Mapping[int, Row]
    ) -> Sequence[Row]:
        """Let other items stand where they stood, unless something moved them since."""
        wanted: dict[int, dict[str, Any]] = {}
        steps = {parse_item_id(one.item_id): one for one in trail.steps}
        links = {parse_item_id(one.item_id): one for one in trail.links}
        joined = await self._joined(connection, namespace, trail, event.event_id)
        for number, row in held.items():
            back = {"detail": row["detail"], "cost": row["cost"], "lineage": row["lineage"]}
            if number in steps and steps[number].to == row["detail"]:
                back["detail"], back["cost"] = ladder.cost_at(costs_of(row), steps[number].detail)
            if number in links and parse_item_id(links[number].to) == row["lineage"]:
                former = links[number].lineage
                # Who joined since would be left alone.
                if former is not None or row["lineage"] not in joined:
                    back["lineage"] = None if former is None else parse_item_id(former)
            wanted[number] = back
        columns = [[one[name] for one in wanted.values()] for name in ("detail", "cost", "lineage")]
        return await connection.fetch(self._queries["put_others_back"], namespace, list(wanted), *columns)

    async def _joined(self, connection: Connection, namespace: str, trail: Trail, event_id: int) -> Collection[int]:
        """Return those of a trail's lineages that others came into since."""
        wanted = sorted({parse_item_id(one.to) for one in trail.links})
        if not wanted:
            return ()
        return {row["lineage"] for row in await connection.fetch(self._queries["joined"], namespace, wanted, event_id)}

    async def _recount(
        self, connection: Connection, namespace: str, moved: Sequence[tuple[Row, Row]], budgets: Budgets
    ) -> Mapping[str, Settled]:
        """Bring the accounts of threads that rows left or came to up to date, and their blocks under the trigger."""
        changes: dict[str, Weight] = {}
        for old, new in moved:
            for row, change in ((old, less(weight(old))), (new, weight(new))):
                changes[row["thread"]] = plus(changes.get(row["thread"], NOTHING), change)
        settled: dict[str, Settled] = {}
        for thread in sorted(changes):
            account = await self._account(connection, namespace, thread, changes[thread])
            settled[thread] = await self._settle(connection, namespace, account, budgets)
        return settled

    async def _undo_model(
        self, namespace: str, event: Event, image: Mapping[str, Any], actor: str, budgets: Budgets
    ) -> None:
        """Take back that a thread was given a model."""
        trail = images.read_trail(image)
        assert trail.model is not None
        number = thread_number(trail.model.thread)
        async with self._pool.transaction(namespace) as connection:
            held = await self._hold(connection, namespace, trail.items, [trail.model.thread])
            await self._check_newest(connection, namespace, "thread", number, event.event_id)
            done = await connection.execute(self._queries["put_model_back"], namespace, *astuple(trail.model))
            if done != "UPDATE 1":
                raise ConflictError("The thread's model changed again since; undo the newer change first.")
            others = await self._others_back(connection, namespace, event, trail, held)
            await self._recount(connection, namespace, [(held[row["item_id"]], row) for row in others], budgets)
            await self._drop_image(connection, namespace, event.event_id)
            await self.record(
                connection,
                namespace,
                actor=actor,
                action="undo",
                subject="thread",
                number=number,
                version=1,
                sha256=images.model_digest(trail.model.model),
            )


def _threads(before: Before) -> Sequence[str]:
    model = before.trail.model
    named = [before.own.get("thread"), None if model is None else model.thread]
    return [one for one in named if one is not None]


def _with_header(costs: Mapping[Any, int], row: Row, target: Mapping[str, Any]) -> Mapping[Any, int]:
    change = target["header_tokens"] - row["header_tokens"]
    return {detail: cost + change for detail, cost in costs.items()}


def _lineages(trail: Trail) -> set[int]:
    return {parse_item_id(name) for one in trail.links for name in (one.lineage, one.to) if name is not None}
