"""The model in plain NumPy and double precision: the reference that no runtime and no quantisation touches."""

from collections.abc import Callable, Sequence

import numpy as np

from .weights import EPSILON, HEADS, Floats, Linear, Norm, Weights

Tap = Callable[[int, str, Floats], None]
"""Called with the layer, the matrix ("qkv" or "widen") and its input (tokens, 384)."""


def _erf(x: Floats) -> Floats:
    # Abramowitz and Stegun 7.1.26, absolute error at most 1.5e-7: that of single precision.
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    value: Floats = np.sign(x) * (1 - series * np.exp(-x * x))
    return value


def _normalise(x: Floats, norm: Norm) -> Floats:
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    value: Floats = centred / deviation * norm.gain + norm.bias
    return value


def _apply(x: Floats, linear: Linear) -> Floats:
    return x @ linear.weight + linear.bias


def _attend(qkv: Floats) -> Floats:
    tokens = len(qkv)
    query, key, value = (part.reshape(tokens, HEADS, -1).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1))
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    joined: Floats = (shares @ value).transpose(1, 0, 2).reshape(tokens, -1)
    return joined


def embed(weights: Weights, ids: Sequence[int], tap: Tap | None = None) -> Floats:
    """Return the unit vector (384,) of one text's token ids."""
    x = _normalise(weights.words[list(ids)] + weights.positions[: len(ids)], weights.norm)
    for index, layer in enumerate(weights.layers):
        if tap is not None:
            tap(index, "qkv", x)
        attended = _apply(_attend(_apply(x, layer.qkv)), layer.attention_out)
        x = _normalise(x + attended, layer.attention_norm)
        if tap is not None:
            tap(index, "widen", x)
        wide = _apply(x, layer.widen)
        wide = wide * 0.5 * (1 + _erf(wide / np.sqrt(2.0)))
        x = _normalise(x + _apply(wide, layer.narrow), layer.out_norm)
    mean: Floats = x.mean(0)
    return mean / np.linalg.norm(mean)
