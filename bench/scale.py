"""A thread that takes in five and ten times its window: what its block costs, holds and loses.

    python -m palimpsest.bench.scale [--data FOLDER] [--plot FILE.svg] [--show FILE.txt] [--factor 10]

FOLDER holds ``mix128_items.jsonl.gz`` and ``mix128_dev.jsonl``; without it, the standard library's and the system's
texts are taken and no evidence is measured. A token is four bytes here, everywhere: that is the count by which those
texts are ten windows. The embedding model alone is timed on the same chunks in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from palimpsest.core.calls import Caller, NewMemory
from palimpsest.core.ingest import chunk_text
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.tools.context import describe_context
from palimpsest.tools.state import describe_state, summarise_state

from . import corpus
from .evidence import (
    FourBytes,
    Question,
    Source,
    by_kind,
    evidence,
    load_questions,
    load_sources,
    paired_interval,
    returned,
)
from .figures import show, summarize
from .plot import draw
from .stores import Bench, open_bench

WINDOW = 128_000
THREAD = "long"
ME = Caller("bench")
SHARE = 0.2
QUERY_TOKENS = 4000
BATCH = 32
"""Chunks that the model gets at once, here and in the embedding job."""


class LaterClock:
    """The time so many days from now."""

    def __init__(self, days: int) -> None:
        """Take the days."""
        self._days = timedelta(days=days)

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC) + self._days


@dataclass(slots=True)
class Run:
    """What was seen while a thread grew."""

    ids: dict[str, str] = field(default_factory=dict[str, str])
    digests: dict[str, str] = field(default_factory=dict[str, str])
    tokens_in: int = 0
    chunks: int = 0
    seconds: float = 0.0
    bare_seconds: float = 0.0
    used: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    added: list[float] = field(default_factory=list[float])


def local_sources(tokens: int) -> list[Source]:
    """Return texts of this machine of about so many tokens, in items of about 8,000."""
    made: list[Source] = []
    pieces = corpus.passages(tokens // 110)
    for start in range(0, len(pieces), 60):
        made.append(Source(f"local-{start}", "local", "\n\n".join(pieces[start : start + 60])))
    return made


def stretch(sources: Sequence[Source], tokens: int) -> list[Source]:
    """Return the first sources that have so many tokens together, at four bytes a token."""
    taken: list[Source] = []
    total = 0
    for source in sources:
        if total >= tokens:
            break
        taken.append(source)
        total += len(source.text.encode()) // 4
    return taken


async def fill(bench: Bench, sources: Sequence[Source], *, bare: bool = False) -> Run:
    """Add every source, finish what the add leaves pending, and watch the ledger after each.

    With ``bare`` the embedding model alone is timed on each source's chunks just before, so that whatever else the
    machine does falls on both alike.
    """
    run = Run()
    embedder = MiniLMEmbedder()
    await embedder.embed(["warm"])
    for source in sources:
        if bare:
            await embed_alone(bench, embedder, source, run)
        begin = time.perf_counter()
        receipt = await bench.memory.add(ME, NewMemory(source.text, title=_title(source), thread=THREAD))
        run.added.append(time.perf_counter() - begin)
        await bench.runner.drain(ME.namespace)
        run.seconds += time.perf_counter() - begin
        run.ids[source.name] = receipt.item.item_id
        run.digests[receipt.item.item_id] = hashlib.sha256(source.text.encode()).hexdigest()
        run.tokens_in += receipt.item.tokens
        run.used.append((float(run.tokens_in), 100 * receipt.utilization))
    begin = time.perf_counter()
    await bench.store.reweigh(ME.namespace, bench.lexicon)
    run.seconds += time.perf_counter() - begin
    await embedder.aclose()
    return run


async def embed_alone(bench: Bench, embedder: MiniLMEmbedder, source: Source, run: Run) -> None:
    """Add the seconds that the embedding model alone takes for a source's chunks, and how many they are."""
    content = source.text.encode()
    kind = bench.chunker.kind(source.text, "text/plain", _title(source))
    texts = [chunk_text(content, span) for span in bench.chunker.split(source.text, kind, _title(source))]
    begin = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        await embedder.embed(texts[start : start + BATCH])
    run.bare_seconds += time.perf_counter() - begin
    run.chunks += len(texts)


