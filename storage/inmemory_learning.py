"""Training examples and adapters without a database."""

from collections.abc import Sequence
from dataclasses import fields, replace

from ..core.errors import ConflictError, NotFoundError
from ..core.ids import new_number
from ..core.learning.sentences import TRAINING, in_other_state, no_adapter
from ..core.models import (
    Adapter,
    AdapterChange,
    AdapterState,
    Example,
    ExampleCount,
    ExampleDraft,
    ExampleKind,
    Lesson,
    Route,
    Split,
)
from .inmemory_item import Record
from .inmemory_lessons import may_teach
from .inmemory_shelf import Shelf
from .inmemory_spaces import Spaces


class Learning(Spaces):
    """Training examples and adapters by namespace."""

    async def lessons(
        self, namespace: str, *, teachers: Sequence[str], strangers: Sequence[str], after: str | None, limit: int
    ) -> Sequence[Lesson]:
        """See Store."""
        now = self._clock.now()
        found: list[Lesson] = []
        for item_id, record in sorted(self._shelves[namespace].records.items()):
            expires = record.item.expires_at
            if item_id > (after or "") and may_teach(record.item) and (expires is None or expires > now):
                found += _lessons(record, tuple(teachers), tuple(strangers))
        return found[:limit]

    async def put_examples(self, namespace: str, drafts: Sequence[ExampleDraft]) -> int:
        """See Store."""
        shelf, now = self._swept(namespace), self._clock.now()
        made = 0
        for draft in drafts:
            known = shelf.lessons.examples.get(draft.sha256)
            item = None if draft.item_id is None else shelf.records.get(draft.item_id)
            if draft.item_id is not None and (item is None or not may_teach(item.item)):
                continue
            if known is not None and known.revoked_at is None:
                continue
            values = {one.name: getattr(draft, one.name) for one in fields(ExampleDraft)}
            fresh = Example(**values, example_id=new_number(), created_at=now)
            shelf.lessons.examples[draft.sha256] = (
                fresh if known is None else replace(known, revoked_at=None, item_id=draft.item_id)
            )
            made += 1
        return made

    async def examples(self, namespace: str) -> Sequence[Example]:
        """See Store."""
        held = self._swept(namespace).lessons.examples.values()
        return sorted((one for one in held if one.revoked_at is None), key=lambda one: one.example_id)

    async def count_examples(self, namespace: str) -> Sequence[ExampleCount]:
        """See Store."""
        held = self._swept(namespace).lessons.examples.values()
        counts: dict[tuple[ExampleKind, Split], list[int]] = {}
        for one in held:
            count = counts.setdefault((one.kind, one.split), [0, 0])
            count[0] += 1
            count[1] += one.revoked_at is not None
        return [ExampleCount(*place, *counts[place]) for place in sorted(counts)]

    async def begin_adapter(
        self,
        namespace: str,
        *,
        base_model: str,
        owner: str,
        examples: Sequence[int],
        items: Sequence[str],
        stem: str,
    ) -> Adapter:
        """See Store."""
        held, now = self._swept(namespace).lessons.adapters, self._clock.now()
        if any(one.state == "training" for one in held.values()):
            raise ConflictError(TRAINING)
        version = max((one.version for one in held.values()), default=0) + 1
        name = f"{stem}-v{version:04}"
        held[name] = Adapter(
            name=name,
            version=version,
            state="training",
            base_model=base_model,
            owner=owner,
            created_at=now,
            updated_at=now,
            heartbeat_at=now,
            parent=(await self.route(namespace)).active,
            examples=tuple(examples),
            items=tuple(items),
        )
        return held[name]

    async def change_adapter(
        self, namespace: str, name: str, change: AdapterChange, *, states: Sequence[AdapterState]
    ) -> Adapter:
        """See Store."""
        adapter = await self.get_adapter(namespace, name)
        if adapter.state not in states:
            raise ConflictError(in_other_state(name, adapter.state, states))
        held, now = self._shelves[namespace].lessons.adapters, self._clock.now()
        state = change.state or adapter.state
        active = (await self.route(namespace)).active
        becomes = state == "active" != adapter.state
        if becomes and active is not None:
            held[active] = replace(held[active], state="retired", share=0, updated_at=now)
        held[name] = replace(
            adapter,
            state=state,
            stage=(change.stage or adapter.stage) if state == "training" else None,
            share=adapter.share if change.share is None else change.share,
            reason=change.reason or adapter.reason,
            report={**adapter.report, **(change.report or {})},
            manifest=change.manifest or adapter.manifest,
            previous=active if becomes and adapter.state == "loaded" else adapter.previous,
            updated_at=now,
            heartbeat_at=now,
        )
        return held[name]

    async def get_adapter(self, namespace: str, name: str) -> Adapter:
        """See Store."""
        try:
            return self._swept(namespace).lessons.adapters[name]
        except KeyError:
            raise NotFoundError(no_adapter(name)) from None

    async def adapters(self, namespace: str) -> Sequence[Adapter]:
        """See Store."""
        held = self._swept(namespace).lessons.adapters.values()
        return sorted(held, key=lambda one: one.version, reverse=True)

    async def route(self, namespace: str) -> Route:
        """See Store."""
        held = await self.adapters(namespace)
        active = next((one.name for one in held if one.state == "active"), None)
        trial = next((one for one in held if one.state == "loaded" and one.share), None)
        return Route(active, None, 0) if trial is None else Route(active, trial.name, trial.share)

    def _swept(self, namespace: str) -> Shelf:
        shelf = self._shelves[namespace]
        shelf.sweep(self._clock.now())
        return shelf


def _lessons(record: Record, teachers: tuple[str, ...], strangers: tuple[str, ...]) -> list[Lesson]:
    item, (content, sha256) = record.item, record.contents[-1]
    return [
        Lesson(item.item_id, item.labels.title, content, sha256, one.text, one.tokens, one.compressor)
        for one in record.renditions
        if one.detail == "summary" and one.compressor.startswith(teachers) and not one.compressor.startswith(strangers)
    ]
