"""An export by pages: a dump, or an outline of what is held, in pieces that fit a client's context."""

import hashlib
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import paging
from .budget import Budgets
from .errors import ConflictError, InvalidInputError
from .export import Export
from .models import Filters, Item, ItemState, SealedItem, ThreadState
from .ports import Store, TokenCounter
from .validation import check_range
from .work_outline import agent_outlines, request_outlines, task_outlines

FORMATS = ("jsonl", "state")
_CURSOR = re.compile(r"export-(jsonl|state)-([1-9][0-9]{0,17})-([0-9a-f]{32})\Z")
_BAD_CURSOR = (
    "The cursor is not one that this export returned; pass next_cursor and the same format, "
    "or leave cursor out to start over."
)
_BYTES_PER_TOKEN = 24
_ITEMS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ExportPage:
    """A piece of an export. Joined in order, the pieces are the export, byte for byte.

    ``start`` and ``end`` are byte offsets; ``next_cursor`` is None at the end.
    """

    kind: str
    text: str
    start: int
    end: int
    tokens: int
    next_cursor: str | None


class ExportPages:
    """Exports for clients that read a page at a time."""

    def __init__(self, *, export: Export, store: Store, counter: TokenCounter, budgets: Budgets) -> None:
        """Take the service and ports; nothing is opened here."""
        self._export = export
        self._store = store
        self._counter = counter
        self._budgets = budgets

    async def page(
        self,
        namespace: str,
        kind: str = "jsonl",
        *,
        thread: str | None = None,
        cursor: str | None = None,
        max_tokens: int = 8000,
    ) -> ExportPage:
        """Return the piece of an export at ``cursor``: ``jsonl`` is the dump, ``state`` an outline without contents.

        Every page makes the export anew up to its own place, and a cursor carries the hash of all before it: pages
        that do not belong together are refused, and a large memory is better dumped by the command line.

        Raises:
            InvalidInputError: the format, cursor or bound is not acceptable.
            ConflictError: what comes before the cursor changed meanwhile.
            NotFoundError: there is no such thread.
        """
        check_range(max_tokens, 50, 1_000_000, "max_tokens")
        if kind not in FORMATS:
            raise InvalidInputError(f"{kind[:60]!r} is no format of an export; use jsonl or state.")
        start, expected = _parse(cursor, kind)
        lines = self._export.lines(namespace, thread) if kind == "jsonl" else self.state_lines(namespace, thread)
        async with aclosing(lines):
            digest, window, more = await _window(lines, start, max_tokens * _BYTES_PER_TOKEN)
        if window[:1] and window[0] & 0xC0 == 0x80:
            raise InvalidInputError(_BAD_CURSOR)
        if start and digest.hexdigest()[:32] != expected:
            raise ConflictError(
                "The memory changed since the page before, so this page would not follow it; "
                "leave cursor out to start over."
            )
        return self._cut(kind, start, digest, window, max_tokens, more=more)

    def _cut(self, kind: str, start: int, digest: Any, window: bytes, max_tokens: int, *, more: bool) -> ExportPage:
        shown = window.decode(errors="ignore")
        text, tokens = paging.fit(shown, max_tokens, self._counter)
        if not text and shown:
            # A single character dearer than the bound still has to be read.
            text = shown[0]
            tokens = self._counter.count(text).tokens
        raw = text.encode()
        digest.update(raw)
        end = start + len(raw)
        ended = not more and len(raw) == len(window)
        following = None if ended else f"export-{kind}-{end}-{digest.hexdigest()[:32]}"
        return ExportPage(kind, text, start, end, tokens, following)

    async def state_lines(self, namespace: str, thread: str | None = None) -> AsyncGenerator[bytes, None]:
        """Yield a JSON document: counts, threads, one line an item, newest first, the forgotten last; agents, tasks,
        requests; then one line for each sealed item, of which only the outline is known.

        Nothing is in it that changes by itself (sizes on disk, pending vectors, times of use).
        """
        counts = await self._store.state(namespace, "", budgets=self._budgets)
        head: dict[str, Any] = {
            "namespace": namespace,
            "thread": thread,
            "counts": {"items": counts.items, "forgotten": counts.forgotten, "content_bytes": counts.content_bytes},
            "threads": [_thread(one) for one in counts.threads if thread in (None, one.thread)],
        }
        yield _json(head)[:-1].encode() + b',"items":['
        border = b"\n"
        for state in (ItemState.ACTIVE, ItemState.FORGOTTEN):
            before: tuple[datetime, str] | None = None
            while True:
                page = await self._store.list_items(
                    namespace, Filters(thread=thread), state=state, limit=_ITEMS_AT_ONCE, before=before
                )
                for item in page.items:
                    yield border + _json(_item(item)).encode()
                    border = b",\n"
                if len(page.items) < _ITEMS_AT_ONCE:
                    break
                before = page.items[-1].created_at, page.items[-1].item_id
        if thread is None:
            for name, outlines in (
                ("agents", agent_outlines),
                ("tasks", task_outlines),
                ("requests", request_outlines),
            ):
                yield f'\n],"{name}":['.encode()
                border = b"\n"
                async for one in outlines(self._store, namespace):
                    yield border + _json(one).encode()
                    border = b",\n"
        yield b'\n],"quarantine":['
        border = b"\n"
        async for sealed in self._sealed(namespace, thread):
            yield border + _json(_outline(sealed)).encode()
            border = b",\n"
        yield b"\n]}\n" if border == b",\n" else b"]}\n"

    async def _sealed(self, namespace: str, thread: str | None) -> AsyncGenerator[SealedItem, None]:
        """Yield what is sealed, newest first; none of it belongs to a thread as long as it is."""
        before: tuple[datetime, str] | None = None
        while thread is None:
            page = await self._store.list_sealed(namespace, limit=_ITEMS_AT_ONCE, before=before)
            for item in page.items:
                yield item
            if len(page.items) < _ITEMS_AT_ONCE:
                break
            before = page.items[-1].created_at, page.items[-1].item_id


