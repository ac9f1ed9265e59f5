"""What every embedder checks: texts that can be encoded going in, unit vectors of the right length coming out."""

import math
from collections.abc import Sequence

from ...core.errors import EmbedderError


def drop_surrogates(text: str) -> str:
    """Return the text with each lone surrogate as a question mark: it is no UTF-8, and nothing else is taken."""
    return text.encode("utf-8", "replace").decode()


def check_vectors(vectors: Sequence[Sequence[float]], *, count: int, dimensions: int, source: str) -> list[list[float]]:
    """Return the vectors scaled to unit length.

    Raises:
        EmbedderError: too few or too many, of another length, or without a direction.
    """
    if len(vectors) != count:
        raise EmbedderError(f"The embedding model {source!r} returned {len(vectors)} vectors for {count} texts.")
    return [_normalise(vector, dimensions, source) for vector in vectors]


def _normalise(vector: Sequence[float], dimensions: int, source: str) -> list[float]:
    if len(vector) != dimensions:
        raise EmbedderError(
            f"The embedding model {source!r} returns vectors of {len(vector)} numbers, not {dimensions}; "
            f"set PALIMPSEST_EMBEDDING_DIMENSIONS={len(vector)}."
        )
    norm = math.sqrt(math.fsum(value * value for value in vector))
    if not (math.isfinite(norm) and norm > 0):
        raise EmbedderError(f"The embedding model {source!r} returned a vector without a direction.")
    return [value / norm for value in vector]
