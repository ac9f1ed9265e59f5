"""Any sentence-transformers model: for those who accept torch for another language, size or quality."""

import asyncio
import importlib
import importlib.util
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...core.errors import EmbedderError, SettingsError
from .vectors import check_vectors, drop_surrogates

_BATCH = 16
"""Texts a pass: enough for torch to be busy, few enough that a cancelled call ends within a second or so."""


class SentenceTransformersEmbedder:
    """Runs a model by name or folder in one thread of its own; it is loaded (and, by name, downloaded) on first use."""

    def __init__(self, model: str, *, dimensions: int, revision: str | None = None) -> None:
        """Take the model's name or folder, its vectors' length and, optionally, its exact revision.

        Raises:
            SettingsError: the sentence-transformers package is not installed.
        """
        if importlib.util.find_spec("sentence_transformers") is None:
            raise SettingsError(
                "PALIMPSEST_EMBEDDER=sentence-transformers needs a package that is not installed; "
                "run: pip install 'palimpsest[sentence-transformers]'"
            )
        self._name = model
        self._dimensions = dimensions
        self._revision = revision
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="palimpsest-embedder")
        self._model: Any = None
        self._closed = threading.Event()

    @property
    def model_id(self) -> str:
        """Name the model, and its revision where one was asked for."""
        return f"sentence-transformers/{self._name}" + (f"@{self._revision}" if self._revision else "")

    @property
    def dimensions(self) -> int:
        """Return the vectors' length as given."""
        return self._dimensions

    @property
    def leading(self) -> int | None:
        """Return None: whether its first numbers say more than the others is not known."""
        return None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector a text, in order; texts beyond the model's window are cut by it.

        Raises:
            EmbedderError: the model cannot be loaded, fails or has vectors of another length; the embedder is closed.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _BATCH):
            batch = [drop_surrogates(text) for text in texts[start : start + _BATCH]]
            if self._closed.is_set():
                raise EmbedderError("The embedder is closed.")
            raw = await asyncio.get_running_loop().run_in_executor(self._pool, self._encode, batch)
            vectors += check_vectors(raw, count=len(batch), dimensions=self._dimensions, source=self._name)
        return vectors

    async def aclose(self) -> None:
        """Wait for the pass in work and free the thread and the model; calling it twice is allowed."""
        self._closed.set()
        await asyncio.to_thread(self._pool.shutdown)
        self._model = None

    def _encode(self, texts: list[str]) -> list[list[float]]:
        # torch, transformers and the hub raise errors of a dozen families; all of them mean the same here.
        try:
            if self._model is None:
                package: Any = importlib.import_module("sentence_transformers")
                self._model = package.SentenceTransformer(self._name, revision=self._revision)
            encoded = self._model.encode(texts, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True)
            vectors: list[list[float]] = encoded.tolist()
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise EmbedderError(f"The sentence-transformers model {self._name!r} failed: {reason}") from error
        return vectors
