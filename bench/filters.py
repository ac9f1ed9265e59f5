"""How much of the right answers a store finds: by meaning and by word, and by meaning under filters."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import asyncpg

from palimpsest.core.models import NO_TERMS, SparseTerms

from .asking import NARROW, best_bm25, best_cosines, candidates
from .bulk import CALLER
from .exact import ExactVectors, bm25_thresholds, recall
from .figures import Numbers
from .stores import Bench

MEANING_TOP = 10
WORD_TOP = 50


async def recalls(
    bench: Bench, exact: ExactVectors, asked: Sequence[str], vectors: Sequence[Sequence[float]]
) -> Numbers:
    """Return mean shares in percent, and how many items each filter leaves."""
    found: Numbers = {}
    words = [bench.lexicon.encode_query(CALLER.namespace, one) for one in asked]
    found["by meaning, of the 10 nearest"] = await _by_meaning(bench, exact, vectors, words)
    found["by meaning, asked without words"] = await _by_meaning(bench, exact, vectors, [NO_TERMS] * len(vectors))
    for name in NARROW:
        items = await _leaves(bench, name)
        found[f"by meaning, filter that leaves {name}"] = await _by_meaning(bench, exact, vectors, words, name, items)
        found[f"items that the filter of {name} leaves"] = len(items)
    found["by word, of the 50 best by BM25"] = await _by_word(bench, asked)
    return found


async def _by_meaning(
    bench: Bench,
    exact: ExactVectors,
    vectors: Sequence[Sequence[float]],
    words: Sequence[SparseTerms],
    name: str | None = None,
    items: set[int] | None = None,
) -> float:
    """Ask for both as a search does: what the words find tells where the vector index has missed something."""
    top = MEANING_TOP if items is None else min(MEANING_TOP, len(items))
    thresholds = exact.thresholds(vectors, top, items)
    filters = NARROW[name].filters if name else None
    shares = [
        recall(best_cosines(await candidates(bench, vector, terms, filters), top), threshold, top)
        for vector, terms, threshold in zip(vectors, words, thresholds, strict=True)
    ]
    return 100 * statistics.fmean(shares)


async def _by_word(bench: Bench, asked: Sequence[str]) -> float:
    queries = [bench.lexicon.encode_query(CALLER.namespace, one) for one in asked]
    thresholds = await bm25_thresholds(bench, queries, WORD_TOP)
    shares: list[float] = []
    for terms, threshold in zip(queries, thresholds, strict=True):
        # Where fewer chunks than that have any of the words, there is no threshold; such queries find all by nature.
        if threshold > 0:
            scores = best_bm25(await candidates(bench, None, terms), WORD_TOP)
            shares.append(recall(scores, threshold, WORD_TOP))
    return 100 * statistics.fmean(shares) if shares else 100.0


async def _leaves(bench: Bench, name: str) -> set[int]:
    connection = await asyncpg.connect(**bench.connect)
    found = await connection.fetch(
        "SELECT item_id FROM palimpsest.items WHERE namespace_id = $1 AND state = 'active'"
        f" AND {NARROW[name].condition}",
        CALLER.namespace,
    )
    await connection.close()
    return {row["item_id"] for row in found}
