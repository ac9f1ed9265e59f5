"""Rows to the core's values, and drafts to statement parameters."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..core import ladder
from ..core.budget import Budgets
from ..core.ids import format_item_id, public_id
from ..core.models import (
    DETAILS,
    TRUSTS,
    CandidateSet,
    ChunkDraft,
    Detail,
    Event,
    Item,
    ItemState,
    Labels,
    Rendition,
    Rung,
    SparseTerms,
    ThreadState,
    Trust,
)

if TYPE_CHECKING:
    import asyncpg
    from pgvector import HalfVector, SparseVector

    from ..core.versions import Frame

SPARSE_DIMENSIONS = 1_000_000_000
USUAL_COMPRESSOR = "extractive-2"
"""The function of this name says the same."""
K1 = 1.2
B = 0.75
_COLUMNS = 20
"""What a row of the ``candidates`` query says: 17 columns of a candidate, then three of the search."""


class Row(Protocol):
    """A row by column name: asyncpg's Record, or a mapping."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column's value."""
        ...


def item(row: Row) -> Item:
    """Return the item of an ``items`` row."""
    return Item(
        item_id=format_item_id(row["item_id"]),
        thread=row["thread"],
        labels=labels(row),
        state=ItemState(row["state"]),
        version=row["version"],
        sha256=row["sha256"].hex(),
        size_bytes=row["size_bytes"],
        tokens=row["tokens"],
        token_counter=row["token_counter"],
        source=json.loads(row["source"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        happened_at=row["happened_at"],
        last_used_at=row["last_used_at"],
        detail=row["detail"],
        cost=row["cost"],
        header_tokens=row["header_tokens"],
        expires_at=row["expires_at"],
        lineage=item_id_or_none(row["lineage"]),
        latest=row["latest"],
        superseded_by=item_id_or_none(row["superseded_by"]),
    )


def item_id_or_none(number: int | None) -> str | None:
    """Write a number that may be missing as an item's id."""
    return None if number is None else format_item_id(number)


def ledger(row: Row, budgets: Budgets, spent: int | None = None) -> ThreadState:
    """Return the account of a ``threads`` row."""
    budget = budgets(row["model"])
    saved = row["tokens"] + row["headers"] - row["used"]
    return ThreadState(
        thread=row["thread"],
        items=row["items"],
        tokens=row["tokens"],
        window=budget.window,
        used=row["used"],
        saved=saved,
        trigger=budget.trigger,
        safe=budget.safe,
        model=row["model"] or budget.model,
        compressions=row["compressions"],
        over=ladder.reason_over(row["used"], budget),
        note=budget.note,
        spent_micros=spent or 0,
        saved_micros=budget.micros(saved),
    )


def rung(row: Row) -> Rung:
    """Return the rung of a row of the ``rungs`` query."""
    return Rung(
        item_id=format_item_id(row["item_id"]),
        detail=row["detail"],
        cost=row["cost"],
        costs=costs(row["header_tokens"], row["tokens"], {name: row[name] for name in ("summary", "brief", "hint")}),
        priority=row["priority"],
        pinned=row["pinned"],
        used_at=row["used_at"],
        position=row["position"],
        title=row["title"],
        summarized_by=row["summarized_by"],
        header_tokens=row["header_tokens"],
        trust=trust_of(row["trust"]),
    )


def costs(header_tokens: int, tokens: int, renditions: Mapping[str, int | None]) -> Mapping[Detail, int]:
    """Return what an item costs at each detail that it has."""
    found: dict[Detail, int] = {"full": header_tokens + tokens}
    for detail in DETAILS[1:]:
        if (shorter := renditions.get(detail)) is not None:
            found[detail] = header_tokens + shorter
    return found


def trust_of(number: int) -> Trust:
    """Return a level of trust by its number."""
    return TRUSTS[number]


def labels(row: Row) -> Labels:
    """Return the labels of an ``items`` row."""
    return Labels(
        title=row["title"],
        content_type=row["content_type"],
        memory_type=row["memory_type"],
        priority=row["priority"],
        pinned=row["pinned"],
        tags=tuple(row["tags"]),
        trust=trust_of(row["trust"]),
    )


