"""The packet for whoever takes a task over: the task, what was decided and found out, and what it links to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from . import paging, task_rules
from .block import render
from .context import shrunk
from .models import BlockEntry, Decision, Dependency, Handoff, Task, TaskNote
from .ports import Store, TokenCounter

Decisions = Callable[[str, str], Awaitable[Sequence[Decision]]]
"""Finds what people decided about a task: (namespace, task id) to decisions, the oldest first."""
_ITEMS_SHARE = 0.4
"""At least this share of a packet is for linked items, where there are any."""
_CUT = " … (cut)"


class Packets:
    """Makes packets."""

    def __init__(self, *, store: Store, counter: TokenCounter, decisions: Decisions) -> None:
        """Take the ports."""
        self._store = store
        self._counter = counter
        self._decisions = decisions

    async def packet(self, namespace: str, task_id: str, max_tokens: int) -> Handoff:
        """Return a task's packet of at most ``max_tokens``."""
        task = await self._store.task(namespace, task_id)
        decisions = await self._decisions(namespace, task_id)
        kept = int(max_tokens * _ITEMS_SHARE) if task.item_ids else 0
        sheet = _Sheet(self._counter, max_tokens - kept)
        _write(sheet, task, decisions)
        sheet.room += kept
        entries = await self._items(namespace, task, sheet)
        while True:
            text = sheet.text() + render(entries)
            tokens = self._counter.count(text).tokens
            if tokens <= max_tokens:
                break
            # Parts joined may have a few tokens more than the parts.
            if entries:
                entries.pop()
            elif not sheet.drop_last():
                text, tokens = paging.fit(text, max_tokens, self._counter)
                break
        left = len(task.item_ids) - len(entries) - sheet.hidden
        if left:
            sheet.omitted.append(f"{left} linked items")
        return Handoff(task, text, tokens, tuple(sheet.omitted))

    async def _items(self, namespace: str, task: Task, sheet: "_Sheet") -> list[BlockEntry]:
        """Return the linked items at the details that the room allows."""
        if not task.item_ids:
            return []
        sheet.add("## Linked items")
        rungs = await self._store.linked(namespace, task.item_ids)
        shown = {rung.item_id for rung in rungs}
        for item_id in task.item_ids:
            if item_id not in shown:
                sheet.hidden += sheet.add(f"- {item_id} does not take part now: it was forgotten.")
        stands = shrunk(rungs, sheet.room)
        texts = await self._store.texts(namespace, [(rung.item_id, detail) for rung, detail, _ in stands])
        return [
            BlockEntry(
                rung.item_id,
                rung.title,
                detail,
                rung.costs["full"] - rung.header_tokens,
                cost,
                texts[rung.item_id, detail],
            )
            for rung, detail, cost in stands
            if (rung.item_id, detail) in texts
        ]


@dataclass(slots=True)
class _Sheet:
    """Lines that fit into ``room`` tokens; ``hidden`` counts links that are named and not shown."""

    counter: TokenCounter
    room: int
    lines: list[str] = field(default_factory=list[str])
    omitted: list[str] = field(default_factory=list[str])
    hidden: int = 0

    def add(self, line: str) -> bool:
        """Add a line, and say whether there was room."""
        tokens = self.counter.count(line + "\n").tokens
        if tokens > self.room:
            return False
        self.room -= tokens
        self.lines.append(line)
        return True

    def add_cut(self, text: str, share: float, what: str) -> None:
        """Add as much of a text as fits into a share of the room."""
        bound = int(self.room * share)
        if self.counter.count(text + "\n").tokens <= bound:
            self.add(text)
            return
        piece, _ = paging.fit(text, bound - self.counter.count(_CUT + "\n").tokens, self.counter)
        self.omitted.append(f"the rest of {what}")
        if piece:
            self.add(piece.rstrip() + _CUT)

    def add_list(self, heading: str, lines: Sequence[str], what: str) -> None:
        """Add as many of the lines as fit, the first ones first, under a heading."""
        if not lines:
            return
        if not self.add(f"\n## {heading}"):
            self.omitted.append(f"{len(lines)} {what}")
            return
        left = [line for line in lines if not self.add(line)]
        if left:
            self.omitted.append(f"{len(left)} {what}")

    def drop_last(self) -> bool:
        """Take the last line back; False when only the first is left."""
        if len(self.lines) < 2:
            return False
        self.lines.pop()
        return True

    def text(self) -> str:
        """Return the lines as a text."""
        return "".join(f"{line}\n" for line in self.lines)


def _write(sheet: _Sheet, task: Task, decisions: Sequence[Decision]) -> None:
    sheet.add_cut(f"# Task {task.task_id}: {task.title}", 1, "the title")
    sheet.add(_facts(task))
    if task.status == "blocked":
        sheet.add_cut(f"Blocked: {task_rules.why_blocked(task)}.", 0.3, "what it waits for")
    if task.description:
        sheet.add_cut(f"\n{task.description}", 0.6, "the description")
    if task.result:
        sheet.add_cut(f"\nResult: {task.result}", 0.6, "the result")
    sheet.add_list("Decisions by people", [_decision(one) for one in decisions], "decisions")
    sheet.add_list("What it depended on", [_dependency(one) for one in task.dependencies], "dependencies")
    sheet.add_list("Notes, newest first", [_note(one) for one in reversed(task.notes)], "notes")


def _facts(task: Task) -> str:
    parts = [task.standing, f"priority {task.priority}"]
    if task.holder is not None:
        parts[0] = f"claimed by {task.holder}"
        if task.lease_until is not None:
            parts.append(f"lease until {_when(task.lease_until)}")
    elif task.lapsed:
        parts.append(f"the lease of {task.agent} ran out")
    elif task.agent is not None:
        parts[0] += f" by {task.agent}"
    parts += [f"due {_when(task.due_at)}"] if task.due_at else []
    parts += [f"for {task.assignee} only"] if task.assignee else []
    parts += [f"needs {task.capability}"] if task.capability else []
    return f"{', '.join(parts)}; created by {task.created_by}, {_when(task.created_at)}"


def _decision(one: Decision) -> str:
    return f"- {one.request_id}, {one.decided_by}, {_when(one.at)}: {one.question} -> {one.answer}"


def _dependency(one: Dependency) -> str:
    return f"- {one.task_id} ({one.status}) {one.title}{f': {one.result}' if one.result else ''}"


def _note(one: TaskNote) -> str:
    return f"- {_when(one.at)}, {one.author}: {one.text}"


def _when(at: datetime) -> str:
    return at.isoformat(timespec="minutes").replace("+00:00", "Z")
