"""The principal axes of the bundled model's vectors, and how well the leading ones find what all of them find.

    python -m palimpsest.bench.axes --data FOLDER [--write]

The axes are computed from documentation, long conversations and mixed files, a third each; LoCoMo's conversations take
no part in them. For each kind the nearest 10 by all numbers are looked for among the nearest by the leading ones.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from palimpsest.slm.embeddings.axes import AXES_FILE
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder

from . import corpus, question_sets
from .vectors import VectorFiles, complete

Rows = npt.NDArray[np.float32]
TEXTS = 6_000
_QUERIES = 100
_LEADING = (128, 160, 192, 256)
_AMONG = (40, 100, 200, 400)


def sample(data: Path) -> dict[str, list[str]]:
    """Return texts of each kind, spread over all there are."""
    kinds = {
        "documentation": list(corpus.passages(20 * TEXTS)),
        "conversations": [text.content for text in question_sets.load(data, "beam_500K").texts],
        "mixed": [piece for text in question_sets.load(data, "mix128").texts for piece in _pieces(text.content)],
        "held out": [text.content for text in question_sets.load(data, "locomo").texts],
    }
    return {name: texts[:: max(1, len(texts) // TEXTS)][:TEXTS] for name, texts in kinds.items()}


def _pieces(text: str) -> list[str]:
    return [text[at : at + corpus.PASSAGE] for at in range(0, len(text), corpus.PASSAGE)]


def principal(kinds: Mapping[str, Rows]) -> Rows:
    """Return the axes of the kinds' mean second moment, one a column, each so that its largest number is positive.

    Not of the covariance: to take away a mean would change cosines.
    """
    moment = sum((rows.T @ rows / len(rows) for rows in kinds.values()), np.zeros((1, 1), dtype=np.float32))
    energies, axes = np.linalg.eigh(moment.astype(np.float64))
    axes = axes[:, np.argsort(-energies)]
    largest = np.abs(axes).argmax(axis=0)
    signed: Rows = (axes * np.sign(axes[largest, np.arange(axes.shape[1])])).astype(np.float32)
    return signed


def found_among(rows: Rows, queries: Rows, leading: int) -> list[float]:
    """Return the mean share of each query's nearest 10 that are among so many nearest by the leading numbers."""
    exact, near = rows @ queries.T, rows[:, :leading] / np.linalg.norm(rows[:, :leading], axis=1, keepdims=True)
    rough = near @ queries[:, :leading].T
    nearest = [set(np.argpartition(-exact[:, one], 10)[:10]) for one in range(queries.shape[0])]
    shares: list[float] = []
    for count in _AMONG:
        hits = [len(best & set(np.argpartition(-rough[:, one], count)[:count])) for one, best in enumerate(nearest)]
        shares.append(float(np.mean(hits)) / 10)
    return shares


async def run(data: Path, *, write: bool) -> None:
    """Compute the axes, print what the leading ones find, and write them if asked to."""
    embedder = MiniLMEmbedder(axes=None)
    files = VectorFiles(corpus.cache_folder(), embedder.model_id)
    kinds: dict[str, Rows] = {}
    for name, texts in sample(data).items():
        await complete(files, embedder, texts, verbose=True)
        kinds[name] = files.find(texts)[1].astype(np.float32)
    await embedder.aclose()
    axes = principal({name: rows for name, rows in kinds.items() if name != "held out"})
    print(f"\nnearest 10 of all numbers found among the nearest {_AMONG} by the leading ones:")
    for name, rows in kinds.items():
        turned = rows @ axes
        # Texts ask for others like them: every so many of a kind is a query to the rest.
        step = len(turned) // _QUERIES
        queries, others = turned[::step], np.delete(turned, np.s_[::step], axis=0)
        energy = (turned**2).mean(axis=0)
        for leading in _LEADING:
            shares = "  ".join(f"{share:.4f}" for share in found_among(others, queries, leading))
            print(f"{name:14} {leading} numbers, {energy[:leading].sum() / energy.sum():.3f} of the energy: {shares}")
    if write:
        stream = io.BytesIO()
        np.save(stream, axes.astype(np.float16))
        AXES_FILE.write_bytes(stream.getvalue())
        print(f"written; AXES_SHA256 is {hashlib.sha256(stream.getvalue()).hexdigest()}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.data, write=arguments.write))


if __name__ == "__main__":
    main()
