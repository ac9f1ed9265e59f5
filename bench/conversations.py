"""Conversations taken in turn by turn: each turn once, however often it comes, and found as well as by any other way.

    python -m palimpsest.bench.conversations --data FOLDER [--repeats 10] [--set locomo] [--undated]

The development half of LoCoMo goes through the tool ``conversation_add``, a session at a time, and then again as often
as ``--repeats`` says. Every item that is there afterwards is counted against the turns, and the questions are asked as
``bench.retrieval`` asks them. ``--undated`` leaves the turns' dates out.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from palimpsest.core.memory import Caller
from palimpsest.tools.access import Session
from palimpsest.tools.conversations import Turn, TurnsResult, conversation_add

from .question_sets import SetName, Text, chunk_texts, load
from .retrieval import ask_for_hits, report
from .stores import Bench, open_bench

_PAGE = 200


async def take_in(bench: Bench, texts: Sequence[Text], *, dated: bool) -> Counter[str]:
    """Hand all turns over, a session at a time, and count what became of them."""
    counts: Counter[str] = Counter()
    for (namespace, session), group in groupby(texts, key=lambda text: (text.namespace, text.thread)):
        memories = Session(bench.services, Caller(namespace), wake=lambda: None)
        result = await conversation_add([_turn(text, dated=dated) for text in group], session, memories)
        told = TurnsResult.model_validate(result.structured_content)
        counts += Counter({"added": told.added, "known": told.known, "changed": told.changed, "sealed": told.sealed})
    return counts


def _turn(text: Text, *, dated: bool) -> Turn:
    speaker, _, words = text.content.partition(": ")
    return Turn(role=speaker, content=words, id=text.name, date=text.date if dated else None)


async def held(bench: Bench, namespaces: Sequence[str]) -> Mapping[str, str]:
    """Return the turn's name of every item, by id."""
    names: dict[str, str] = {}
    for namespace in namespaces:
        cursor: str | None = None
        while True:
            page = await bench.memory.list_items(Caller(namespace), limit=_PAGE, cursor=cursor)
            names |= {item.item_id: item.source["turn"] for item in page.items}
            cursor = page.next_cursor
            if cursor is None:
                break
    return names


async def run(data: Path, name: SetName, repeats: int, *, dated: bool) -> None:
    """Take a set in, again and again, then ask its questions."""
    questions = load(data, name)
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        async with open_bench(Path(folder)) as bench:
            await bench.embedder.prepare(chunk_texts(bench, questions.texts))
            for round_number in range(1, repeats + 2):
                start = time.perf_counter()
                counts = await take_in(bench, questions.texts, dated=dated)
                seconds = time.perf_counter() - start
                told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
                print(f"{'taken in' if round_number == 1 else f'repeat {round_number - 1}'}: {told}; {seconds:.1f} s")
            namespaces = list(dict.fromkeys(text.namespace for text in questions.texts))
            names = await held(bench, namespaces)
            once = Counter(names.values())
            missing = sum(text.name not in once for text in questions.texts)
            twice = sum(count > 1 for count in once.values())
            print(f"{len(questions.texts)} turns, {len(names)} items: {missing} missing, {twice} more than once")
            for namespace in namespaces:
                await bench.runner.drain(namespace)
                await bench.store.reweigh(namespace, bench.lexicon)
            report(await ask_for_hits(bench, questions, names, None))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the questions and corpora")
    parser.add_argument("--set", choices=("locomo", "beam_100K"), default="locomo")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--undated", action="store_true", help="leave the turns' dates out")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.data, arguments.set, arguments.repeats, dated=not arguments.undated))


if __name__ == "__main__":
    main()