def _parse(cursor: str | None, kind: str) -> tuple[int, str]:
    if cursor is None:
        return 0, ""
    found = _CURSOR.match(cursor)
    if found is None or found.group(1) != kind:
        raise InvalidInputError(_BAD_CURSOR)
    return int(found.group(2)), found.group(3)


async def _window(lines: AsyncGenerator[bytes, None], start: int, size: int) -> tuple[Any, bytes, bool]:
    """Return the hash of the first ``start`` bytes, the next ``size`` bytes, and whether more follow."""
    digest = hashlib.sha256()
    skip, window = start, bytearray()
    async for line in lines:
        digest.update(line[:skip])
        window += line[skip:]
        skip = max(0, skip - len(line))
        if len(window) > size:
            return digest, bytes(window[:size]), True
    return digest, bytes(window), False


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _thread(one: ThreadState) -> dict[str, Any]:
    return {
        "thread": one.thread,
        "items": one.items,
        "tokens": one.tokens,
        "used": one.used,
        "window": one.window,
        "model": one.model,
        "compressions": one.compressions,
    }


def _item(item: Item) -> dict[str, Any]:
    labels = item.labels
    return {
        "id": item.item_id,
        "title": labels.title,
        "thread": item.thread,
        "state": item.state.value,
        "detail": item.detail,
        "version": item.version,
        "tokens": item.tokens,
        "bytes": item.size_bytes,
        "content_type": labels.content_type,
        "memory_type": labels.memory_type,
        "priority": labels.priority,
        "pinned": labels.pinned,
        "tags": list(labels.tags),
        "created_at": item.created_at.astimezone(UTC).isoformat(),
        "updated_at": item.updated_at.astimezone(UTC).isoformat(),
    }


def _outline(item: SealedItem) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "reason": item.reason,
        "categories": dict(item.categories),
        "bytes": item.size_bytes,
        "created_at": item.created_at.astimezone(UTC).isoformat(),
    }