def candidate_set(found: Sequence["asyncpg.Record"], counts: Sequence[int]) -> CandidateSet:
    """Return the answer of the ``candidates`` query; its first row is about the search, ``counts`` are the query's."""
    import numpy as np

    about, *chunks = found
    weights = tuple(about["weights"])
    # A query term's impact counts by its weight, and as often as the query has it.
    factors = [weight * count for weight, count in zip(weights, counts, strict=True)]
    without = (0.0,) * len(factors)
    # A search has hundreds of rows: turning them all at once is many times faster than asking each by name.
    columns: list[Sequence[Any]] = list(zip(*chunks, strict=True)) if chunks else [()] * _COLUMNS
    numbers, ordinals, starts, ends, dense, impacts, marks, picked, threads, positions, *more = columns
    chunk_counts, lengths, memory_types, priorities, happened_at, lineages, trusts, *_ = more
    marked = len(marks[0] or ()) if chunks else 0
    return CandidateSet(
        numbers=numbers,
        ordinals=ordinals,
        starts=starts,
        ends=ends,
        dense=dense,
        matches=np.array([row or without for row in impacts], np.float64).reshape(len(chunks), len(factors)) * factors,
        picked=picked,
        threads=threads,
        positions=positions,
        chunk_counts=chunk_counts,
        lengths=[length or 0 for length in lengths],
        memory_types=memory_types,
        priorities=priorities,
        happened_at=happened_at,
        lineages=lineages,
        markers=np.array([row or () for row in marks], np.float64).reshape(len(chunks), marked),
        trusts=[trust_of(trust) for trust in trusts],
        chunks=about["chunks"],
        weights=weights,
        exact=about["exact"],
    )


def event(row: Row) -> Event:
    """Return the event of an ``events`` row."""
    return Event(
        event_id=row["event_id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        subject_id=public_id(row["subject"], row["subject_id"]),
        version=row["version"],
        undoable=row["undoable"],
    )


def impacts(terms: SparseTerms, mean_length: float) -> "SparseVector":
    """Return each term's BM25 factor that does not depend on the query, as a sparse vector.

    ``tf (k1 + 1) / (tf + k1 (1 - b + b length / mean_length))`` (Robertson and Zaragoza 2009); its inner product with
    the query's inverse document frequencies is the score.
    """
    from pgvector import SparseVector

    norm = K1 * (1 - B + B * terms.length / max(mean_length, 1.0))
    values = {key - 1: count * (K1 + 1) / (count + norm) for key, count in zip(terms.keys, terms.counts, strict=True)}
    return SparseVector(values, SPARSE_DIMENSIONS)


def term_columns(terms: Sequence[SparseTerms], mean_length: float) -> tuple[list[int], list["SparseVector"]]:
    """Return (lengths, impacts), parallel to ``terms``."""
    return [one.length for one in terms], [impacts(one, mean_length) for one in terms]


def frame_columns(frame: "Frame | None") -> tuple[int | None, int | None, int | None]:
    """Return (head, middle, tail)."""
    return (None, None, None) if frame is None else (frame.head, frame.middle, frame.tail)


def rendition_columns(
    renditions: Sequence[Rendition],
) -> tuple[list[str | None], list[int | None], list[str | None]]:
    """Return (bodies, tokens, compressors), each of summary, brief and hint in this order, None for what is not there.

    A compressor is None, too, where it is that of the rendition before, or of the first one the usual one.
    """
    by_detail = {one.detail: one for one in renditions}
    found = [by_detail.get(detail) for detail in DETAILS[1:]]
    compressors: list[str | None] = []
    last = USUAL_COMPRESSOR
    for one in found:
        compressors.append(None if one is None or one.compressor == last else one.compressor)
        last = last if one is None else one.compressor
    return (
        # PostgreSQL's text has no NUL; a rendition is for reading, so nothing is lost.
        [None if one is None else one.text.replace("\x00", "") for one in found],
        [None if one is None else one.tokens for one in found],
        compressors,
    )


def chunk_columns(chunks: Sequence[ChunkDraft]) -> tuple[list[int], list[int], list[str]]:
    """Return (starts, ends, contexts)."""
    return (
        [chunk.span.start for chunk in chunks],
        [chunk.span.end for chunk in chunks],
        [chunk.span.context.replace("\x00", "") for chunk in chunks],
    )


def vector_columns(vectors: Mapping[int, Sequence[float]]) -> tuple[list[int], list["HalfVector"]]:
    """Return (ordinals, vectors)."""
    from pgvector import HalfVector

    return list(vectors), [HalfVector(list(vector)) for vector in vectors.values()]


def ready_vectors(chunks: Sequence[ChunkDraft]) -> dict[int, Sequence[float]]:
    """Return the vectors that chunks already have, by ordinal."""
    return {ordinal: chunk.embedding for ordinal, chunk in enumerate(chunks) if chunk.embedding is not None}
