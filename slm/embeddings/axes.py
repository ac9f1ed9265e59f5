"""The principal axes of the bundled model's vectors: turned onto them, a vector says most in its first numbers.

A turn changes no cosine (Jolliffe, Principal Component Analysis, 2002, chapter 1), so nothing is lost; but an index can
go by the leading numbers alone, in half the room and time, and the best it finds are compared by all of them.
``bench/axes.py`` computes the axes from texts of several kinds.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import ModelFileError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import ArrayLike, NDArray

AXES_FILE = Path(__file__).parent / "axes.npy"
AXES_SHA256 = "a8edba264258ae5462b5f45f335262224962960e70587d0932cb193765bcfc13"
"""Other axes would need another name of the space: see ``minilm.MODEL_ID``."""
LEADING = 160
"""The nearest 100 by so many numbers hold the nearest 10 by all of them (of 6,000 texts: ``bench/axes.py``)."""


def load_axes(file: Path = AXES_FILE) -> NDArray[numpy.float32]:
    """Return the axes, one a column, (384, 384), the one that says most first.

    Raises:
        ModelFileError: the file is missing or damaged.
    """
    import numpy

    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"The embedding model's axes.npy cannot be read ({error.strerror}); reinstall palimpsest."
        ) from error
    if hashlib.sha256(raw).hexdigest() != AXES_SHA256:
        raise ModelFileError("The embedding model's axes.npy is damaged (its SHA-256 differs); reinstall palimpsest.")
    axes: NDArray[numpy.float32] = numpy.load(io.BytesIO(raw)).astype(numpy.float32)
    return axes


def turn(vectors: ArrayLike, axes: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
    """Return unit vectors, (n, 384) or (384,), turned onto the axes.

    Scaled to unit length again: the axes are kept in half precision.
    """
    import numpy

    turned = numpy.asarray(vectors, dtype=numpy.float32) @ axes
    turned /= numpy.linalg.norm(turned, axis=-1, keepdims=True)
    return turned
