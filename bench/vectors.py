"""Vectors of texts, made once and kept in the benchmarks' cache folder.

    python -m palimpsest.bench.vectors [--items 500000]

They are kept as the model gives them, not turned onto its axes. A file is a row of records of 784 bytes: 16 that name
the model and the text, then 384 half-precision numbers. Every writer appends to a file of its own, so that writers need
not know of each other, and what was made before an interruption is there after it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from palimpsest.core.ports import Embedder
from palimpsest.slm.embeddings.minilm import DIMENSIONS, MiniLMEmbedder

from . import corpus

RECORD = np.dtype([("hash", "V16"), ("vector", "<f2", (DIMENSIONS,))])
_BATCH = 500
_NICE = 19

Vectors = npt.NDArray[np.float16]


class VectorFiles:
    """The vectors of one model in all files of a folder, mapped into memory when they are first asked for."""

    def __init__(self, folder: Path, model_id: str) -> None:
        """Read ``*.vec`` in ``folder``, which need not exist yet."""
        self._folder = folder
        self._model_id = model_id
        self._maps: list[npt.NDArray[Any]] | None = None
        self._keys: npt.NDArray[np.uint64] = np.empty((0, 2), dtype=np.uint64)
        self._order: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._starts: npt.NDArray[np.intp] = np.zeros(1, dtype=np.intp)
        self._own = folder / f"vectors-{uuid.uuid4().hex[:12]}.vec"

    def find(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], Vectors]:
        """Return which texts have a vector, and a row for each text, zero where it has none."""
        maps = self._load()
        wanted = self._names(texts)
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float16)
        if not len(self._keys):
            return np.zeros(len(texts), dtype=np.bool_), vectors
        places = np.minimum(np.searchsorted(self._keys[:, 0], wanted[:, 0]), len(self._keys) - 1)
        found = (self._keys[places] == wanted).all(axis=1)
        for row in np.flatnonzero(found):
            record = self._order[places[row]]
            file = int(np.searchsorted(self._starts, record, side="right")) - 1
            vectors[row] = maps[file][record - self._starts[file]]["vector"]
        return found, vectors

    def put(self, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """Append vectors to this writer's file; they are found from the next ``refresh`` on."""
        records = np.zeros(len(texts), dtype=RECORD)
        records["hash"] = self._names(texts).view("V16").reshape(-1)
        records["vector"] = np.asarray(vectors, dtype=np.float16)
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._own.open("ab") as stream:
            stream.write(records.tobytes())

    def refresh(self) -> None:
        """Read the files anew when they are next asked for."""
        self._maps = None

    def _names(self, texts: Sequence[str]) -> npt.NDArray[np.uint64]:
        digests = (hashlib.blake2b(f"{self._model_id}\0{text}".encode(), digest_size=16).digest() for text in texts)
        return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)

    def _load(self) -> list[npt.NDArray[Any]]:
        if self._maps is None:
            # A record that is still being written, or whose writer died, is not counted.
            sizes = {path: path.stat().st_size // RECORD.itemsize for path in sorted(self._folder.glob("*.vec"))}
            self._maps = [
                np.memmap(path, dtype=RECORD, mode="r", shape=(size,)) for path, size in sizes.items() if size
            ]
            names = [np.ascontiguousarray(one["hash"]).view(np.uint64).reshape(-1, 2) for one in self._maps]
            self._starts = np.cumsum([0, *(len(one) for one in self._maps)])
            keys = np.concatenate(names) if names else np.empty((0, 2), dtype=np.uint64)
            self._order = np.argsort(keys[:, 0], kind="stable")
            self._keys = keys[self._order]
        return self._maps


async def complete(files: VectorFiles, embedder: Embedder, texts: Sequence[str], *, verbose: bool = False) -> int:
    """Make the vectors that are missing, a batch at a time, and return how many those were."""
    found, _ = files.find(texts)
    missing = list(dict.fromkeys(text for text, known in zip(texts, found, strict=True) if not known))
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        files.put(batch, await embedder.embed(batch))
        if verbose:
            print(f"\r{start + len(batch)} of {len(missing)}", end="", flush=True)
    if missing:
        files.refresh()
    return len(missing)


async def run(items: int) -> None:
    """Make the vectors of the first passages."""
    embedder = MiniLMEmbedder(axes=None)
    files = VectorFiles(corpus.cache_folder(), embedder.model_id)
    made = await complete(files, embedder, corpus.passages(items), verbose=True)
    await embedder.aclose()
    print(f"\n{made} vectors made; those of the first {items} passages are in {corpus.cache_folder()}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=500_000)
    arguments = parser.parse_args()
    os.nice(_NICE)
    asyncio.run(run(arguments.items))


if __name__ == "__main__":
    main()
