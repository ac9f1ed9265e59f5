"""The bundled embedder: all-MiniLM-L6-v2 on the processor, without a key, a service or a download."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import EmbedderError
from .axes import AXES_FILE, LEADING, load_axes, turn
from .minilm_model import MODEL_FOLDER, MiniLM, Variant, load_model

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

UNTURNED_MODEL_ID = "all-MiniLM-L6-v2/sq65-1"
"""The exact form bears the same name: it has the same weights, and a mix of both ranked no worse than either alone."""
MODEL_ID = f"{UNTURNED_MODEL_ID}/axes-1"
DIMENSIONS = 384


class MiniLMEmbedder:
    """Embeds each text alone, so that its vector never depends on its company, on a few threads of its own.

    Nothing is imported or read before the first use. A call keeps no more texts in the threads than they can begin at
    once, so that a query waits for a text or two of a large list, never for the list; cancelling a call stops it
    between two texts.
    """

    def __init__(self, *, folder: Path = MODEL_FOLDER, workers: int = 2, axes: Path | None = AXES_FILE) -> None:
        """Take the model's folder, the number of threads, and what vectors are turned onto; None leaves them as they
        are, which is another space."""
        self._folder = folder
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="palimpsest-embedder")
        self._loading = threading.Lock()
        self._model: MiniLM | None = None
        self._axes_file = axes
        self._axes: NDArray[numpy.float32] | None = None
        self._closed = False

    @property
    def model_id(self) -> str:
        """Name the model, the form of its weights and the axes."""
        return UNTURNED_MODEL_ID if self._axes_file is None else MODEL_ID

    @property
    def dimensions(self) -> int:
        """Return 384."""
        return DIMENSIONS

    @property
    def leading(self) -> int | None:
        """Return how many of the first numbers say most; None without axes."""
        return None if self._axes_file is None else LEADING

    @property
    def variant(self) -> Variant | None:
        """Say which form of the model runs; None until it is loaded."""
        return None if self._model is None else self._model.variant

    @property
    def notes(self) -> tuple[str, ...]:
        """Say in sentences what the user should know about the model that was loaded."""
        return () if self._model is None else self._model.notes

    async def load(self) -> None:
        """Load the model ahead of the first text.

        Raises:
            ModelFileError: a file is missing or damaged.
            EmbedderError: the model computes wrongly here, or the embedder is closed.
        """
        self._check_open()
        await asyncio.get_running_loop().run_in_executor(self._pool, self._loaded)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text, in order; an empty list for none. Texts beyond 256 tokens are cut.

        Raises:
            ModelFileError: a file is missing or damaged.
            EmbedderError: the model failed or computes wrongly here, or the embedder is closed.
        """
        vectors: list[list[float]] = [[]] * len(texts)
        rest = iter(enumerate(texts))

        async def drain() -> None:
            for index, text in rest:
                self._check_open()
                vectors[index] = await asyncio.get_running_loop().run_in_executor(self._pool, self._embed_one, text)

        # One more than there are threads: none idles while the event loop fetches the next text.
        drains = [asyncio.create_task(drain()) for _ in range(min(len(texts), self._workers + 1))]
        try:
            await asyncio.gather(*drains)
        finally:
            for task in drains:
                task.cancel()
        return vectors

    async def aclose(self) -> None:
        """Wait for the texts in work and free the threads and the model; calling it twice is allowed."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        self._model = None

    def _check_open(self) -> None:
        if self._closed:
            raise EmbedderError("The embedder is closed.")

    def _embed_one(self, text: str) -> list[float]:
        vector = self._loaded().embed(text)
        if self._axes is None:
            return vector
        turned: list[float] = turn(vector, self._axes).tolist()
        return turned

    def _loaded(self) -> MiniLM:
        with self._loading:
            if self._model is None:
                self._axes = None if self._axes_file is None else load_axes(self._axes_file)
                self._model = load_model(self._folder)
            return self._model