def _title(source: Source) -> str:
    return f"{source.name}.py" if source.kind == "code" else source.name


async def ask(bench: Bench, run: Run, sources: Sequence[Source], questions: Sequence[Question]) -> list[float]:
    """Return what each question's context of 4,000 tokens is worth."""
    texts = {source.name: source.text for source in sources}
    values: list[float] = []
    for question in questions:
        answer = await bench.services.context.get(ME, THREAD, query=question.text, max_tokens=QUERY_TOKENS)
        assert answer.tokens <= QUERY_TOKENS
        values.append(evidence(question, returned(answer.text, run.ids[question.item], texts[question.item])))
    return values


async def check_originals(bench: Bench, run: Run) -> int:
    """Read every item in pages and compare its SHA-256 with what was handed in; return how many differ."""
    wrong = 0
    for item_id, digest in run.digests.items():
        pieces: list[str] = []
        cursor: str | None = None
        while True:
            page = await bench.memory.retrieve(ME, item_id, cursor=cursor, max_tokens=100_000)
            pieces.append(page.text)
            cursor = page.next_cursor
            if cursor is None:
                break
        wrong += hashlib.sha256("".join(pieces).encode()).hexdigest() != digest
    return wrong


async def measure(
    factor: int, sources: Sequence[Source], questions: Sequence[Question], plot: Path | None, show_in: Path | None
) -> None:
    """Fill a fresh store with ``factor`` times the window, and print."""
    taken = stretch(sources, factor * WINDOW)
    names = {source.name for source in taken}
    asked = [question for question in questions if question.item in names]
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        async with open_bench(Path(folder) / "windowed", window=WINDOW, counter=FourBytes()) as bench:
            run = await fill(bench, taken, bare=True)
            print(f"\n{factor} x a window of {WINDOW:,}: {len(taken)} items, {run.tokens_in:,} tokens in")
            print(f"  tokens counted by                     {bench.counter.name}")
            print(f"  added, indexed and compressed in      {run.seconds:.0f} s")
            print(f"  the embedding model alone takes       {run.bare_seconds:.0f} s ({run.chunks:,} chunks)")
            print(f"  ratio                                 {run.seconds / run.bare_seconds:.2f}")
            print(f"  highest share of the window           {max(share for _, share in run.used):.2f} % (trigger 75 %)")
            await report_block(bench, run, "by itself")
            own = await ask(bench, run, taken, asked)
            done = await bench.services.compression.compress(ME, THREAD, share=SHARE)
            await report_block(bench, run, f"after memory_compress to {SHARE:.0%}")
            assert done.ledger.utilization <= SHARE
            after = await ask(bench, run, taken, asked)
            await report_speed(bench, run, asked)
            print(f"  originals that differ                 {await check_originals(bench, run)} of {len(run.digests)}")
            if show_in is not None:
                await write_views(bench, asked, show_in.with_stem(f"{show_in.stem}-{factor}x"))
        await report_later(Path(folder) / "windowed", run)
        if plot is not None:
            file = plot.with_stem(f"{plot.stem}-{factor}x")
            trigger = [(0.0, 75.0), (float(run.tokens_in), 75.0)]
            draw(file, f"Share of the window while {factor} times it comes in", {"block": run.used, "trigger": trigger},
                 top=100, unit="%")  # fmt: skip
            print(f"  plot                                  {file}")
        if asked:
            await report_loss(Path(folder) / "whole", taken, asked, own, after)


async def report_block(bench: Bench, run: Run, when: str) -> None:
    """Print what the block holds and costs."""
    answer = await bench.services.context.get(ME, THREAD)
    ledger = answer.ledger
    print(
        f"  block {when:<32}{ledger.used:,} tokens, {ledger.utilization:.1%} of the window, "
        f"{run.tokens_in / ledger.used:.1f} to 1; {answer.shown} items in it; its text counts {answer.tokens:,}"
    )


