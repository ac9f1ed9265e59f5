"""The context block as clients get it: whole, within a bound, or chosen for a question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from . import ladder, validation
from .block import entry, render
from .budget import Budgets
from .calls import Caller
from .finding import Finder
from .models import BlockEntry, ContextAnswer, Detail, Filters, Item, RankedChunk, Rung, Span, ThreadState
from .ports import Store, TokenCounter
from .reading import paired
from .selection import Passage, Pick, pick

QUERY_TOKENS = 4000
"""The bound of a block that is chosen for a question, unless another is given."""
GAP = "\n…\n"
"""What stands between two passages of an item that are no neighbours."""
_PASSAGES = 80
_AFTER = 4
"""Bytes read beyond each passage: what parts it from its neighbour, so that both together are the original again."""
_MOST_TOKENS = 2_000_000


class Context:
    """Renders threads' blocks."""

    def __init__(self, *, store: Store, finder: Finder, counter: TokenCounter, budgets: Budgets) -> None:
        """Take the ports; nothing is opened here."""
        self._store = store
        self._finder = finder
        self._counter = counter
        self._budgets = budgets

    async def get(
        self,
        caller: Caller,
        thread: str,
        *,
        query: str | None = None,
        max_tokens: int | None = None,
        model: str | None = None,
    ) -> ContextAnswer:
        """Return a thread's block.

        Without ``query`` it is every item at its detail, in the order in which they came: between two compressions it
        only grows at its end. A ``max_tokens`` below its length lets items step down for this answer only. With
        ``query`` it is what bears on the question, most relevant first, within ``max_tokens`` (default 4,000): passages
        of the originals, whole items or their renditions, archived items included. ``model`` is remembered by the
        thread.

        Raises:
            InvalidInputError: a name, the query or the bound is not acceptable.
        """
        thread = validation.check_name(thread, "thread")
        if max_tokens is not None:
            validation.check_range(max_tokens, 50, _MOST_TOKENS, "max_tokens")
        if (named := validation.check_label(model, "model")) is not None:
            await self._store.use_model(caller.namespace, thread, named, actor=caller.actor, budgets=self._budgets)
        if query is None:
            return await self._whole(caller.namespace, thread, max_tokens)
        return await self._chosen(caller.namespace, thread, validation.check_query(query), max_tokens or QUERY_TOKENS)

    async def rungs(self, caller: Caller, thread: str) -> Sequence[Rung]:
        """Return where each item of a thread stands, in the order of its block."""
        name = validation.check_name(thread, "thread")
        return (await self._store.rungs(caller.namespace, name, budgets=self._budgets))[1]

    async def ledger(self, caller: Caller, thread: str) -> ThreadState:
        """Return a thread's account."""
        name = validation.check_name(thread, "thread")
        return (await self._store.rungs(caller.namespace, name, budgets=self._budgets, item_ids=()))[0]

    async def _whole(self, namespace: str, thread: str, max_tokens: int | None) -> ContextAnswer:
        block = await self._store.block(namespace, thread, budgets=self._budgets)
        if max_tokens is None or block.ledger.used <= max_tokens:
            return self._answer(block.ledger, block.entries, 0)
        ledger, rungs = await self._store.rungs(namespace, thread, budgets=self._budgets)
        standing = [rung for rung in rungs if rung.detail != "archived"]
        stands = shrunk(standing, max_tokens)
        texts = await self._store.texts(namespace, [(rung.item_id, detail) for rung, detail, _ in stands])
        tokens = {one.item_id: one.tokens for one in block.entries}
        entries = [
            BlockEntry(
                rung.item_id, rung.title, detail, tokens[rung.item_id], cost, texts[rung.item_id, detail], rung.trust
            )
            for rung, detail, cost in stands
            if (rung.item_id, detail) in texts and rung.item_id in tokens
        ]
        while entries and self._counter.count(render(entries)).tokens > max_tokens:
            entries.pop(0)
        note = f"Shortened for this answer: the whole block has {ledger.used:,} tokens; raise max_tokens for more."
        return replace(self._answer(ledger, entries, len(standing) - len(entries)), notes=(note,))

    async def _chosen(self, namespace: str, thread: str, query: str, max_tokens: int) -> ContextAnswer:
        found = await self._finder.find(namespace, query, Filters(thread=thread))
        best = list(found.ranked[:_PASSAGES])
        wanted = [(chunk.candidate.item_id, _and_after(chunk.candidate.span)) for chunk in best]
        ids = list(dict.fromkeys(item_id for item_id, _ in wanted))
        ledger, rungs = await self._store.rungs(namespace, thread, budgets=self._budgets, item_ids=ids)
        read = await self._store.passages(namespace, wanted) if wanted else []
        passages = self._passages(best, read)
        tokens_of = {item.item_id: item.tokens for item, _ in read}
        picks = pick(rungs, passages, max_tokens)
        parts = await self._parts(namespace, picks, rungs, tokens_of)
        while parts and self._counter.count("".join(parts)).tokens > max_tokens:
            parts.pop()
        text = "".join(parts)
        return ContextAnswer(
            ledger=ledger,
            text=text,
            tokens=self._counter.count(text).tokens,
            shown=len(parts),
            omitted=len(rungs) - len(parts),
            evidence=found.evidence,
            notes=found.notes,
        )

    def _passages(self, ranked: Sequence[RankedChunk], read: Sequence[tuple[Item, bytes]]) -> list[Passage]:
        """Return the passages of ranked chunks; all of an item that vanished are missing."""
        passages: list[Passage] = []
        for place, raw in paired(ranked, read):
            found, score = ranked[place].candidate, ranked[place].score
            size = found.span.end - found.span.start
            text = raw[:size].decode(errors="replace")
            tokens = self._counter.count(text).tokens
            passages.append(Passage(found.item_id, found.span, text, raw[size:], tokens, score))
        return passages

    async def _parts(
        self, namespace: str, picks: Sequence[Pick], rungs: Sequence[Rung], tokens_of: Mapping[str, int]
    ) -> list[str]:
        by_id = {rung.item_id: rung for rung in rungs}
        whole: list[tuple[str, Detail]] = [(one.item_id, one.detail) for one in picks if one.detail != "excerpts"]
        texts: Mapping[tuple[str, Detail], str] = await self._store.texts(namespace, whole) if whole else {}
        parts: list[str] = []
        for one in picks:
            if one.detail == "excerpts":
                text = excerpts(one.passages)
            elif (found := texts.get((one.item_id, one.detail))) is not None:
                text = found
            else:
                continue
            rung = by_id[one.item_id]
            parts.append(entry(one.item_id, one.detail, tokens_of[one.item_id], rung.title, text, rung.trust))
        return parts

    def _answer(self, ledger: ThreadState, entries: Sequence[BlockEntry], omitted: int) -> ContextAnswer:
        text = render(entries)
        return ContextAnswer(ledger, text, self._counter.count(text).tokens, len(entries), omitted)


