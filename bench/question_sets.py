"""Questions whose answers are known to lie in certain items: LoCoMo, BEAM and a mix of papers, meetings and modules.

FOLDER holds the files of each set: ``locomo_dev``, ``beam_100K_dev``, ``beam_500K_dev`` (questions, and a corpus of
turns) and ``mix128`` (questions with spans, and items). Nothing of them is kept in the repository.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from palimpsest.core.ingest import chunk_text
from palimpsest.core.memory import Caller, NewMemory

from .stores import Bench

SetName = Literal["locomo", "beam_100K", "beam_500K", "mix128"]
SETS: tuple[SetName, ...] = ("locomo", "beam_100K", "beam_500K", "mix128")
GLOBAL = frozenset({"event_ordering", "summarization"})
"""BEAM's abilities whose answers lie all over a conversation, in up to 40 messages: no ten hits can hold them."""


@dataclass(frozen=True, slots=True)
class Text:
    """An item to add: its name in the set, the namespace and thread it belongs to, and how it is labelled."""

    name: str
    namespace: str
    thread: str
    content: str
    turn: bool
    kind: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the names of the items that answer it, and the threads they are in.

    ``spans`` are the character ranges that answer, where the set knows them.
    """

    name: str
    namespace: str
    category: str
    text: str
    answers: frozenset[str]
    threads: frozenset[str] = frozenset()
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A corpus and its questions; those without an answer in the corpus are ``unanswerable``."""

    name: SetName
    texts: Sequence[Text]
    questions: Sequence[Question]
    unanswerable: Sequence[Question] = field(default_factory=list[Question])


def load(data: Path, name: SetName) -> QuestionSet:
    """Read a set."""
    if name == "mix128":
        return _mix(data)
    asked = _rows(data / f"{name}_dev.jsonl")
    corpus = data / f"{name}_dev_corpus.jsonl"
    texts = [_turn(row) for row in _rows(corpus if corpus.exists() else corpus.with_suffix(".jsonl.gz"))]
    threads = {text.name: text.thread for text in texts}
    questions = [
        Question(
            name=row["qid"],
            namespace=row["conv"],
            category=row["category"],
            text=row["question"],
            answers=frozenset(row["evidence"]),
            threads=frozenset(threads[one] for one in row["evidence"] if one in threads),
        )
        for row in asked
    ]
    return QuestionSet(
        name, texts, [one for one in questions if one.answers], [one for one in questions if not one.answers]
    )


def _turn(row: dict[str, Any]) -> Text:
    """Return a turn as a client would hand it over: speaker, words, and what the picture that came with it shows."""
    picture = f" [picture: {row['caption']}]" if row.get("caption") else ""
    return Text(
        row["id"],
        row["conv"],
        row["session"],
        f"{row['speaker']}: {row['text']}{picture}",
        turn=True,
        date=row.get("date_iso"),
    )


def _mix(data: Path) -> QuestionSet:
    texts = [
        Text(row["id"], "mix128", "main", row["text"], turn=False, kind=row["kind"])
        for row in _rows(data / "mix128_items.jsonl.gz")
    ]
    questions = [
        Question(
            name=row["qid"],
            namespace="mix128",
            category=row["kind"],
            text=row["question"],
            answers=frozenset({row["item"]}),
            spans=tuple((start, end) for start, end in row["spans"]),
        )
        for row in _rows(data / "mix128_dev.jsonl")
    ]
    return QuestionSet("mix128", texts, questions)


def _rows(file: Path) -> list[dict[str, Any]]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def chunk_texts(bench: Bench, texts: Sequence[Text]) -> list[str]:
    """Return what an add would embed, so that it can be embedded once for all runs."""
    made: list[str] = []
    for text in texts:
        kind = bench.chunker.kind(text.content, "conversation" if text.turn else "text/plain", None)
        content = text.content.encode()
        made.extend(chunk_text(content, span) for span in bench.chunker.split(text.content, kind, None))
    return made


async def add_texts(bench: Bench, texts: Sequence[Text]) -> dict[str, str]:
    """Add the texts, each namespace's in order, make what is searchable of them, and return their names by item id."""
    await bench.embedder.prepare(chunk_texts(bench, texts))
    names: dict[str, str] = {}
    for text in texts:
        new = (
            NewMemory(text.content, content_type="conversation", memory_type="episodic", thread=text.thread)
            if text.turn
            else NewMemory(text.content, thread=text.thread)
        )
        receipt = await bench.memory.add(Caller(text.namespace), new)
        names.setdefault(receipt.item.item_id, text.name)
    for namespace in dict.fromkeys(text.namespace for text in texts):
        await bench.runner.drain(namespace)
        await bench.store.reweigh(namespace, bench.lexicon)
    return names
