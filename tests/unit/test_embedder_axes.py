"""The axes that the bundled model's vectors are turned onto."""

from pathlib import Path

import numpy as np
import pytest

from palimpsest.core.errors import ModelFileError
from palimpsest.slm.embeddings.axes import AXES_FILE, LEADING, load_axes, turn
from palimpsest.slm.embeddings.minilm import DIMENSIONS, MiniLMEmbedder

TEXTS = ["A cat sat on the mat.", "Invoices are due within thirty days.", "def parse(text): return json.loads(text)"]


async def test_a_turn_changes_no_cosine_and_puts_what_says_most_first() -> None:
    turned, plain = MiniLMEmbedder(), MiniLMEmbedder(axes=None)
    try:
        ours, theirs = np.asarray(await turned.embed(TEXTS)), np.asarray(await plain.embed(TEXTS))
        assert turned.model_id != plain.model_id
        assert (turned.leading, plain.leading) == (LEADING, None)
        assert ours == pytest.approx(turn(theirs, load_axes()), abs=1e-6)
        assert ours @ ours.T == pytest.approx(theirs @ theirs.T, abs=2e-4)
        leading = (ours[:, :LEADING] ** 2).sum(axis=1)
        assert (leading > 1.4 * (theirs[:, :LEADING] ** 2).sum(axis=1)).all()
    finally:
        await turned.aclose()
        await plain.aclose()


def test_axes_stand_upright_on_each_other() -> None:
    axes = load_axes()
    assert axes.shape == (DIMENSIONS, DIMENSIONS)
    assert axes.T @ axes == pytest.approx(np.eye(DIMENSIONS), abs=2e-3)


async def test_a_damaged_or_missing_file_of_axes_is_said_to_be(tmp_path: Path) -> None:
    damaged = tmp_path / "axes.npy"
    damaged.write_bytes(AXES_FILE.read_bytes()[:-2] + b"no")
    for file, words in ((damaged, "axes.npy is damaged"), (tmp_path / "none.npy", "axes.npy cannot be read")):
        embedder = MiniLMEmbedder(axes=file)
        with pytest.raises(ModelFileError, match=words):
            await embedder.embed(["a text"])
        await embedder.aclose()
