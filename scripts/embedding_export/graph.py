"""The two ONNX graphs: the fast one that carries the numbers, and the exact one that borrows them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .quantise import (
    GELU_FLOOR,
    Quantised,
    Ranges,
    quantise_after_gelu,
    quantise_plain,
    quantise_rows,
    quantise_smoothed,
)
from .weights import DIMENSIONS, EPSILON, HEADS, Norm, Weights

_CONTRIB = "com.microsoft"
_OPSETS = (("", 20), (_CONTRIB, 1))
_IR_VERSION = 9
# A hair under 255, so that rounding up at the top cannot wrap around to 0.
_STEPS = 254.98


@dataclass(frozen=True, slots=True)
class Numbers:
    """The quantised model."""

    words: NDArray[np.int8]
    word_scales: NDArray[np.float64]
    weights: Weights
    layers: tuple[dict[str, Quantised], ...]


def quantise_model(weights: Weights, ranges: Ranges) -> Numbers:
    """Return the model in 8 bits; ``ranges`` are those of the inputs of "qkv" and "widen"."""
    words, word_scales = quantise_rows(weights.words)
    layers = tuple(
        {
            "qkv": quantise_smoothed(layer.qkv, *ranges[index, "qkv"]),
            "attention_out": quantise_plain(layer.attention_out),
            "widen": quantise_smoothed(layer.widen, *ranges[index, "widen"]),
            "narrow": quantise_after_gelu(layer.narrow),
        }
        for index, layer in enumerate(weights.layers)
    )
    return Numbers(words, word_scales, weights, layers)


@dataclass(slots=True)
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    tensors: dict[str, onnx.TensorProto] = field(default_factory=dict[str, onnx.TensorProto])

    def constant(self, name: str, value: Any, kind: type[np.generic] = np.float32) -> str:
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(np.ascontiguousarray(np.asarray(value, kind)), name)
        return name

    def apply(self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"{operator}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names

    def one(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.apply(operator, *inputs, domain=domain, **attributes)[0]


def _embed_tokens(graph: _Graph, numbers: Numbers) -> str:
    rows = graph.one("Gather", graph.constant("words", numbers.words, np.int8), "input_ids")
    scales = graph.one("Gather", graph.constant("word_scales", numbers.word_scales), "input_ids")
    words = graph.one("Mul", graph.one("Cast", rows, to=TensorProto.FLOAT), scales)
    zero, one = (graph.constant(f"int_{value}", [value], np.int64) for value in (0, 1))
    tokens = graph.one("Shape", "input_ids", start=1, end=2)
    positions = graph.one("Slice", graph.constant("positions", numbers.weights.positions), zero, tokens, zero, one)
    return graph.one("Add", words, positions)


def _normalise(graph: _Graph, x: str, norm: Norm, name: str) -> str:
    gain, bias = graph.constant(f"{name}.gain", norm.gain), graph.constant(f"{name}.bias", norm.bias)
    return graph.one("LayerNormalization", x, gain, bias, axis=-1, epsilon=EPSILON)


def _prepare(graph: _Graph, x: str, matrix: Quantised, name: str) -> str:
    if matrix.gain is not None:
        x = graph.one("Mul", x, graph.constant(f"{name}.gain", matrix.gain))
    if matrix.shift is not None:
        x = graph.one("Add", x, graph.constant(f"{name}.shift", matrix.shift))
    return x


def _parts(graph: _Graph, matrix: Quantised, name: str) -> tuple[str, str, str]:
    return (
        graph.constant(f"{name}.weight", matrix.weight, np.int8),
        graph.constant(f"{name}.scale", matrix.scale),
        graph.constant(f"{name}.bias", matrix.bias),
    )


def _multiply_exact(graph: _Graph, x: str, matrix: Quantised, name: str) -> str:
    weight, scale, bias = _parts(graph, matrix, name)
    # The runtime folds this product once, while it loads.
    full = graph.one("Mul", graph.one("Cast", weight, to=TensorProto.FLOAT), scale)
    return graph.one("Add", graph.one("MatMul", _prepare(graph, x, matrix, name), full), bias)


def _multiply_per_text(graph: _Graph, x: str, matrix: Quantised, name: str) -> str:
    weight, scale, bias = _parts(graph, matrix, name)
    x = _prepare(graph, x, matrix, name)
    return graph.one("DynamicQuantizeMatMul", x, weight, scale, "", bias, domain=_CONTRIB)


def _multiply_per_token(graph: _Graph, x: str, matrix: Quantised, name: str) -> str:
    """Quantise GELU's output with a scale for every token: its peaks differ too much between tokens to share one."""
    weight, scale, bias = _parts(graph, matrix, name)
    floor, tiny = graph.constant("gelu_floor", GELU_FLOOR), graph.constant("tiny", 1e-12)
    last = graph.constant("last_axis", [-1], np.int64)
    peak = graph.one("Add", graph.one("Max", graph.one("ReduceMax", x, last, keepdims=1), tiny), floor)
    inverse = graph.one("Div", graph.constant("steps", _STEPS), peak)
    offset = graph.one("Add", graph.one("Mul", inverse, floor), graph.constant("half", 0.5))
    steps = graph.one("Cast", graph.one("Add", graph.one("Mul", x, inverse), offset), to=TensorProto.UINT8)
    unit, zero = graph.constant("step", 1 / _STEPS), graph.constant("zero_point", 0, np.uint8)
    product = graph.one("MatMulIntegerToFloat", steps, weight, unit, scale, zero, domain=_CONTRIB)
    return graph.one("Add", graph.one("Mul", product, peak), bias)


def build_graph(numbers: Numbers, *, exact: bool) -> onnx.ModelProto:
    """Return a model from ``input_ids`` (1, tokens) to ``embedding`` (1, 384), of unit length.

    ``exact`` computes with the same 8-bit weights in single precision throughout; else activations are 8 bits too.
    There is no mask: texts go in alone, because one text's activation scale must not depend on its company.
    """
    graph = _Graph()
    wide, narrow = (_multiply_exact,) * 2 if exact else (_multiply_per_text, _multiply_per_token)
    x = _normalise(graph, _embed_tokens(graph, numbers), numbers.weights.norm, "norm")
    for index, (matrices, layer) in enumerate(zip(numbers.layers, numbers.weights.layers, strict=True)):
        name = f"layer_{index}"
        qkv = wide(graph, x, matrices["qkv"], f"{name}.qkv")
        parts = graph.constant("parts", [DIMENSIONS] * 3, np.int64)
        query, key, value = graph.apply("Split", qkv, parts, outputs=3, axis=-1)
        attended = graph.one("MultiHeadAttention", query, key, value, domain=_CONTRIB, num_heads=HEADS)
        attended = wide(graph, attended, matrices["attention_out"], f"{name}.attention_out")
        x = _normalise(graph, graph.one("Add", attended, x), layer.attention_norm, f"{name}.attention_norm")
        gelu = graph.one("Gelu", wide(graph, x, matrices["widen"], f"{name}.widen"))
        narrowed = narrow(graph, gelu, matrices["narrow"], f"{name}.narrow")
        x = _normalise(graph, graph.one("Add", narrowed, x), layer.out_norm, f"{name}.out_norm")
    mean = graph.one("ReduceMean", x, graph.constant("int_1", [1], np.int64), keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=1, p=2))
    return _finish(graph)


def _finish(graph: _Graph) -> onnx.ModelProto:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIMENSIONS])
    body = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", [ids], [embedding], list(graph.tensors.values()))
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
    return helper.make_model(body, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="palimpsest")