async def report_later(folder: Path, run: Run) -> None:
    """Open the store again 400 days later, let hygiene work, and check every original once more."""
    async with open_bench(folder, window=WINDOW, counter=FourBytes(), clock=LaterClock(400)) as bench:
        report = await bench.services.hygiene.run(ME.namespace)
        wrong = await check_originals(bench, run)
        print(f"  after a restart, 400 days later       {report.count} items stepped down or left the context")
        print(f"    originals that differ               {wrong} of {len(run.digests)}")


async def write_views(bench: Bench, asked: Sequence[Question], file: Path) -> None:
    """Write what a client sees: the thread's state, and blocks of 2,000 tokens for three questions."""
    state = await bench.memory.state(ME)
    rungs = await bench.services.context.rungs(ME, THREAD)
    parts = ["memory_state(thread)", describe_state(summarise_state(state, rungs), rungs)]
    kinds = {question.kind: question.text for question in reversed(asked)}
    for query in kinds.values():
        answer = await bench.services.context.get(ME, THREAD, query=query, max_tokens=2000)
        parts += [
            f"memory_context(query={query!r}, max_tokens=2000)",
            describe_context(answer, answer.notes),
            answer.text,
        ]
    file.write_text("\n\n".join(parts), encoding="utf-8")
    print(f"  what a client sees                    {file}")


async def report_speed(bench: Bench, run: Run, asked: Sequence[Question]) -> None:
    """Print how long adds, searches and reads take."""
    queries = [question.text for question in asked[:200]] or [
        "socket timeout",
        "install a package",
        "regular expression",
    ] * 20
    searched: list[float] = []
    for query in queries:
        begin = time.perf_counter()
        await bench.memory.search(ME, query)
        searched.append(time.perf_counter() - begin)
    read: list[float] = []
    for item_id in list(run.digests)[:200]:
        begin = time.perf_counter()
        await bench.memory.retrieve(ME, item_id, max_tokens=2000)
        read.append(time.perf_counter() - begin)
    show("  times", {"add": summarize(run.added), "search": summarize(searched), "retrieve": summarize(read)})


async def report_loss(
    folder: Path, taken: Sequence[Source], asked: Sequence[Question], own: Sequence[float], after: Sequence[float]
) -> None:
    """Ask the same of a thread whose window holds everything in full, and print what compression lost."""
    async with open_bench(folder, window=1_000_000_000, counter=FourBytes()) as bench:
        run = await fill(bench, taken)
        before = await ask(bench, run, taken, asked)
        print(f"  evidence in a context of {QUERY_TOKENS:,} tokens, {len(asked)} questions, in percent")
        for name, values in (("uncompressed", before), ("compressed by itself", own), ("after memory_compress", after)):
            kinds = "  ".join(f"{kind} {mean:5.1f}" for kind, mean in by_kind(asked, values).items())
            print(f"    {name:<24}{kinds}")
        for name, values in (("by itself", own), ("after memory_compress", after)):
            lost, low, high = paired_interval(before, values)
            print(f"    lost {name:<22}{lost:+.2f} points (95 % interval, paired: {low:+.2f} to {high:+.2f})")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the mix128 files")
    parser.add_argument("--plot", type=Path, help="SVG file to draw the window's share into, one a factor")
    parser.add_argument("--show", type=Path, help="file to write what a client sees into, one a factor")
    parser.add_argument("--factor", type=int, action="append", help="how many windows to take in; may be repeated")
    arguments = parser.parse_args()
    if arguments.data is not None and not (arguments.data / "mix128_items.jsonl.gz").exists():
        sys.exit(f"{arguments.data} holds no mix128_items.jsonl.gz; leave --data out to use this machine's own texts.")
    factors = arguments.factor or [5, 10]
    if arguments.data is None:
        sources, questions = local_sources(max(factors) * WINDOW), list[Question]()
    else:
        sources, questions = load_sources(arguments.data), load_questions(arguments.data)
    for factor in factors:
        asyncio.run(measure(factor, sources, questions, arguments.plot, arguments.show))


if __name__ == "__main__":
    main()
