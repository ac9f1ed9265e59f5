"""Matrices to 8 bits, each with what must happen to its input and output."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .forward import embed
from .weights import Floats, Linear, Weights

ALPHA = 0.65
"""How much of a channel's range moves from the activations into the weights; chosen by cosine on development texts."""
GELU_FLOOR = 0.17
"""GELU is never below -0.16998, so its output plus this is never negative."""
_LARGEST = 127

Ranges = dict[tuple[int, str], tuple[Floats, Floats]]
"""(layer, matrix) -> lowest and highest input of each channel."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """``y = ((x * gain + shift) @ (weight * scale)) + bias``.

    ``weight`` is (inputs, outputs) in int8, ``scale`` and ``bias`` are (outputs,) ``gain`` is (inputs,) and
    ``shift`` (inputs,) or (1,); None where the input stays as it is.
    """

    weight: NDArray[np.int8]
    scale: Floats
    bias: Floats
    gain: Floats | None = None
    shift: Floats | None = None


def measure_ranges(weights: Weights, texts: Iterable[Sequence[int]]) -> Ranges:
    """Return the ranges of the inputs of "qkv" and "widen" over ``texts``, given as token ids.

    Rounded to four digits, so that machines whose sums differ in the last bit agree on every byte of the model.
    """
    ranges: Ranges = {}

    def note(layer: int, matrix: str, x: Floats) -> None:
        low, high = ranges.get((layer, matrix), (x[0], x[0]))
        ranges[layer, matrix] = np.minimum(low, x.min(0)), np.maximum(high, x.max(0))

    for ids in texts:
        embed(weights, ids, note)
    return {key: (_four_digits(low), _four_digits(high)) for key, (low, high) in ranges.items()}


def _four_digits(values: Floats) -> Floats:
    return np.array([float(f"{value:.4g}") for value in values])


def quantise_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return (rows, columns) in int8 and each row's scale (rows, 1)."""
    scale = np.abs(table).max(1, keepdims=True) / _LARGEST
    scale[scale == 0] = 1
    return np.rint(table / scale).astype(np.int8), scale


def quantise_plain(linear: Linear) -> Quantised:
    """Quantise each output's weights; the input stays as it is."""
    rows, scale = quantise_rows(linear.weight.T)
    return Quantised(np.ascontiguousarray(rows.T), scale[:, 0], linear.bias)


def quantise_smoothed(linear: Linear, low: Floats, high: Floats) -> Quantised:
    """Centre each input channel and even out the channels' ranges (SmoothQuant, Xiao et al. 2023) before quantising.

    One scale serves a whole text's activations, and without this a few wide channels take most of its 8 bits.
    """
    centre, radius = (low + high) / 2, np.maximum((high - low) / 2, 1e-3)
    gain = np.abs(linear.weight).max(1) ** (1 - ALPHA) / radius**ALPHA
    gain /= np.exp(np.log(gain).mean())
    # The graph holds single precision: fold in exactly what it will multiply by.
    gain = gain.astype(np.float32).astype(np.float64)
    shift = (-centre * gain).astype(np.float32).astype(np.float64)
    plain = quantise_plain(Linear(linear.weight / gain[:, None], linear.bias - (shift / gain) @ linear.weight))
    return Quantised(plain.weight, plain.scale, plain.bias, gain, shift)


def quantise_after_gelu(linear: Linear) -> Quantised:
    """Shift the input to zero and above, so that a text's tokens use all 256 steps; take the shift back in the bias."""
    plain = quantise_plain(linear)
    undo = GELU_FLOOR * (plain.weight.astype(np.float64) * plain.scale).sum(0)
    return Quantised(plain.weight, plain.scale, linear.bias - undo, None, np.array([GELU_FLOOR]))
