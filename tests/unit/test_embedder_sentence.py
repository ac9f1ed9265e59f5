"""The sentence-transformers embedder where that package is not installed."""

import importlib.util

import pytest

from palimpsest.core.errors import EmbedderError, SettingsError
from palimpsest.slm.embeddings.sentence import SentenceTransformersEmbedder
from palimpsest.slm.embeddings.vectors import check_vectors

INSTALLED = importlib.util.find_spec("sentence_transformers") is not None


@pytest.mark.skipif(INSTALLED, reason="sentence-transformers is installed")
def test_the_missing_extra_is_named() -> None:
    with pytest.raises(SettingsError, match=r"pip install 'palimpsest\[sentence-transformers\]'"):
        SentenceTransformersEmbedder("some/model", dimensions=384)


@pytest.mark.skipif(not INSTALLED, reason="sentence-transformers (an extra) is not installed")
async def test_a_model_that_cannot_be_loaded_is_an_embedder_error(tmp_path: object) -> None:
    embedder = SentenceTransformersEmbedder(f"{tmp_path}/nothing-here", dimensions=384, revision="r1")
    assert embedder.model_id.endswith("nothing-here@r1")
    with pytest.raises(EmbedderError, match=r"nothing-here.* failed"):
        await embedder.embed(["a"])
    await embedder.aclose()


def test_vectors_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(EmbedderError, match="without a direction"):
        check_vectors([[float("nan"), 1.0]], count=1, dimensions=2, source="m")