def excerpts(passages: Sequence[Passage]) -> str:
    """Return passages of an item as one text, with a line of three dots wherever something between them is left out."""
    text = ""
    before: Passage | None = None
    for passage in passages:
        if before is not None:
            gap = passage.span.start - before.span.end
            text += before.after[:gap].decode(errors="replace") if gap <= _AFTER else GAP
        text += passage.text
        before = passage
    return text


def _and_after(span: Span) -> Span:
    return replace(span, end=span.end + _AFTER)


def shrunk(rungs: Sequence[Rung], max_tokens: int) -> list[tuple[Rung, Detail, int]]:
    """Return where each item stands in an answer of ``max_tokens``; those that have no place are left out."""
    steps = {step.item_id: step for step in ladder.down_to(rungs, max_tokens)}
    if sum(rung.cost for rung in rungs) - sum(step.freed for step in steps.values()) > max_tokens:
        # Nothing is pinned in an answer that cannot hold the pinned.
        loose = [replace(rung, pinned=False, priority=min(rung.priority, 9)) for rung in rungs]
        steps = {step.item_id: step for step in ladder.down_to(loose, max_tokens)}
    stands: list[tuple[Rung, Detail, int]] = []
    for rung in rungs:
        step = steps.get(rung.item_id)
        standing, cost = (rung.detail, rung.cost) if step is None else (step.detail, step.cost)
        if standing != "archived":
            stands.append((rung, standing, cost))
    return stands
